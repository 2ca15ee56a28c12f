"""From meanings to lines of the equation language, with the order and the numbers as they were written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...algebra import FUNCTIONS
from ...model.language import ALIASES, REDUCTIONS, VECTOR_FUNCTIONS
from .expr import (
    Add,
    Bound,
    Call,
    Cases,
    Counter,
    Deriv,
    Div,
    Entry,
    Expr,
    Extreme,
    Hadamard,
    Matrix,
    Mul,
    Norm,
    Num,
    Outer,
    Pow,
    Ref,
    Series,
    Transpose,
    Unknown,
)
from .ranks import MATRIX, SCALAR, VECTOR, Ranks, is_one

ADD, MUL, POW, ATOM = 1, 2, 3, 4
"""How tightly a text binds."""
NAMES: dict[str, str] = {"var": "variance", "Var": "variance", "average": "mean", "avg": "mean", "norm_2": "norm2"}
"""Names of functions on paper that the language spells otherwise."""
Text = tuple[str, int]


class CannotWriteError(Exception):
    """A part that has no form in the equation language, and why."""

    def __init__(self, part: Expr, reason: str) -> None:
        super().__init__(reason)
        self.part, self.reason = part, reason


def equation(name: str, expr: Expr, ranks: Ranks) -> str:
    r"""Return ``name[t] = ...``.

    Parameters
    ----------
    name : str
        The variable that is defined.
    expr : Expr
        Its right side, with final keys.
    ranks : Ranks
        Of the equations among which it stands.

    Raises
    ------
    CannotWriteError
        For what the language has no words for.
    OpenProductError, MisfitError
        For products that have several readings, or none.

    Examples
    --------
    >>> from symbptt.reading.meaning.elaborate import elaborate
    >>> from symbptt.reading.meaning.symbols import find_symbols
    >>> from symbptt.reading.notation import parse
    >>> tree = parse(r"h_t = (1 - \alpha) h_{t-1} + \alpha \tanh(W_h h_{t-1} + b_h)")
    >>> right = elaborate(tree.operands[1], find_symbols([tree]))
    >>> equation("h", right, Ranks([("h", right)], {"h": 1}))
    'h[t] = (1 - alpha) * h[t-1] + alpha * tanh(W_h @ h[t-1] + b_h)'
    """
    return f"{name}[t] = {expression(expr, ranks)}"


def expression(expr: Expr, ranks: Ranks) -> str:
    """Return an expression in the equation language; see :func:`equation`."""
    return _Writer(ranks).text(expr)[0]


def known_function(name: str) -> str | None:
    """Return the name in the language of a function, None for one that it does not have."""
    name = NAMES.get(name, name)
    return name if name in FUNCTIONS or name in ALIASES or name in REDUCTIONS or name in VECTOR_FUNCTIONS else None


class _Writer:
    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks

    def text(self, e: Expr) -> Text:
        rule = _RULES.get(type(e))
        if rule is None:
            raise CannotWriteError(e, _WHY.get(type(e), "this has no form in a cell's equations"))
        found: Text = rule(self, e)
        return found

    def within(self, e: Expr, least: int) -> str:
        """Return a part, in brackets where it binds less tightly than its place needs."""
        text, binds = self.text(e)
        return text if binds >= least else f"({text})"

    # -- leaves -------------------------------------------------------------------------------------------
    def number(self, e: Num) -> Text:
        if e.text:
            return e.text, ATOM
        return (str(e.value), ATOM) if e.value >= 0 and e.value.denominator == 1 else (f"{e.value}", ADD)

    def ref(self, e: Ref) -> Text:
        if e.when is None:
            return e.key, ATOM
        lag = e.when.constant
        if dict(e.when.terms) != {"t": 1} or lag not in (-1, 0, 1):
            raise CannotWriteError(e, f"a cell reads the steps t and t-1, and not the step {e.when}")
        return f"{e.key}[t{lag:+d}]" if lag else f"{e.key}[t]", ATOM

    # -- sums and products --------------------------------------------------------------------------------
    def sum(self, e: Add) -> Text:
        parts = []
        for i, (sign, term) in enumerate(zip(e.signs, e.terms, strict=True)):
            text = self.within(term, MUL if i or sign < 0 else ADD)
            if i:
                parts.append(f" {'-' if sign < 0 else '+'} {text}")
            else:
                bare = sign > 0 or not (isinstance(term, Mul) and "@" in text)
                parts.append((text if bare else f"({text})") if sign > 0 else f"-{text}" if bare else f"-({text})")
        return "".join(parts), ADD

    def product(self, e: Mul) -> Text:
        runs = self.ranks.groups(e)
        wide = [rank for _, rank in runs if rank != SCALAR]
        if len(wide) == 2 and self.ranks.is_inner(e) and wide == [VECTOR, VECTOR]:
            scalars = [self.within(run[0], MUL) for run, rank in runs if rank == SCALAR]
            a, b = (self._run(run) for run, rank in runs if rank != SCALAR)
            return " * ".join([*scalars, f"inner({a}, {b})"]), MUL if scalars else ATOM
        pieces = []
        for i, (run, _) in enumerate(runs):
            alone = len(run) == 1
            text = self.within(run[0], POW if i else MUL) if alone else self._run(run)
            later = any(rank != SCALAR for _, rank in runs[:i])
            pieces.append(f"({text})" if not alone and i and later else text)
        return " * ".join(pieces), MUL if len(pieces) > 1 or len(runs[0][0]) > 1 else self.text(runs[0][0][0])[1]

    def _run(self, run: list[Expr]) -> str:
        text = self.within(run[0], MUL)
        for factor in run[1:]:
            sign = "*" if self.ranks.rank(factor) == SCALAR else "@"
            text = f"{text} {sign} {self.within(factor, POW)}"
        return text

    def entrywise(self, e: Hadamard) -> Text:
        parts = []
        for i, factor in enumerate(e.factors):
            text, binds = self.text(factor)
            mixed = isinstance(factor, Mul) and "@" in text
            parts.append(f"({text})" if binds < MUL or ((i or mixed) and binds < POW) else text)
        return " * ".join(parts), MUL

    def quotient(self, e: Div) -> Text:
        if isinstance(e.top, Num) and isinstance(e.bottom, Num):
            return f"{self.text(e.top)[0]}/{self.text(e.bottom)[0]}", MUL
        top, bottom = self.within(e.top, MUL), self.within(e.bottom, POW)
        if isinstance(e.top, Mul) and "@" in top:
            top = f"({top})"
        return f"{top} / {bottom}", MUL

    def outer(self, e: Outer) -> Text:
        return f"outer({self.text(e.left)[0]}, {self.text(e.right)[0]})", ATOM

    def power(self, e: Pow) -> Text:
        if isinstance(e.base, Ref) and e.base.key == "e" and e.base.when is None:
            return f"exp({self.text(e.exponent)[0]})", ATOM
        if isinstance(e.exponent, Div) and _value(e.exponent) == "1/2":
            return f"sqrt({self.text(e.base)[0]})", ATOM
        if isinstance(e.base, Norm) and _value(e.exponent) == "2" and e.base.kind in ("", "2", "F"):
            return f"norm2({self.text(e.base.of)[0]})", ATOM
        if self.ranks.rank(e.base) == MATRIX:
            raise CannotWriteError(e, "a power of a matrix is not in the language; write the product out")
        if not all(isinstance(p, Num | Add | Div) for p in e.exponent.walk()):
            raise CannotWriteError(e.exponent, "an exponent must be a number")
        return f"{self.within(e.base, ATOM)}**{self.within(e.exponent, ATOM)}", POW

    def transposed(self, e: Transpose) -> Text:
        if self.ranks.rank(e.of) == SCALAR:
            return self.text(e.of)
        return f"{self.within(e.of, ATOM)}.T", ATOM

    # -- functions ----------------------------------------------------------------------------------------
    def call(self, e: Call) -> Text:
        if e.primes:
            raise CannotWriteError(e, "a derivative cannot stand in a cell's equations")
        return f"{NAMES.get(e.name, e.name)}({', '.join(self.text(a)[0] for a in e.arguments)})", ATOM

    def norm(self, e: Norm) -> Text:
        inside = self.text(e.of)[0]
        if e.kind == "abs":
            return f"abs({inside})", ATOM
        if e.kind not in ("", "2", "F"):
            return (f"sum(abs({inside}))", ATOM) if e.kind == "1" else (f"max(abs({inside}))", ATOM)
        return f"sqrt(norm2({inside}))", ATOM

    def stacked(self, e: Matrix) -> Text:
        if len(e.rows) > 1 and any(len(row) > 1 for row in e.rows):
            raise CannotWriteError(e, "a matrix of blocks is not in the language; write the products out")
        cells = [cell for row in e.rows for cell in row]
        if MATRIX in map(self.ranks.rank, cells):
            raise CannotWriteError(e, "a matrix of blocks is not in the language; write the products out")
        return f"concat({', '.join(self.text(c)[0] for c in cells)})", ATOM

    def extreme(self, e: Extreme) -> Text:
        """``\\max(0, z_t)`` is the relu of z_t."""
        cells = [c for row in e.body.rows for c in row] if isinstance(e.body, Matrix) else []
        rest = [c for c in cells if not (isinstance(c, Num) and c.value == 0)]
        if e.kind == "max" and len(cells) == 2 and len(rest) == 1:
            return f"relu({self.text(rest[0])[0]})", ATOM
        raise CannotWriteError(e, f"{e.kind} has no form in a cell's equations but max(0, z)")

    def over(self, e: Bound) -> Text:
        """A sum over the components of vectors is the sum of their entrywise product."""
        if e.kind == "prod":
            raise CannotWriteError(e, "a product over an index has no form in a cell's equations")
        body = without_places(e.body, e.index)
        if body is None:
            raise CannotWriteError(e, f"this sum is not over components: write the index {e.index} on vectors alone")
        return f"sum({_Writer(Entrywise(self.ranks)).text(body)[0]})", ATOM


class Entrywise(Ranks):
    """Ranks under a sum over components, where all that has the index is multiplied entry by entry."""

    def __init__(self, ranks: Ranks) -> None:
        self.of, self.expected = ranks.of, {}

    def groups(self, e: Mul) -> list[tuple[list[Expr], int]]:
        """Return every factor by itself."""
        return [([factor], self.rank(factor) or SCALAR) for factor in e.factors if not is_one(factor)]


def without_places(e: Expr, index: str) -> Expr | None:
    """Return an expression without the component that an index counts; None where it stands nowhere, or elsewhere."""
    failed, found_one = False, False

    def rule(part: Expr) -> Expr:
        nonlocal failed, found_one
        if isinstance(part, Entry):
            names = [str(place) for place in part.places]
            found_one = True
            if names == [index] and isinstance(part.of, Ref):
                return part.of
            failed = True
        if isinstance(part, Counter) or (isinstance(part, Ref) and part.when is not None and
                                         index in part.when.letters):  # fmt: skip
            failed = True
        return part

    found = e.mapped(rule)
    return found if found_one and not failed else None


def _value(e: Expr) -> str:
    """Return a number as text: ``2``, ``1/2``."""
    if isinstance(e, Num):
        return str(e.value)
    if isinstance(e, Div) and isinstance(e.top, Num) and isinstance(e.bottom, Num) and e.bottom.value:
        return str(e.top.value / e.bottom.value)
    return ""


_RULES: Mapping[type, Callable[[_Writer, Any], Text]] = {
    Num: _Writer.number,
    Ref: _Writer.ref,
    Add: _Writer.sum,
    Mul: _Writer.product,
    Hadamard: _Writer.entrywise,
    Div: _Writer.quotient,
    Outer: _Writer.outer,
    Pow: _Writer.power,
    Transpose: _Writer.transposed,
    Call: _Writer.call,
    Norm: _Writer.norm,
    Matrix: _Writer.stacked,
    Extreme: _Writer.extreme,
    Bound: _Writer.over,
}
"""Kind of expression -> what writes it."""
_WHY: Mapping[type, str] = {
    Deriv: "a derivative cannot stand in a cell's equations",
    Counter: "the number of a step cannot stand in a cell's equations",
    Entry: "a single component has no form in a cell's equations; write the equation for whole vectors",
    Series: "an ellipsis has no form in a cell's equations",
    Cases: "a function in pieces has no form here; give it a letter, and say what it is with functions=",
    Unknown: "this is not understood",
}
"""Kind of expression -> why it has no form."""
