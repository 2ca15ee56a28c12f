"""Which names of a set of equations are numbers, vectors and matrices: what decides between the products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .expr import Add, Bound, Call, Constant, Counter, Div, Expr, Hadamard, Matrix, Mul, Norm, Num, Pow, Ref, Transpose

SCALAR, VECTOR, MATRIX, ROW = 0, 1, 2, -1
"""Ranks; a row is a vector that is transposed."""
STEP_SIZE = "Delta_t"
"""The key of a step of continuous time, a number for all its capital."""
TO_SCALAR = frozenset({"mean", "variance", "sum", "trace", "max", "norm2", "inner"})
"""Functions whose value is a number."""
TO_VECTOR = frozenset({"softmax", "concat"})
"""Functions whose value is a vector."""


class OpenProductError(Exception):
    """A product that has several readings: the two factors."""

    def __init__(self, product: Expr, left: Expr, right: Expr) -> None:
        super().__init__()
        self.product, self.left, self.right = product, left, right


class MisfitError(Exception):
    """Factors that no product joins."""

    def __init__(self, product: Expr, left: Expr, right: Expr, ranks: tuple[int, int]) -> None:
        super().__init__()
        self.product, self.left, self.right, self.ranks = product, left, right, ranks


def is_one(expr: Expr) -> bool:
    """Whether it is a row of ones, which only spreads a number of the step over a vector."""
    return isinstance(expr, Transpose) and isinstance(expr.of, Constant) and expr.of.kind == "ones"


def plain_number(expr: Expr) -> bool:
    """Whether it is made of numbers alone."""
    return all(isinstance(p, Num | Add | Mul | Div | Pow) for p in expr.walk())


class Ranks:
    """The ranks of the names of equations, as far as they follow from them.

    Parameters
    ----------
    equations : iterable of (str, Expr)
        Variable and right side; keys are final.
    known : mapping
        Key -> rank, where it is settled: states, and what the user says.

    Examples
    --------
    >>> from symbptt.reading.meaning.index import letter
    >>> h, W = Ref("h", letter("t")), Ref("W")
    >>> Ranks([("h", Mul((W, Ref("x", letter("t"))), ("",)))], {"h": 1}).of
    {'h': 1, 'W': 2, 'x': 1}
    """

    def __init__(self, equations: Iterable[tuple[str, Expr]], known: Mapping[str, int]) -> None:
        self.equations = list(equations)
        self.defined = {name for name, _ in self.equations}
        self.of: dict[str, int] = dict(known)
        self.expected: dict[int, int] = {}
        self.timed = {p.key for _, e in self.equations for p in e.walk() if isinstance(p, Ref) and p.when is not None}
        self.timed |= self.defined
        for _, expr in self.equations:
            for part in expr.walk():
                if isinstance(part, Ref) and part.when is None and is_capital(part.key):
                    self.of.setdefault(part.key, SCALAR if part.key == STEP_SIZE else MATRIX)
        self._settle()
        while self._guess():
            self._settle()

    # -- what follows ---------------------------------------------------------------------------------
    def _settle(self) -> None:
        while True:
            before = dict(self.of), dict(self.expected)
            for name, expr in self.equations:
                rank = self.rank(expr)
                if rank is not None and name not in self.of:
                    self.of[name] = VECTOR if rank == ROW else rank
                if name in self.of:
                    self._push(expr, self.of[name])
                for part in expr.walk():
                    self._inside(part)
            if before == (self.of, self.expected):
                return

    def rank(self, e: Expr) -> int | None:
        """Return the rank of an expression, None where it is open."""
        if isinstance(e, Num | Counter | Bound):
            return SCALAR
        if isinstance(e, Ref):
            return self.of.get(e.key)
        if isinstance(e, Norm):
            return self.rank(e.of) if e.kind == "abs" else SCALAR
        if isinstance(e, Pow):
            return self.rank(e.base) if not _is_e(e.base) else self.rank(e.exponent)
        if isinstance(e, Transpose):
            inner = self.rank(e.of)
            return {SCALAR: SCALAR, VECTOR: ROW, ROW: VECTOR, MATRIX: MATRIX}.get(inner) if inner is not None else None
        if isinstance(e, Call):
            return self._of_call(e)
        if isinstance(e, Matrix):
            return VECTOR
        if isinstance(e, Div):
            return self._wider(e.top, e.bottom)
        if isinstance(e, Add):
            return self._of_sum(e)
        if isinstance(e, Hadamard):
            ranks = [r for r in map(self.rank, e.factors) if r]
            return ranks[0] if ranks else (SCALAR if None not in map(self.rank, e.factors) else None)
        if isinstance(e, Mul):
            return self._of_product(e)
        return None

    def _of_call(self, e: Call) -> int | None:
        if e.name in TO_SCALAR:
            return SCALAR
        if e.name in TO_VECTOR:
            return VECTOR
        if e.name == "diag":
            inner = self.rank(e.arguments[0])
            return None if inner is None else VECTOR if inner == MATRIX else MATRIX
        return self.rank(e.arguments[0]) if e.arguments else SCALAR

    def _wider(self, a: Expr, b: Expr) -> int | None:
        """The rank of a quotient: that of the part that is no number."""
        one, two = self.rank(a), self.rank(b)
        if one is None:
            return None
        return one if one != SCALAR else two

    def _of_sum(self, e: Add) -> int | None:
        ranks = [self.rank(t) for t in e.terms]
        known = [r for r in ranks if r]
        if known:
            return known[0]
        return None if None in ranks else SCALAR

    def _of_product(self, e: Mul) -> int | None:
        ranks = [self.rank(f) for f in e.factors if not is_one(f)]
        if None in ranks:
            return self.expected.get(id(e))
        try:
            groups = self.groups(e)
        except OpenProductError:
            return self.expected.get(id(e))
        except MisfitError:
            return None
        found = [r for _, r in groups if r != SCALAR]
        return found[-1] if found else SCALAR

    # -- what a place demands -------------------------------------------------------------------------
    def _push(self, e: Expr, rank: int) -> None:
        """Take in that an expression has a rank."""
        if isinstance(e, Ref):
            self.of.setdefault(e.key, rank)
        elif isinstance(e, Add):
            for term in e.terms:
                computed = isinstance(term, Ref) and term.key in self.defined  # a number of the step spreads over all
                if not computed and (isinstance(term, Mul) or self.rank(term) is None):
                    self._push(term, rank)
        elif isinstance(e, Call) and e.name not in TO_SCALAR | TO_VECTOR | {"diag"} and len(e.arguments) == 1:
            self._push(e.arguments[0], rank)
        elif isinstance(e, Transpose) and rank in (ROW, MATRIX, SCALAR):
            self._push(e.of, VECTOR if rank == ROW else rank)
        elif isinstance(e, Hadamard):
            for factor in e.factors:
                if not isinstance(factor, Num):
                    self._push(factor, rank)
        elif isinstance(e, Mul):
            self.expected.setdefault(id(e), rank)
            self._push_factors(e, rank)
        elif isinstance(e, Div):
            if rank == SCALAR:
                self._push(e.bottom, SCALAR)
            self._push(e.top, rank) if not plain_number(e.top) else self._push(e.bottom, rank)
        elif isinstance(e, Pow):
            self._push(e.exponent if _is_e(e.base) else e.base, rank)

    def _push_factors(self, e: Mul, rank: int) -> None:
        ranks = [self.rank(f) for f in e.factors]
        if ranks.count(None) != 1:
            return
        i = ranks.index(None)
        others = [r for r in ranks if r is not None]
        if rank == SCALAR and all(r == SCALAR for r in others):
            self._push(e.factors[i], SCALAR)
        elif rank == VECTOR and all(r == SCALAR for r in others):
            self._push(e.factors[i], VECTOR)

    def _inside(self, e: Expr) -> None:
        """Take in what an operation demands of its parts."""
        if isinstance(e, Hadamard):
            rank = self.rank(e)
            if rank:
                self._push(e, rank)
        elif isinstance(e, Add):
            rank = self._of_sum(e)
            if rank:
                self._push(e, rank)
        elif isinstance(e, Call) and e.name in TO_VECTOR | TO_SCALAR | {"diag"}:
            for argument in e.arguments:
                if self.rank(argument) is None and e.name != "trace":
                    self._push(argument, VECTOR)
        elif isinstance(e, Matrix):
            for row in e.rows:
                for cell in row:
                    self._push(cell, VECTOR)
        elif isinstance(e, Norm) and e.kind != "abs" and self.rank(e.of) is None:
            self._push(e.of, VECTOR)
        elif isinstance(e, Transpose) and isinstance(e.of, Ref):
            self.of.setdefault(e.of.key, MATRIX if is_capital(e.of.key) else VECTOR)
        elif isinstance(e, Mul):
            self._neighbours(e)

    def _neighbours(self, e: Mul) -> None:
        for i in range(1, len(e.factors)):
            left, right, kind = e.factors[i - 1], e.factors[i], e.kinds[i - 1]
            one, two = self.rank(left), self.rank(right)
            capital = isinstance(right, Ref) and is_capital(right.key)
            last = i == len(e.factors) - 1
            ends = last or self._varies(right)  # a parameter in front of something else is a number
            before_vector = one in (MATRIX, ROW) and ends and (not capital or (last and one == ROW))
            wanted = one == MATRIX and ends and self.expected.get(id(e)) == VECTOR
            if two is None and (before_vector or wanted or (one == VECTOR and (capital or kind == "ast"))):
                self._push(right, VECTOR)
            elif one is None and two == VECTOR and kind == "ast" and self._varies(left):
                self._push(left, VECTOR)

    def _varies(self, e: Expr) -> bool:
        return any(isinstance(p, Ref) and p.when is not None for p in e.walk())

    # -- guesses by the rules for names ---------------------------------------------------------------
    def _guess(self) -> bool:
        """Settle one thing by the rules of the equation language; return whether there was one."""
        for rule in (self._factor_in_front, self._divisor, self._beside_number):
            for _, expr in self.equations:
                if any(rule(part) for part in expr.walk()):
                    return True
        for name in self._names():
            if name in self.of:
                continue
            if is_capital(name):
                self.of[name] = MATRIX
                return True
            if name in self.timed and not self._in_open_product(name):
                self.of[name] = VECTOR
                return True
        return False

    def _scalar(self, e: Expr) -> bool:
        """Take something for a number; return whether it is one now."""
        self._push(e, SCALAR)
        return self.rank(e) == SCALAR

    def _divisor(self, e: Expr) -> bool:
        """A divisor is a number."""
        if not isinstance(e, Div) or self.rank(e.bottom) is not None or self._varies(e.bottom):
            return False
        return not plain_number(e.top) and self._scalar(e.bottom)

    def _beside_number(self, e: Expr) -> bool:
        """What is added to a number that the equations compute is a number."""
        if not isinstance(e, Add) or not any(self.rank(t) == SCALAR and not plain_number(t) for t in e.terms):
            return False
        open_terms = [t for t in e.terms if self.rank(t) is None]
        return all(isinstance(t, Ref) and t.when is None for t in open_terms) and any(
            self._scalar(t) for t in open_terms
        )

    def _factor_in_front(self, e: Expr) -> bool:
        """A factor in front of a vector is a number."""
        if not isinstance(e, Mul):
            return False
        for i in range(len(e.factors) - 1):
            factor, rest = e.factors[i], [self.rank(f) for f in e.factors[i + 1 :]]
            leads = any(r for r in rest) and VECTOR not in map(self.rank, e.factors[:i])
            if leads and self.rank(factor) is None and not self._varies(factor) and self._scalar(factor):
                return True
        return False

    def _names(self) -> list[str]:
        found = {p.key: None for _, e in self.equations for p in e.walk() if isinstance(p, Ref)}
        return [*dict.fromkeys([*found, *self.defined])]

    def _in_open_product(self, name: str) -> bool:
        """Whether a name without a rank is a factor beside something that is no matrix: its rank decides."""
        for _, e in self.equations:
            for part in e.walk():
                if not isinstance(part, Mul) or "ast" in part.kinds:
                    continue
                own = [f for f in part.factors if self.rank(f) is None and self._varies(f)]
                open_here = any(isinstance(p, Ref) and p.key == name for f in own for p in f.walk())
                vectors = any(self.rank(f) == VECTOR and self._varies(f) for f in part.factors)
                if open_here and (len(own) > 1 or vectors):
                    return True
        return False

    # -- products -------------------------------------------------------------------------------------
    def groups(self, e: Mul) -> list[tuple[list[Expr], int]]:
        """Return the runs of factors that matrix products join, each with its rank; numbers are runs of their own.

        Raises
        ------
        OpenProductError
            Where a product has several readings.
        MisfitError
            Where a product has none.
        """
        runs: list[tuple[list[Expr], int]] = []
        kind = ""
        for i, factor in enumerate(e.factors):
            kind = e.kinds[i - 1] if i else ""
            if is_one(factor):
                continue
            rank = self.rank(factor)
            last = next((run for run in reversed(runs) if run[1] != SCALAR), None)
            if rank is None:
                raise OpenProductError(e, *self._pair(e, i))
            if rank == SCALAR or last is None:
                runs.append(([factor], rank))
                continue
            joined = _JOINS.get((last[1], rank))
            if kind == "ast" and rank == last[1]:
                joined = None
            if joined is not None:
                where = runs.index(last)
                between = [f for run, _ in runs[where + 1 :] for f in run]
                runs[where:] = [([*last[0], *between, factor], joined)]
            elif last[1] == VECTOR and rank in (VECTOR, MATRIX, ROW):
                dotted = kind in ("cdot", "times") and rank == VECTOR and len(last[0]) == 1
                if dotted and id(e) not in self.expected:
                    raise OpenProductError(e, last[0][-1], factor)
                runs.append(([factor], rank))
            elif kind == "ast" and rank == last[1]:
                runs.append(([factor], rank))
            else:
                raise MisfitError(e, last[0][-1], factor, (last[1], rank))
        widths = {r for _, r in runs if r != SCALAR}
        if len(widths) > 1:
            shown = [run for run in runs if run[1] != SCALAR]
            raise MisfitError(e, shown[0][0][0], shown[1][0][0], (shown[0][1], shown[1][1]))
        return runs

    def is_inner(self, e: Mul) -> bool:
        """Whether ``a \\cdot b`` of two vectors is to be a number."""
        return self.expected.get(id(e)) == SCALAR

    def _pair(self, e: Mul, i: int) -> tuple[Expr, Expr]:
        return (e.factors[i], e.factors[i + 1]) if i + 1 < len(e.factors) else (e.factors[i - 1], e.factors[i])


_JOINS: dict[tuple[int, int], int] = {
    (MATRIX, MATRIX): MATRIX,
    (MATRIX, VECTOR): VECTOR,
    (ROW, MATRIX): ROW,
    (ROW, VECTOR): SCALAR,
    (VECTOR, ROW): MATRIX,
}
"""Ranks of two factors -> that of their matrix product."""


def is_capital(key: str) -> bool:
    """Whether a key begins with a capital letter behind its layer.

    >>> is_capital("1.W_h"), is_capital("h")
    (True, False)
    """
    return key.rpartition(".")[2][:1].isupper()


def _is_e(e: Expr) -> bool:
    return isinstance(e, Ref) and e.key == "e" and e.when is None
