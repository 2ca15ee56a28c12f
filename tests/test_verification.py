"""Verification: every printed line is proved, and a step that is corrupted is named."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy
from cells import CELLS, LSTM, SCALAR, by_size, own_sizes
from derivation_examples import with_numbers

from symbptt import RNN, load
from symbptt import algebra as A
from symbptt.algebra import nodes as N
from symbptt.derive.derivation import Derived
from symbptt.derive.steps import (
    CONVENTION,
    DEFINITION,
    EQUALITY,
    GIVEN,
    HYPOTHESIS,
    KINDS,
    OBSERVATION,
    REMARK,
    WORKED,
    Line,
    Section,
    Step,
    Worksheet,
)
from symbptt.evaluate import report as reports
from symbptt.evaluate.claims import instances
from symbptt.evaluate.given import given_instance
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.report import verify_derivation
from symbptt.model import ACTIVATIONS, CATALOGUE

# -- it holds -----------------------------------------------------------------------------------------

PARTS = [
    (None, "half_squared_error", "sum", {}),
    ("linear", "squared_error", "mean", {"bias": False}),
    ("linear", "mse", "last", {"readout_bias": False}),
    ("sigmoid", "binary_cross_entropy", "sum", {"inputs": None}),
    ("softmax", "cross_entropy", "mean", {"steps": 3}),
    ("softmax", "cross_entropy", "last", {"bias": False, "readout_bias": False}),
    (None, "mse", "last", {"inputs": None, "bias": False}),
    ("sigmoid", "half_squared_error", "last", {"steps": 2}),
]
"""Readout, loss, reduction, options: every pair of a readout, a loss that fits it and a reduction, in a few models."""


def pairs() -> Iterator[Any]:
    """Every cell of the catalogue with a few of the parts, so that each part meets several cells.

    Those that are no Elman cell have a quick test of their own below.
    """
    for place, cell in enumerate(CATALOGUE):
        marks = () if cell in ACTIVATIONS else (pytest.mark.slow,)
        for k in range(2):
            readout, loss, reduction, options = _parts(cell, place + 3 * k)
            model = RNN(cell, readout=readout, loss=loss, reduction=reduction, **options)
            name = f"{cell}-{readout}-{loss}-{reduction}-{'-'.join(options)}"
            yield pytest.param(model, id=name, marks=marks)
        readout, loss, reduction, options = _parts(cell, place)
        sizes = {"hidden": 1, "inputs": 1, "outputs": 1 if readout else None, "steps": 2}
        own = dict.fromkeys(own_sizes(CATALOGUE[cell]()), 1)
        scalar = RNN(cell, readout=readout, loss=loss, reduction=reduction, sizes=own, **{**sizes, **options})
        yield pytest.param(scalar, id=f"{cell}-{readout}-{loss}-{reduction}-scalar", marks=marks)


def _parts(cell: str, place: int) -> tuple[Any, ...]:
    """Some of the parts; a cell that computes nothing without an input keeps it."""
    readout, loss, reduction, options = PARTS[place % len(PARTS)]
    needs_input = cell in ("linear_attention", "delta_rule")
    return readout, loss, reduction, {k: v for k, v in options.items() if k != "inputs" or not needs_input}


@pytest.mark.sample(4)
@pytest.mark.parametrize("model", list(pairs()))
def test_every_step_of_a_catalogue_cell_is_proved(model: RNN) -> None:
    _proved(model.derivation())


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", by_size(CELLS))
def test_every_step_of_any_other_cell_is_proved(name: str) -> None:
    readout, reduction = [(None, "sum"), ("linear", "mean"), ("linear", "last")][list(CELLS).index(name) % 3]
    if CELLS[name].direction == -1:
        reduction = "sum"
    if name == "scalar pair":
        readout = None
    _proved(RNN(CELLS[name], readout=readout, reduction=reduction).derivation())


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", by_size(CELLS))
def test_every_line_with_numbers_is_proved(name: str, rounding: str = "carry") -> None:
    cell = CELLS[name]
    sizes = dict.fromkeys(own_sizes(cell), 2)
    model = with_numbers(RNN(cell, hidden=2, inputs=1 if name == "scalar pair" else 2, steps=2, sizes=sizes))
    _proved(model.derivation(detail="numbers", rounding=rounding), worked=True)


@pytest.mark.parametrize("name", ["lstm", "coupled", "delta_rule"])
def test_every_line_with_numbers_rounded_at_each_step_is_proved(name: str) -> None:
    test_every_line_with_numbers_is_proved(name, "step")


@pytest.mark.sample(4)
@pytest.mark.parametrize("rounding", ["carry", "step"])
@pytest.mark.parametrize(
    ("cell", "readout", "loss", "reduction"),
    [("tanh", "softmax", "cross_entropy", "sum"), ("gelu", "sigmoid", "binary_cross_entropy", "last"),
     ("relu", "linear", "mse", "mean"), ("leaky_relu", None, "half_squared_error", "last")],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 2])
def test_every_line_with_numbers_of_a_catalogue_cell_is_proved(
    cell: str, readout: str | None, loss: str, reduction: str, rounding: str, size: int
) -> None:
    outputs = None if readout is None else 2 if loss == "cross_entropy" else size
    model = RNN(cell, size, size, outputs, readout, loss, reduction, steps=3)
    _proved(with_numbers(model, 0.5).derivation(detail="numbers", rounding=rounding), worked=True)


def _proved(derivation: Any, worked: bool = False) -> None:
    report = derivation.verify()
    assert report.ok, [(check.key, check.detail) for check in report.failures]
    proved = {check.key for check in report.checks}
    assert proved == {step.key for step in derivation.steps if step.kind != REMARK}
    assert bool(report.counts.get(WORKED)) == worked
    assert derivation.verdicts == {s.key: True for s in derivation.steps if s.kind in (EQUALITY, WORKED)}


def test_definitions_and_conventions_are_not_counted_as_equalities() -> None:
    report = load("relu-explosion").derivation().verify()
    counts = report.counts
    assert set(counts) <= set(KINDS) - {REMARK}
    assert counts[EQUALITY] + counts[WORKED] == len(report.verdicts)
    assert counts[DEFINITION] and counts[CONVENTION] and counts[GIVEN]
    assert "all checks hold" in report.to_text()


@pytest.mark.parametrize(("size", "reduction"), [(1, "sum"), (1, "last"), (2, "mean")])
def test_a_single_step_has_no_recursion_and_is_proved(size: int, reduction: str) -> None:
    for cell in ("tanh", LSTM):
        model = with_numbers(RNN(cell, size, size, size, "linear", reduction=reduction, steps=1))
        for derivation in (model.derivation(), model.derivation(values={})):
            _proved(derivation, worked=derivation.derived.numbers is not None)
            assert "recursion.h" not in derivation.verdicts
            assert "boundary.h" in derivation.verdicts


def test_another_seed_is_another_proof() -> None:
    derivation = RNN("tanh", readout="linear").derivation()
    assert derivation.verify(seed=1).ok and derivation.verify(seed=2).ok


# -- it can fail: ways to spoil an expression ---------------------------------------------------------


def parts(expr: Any) -> Iterator[Any]:
    """The nodes of an expression, outermost first, without what is inside names and functions."""
    yield expr
    if not isinstance(expr, A.ElementwiseFunction | A.MatrixAt | A.ScalarAt | A.Parameter | A.LiteralMatrix):
        for a in expr.args:
            yield from parts(a)


def swapped(expr: Any, wanted: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
    """The expression with the first wanted part changed, nothing simplified; None where there is none."""
    target = next((part for part in parts(expr) if wanted(part)), None)
    return None if target is None else _put(expr, target, change(target))


def _put(expr: Any, old: Any, new: Any) -> Any:
    if expr is old:
        return new
    if not any(part is old for part in parts(expr)):
        return expr
    arguments, done = [], False
    for a in expr.args:
        changed = a if done else _put(a, old, new)
        done = done or changed is not a
        arguments.append(changed)
    return expr.func(*arguments)


def _negated(expr: Any) -> Any:
    return N.MatrixNegative(expr) if A.shape_of(expr) else N.Negative(expr)


SUMS = (N.Plus, N.MatrixPlus)
PRODUCTS = (N.Hadamard, N.Times, N.MatrixProduct)
AT = (A.MatrixAt, A.ScalarAt)


def _is_slope(factor: Any) -> bool:
    """f'(z), 1 - h * h, h (1 - h), or diag of one."""
    if isinstance(factor, N.Diag):
        return _is_slope(factor.args[0])
    if isinstance(factor, N.Map | N.Apply):
        return bool(factor.args[0].name.endswith("'"))
    first = factor.args[0] if isinstance(factor, SUMS) else None
    return first is not None and (first == 1 or (isinstance(first, A.Fill) and first.value == 1))


def sign_flipped(expr: Any) -> Any:
    if isinstance(expr, A.Literal | A.LiteralMatrix):
        return None
    return swapped(expr, lambda p: isinstance(p, SUMS), lambda p: p.func(_negated(p.args[0]), *p.args[1:])) or (
        _negated(expr)
    )


def transpose_dropped(expr: Any) -> Any:
    return swapped(expr, lambda p: isinstance(p, N.Transposed), lambda p: p.args[0])


def transpose_added(expr: Any) -> Any:
    def change(product: Any) -> Any:
        place = next(i for i, a in enumerate(product.args) if A.rank_of(a) == 2)
        factor = product.args[place]
        turned = factor.args[0] if isinstance(factor, N.Transposed) else N.Transposed(factor)
        return product.func(*product.args[:place], turned, *product.args[place + 1 :])

    def wanted(p: Any) -> bool:
        return isinstance(p, N.MatrixProduct) and any(A.rank_of(a) == 2 for a in p.args)

    return swapped(expr, wanted, change)


def outer_product_turned(expr: Any) -> Any:
    return swapped(expr, lambda p: isinstance(p, N.Outer), lambda p: N.Outer(p.args[1], p.args[0]))


def index_shifted(expr: Any) -> Any:
    leaves = [p for p in parts(expr) if isinstance(p, AT)]
    return swapped(expr, lambda p: p is leaves[-1], lambda p: p.xreplace({p.when: p.when - 1})) if leaves else None


def slope_lost(expr: Any) -> Any:
    def change(product: Any) -> Any:
        left = [a for a in product.args if not _is_slope(a)]
        return product.func(*left) if len(left) > 1 else left[0]

    def wanted(p: Any) -> bool:
        slopes = [_is_slope(a) for a in p.args] if isinstance(p, PRODUCTS) else []
        return any(slopes) and not all(slopes)

    return swapped(expr, wanted, change)


def path_lost(expr: Any) -> Any:
    def change(total: Any) -> Any:
        return total.func(*total.args[:-1]) if len(total.args) > 2 else total.args[0]

    return swapped(expr, lambda p: isinstance(p, SUMS) and not _is_slope(p), change)


def first_digit_changed(expr: Any) -> Any:
    return swapped(expr, lambda p: isinstance(p, A.Literal | A.LiteralMatrix), lambda p: _digit(p, 0))


def last_digit_changed(expr: Any) -> Any:
    """Only of a result: operands carry guard digits, of which the last one may not count."""
    return _digit(expr, -1) if isinstance(expr, A.Literal | A.LiteralMatrix) else None


def _digit(literal: Any, place: int) -> Any:
    if isinstance(literal, A.LiteralMatrix):
        entries = literal.args[0]
        flat = [e for row in entries for e in (row if isinstance(row, sympy.Tuple) else (row,))]
        worst = max(flat, key=lambda e: abs(float(e.value)))
        return swapped_tuple(literal, worst, _digit(worst, place))
    text = str(literal)
    mantissa = text.split("e")[0].split("/")[0]
    digits = [i for i, c in enumerate(mantissa) if c.isdigit()]
    first = next((i for i in digits if mantissa[i] != "0"), digits[0])
    at = digits[-1] if place else first
    old = int(text[at])
    new = old + 1 if old < 9 else old - 1
    return A.Literal(text[:at] + str(new) + text[at + 1 :])


def swapped_tuple(literal: Any, old: Any, new: Any) -> Any:
    done = False

    def rebuilt(item: Any) -> Any:
        nonlocal done
        if item is old and not done:
            done = True
            return new
        return item.func(*map(rebuilt, item.args)) if isinstance(item, sympy.Tuple) else item

    return literal.func(*(rebuilt(a) for a in literal.args))


def lower_bound_changed(expr: Any) -> Any:
    return swapped(expr, lambda p: isinstance(p, N.Bound), lambda p: p.func(*p.args[:2], p.lower + 1, p.upper))


def upper_bound_changed(expr: Any) -> Any:
    return swapped(expr, lambda p: isinstance(p, N.Bound), lambda p: p.func(*p.args[:2], p.lower, p.upper - 1))


def value_changed(expr: Any) -> Any:
    """Of a bound, a convention or a hypothesis: a bare number."""
    return expr + 1 if isinstance(expr, sympy.Number) else None


OPERATORS: dict[str, Callable[[Any], Any]] = {
    operator.__name__: operator
    for operator in (
        sign_flipped, transpose_dropped, transpose_added, outer_product_turned, index_shifted, slope_lost, path_lost,
        first_digit_changed, last_digit_changed, lower_bound_changed, upper_bound_changed, value_changed,
    )
}  # fmt: skip

# -- the derivations that are spoiled -----------------------------------------------------------------


@functools.cache
def derivations() -> dict[str, Derived]:
    numbers = with_numbers(RNN("tanh", 2, 3, 2, "softmax", "cross_entropy", steps=2), 0.5)
    scalar = with_numbers(RNN("relu", 1, 1, 1, "linear", steps=3))
    models = {
        "vectors": RNN("tanh", readout="softmax", loss="cross_entropy", reduction="mean"),
        "steps": RNN("relu", readout="linear", steps=3),
        "scalar": RNN("leaky_relu", 1, 1, steps=3),
        "two states": RNN(LSTM, reduction="last"),
        "numbers": numbers,
        "scalar numbers": scalar,
        "worked example": load("relu-explosion"),
    }
    made = {name: model.derivation().derived for name, model in models.items()}
    return {**made, "rounded at each step": numbers.derivation(rounding="step").derived}


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instances of a network are made once, so that thousands of verifications take seconds."""
    monkeypatch.setattr(reports, "instances", _instances)
    monkeypatch.setattr(reports._Verifier, "given", property(lambda verifier: _given(verifier.derived.numbers)))


@functools.cache
def _instances(network: Any, seed: int, count: int = 3) -> list[Instance]:
    return instances(network, seed, count)


@functools.cache
def _given(numbers: Any) -> Instance:
    return given_instance(numbers)


class Spoiled(NamedTuple):
    """A derivation with one line spoiled."""

    section: str
    step: Step
    line: int
    changed: Any


def spoiled(derived: Derived, operator: Callable[[Any], Any]) -> Iterator[Spoiled]:
    """Every line of every step that the operator changes."""
    for section in derived.worksheet.sections:
        for step in section.steps:
            if step.kind not in (DEFINITION, EQUALITY, WORKED, HYPOTHESIS, CONVENTION):
                continue
            for place, line in enumerate(step.chain):
                changed = operator(line.expr)
                if changed is not None and changed != line.expr:
                    yield Spoiled(section.key, step, place, changed)


def with_step(derived: Derived, section: str, old: Step, new: Step, alone: bool = True) -> Derived:
    """The derivation with a step replaced; ``alone`` keeps of the others only the next step, to save time."""
    found = next(s for s in derived.worksheet.sections if s.key == section)
    steps = tuple(new if step is old else step for step in found.steps)
    if alone:
        place = found.steps.index(old)
        steps = steps[place : place + 2]
        return replace(derived, worksheet=Worksheet((Section(section, steps),)))
    sections = tuple(replace(s, steps=steps) if s is found else s for s in derived.worksheet.sections)
    return replace(derived, worksheet=replace(derived.worksheet, sections=sections))


def with_line(step: Step, place: int, expr: Any) -> Step:
    line = step.chain[place]
    return replace(step, chain=(*step.chain[:place], Line(line.sign, expr), *step.chain[place + 1 :]))


def failures(derived: Derived) -> list[str]:
    return [check.key for check in verify_derivation(derived).failures]


# -- whether a value changes, found out in another way ------------------------------------------------


def cases(instance: Instance, step: Step, *sides: Any) -> Iterator[dict[str, int]]:
    """The values of t, and of the index s of a later step, for which a line is claimed."""
    free = {symbol.name for side in sides for symbol in side.free_symbols if isinstance(symbol, sympy.Symbol)}
    if "t" not in free or step.steps is None:
        yield {}
        return
    low, high = (int(instance.evaluate(bound, {})) for bound in step.steps)
    for t in range(low, high + 1):
        yield from ({"t": t, "s": s} for s in (range(t, instance.steps + 1) if "s" in free else [t]))


def value(instance: Instance, expr: Any, indices: dict[str, int]) -> Any:
    """The value as an array; None where there is none."""
    try:
        found = np.asarray(instance.evaluate(expr, indices), dtype=float)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return None
    return found.reshape(-1, 1) if found.ndim < 2 else found


def changes(derived: Derived, spoiled: Spoiled) -> bool:
    """Whether the spoiled line has another value than the true one."""
    step, before, after = spoiled.step, spoiled.step.chain[spoiled.line].expr, spoiled.changed
    network = derived.network
    if step.kind == WORKED or (step.kind == HYPOTHESIS and derived.numbers is not None):
        where = [_given(derived.numbers)]
    elif step.kind == CONVENTION:
        return before != after
    else:
        where = _instances(network, 5)
    for instance in where:
        for indices in cases(instance, step, step.left, before, after):
            one, other = value(instance, before, indices), value(instance, after, indices)
            if one is None:
                continue
            if other is None or one.shape != other.shape:
                return True
            if np.abs(one - other).max() > 1e-7 * max(1.0, np.abs(one).max()):
                return True
    return False


SPOILED = ("vectors", "scalar", "numbers")
"""Whose lines are spoiled among the quick tests."""


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in SPOILED else pytest.mark.slow) for n in derivations()]
)
@pytest.mark.parametrize("operator", OPERATORS)
def test_a_spoiled_line_is_found_and_its_step_named(name: str, operator: str) -> None:
    derived = derivations()[name]
    missed, false_alarms = [], []
    for case in spoiled(derived, OPERATORS[operator]):
        found = failures(with_step(derived, case.section, case.step, with_line(case.step, case.line, case.changed)))
        if found == [case.step.key]:
            continue
        if found:
            false_alarms.append((case.step.key, found))
        elif changes(derived, case):
            missed.append((case.step.key, case.line, str(case.step.chain[case.line].expr), str(case.changed)))
    assert not missed
    assert not false_alarms


APPLIES = {
    "sign_flipped": {"model", "dependency", "local", "recursion", "parameters", "closed", "unrolled", "forward",
                     "backward", "numbers", "results"},
    "transpose_dropped": {"dependency", "local", "recursion", "parameters", "closed", "unrolled", "backward",
                          "numbers", "results"},
    "transpose_added": {"model", "local", "recursion", "parameters", "closed", "unrolled", "forward", "backward",
                        "numbers", "results"},
    "outer_product_turned": {"parameters", "numbers", "results"},
    "index_shifted": {"model", "dependency", "local", "recursion", "parameters", "closed", "unrolled", "forward",
                      "backward", "numbers", "results"},
    "slope_lost": {"local", "recursion", "parameters", "closed", "unrolled", "backward", "results"},
    "path_lost": {"model", "dependency", "local", "recursion", "unrolled", "forward", "backward", "numbers", "results"},
    "first_digit_changed": {"forward", "backward", "numbers", "results"},
    "last_digit_changed": {"forward", "backward", "numbers", "results"},
    "lower_bound_changed": {"model", "parameters", "closed", "results"},
    "upper_bound_changed": {"model", "parameters", "closed", "results"},
    "value_changed": {"model", "local"},
}  # fmt: skip
"""Where each operator has something to spoil."""


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_spoils_a_line_in_every_section_that_it_can(operator: str) -> None:
    hit: dict[str, int] = defaultdict(int)
    for derived in derivations().values():
        for case in spoiled(derived, OPERATORS[operator]):
            hit[case.section] += 1
    assert set(hit) >= APPLIES[operator], APPLIES[operator] - set(hit)


def test_every_kind_of_step_in_every_section_is_spoiled() -> None:
    rules: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for derived in derivations().values():
        for section in derived.worksheet.sections:
            seen |= {step.rule for step in section.steps if step.chain}
        for name, operator in OPERATORS.items():
            for case in spoiled(derived, operator):
                rules[case.step.rule].add(name)
    assert set(rules) == seen


@pytest.mark.parametrize("name", ["steps", "scalar", "worked example", "rounded at each step"])
def test_of_a_whole_derivation_only_the_spoiled_step_fails(name: str) -> None:
    derived = derivations()[name]
    cases = {case.section: case for operator in OPERATORS.values() for case in spoiled(derived, operator)}
    for section, case in cases.items():
        if changes(derived, case):
            whole = with_step(derived, section, case.step, with_line(case.step, case.line, case.changed), alone=False)
            assert failures(whole) == [case.step.key]


# -- kinds that have no chain -------------------------------------------------------------------------


def _facts(step: Step, **changed: Any) -> Step:
    return replace(step, facts=tuple((key, changed.get(key, fact)) for key, fact in step.facts))


def _only(derived: Derived, kind: str) -> Iterator[tuple[str, Step]]:
    for section in derived.worksheet.sections:
        yield from ((section.key, step) for step in section.steps if step.kind == kind)


WITH_NUMBERS = ["numbers", "scalar numbers", "worked example", "rounded at each step"]
WITH_A_TREND = ["scalar numbers", "worked example"]


@pytest.mark.parametrize("name", WITH_A_TREND)
@pytest.mark.parametrize("fact", ["ratio", "first_norm", "last_norm", "rate"])
def test_a_changed_figure_of_an_observation_is_found(name: str, fact: str) -> None:
    derived = derivations()[name]
    steps = list(_only(derived, OBSERVATION))
    assert steps
    for section, step in steps:
        wrong = _facts(step, **{fact: _digit(dict(step.facts)[fact], 0)})
        assert failures(with_step(derived, section, step, wrong)) == [step.key]


@pytest.mark.parametrize("name", WITH_A_TREND)
def test_growth_is_not_called_decay(name: str) -> None:
    derived = derivations()[name]
    for section, step in _only(derived, OBSERVATION):
        for rule in {"observation.grows", "observation.decays", "observation.keeps"} - {step.rule}:
            assert failures(with_step(derived, section, step, replace(step, rule=rule))) == [step.key]


@pytest.mark.parametrize("name", WITH_NUMBERS)
@pytest.mark.parametrize("place", [0, -1])
def test_a_changed_given_number_is_found(name: str, place: int) -> None:
    derived = derivations()[name]
    ((section, step),) = _only(derived, GIVEN)
    rows = dict(step.facts)["rows"]
    for i, (leaf, literal) in enumerate(rows):
        wrong = _facts(step, rows=(*rows[:i], (leaf, _digit(literal, place)), *rows[i + 1 :]))
        assert failures(with_step(derived, section, step, wrong)) == [step.key], leaf


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_a_wrong_branch_at_a_kink_is_found(name: str) -> None:
    derived = derivations()[name]
    for section in derived.worksheet.sections:
        for step in section.steps:
            branches = dict(step.facts).get("branches") or ()
            for i, branch in enumerate(branches):
                for changed in (
                    replace(branch, side={"above": "below"}.get(branch.side, "above")),
                    replace(branch, value=_digit(branch.value, 0)),
                    replace(branch, argument=_digit(branch.argument, 0)),
                ):
                    wrong = _facts(step, branches=(*branches[:i], changed, *branches[i + 1 :]))
                    assert failures(with_step(derived, section.key, step, wrong)) == [step.key]


def test_what_cannot_be_evaluated_is_a_failure_and_no_crash() -> None:
    derived = derivations()["vectors"]
    step = derived.worksheet["recursion.h"]
    too_large = N.MatrixProduct(A.Parameter("W_h", 7, 7), step.left)
    for expr in (A.scalar_parameter("nothing"), too_large, A.Variable("h", 2, 1)[99]):
        assert failures(with_step(derived, "recursion", step, with_line(step, 0, expr))) == [step.key]


def test_a_scalar_pair_of_states_is_spoiled_and_found_too() -> None:
    derived = RNN(SCALAR, steps=3).derivation().derived
    for operator in (sign_flipped, path_lost, index_shifted):
        for case in spoiled(derived, operator):
            if changes(derived, case):
                wrong = with_step(derived, case.section, case.step, with_line(case.step, case.line, case.changed))
                assert failures(wrong) == [case.step.key]
