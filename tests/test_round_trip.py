"""Every formula that is printed is read back, and has the value of the expression that it was printed from.

``python tests/read_back.py`` prints the figures of all examples.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy
from derivation_examples import NOTATIONS, some_catalogue_models, special_models
from read_back import (
    WITHOUT_VALUE,
    Figures,
    Operand,
    Page,
    Values,
    check_digits,
    check_values,
    compare,
    example_names,
    numbers_in,
    unknown_in,
)
from read_pages import FORMS, check_document

from symbptt import RNN, load
from symbptt.algebra.present import present
from symbptt.algebra.tex import to_tex
from symbptt.errors import SymbpttError
from symbptt.evaluate.claims import instances
from symbptt.model import names_in
from symbptt.reading.notation import NotationError, parse
from symbptt.reading.printed import Printed, operands_of
from symbptt.render.graph_layout import Layout

QUICK = ("relu-explosion", "residual", "hessian-vector", "d2l-rows")
SLOW = tuple(name for name in example_names() if name not in QUICK)
WRITTEN = ("relu-explosion",)
SPECIAL = tuple(special_models())
MOST_WITHOUT = 60
"""No more formulas of all special models may be without a value of their own."""


@cache
def derivation_of(name: str, lang: str = "en") -> Any:
    return (load(name) if name in example_names() else special_models()[name]).derivation(lang=lang)


def assert_sound(figures: Figures) -> None:
    print(figures)
    assert not figures.faults, f"{len(figures.faults)} faults, the first: {figures.faults[0]}"


# -- derivations ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_formulas_of_an_example_are_read_back(name: str) -> None:
    figures = Figures()
    check_values(Page(derivation_of(name)), figures, NOTATIONS if name != "d2l-rows" else ["textbook"])
    assert figures.counts["values compared"] >= 50
    assert_sound(figures)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_formulas_of_every_rule_are_read_back(part: int) -> None:
    figures = Figures()
    for place, name in enumerate(SPECIAL[part::4]):
        own = [notation for notation in NOTATIONS if notation != derivation_of(name).notation]
        check_values(Page(derivation_of(name)), figures, [own[place % len(own)]])
    assert_sound(figures)
    assert len(figures.without) < MOST_WITHOUT


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_formulas_of_every_cell_are_read_back(part: int) -> None:
    figures = Figures()
    for place, model in enumerate(some_catalogue_models()[part::2]):
        check_values(Page(model.derivation()), figures, [NOTATIONS[place % len(NOTATIONS)]])
    assert_sound(figures)


@pytest.mark.slow
def test_formulas_in_rows_are_read_back() -> None:
    """Every cell of one pass, laid out in rows with symbolic sizes."""
    figures, laid_out = Figures(), 0
    for model in some_catalogue_models():
        try:
            rows = RNN(model.network.cell, layout="rows", sections=["model", "local", "recursion", "parameters"])
        except SymbpttError:
            continue  # a cell that is not written for rows
        check_values(Page(rows.derivation()), figures, ["d2l"])
        laid_out += 1
    assert laid_out >= 10
    assert_sound(figures)


def test_kinds_without_a_value_are_few() -> None:
    """A formula is read back or belongs to a kind that has a reason."""
    assert len(WITHOUT_VALUE) <= 10
    assert all(len(reason) > 10 for reason in WITHOUT_VALUE.values())


# -- files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WRITTEN, *(pytest.param(n, marks=pytest.mark.slow) for n in example_names()
                                              if n not in WRITTEN)])  # fmt: skip
def test_written_files_are_read_back(name: str) -> None:
    """Formulas stand in files as the document has them: aligned, broken, in columns, on slides, with macros."""
    figures = Figures()
    for lang in ("en", "zh"):
        derivation = derivation_of(name, lang)
        document = derivation.document()
        for form, (kind, write) in FORMS.items():
            if lang == "en" or form in ("markdown", "narrow"):
                check_document(document, write(derivation), kind, figures, f"{name} {lang} {form}")
    assert_sound(figures)


# -- what is asked for alone ----------------------------------------------------------------------------


def check_alone(model: RNN, expr: Any, latex: str, figures: Figures, **indices: int) -> None:
    """Compare a formula that stands alone with its expression at instances of the model."""
    reader = Printed(model.system, names_in(model.system, model.notation))
    for name in [name for name in sorted(map(str, expr.free_symbols)) if name in ("t", "s")]:
        indices.setdefault(name, 1)
    for instance in instances(model.network, 0, 1):
        truth = instance.evaluate(expr, indices)
        read = reader.read(latex)
        wrong = unknown_in(read) or compare(read, truth, reader.world(instance, **indices), reader.units(instance),
                                            reader.names.rows)  # fmt: skip
        if wrong:
            figures.fault(model.network.cell.name, latex, wrong)
        figures.counts["formulas alone compared"] += 1


def gradients_of(model: RNN) -> list[tuple[Any, str]]:
    names = names_in(model.system, model.notation)
    found = []
    for key in model.system.parameters:
        for form in ("recursive", "closed", "unrolled", "explicit"):
            try:
                expr = model.gradient(key, form=form)
            except SymbpttError:
                continue  # a form that would be too large to be read, or that needs a number of steps
            latex = to_tex(present(expr, names))
            if len(latex) < LONGEST:
                found.append((expr, latex))
    return found


LONGEST = 20_000
"""An explicit gradient with more characters is nothing that anybody reads."""
OF_GRADIENTS = ("lstm", "gru", "softmax-readout", "residual", "state-space", "delta-rule", "rtrl")


@pytest.mark.parametrize("name", ["vector-tanh", *(pytest.param(n, marks=pytest.mark.slow) for n in OF_GRADIENTS)])
def test_gradients_in_every_form_are_read_back(name: str) -> None:
    figures = Figures()
    for expr, latex in gradients_of(load(name)):
        check_alone(load(name), expr, latex, figures)
    assert figures.counts["formulas alone compared"] >= 4
    assert_sound(figures)


@pytest.mark.parametrize("name", ["relu-explosion", "vector-tanh", "lstm"])
def test_unrolled_networks_are_read_back(name: str) -> None:
    model, figures = load(name), Figures()
    unrolled = model.unroll()
    reader = Printed(model.system, names_in(model.system, model.notation))
    tree = parse(unrolled._repr_latex_().strip("$").removeprefix("\\displaystyle"))
    chains = operands_of(tree)
    assert len(chains) >= model.network.steps
    for left, right in chains:
        instance = instances(model.network, 0, 1)[0]
        world = reader.world(instance)
        truth = compare_both(reader, left, right, world)
        if truth:
            figures.fault(name, left, truth)
        figures.counts["equations compared"] += 1
    assert_sound(figures)


def compare_both(reader: Printed, left: Any, right: Any, world: Any) -> str:
    from symbptt.reading.value.evaluator import value

    expected = value(reader.meaning(left), world)
    return compare(reader.meaning(right), np.asarray(expected.array), world, [None], reader.names.rows)


@pytest.mark.parametrize("name", ["relu-explosion", "truncation-regular", "truncation-randomised"])
def test_labels_of_graphs_are_read_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[Any, str]] = []
    write = Layout.math

    def recorded(layout: Layout, expr: Any) -> Any:
        item = write(layout, expr)
        shown.append((expr, to_tex(item)))
        return item

    monkeypatch.setattr(Layout, "math", recorded)
    model, figures = load(name), Figures()
    model.graph().to_tikz()
    page = Page(model.derivation())
    reader = replace(page.printed, modes=tuple({str(getattr(p, "mode", "")) for e, _ in shown
                                                for p in sympy.preorder_traversal(e)} - {""}))  # fmt: skip
    instance = instances(model.network, 0, 1)[0]
    for expr, latex in dict.fromkeys(shown):
        read = reader.read(latex)
        letters = dict.fromkeys((s.name for s in expr.free_symbols if isinstance(s, sympy.Symbol) and s.is_integer), 2)
        truth = instance.evaluate(expr, letters)
        wrong = unknown_in(read) or compare(read, truth, reader.world(instance, **letters), [None], False)
        if wrong:
            figures.fault(latex, wrong)
        figures.counts["labels compared"] += 1
    assert figures.counts["labels compared"] >= 5
    assert_sound(figures)


# -- it can fail ----------------------------------------------------------------------------------------

CORRUPTED = [
    ("W_h^\\top", "W_h"),
    ("+", "-"),
    ("h_{t-1}", "h_t"),
    ("\\odot", ""),
    ("\\frac{\\partial L}{\\partial z_t}", "\\frac{\\partial L}{\\partial h_t}"),
    ("{t+1}", "t"),
    ("\\partial^+", "\\partial"),
    ("1 - ", "1 + "),
]


def corrupted(page: Page, old: str, new: str) -> list[str]:
    """Return the faults that are found when each formula with a part has another in its place."""
    values, found = Values(page), []
    for operand in page.operands():
        if old not in operand.latex or operand.place not in ("left", "line"):
            continue
        latex = operand.latex.replace(old, new, 1)
        for truth, world, units in values.cases(operand):
            try:
                read = page.reader(operand).read(latex)
            except NotationError as error:
                found.append(str(error))
                break
            wrong = unknown_in(read) or compare(read, truth, world, units, False)
            if wrong:
                found.append(wrong)
                break
    return found


@pytest.mark.parametrize(("old", "new"), CORRUPTED)
def test_a_corrupted_formula_is_found(old: str, new: str) -> None:
    name = "custom-cell" if "^+" in old else "vector-tanh"
    assert corrupted(Page(derivation_of(name)), old, new)


def test_what_is_not_corrupted_is_not_found() -> None:
    assert not corrupted(Page(derivation_of("vector-tanh")), "W_h", "W_h")


def test_a_wrong_digit_is_found() -> None:
    page = Page(derivation_of("vector-tanh"))
    step = next(step for step in page.steps if step.key == "forward.h.1")
    before, after = (to_tex(present(line.expr, page.printed.names)) for line in step.chain[-2:])
    world = page.printed.world(Values(page)._instances(Operand(step, step.left, "", False, "left"), {})[0])
    printed = numbers_in(after)
    assert printed is not None
    assert not check_digits(page.printed, before, "≈", printed, world)
    last = printed[0]
    changed = last[:-1] + str((int(last[-1]) + 1) % 10)
    assert check_digits(page.printed, before, "≈", [changed, *printed[1:]], world)


def test_a_file_with_a_changed_formula_is_found() -> None:
    derivation, figures = derivation_of("relu-explosion"), Figures()
    text = derivation.to_latex(columns=2)
    check_document(derivation.document(), text.replace("W_h h_{t-1}", "W_h h_t", 1), "latex", figures, "changed")
    assert figures.faults


def test_a_label_and_a_factor_are_told_apart() -> None:
    """A bracket behind a variable is a factor, whatever its letter."""
    model = load("state-space")
    reader = Printed(model.system, names_in(model.system, "textbook"))
    assert reader.read(r"C^\top(o_t - \hat{y})") == reader.read(r"C^\top (o_t - \hat{y})")
    assert reader.read(r"C^\top(o_t - \hat{y})") != reader.read(r"C^\top")


@pytest.mark.parametrize("notation", ["textbook", "hh", "d2l", "pytorch", "goodfellow"])
def test_no_two_variables_of_a_page_have_one_name(notation: str) -> None:
    """Two things with one name could not be told apart by anybody; several readouts had that."""
    for model in (*special_models().values(), *map(load, example_names())):
        names = names_in(model.system, notation)
        keys = [*model.system.variables, *model.system.parameters]
        shown = [to_tex(names.key(key)) for key in keys if key != "L"]
        assert len(set(shown)) == len(shown), sorted(name for name in shown if shown.count(name) > 1)
