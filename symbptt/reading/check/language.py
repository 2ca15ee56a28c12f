"""From the equations of a note to the equation language, with the names that a model may have.

A note is read more kindly than :meth:`Cell.from_latex` reads: a product that could be several ones is taken entry by
entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ... import algebra as A
from ...model.cells import RESERVED
from ..convention import flipped
from ..meaning.equation import CannotWriteError, equation, expression
from ..meaning.expr import Call, Expr, Hadamard, Mul, Norm, Num, OneHot, Pick, Pow, Ref
from ..meaning.index import letter
from ..meaning.ranks import SCALAR, VECTOR, MisfitError, OpenProductError, Ranks

LOSS = "l"
_NOW = letter("t")
MOST_OPEN = 12
"""How many products of a note may leave open what they are."""


class NotInLanguageError(Exception):
    """An equation of a note that the equation language does not have."""


@dataclass
class Writer:
    """Writes the equations of a note in the equation language.

    Attributes
    ----------
    functions : mapping
        Name of a function in the note -> name in the language.
    rows : bool
        Whether the note multiplies from the right: ``X_t W``.
    target : str or None
        Key of the target.
    names, parameters : dict
        Key of the note -> name in the model; filled as they occur.
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
        small = key.lower() if key.isupper() else key[:1].lower() + key[1:]
        return self.names.setdefault(key, self._fresh(small))

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

    def lines(self, equations: Mapping[str, Expr], loss: Expr | None) -> tuple[list[str], str | None]:
        """Return the equations of the cell, and the loss of a step.

        Parameters
        ----------
        equations : mapping
            Key -> right side, in the order in which they are computed.
        loss : Expr or None

        Raises
        ------
        NotInLanguageError
        """
        for key in equations:
            self.variable(key)
        named = [(self.variable(key), self._named(right)) for key, right in equations.items()]
        last = None if loss is None else self._named(squares_as_norms(loss))
        for _ in range(MOST_OPEN):
            known = {name: VECTOR for name, _ in named}
            known["target"] = VECTOR
            ranks = Ranks([*named, *([(LOSS, last)] if last is not None else [])], {**known, LOSS: SCALAR})
            try:
                return [equation(name, right, ranks) for name, right in named], (
                    None if last is None else expression(last, ranks)
                )
            except OpenProductError as open_:
                entrywise = _Entrywise(open_.product)
                named = [(name, right.mapped(entrywise)) for name, right in named]
                last = None if last is None else last.mapped(entrywise)
            except (CannotWriteError, MisfitError) as error:
                raise NotInLanguageError(str(error) or type(error).__name__) from None
        raise NotInLanguageError("products")

    def _named(self, right: Expr) -> Expr:
        """Return an expression with the names of the model, in the column convention."""

        def rule(part: Expr) -> Expr:
            if isinstance(part, Ref):
                timed = part.when is not None or part.key == self.target
                key = self.variable(part.key) if timed else self.parameter(part.key)
                return replace(part, key=key, when=part.when if part.when is not None or not timed else _NOW)
            if isinstance(part, Call):
                return replace(part, name=self.functions.get(part.name) or part.name)
            if isinstance(part, Pick):
                return Call("sum", (Hadamard((part.chosen, part.of)),))
            return part.chosen if isinstance(part, OneHot) else part

        plain = flipped(right, False) if self.rows else right
        return _classes_summed(plain).mapped(rule)


def _classes_summed(expr: Expr) -> Expr:
    """Return an expression with the sum of all entries, each times 0 or 1, for a function of the entry of a class."""

    def rule(part: Expr) -> Expr:
        if isinstance(part, Call) and len(part.arguments) == 1 and isinstance(part.arguments[0], Pick):
            pick = part.arguments[0]
            return Call("sum", (Hadamard((pick.chosen, replace(part, arguments=(pick.of,)))),))
        return part

    return expr.mapped(rule)


@dataclass(frozen=True)
class _Entrywise:
    """Makes one product an entrywise one."""

    product: Expr

    def __call__(self, part: Expr) -> Expr:
        return Hadamard(part.factors, tree=part.tree) if part == self.product and isinstance(part, Mul) else part


def squares_as_norms(e: Expr) -> Expr:
    """Return a loss with the squares of variables as squared norms, which is what they are for vectors."""

    def rule(part: Expr) -> Expr:
        timed = any(isinstance(p, Ref) and p.when is not None for p in part.walk())
        if isinstance(part, Pow) and isinstance(part.exponent, Num) and part.exponent.value == 2 and timed:
            return part if isinstance(part.base, Norm) else Pow(Norm(part.base, tree=part.tree), part.exponent)
        return part

    return e.mapped(rule)
