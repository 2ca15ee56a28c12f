"""Printed formulas read back: what the tests of the round trip share.

A page is a derivation in one notation. Each operand of each printed chain is written as LaTeX, parsed, given its
meaning with the names of the notation, and evaluated; the value must be that of the expression it was printed from. The
meaning does not depend on the notation, so that other notations are compared by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Integer, Rational, Symbol

from symbptt import algebra as A
from symbptt.algebra.number_text import last_place
from symbptt.algebra.present import joint, present
from symbptt.algebra.tex import to_tex
from symbptt.derive.steps import GIVEN, IDENTITY, MEASURED, TABLE, VALUE, WORKED, Named, Phrase, Step
from symbptt.errors import RefusedError
from symbptt.evaluate.claims import _cases, instances
from symbptt.evaluate.forward import NoSuchStepError
from symbptt.evaluate.free import _drawn
from symbptt.evaluate.measured import SLACK, TRIED, _slack
from symbptt.evaluate.numbers import NumberDomain, value_of
from symbptt.evaluate.report import _Verifier
from symbptt.examples import example_names
from symbptt.model import SAMPLE, names_in, one_example
from symbptt.reading.meaning.expr import Expr, Unknown
from symbptt.reading.notation import NotationError, parse
from symbptt.reading.notation.tree import Tree
from symbptt.reading.printed import Printed, same
from symbptt.reading.value.evaluator import value
from symbptt.reading.value.quantity import UnfitError
from symbptt.reading.value.world import NoStepError, NotEvaluatedError, NoValueError, World

GIVEN_KINDS = (WORKED, VALUE, MEASURED, TABLE, GIVEN)
"""Kinds of steps whose lines are about the given numbers."""
_LEAVES = (A.Parameter, A.Variable, Symbol)
LARGE = 100
"""An instance with an array of so many entries is tried at one step alone."""
WHOLE = range(1, 8)
"""Numbers of steps at which all masks of a random truncation are gone over."""
WITHOUT_VALUE = {
    "fact called": "a name that is given to the left side, whose value is compared",
    "fact unknown": "a letter of the general solution of a recurrence",
    "fact recurrence": "the general form of a recurrence, in letters of its own",
    "fact matrix": "a random matrix outside of an expectation",
    "fact deviation": "the standard deviation that the entries of a random matrix have",
    "fact variance": "the variance that the entries of a random matrix have",
    "fact gradient": "any gradient, in words about clipping",
    "fact threshold": "any threshold, in words about clipping",
    "table fact columns": "the heading of a column whose entries are chosen and not computed",
    "equality line": "an expectation over more masks than are gone over; it is, with fewer steps",
}
"""Kinds of formulas that are read and have a meaning, but no number, and why."""
UNREADABLE = (UnfitError, NoStepError, NotEvaluatedError, NoValueError, KeyError, IndexError)


@dataclass
class Figures:
    """What was done, and what failed."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)

    def fault(self, *parts: object) -> None:
        self.faults.append(" | ".join(map(str, parts)))

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in sorted(self.counts.items()))


@dataclass(frozen=True)
class Operand:
    """One operand of a printed chain, or a formula in a sentence."""

    step: Step
    expr: Any
    latex: str
    sample: bool
    place: str


@lru_cache(maxsize=5_000)
def parsed(latex: str) -> Tree:
    """Return the tree of a formula, which is parsed once."""
    return parse(latex)


class Page:
    """A derivation in a notation."""

    def __init__(self, derivation: Any, notation: Any = None) -> None:
        self.readers: dict[int, Printed] = {}
        self.derivation = derivation
        self.derived = derivation.derived
        self.network = self.derived.network
        self.notation = derivation.notation if notation is None else notation
        self.steps = list(self.derived.worksheet.walk())
        exprs = [expr for step in self.steps for _, expr in shown(step)]
        parts = {part for expr in exprs for part in parts_of(expr)}
        leaves = tuple(sorted((p for p in parts if isinstance(p, _LEAVES)), key=str))
        modes = {str(getattr(part, "mode", "")) for part in parts}
        more = leaves, tuple(sorted(mode for mode in modes if ":" in mode))
        names = names_in(self.network.system, self.notation)
        self.printed = Printed(self.network.system, names, *more)
        one = one_example(self.network)
        self.sample = Printed(one.system, names.of_one_row(single=self.network.batch == 1), *more)

    def reader(self, operand: Operand) -> Printed:
        """Return what reads an operand: of the network, of one row of a batch, or of any matrices."""
        return self.reader_of(operand.step)

    def reader_of(self, step: Step) -> Printed:
        if id(step) not in self.readers:
            self.readers[id(step)] = self._reader_of(step)
        return self.readers[id(step)]

    def _reader_of(self, step: Step) -> Printed:
        facts = dict(step.facts)
        leaves = tuple({leaf for _, expr in shown(step) for leaf in parts_of(expr) if isinstance(leaf, _LEAVES)})
        own = self.network.system.parameters
        foreign = any(isinstance(leaf, A.Parameter) and leaf.name not in own for leaf in leaves)
        if foreign or ("free" in facts and step.kind != MEASURED):
            return replace(self.printed, leaves=tuple(sorted(leaves, key=str)), apart=True)
        return self.sample if facts.get("layout") == SAMPLE else self.printed

    def operands(self) -> Iterator[Operand]:
        """Yield what is printed, in order."""
        for step in self.steps:
            sample = dict(step.facts).get("layout") == SAMPLE
            names = self.reader_of(step).names
            for place, expr in shown(step):
                write = joint if place.startswith("fact") else present
                yield Operand(step, expr, to_tex(write(expr, names)), sample, place)

    def read(self, operand: Operand) -> Expr:
        return self.reader(operand).meaning(parsed(operand.latex))


def parts_of(expr: Any) -> Iterator[Any]:
    """Yield every part of an expression; the rule of a function is no part of it."""
    yield expr
    if not isinstance(expr, A.ElementwiseFunction):
        for argument in expr.args:
            yield from parts_of(argument)


def shown(step: Step) -> Iterator[tuple[str, Any]]:
    """Yield the expressions of a step: the operands of its chain, and those that its sentence and tables mention."""
    if step.left is not None:
        yield "left", step.left
    for line in step.chain:
        yield "line", line.expr
    for key, fact in step.facts:
        if key not in _NOT_SHOWN:
            for expr in _expressions(fact):
                yield f"fact {key}", expr


_NOT_SHOWN = ("ranges", "more_ranges", "limit", "laws", "assume", "where", "pairs", "length")
"""Facts that only say how a line is checked."""


def _expressions(fact: Any) -> Iterator[Any]:
    if isinstance(fact, A.ElementwiseFunction):
        return
    if isinstance(fact, Basic):
        yield fact
    elif isinstance(fact, Named):
        yield from _expressions(fact.expr)
    elif isinstance(fact, Phrase):
        yield from _expressions(tuple(part for _, part in fact.facts))
    elif isinstance(fact, tuple):
        for part in fact:
            yield from _expressions(part)


# -- values -------------------------------------------------------------------------------------------


class Values:
    """The values of what a page shows, from its expressions: the instances and indices where they are compared."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.verifier = _Verifier(page.derived, 0)

    def cases(self, operand: Operand) -> Iterator[tuple[Any, World, list[Any]]]:
        """Yield the value of an operand, the world where it is read, and the sizes that the page may leave open."""
        step, facts = operand.step, dict(operand.step.facts)
        if step.kind == IDENTITY or ("free" in facts and step.kind != MEASURED):
            found = self._free(operand, facts) if "free" in facts else self._any_numbers(operand)
            yield from ((truth, world, [None]) for truth, world in found)
            return
        if step.kind == MEASURED and "free" in facts:
            yield from self._measured(operand, facts)
            return
        reader = self.page.reader(operand)
        for instance in self._instances(operand, facts):
            units = reader.units(instance)
            for indices in self._indices(instance, operand, facts):
                try:
                    truth = instance.evaluate(operand.expr, indices)
                except (NoSuchStepError, KeyError, ValueError, RefusedError):
                    continue
                yield truth, reader.world(instance, **indices), units

    def _instances(self, operand: Operand, facts: Any) -> list[Any]:
        step, verifier = operand.step, self.verifier
        if step.kind in GIVEN_KINDS and verifier.derived.numbers is not None:
            return [verifier.truncated.drawn(step, verifier.given)]
        if operand.sample:
            return verifier.one_row[:2]
        if verifier.truncated.are(step):
            how = verifier.truncated._randomised(step)
            if how is not None and self.page.network.steps in WHOLE:
                whole = instances(self.page.network, 0, 1)
                return [one.truncate_randomly(how) for one in (*whole, *verifier.truncated._few[:1])]
            if how is not None:
                return [one.truncate_randomly(how) for one in verifier.truncated._few[:1]]
            return verifier.truncated._regular[:2]
        found = verifier.long if verifier.shorter else verifier.random[:2]
        return found

    def _indices(self, instance: Any, operand: Operand, facts: Any) -> list[dict[str, int]]:
        if "limit" in facts:
            return [{str(facts["limit"][0]): int(facts["limit"][1])}]
        if "index" in facts and operand.step.kind == TABLE:
            return [{str(facts["index"]): int(row[0])} for row in facts["rows"][:2]]
        step = operand.step if operand.step.left is not None else replace(operand.step, left=operand.expr)
        ranges = dict(self.verifier._ranges(step, operand.expr))
        free = {s.name for s in operand.expr.free_symbols if isinstance(s, Symbol) and s.is_integer}
        free |= {s.name for bounds in ranges.values() for b in bounds for s in sympy.sympify(b).free_symbols}
        missing = sorted(free - {str(k) for k in ranges} - {*instance.bindings, str(instance.system.steps)})
        whole = (sympy.S.One, instance.system.steps)
        ranges = {**{name: (dict(ranges).get(name) or operand.step.steps or whole) for name in missing}, **ranges}
        found = list(_cases(instance, [(str(k), bounds) for k, bounds in ranges.items()]))
        if max(np.size(array) for array in instance.base.values.values()) >= LARGE:
            return found[len(found) // 2 :][:1]
        return found if len(found) < 4 else [found[0], found[len(found) // 2], found[-1]]

    def _free(self, operand: Operand, facts: Any) -> Iterator[tuple[Any, World]]:
        rng = np.random.default_rng(0)
        reader = self.page.reader(operand)
        for _ in range(2):
            domain = _drawn(facts, rng)
            world = reader.world(None, {**_named(domain.values), **domain.bindings})

            def draws(w: World, arguments: Any, domain: Any = domain) -> Iterator[tuple[float, World]]:
                choices = list(domain._choices())
                for chosen in choices:
                    constants = {**w.meanings.constants, **_named(chosen)}
                    yield 1 / len(choices), replace(w, meanings=replace(w.meanings, constants=constants), draws=None)

            if domain.signs:
                world = replace(world, draws=draws)
            try:
                yield value_of(operand.expr, domain), world
            except KeyError:  # a random matrix outside of an expectation has none
                return

    def _any_numbers(self, operand: Operand) -> Iterator[tuple[Any, World]]:
        rng = np.random.default_rng(0)
        p = Rational(7, 10)
        symbols = sorted((s for s in operand.expr.free_symbols if isinstance(s, Symbol)), key=str)
        for _ in range(2):
            numbers = {s: Integer(int(rng.integers(1, 9))) if s.is_integer else Rational(int(rng.integers(1, 9)), 10)
                       for s in symbols}  # fmt: skip
            chances = dict.fromkeys(operand.expr.atoms(A.Probability), p)
            try:
                truth = value_of(operand.expr.xreplace({**chances, **numbers}), NumberDomain({}))
            except KeyError:
                return
            reader = self.page.reader(operand)
            constants = {**{s.name: float(v) for s, v in numbers.items()}, "p": float(p)}
            yield truth, reader.world(None, constants, **{s.name: int(v) for s, v in numbers.items() if s.is_integer})

    def _measured(self, operand: Operand, facts: Any) -> Iterator[tuple[Any, World, list[Any]]]:
        instance = self.verifier.given
        reader = self.page.reader(operand)
        for trial in TRIED[:2]:
            filled = {symbol: Rational(trial) for symbol in facts["free"]}
            truth = instance.evaluate(operand.expr.xreplace(filled), {})
            world = reader.world(instance, {symbol.name: trial for symbol in facts["free"]})
            yield truth, world, reader.units(instance)


def _named(values: Any) -> dict[str, Any]:
    return {leaf.name: array for leaf, array in values.items()}


def compare(expr: Expr, truth: Any, world: World, units: Iterable[Any], rows: bool) -> str:
    """Return what is wrong with the value of an expression; empty where it is right."""
    first = ""
    for sizes in units:
        try:
            found = value(expr, replace(world, units=sizes))
        except UNREADABLE as error:
            first = first or f"{type(error).__name__}: {error}"
            continue
        if same(found, truth, rows):
            return ""
        first = first or f"{np.round(found.array, 6).tolist()} is not {np.round(np.asarray(truth), 6).tolist()}"
    return first


def unknown_in(expr: Expr) -> str:
    """Return why a part of an expression has no meaning; empty where all have."""
    return next((f"{part.key} {part.text}" for part in expr.walk() if isinstance(part, Unknown)), "")


def check_values(page: Page, figures: Figures, notations: Iterable[Any] = ()) -> dict[str, Expr]:
    """Read every operand back and compare its value; in other notations compare its meaning."""
    values = Values(page)
    meanings: dict[str, Expr] = {}
    seen: set[Any] = set()
    for operand in page.operands():
        key = (
            operand.latex,
            operand.sample,
            "free" in dict(operand.step.facts),
            operand.expr,
            operand.step.kind in GIVEN_KINDS,
        )
        if key in seen:
            continue
        seen.add(key)
        try:
            expr = page.read(operand)
        except NotationError as error:
            figures.fault(operand.step.key, operand.latex, f"is not read: {error}")
            continue
        why = unknown_in(expr)
        if why:
            figures.fault(operand.step.key, operand.latex, f"has no meaning: {why}")
            continue
        meanings[operand.latex] = expr
        figures.counts["formulas read back"] += 1
        compared = 0
        for truth, world, units in values.cases(operand):
            wrong = compare(expr, truth, world, units, page.reader(operand).names.rows)
            if wrong:
                figures.fault(operand.step.key, operand.latex, wrong)
                break
            compared += 1
        figures.counts["values compared"] += compared
        if not compared:
            figures.counts["formulas without a value"] += 1
            if not any(f"{operand.step.kind} {operand.place}".endswith(kind) for kind in WITHOUT_VALUE):
                figures.fault(operand.step.key, operand.place, operand.latex, "has no value, and no reason for it")
            figures.without.append(f"{operand.step.key} {operand.place}: {operand.latex}")
    for notation in notations:
        _check_notation(page, notation, figures)
    _check_digits(page, figures)
    return meanings


def _check_notation(page: Page, notation: Any, figures: Figures) -> None:
    """Compare the meaning of each operand in another notation with that in this one."""
    other = Page(page.derivation, notation)
    seen = set()
    for one, two in zip(page.operands(), other.operands(), strict=True):
        key = (one.latex, two.latex, one.sample, "free" in dict(one.step.facts))
        if key in seen or (one.latex == two.latex and _is_numeric(one.latex)):
            continue
        seen.add(key)
        try:
            expected, found = page.read(one), other.read(two)
        except NotationError as error:
            figures.fault(one.step.key, notation, two.latex, f"is not read: {error}")
            continue
        figures.counts["formulas in other notations"] += 1
        if expected != found:
            figures.fault(one.step.key, notation, two.latex, f"{found} is not {expected}")


# -- digits -------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?: \\times 10\^(?:\{-?\d+\}|\d))?")


def numbers_in(latex: str) -> list[str] | None:
    r"""Return the numbers of a line that is one number or a matrix of numbers, as text; None for other lines.

    >>> numbers_in(r"\begin{bmatrix} 0.5 \\ -2.5 \times 10^{-8} \end{bmatrix}")
    ['0.5', '-2.5e-8']
    """
    body = re.sub(r"\\(?:begin|end)\{(?:bmatrix|array)\}(?:\{c+\})?|\\left\[|\\right\]", " ", latex)
    cells = [cell.strip() for cell in re.split(r"\\\\|&", body)]
    if not all(_NUMBER.fullmatch(cell) for cell in cells):
        return None
    return [re.sub(r" \\times 10\^\{?(-?\d+)\}?", r"e\1", cell) for cell in cells]


def _check_digits(page: Page, figures: Figures) -> None:
    """Compare every printed result with the value of the line before it, to the digits printed."""
    values = Values(page)
    for step in page.steps:
        if step.kind not in (WORKED, VALUE, MEASURED) or step.left is None or "free" in dict(step.facts):
            continue
        sample = dict(step.facts).get("layout") == SAMPLE
        reader = page.reader_of(step)
        world = reader.world(values._instances(Operand(step, step.left, "", sample, "left"), {})[0])
        texts = [("=", to_tex(present(step.left, reader.names)))]
        texts += [(line.sign, to_tex(present(line.expr, reader.names))) for line in step.chain]
        for (_, before), (sign, latex) in pairwise(texts):
            printed = numbers_in(latex)
            if printed is None or sign not in ("=", "≈"):
                continue
            if step.kind == WORKED and page.derivation.options.rounding.mode == "step" and not _is_numeric(before):
                continue  # each line goes on from the printed figures, which the left side does not
            slack = _slack(world.instance, step.left) if step.kind == MEASURED else SLACK
            wrong = check_digits(reader, before, sign, printed, world, slack)
            if wrong:
                figures.fault(step.key, f"{before} {sign} {latex}", wrong)
            figures.counts["digits compared"] += sum(len(re.sub(r"e.*|\D", "", text)) for text in printed)
            figures.counts["printed results compared"] += 1


def _is_numeric(latex: str) -> bool:
    return not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+|\{[a-z]*matrix\}", "", latex))


def check_digits(
    reader: Printed, before: str, sign: str, printed: list[str], world: World, slack: float = SLACK
) -> str:
    """Return what is wrong with a printed result; empty where its digits are those of the line before it."""
    try:
        found = value(reader.read(before), world)
    except (NotationError, *UNREADABLE) as error:
        return f"{type(error).__name__}: {error}"
    if (found.rows and found.columns) or not found.is_scalar:
        numbers = np.real(found.array).ravel().tolist()
    else:
        numbers = [float(np.real(found.array))] * len(printed)
    if printed == ["0"] and not any(numbers):
        return ""
    if len(numbers) != len(printed):
        return f"{len(numbers)} numbers, not {len(printed)}"
    scale = max(map(abs, numbers), default=0.0)
    for number, text in zip(numbers, printed, strict=True):
        unit = float(last_place(text) or 0)
        allowed = slack * scale + (0.501 * unit if sign == "≈" else 0.0)
        if abs(number - float(Fraction(text))) > allowed:
            return f"{number:.12g} is not {text}"
    return ""


def main() -> int:
    """Print the figures of all examples, and every fault."""
    from symbptt import load
    from symbptt.model import NOTATIONS

    figures = Figures()
    for name in example_names():
        check_values(Page(load(name).derivation()), figures, NOTATIONS)
    print(figures)
    print(f"{len(figures.faults)} faults", *figures.faults, sep="\n")
    return bool(figures.faults)


if __name__ == "__main__":
    raise SystemExit(main())
