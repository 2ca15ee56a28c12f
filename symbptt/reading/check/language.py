"""From the equations of a note to the equation language, with the names that a model may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ... import algebra as A
from ...model.cells import RESERVED
from ..meaning.expr import (
    Add,
    Bound,
    Call,
    Div,
    Entry,
    Expr,
    Hadamard,
    Matrix,
    Mul,
    Norm,
    Num,
    Pick,
    Pow,
    Ref,
    Transpose,
)
from ..meaning.index import Index


class NotInLanguageError(Exception):
    """An equation of a note that the equation language does not have."""


@dataclass
class Writer:
    """Writes expressions of a note in the equation language.

    Attributes
    ----------
    names : dict
        Key of the note -> name in the model; filled as they occur.
    functions : mapping
        Name of a function in the note -> name in the language.
    rows : bool
        Whether the note multiplies from the right: ``X_t W``.
    target : str or None
        Key of the target.
    """

    functions: Mapping[str, str] = field(default_factory=dict)
    rows: bool = False
    target: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    def variable(self, key: str) -> str:
        """Return the name of a variable over time; vectors have small letters."""
        if key == self.target:
            return "target"
        return self.names.setdefault(key, self._fresh(key[:1].lower() + key[1:] if not key.isupper() else key.lower()))

    def parameter(self, key: str) -> str:
        """Return the name of a parameter."""
        return self.parameters.setdefault(key, self._fresh(key))

    def _fresh(self, key: str) -> str:
        plain = "".join(c if c.isalnum() or c == "_" else "_" for c in key).strip("_") or "v"
        taken = {*self.names.values(), *self.parameters.values(), *RESERVED, "mask", "n", "m", "q", "size"}
        name = plain if plain[0].isalpha() else f"v{plain}"
        while name in taken or name in A.FUNCTIONS or name == "softmax":
            name = f"{name}v"
        return name

    # -- expressions --------------------------------------------------------------------------------------
    def text(self, e: Expr) -> str:
        """Return an expression in the equation language.

        Raises
        ------
        NotInLanguageError
        """
        if isinstance(e, Num):
            return e.text or (str(e.value) if e.value.denominator == 1 else f"({e.value})")
        if isinstance(e, Ref):
            return self._ref(e)
        if isinstance(e, Add):
            return self._sum(e)
        if isinstance(e, Mul):
            return self._product(e)
        if isinstance(e, Hadamard):
            return " * ".join(self._factor(f) for f in e.factors)
        if isinstance(e, Div):
            return f"{self._factor(e.top)} / {self._factor(e.bottom)}"
        if isinstance(e, Pow):
            return self._power(e)
        if isinstance(e, Transpose):
            return f"{self._factor(e.of)}.T"
        if isinstance(e, Call):
            return self._call(e)
        if isinstance(e, Matrix) and all(len(row) == 1 for row in e.rows):
            return f"concat({', '.join(self.text(row[0]) for row in e.rows)})"
        if isinstance(e, Matrix) and len(e.rows) == 1:
            return f"concat({', '.join(self.text(cell) for cell in e.rows[0])})"
        if isinstance(e, Bound) and e.kind == "sum":
            return self._components(e)
        if isinstance(e, Pick):
            return f"sum({self._factor(e.chosen)} * {self._factor(e.of)})"
        raise NotInLanguageError(type(e).__name__)

    def _ref(self, e: Ref) -> str:
        if e.when is None:
            return self.variable(e.key) + "[t]" if e.key == self.target else self.parameter(e.key)
        lag = e.when - Index((("t", 1),))
        if not lag.is_number or lag.constant not in (0, -1):
            raise NotInLanguageError(f"{e.key}[{e.when}]")
        return f"{self.variable(e.key)}[t{lag.constant or ''}]"

    def _sum(self, e: Add) -> str:
        text = ""
        for i, (sign, term) in enumerate(zip(e.signs, e.terms, strict=True)):
            part = self._factor(term) if isinstance(term, Add) else self.text(term)
            text += (f" {'-' if sign < 0 else '+'} " if i else "-" if sign < 0 else "") + part
        return text

    def _factor(self, e: Expr) -> str:
        text = self.text(e)
        return f"({text})" if isinstance(e, Add | Mul | Hadamard | Div | Bound) else text

    def _product(self, e: Mul) -> str:
        factors = list(e.factors)
        if self.rows and len(factors) == 2 and self._is_matrix(factors[1]) and self._is_vector(factors[0]):
            factors.reverse()
        text, matrix = self._factor(factors[0]), self._is_matrix(factors[0])
        for i, factor in enumerate(factors[1:]):
            scalar = isinstance(factor, Num) or isinstance(factors[i], Num)
            operator = "@" if matrix and not scalar else "*"
            text = f"{text} {operator} {self._factor(factor)}"
            matrix = self._is_matrix(factor) or (matrix and isinstance(factor, Num))
        return text

    @staticmethod
    def _is_matrix(e: Expr) -> bool:
        if isinstance(e, Transpose):
            return True
        return isinstance(e, Ref) and e.when is None and e.key[:1].isupper()

    @staticmethod
    def _is_vector(e: Expr) -> bool:
        return (isinstance(e, Ref) and e.when is not None) or isinstance(e, Call | Hadamard | Matrix | Add)

    def _power(self, e: Pow) -> str:
        if isinstance(e.exponent, Num) and e.exponent.value == 2:
            if isinstance(e.base, Norm):
                return f"norm2({self.text(e.base.of)})"
            return f"{self._factor(e.base)}**2"
        if isinstance(e.exponent, Num) and e.exponent.value.denominator == 1:
            return f"{self._factor(e.base)}**{e.exponent.value}"
        raise NotInLanguageError("power")

    def _call(self, e: Call) -> str:
        if len(e.arguments) == 1 and isinstance(e.arguments[0], Pick):  # the logarithm of the component of a class
            pick = e.arguments[0]
            return f"sum({self._factor(pick.chosen)} * {self._call(replace(e, arguments=(pick.of,)))})"
        if e.primes or len(e.arguments) != 1:
            raise NotInLanguageError(e.name)
        name = self.functions.get(e.name, e.name)
        if name not in A.FUNCTIONS and name not in ("softmax", "sum", "diag"):
            raise NotInLanguageError(e.name)
        argument = e.arguments[0]
        return f"{name}({self.text(argument)})"

    def _components(self, e: Bound) -> str:
        """A sum over components is the sum of the entries."""
        if not any(isinstance(p, Entry) for p in e.body.walk()):
            raise NotInLanguageError("sum")

        def rule(part: Expr) -> Expr:
            return part.of if isinstance(part, Entry) and all(p.letters == {e.index} for p in part.places) else part

        inner = e.body.mapped(rule)
        if isinstance(inner, Mul) and inner != e.body:
            inner = Hadamard(inner.factors)
        return f"sum({self.text(inner)})"


def squares_as_norms(e: Expr) -> Expr:
    """Return a loss with the squares of variables as squared norms, which is what they are for vectors."""

    def rule(part: Expr) -> Expr:
        timed = any(isinstance(p, Ref) and p.when is not None for p in part.walk())
        if isinstance(part, Pow) and isinstance(part.exponent, Num) and part.exponent.value == 2 and timed:
            return part if isinstance(part.base, Norm) else Pow(Norm(part.base, tree=part.tree), part.exponent)
        return part

    return e.mapped(rule)
