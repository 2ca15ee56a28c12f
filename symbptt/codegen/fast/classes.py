"""Targets that are class indices, without arrays of zeros and ones: picked entries in place of inner products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ... import algebra as A
from ...algebra import nodes as N
from ..terms import ATOM, SUM, Term
from ..writer import Writer
from .statements import Statements, Target


@dataclass
class ClassWriter(Writer):
    """A writer that picks entries where an array of indices stands for a distribution.

    Parameters
    ----------
    target : MatrixAt, optional
        The target that is given as class indices.
    indices : str
        Its name.
    each : str
        The numbers of the steps from 0, where arrays have no axis of batch.
    logs : mapping
        Softmax -> the arrays whose difference is its logarithm.
    """

    target: Any = None
    indices: str = ""
    each: str = ""
    logs: Mapping[Any, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def with_logs(cls, writer: Writer, logs: Mapping[Any, tuple[str, str]]) -> ClassWriter:
        """Return a writer that knows the logarithms of a softmax."""
        return cls(writer.leaf, writer.size, writer.defined, writer.function_name, writer.helpers, logs=logs)

    @classmethod
    def of(cls, writer: ClassWriter, target: Any, indices: str, each: str) -> ClassWriter:
        """Return a writer for class indices."""
        return replace(writer, target=target, indices=indices, each=each)

    def term(self, expr: Any) -> Term:
        if self._has_log(expr):
            return Term(" - ".join(self.logs[expr.args[1]]), SUM, 1, True)
        if self.target is not None:
            if isinstance(expr, N.Negative) and (parts := self._picked_log(expr.args[0])):
                return Term(" - ".join(reversed(parts)), SUM, 0, True)
            if parts := self._picked_log(expr):
                return Term(" - ".join(parts), SUM, 0, True)
            if isinstance(expr, N.Inner) and self.target in expr.args:
                other = expr.args[1] if expr.args[0] == self.target else expr.args[0]
                return Term(self._picked(self.full(other).at_least(ATOM)), ATOM, 0, True)
            if expr == self.target:
                size = self.number(A.shape_of(expr)[0])
                return Term(f"np.eye({size}, dtype=dtype)[{self.indices}]", ATOM, 1, True)
        return super().term(expr)

    def _picked_log(self, expr: Any) -> tuple[str, str] | None:
        """Return the two arrays whose difference is the inner product of the target with a logarithm."""
        if not isinstance(expr, N.Inner) or self.target not in expr.args:
            return None
        other = expr.args[1] if expr.args[0] == self.target else expr.args[0]
        if not self._has_log(other):
            return None
        array, log = self.logs[other.args[1]]
        return self._picked(array), f"{log}[..., 0]"

    def _has_log(self, expr: Any) -> bool:
        return isinstance(expr, N.Map) and expr.args[0] == A.named("log") and expr.args[1] in self.logs

    def _picked(self, text: str) -> str:
        if self.each:
            return f"{text}[{self.each}, {self.indices}]"
        self.need("rows", "pick")
        return f"pick({text}, {self.indices})"


class ClassStatements(Statements):
    """Statements that subtract 1 at the picked entries where a one-hot target is subtracted."""

    def sum(self, e: Any, target: Target) -> bool:
        """a - target ..., the target last."""
        writer = self.writer
        if not isinstance(writer, ClassWriter) or writer.target is None:
            return super().sum(e, target)
        mine = [arg for arg in e.args if isinstance(arg, N.MatrixNegative) and arg.args[0] == writer.target]
        others = [arg for arg in e.args if arg not in mine]
        if len(mine) != 1 or not others:
            return super().sum(e, target)
        self.into(A.add(*others), target)
        name, indices = target.name, writer.indices
        if writer.each:
            self.put(f"{name}[{writer.each}, {indices}] -= 1.0")
        else:
            writer.need("rows")
            self.put(f"rows({name})[np.arange({indices}.size), {indices}.ravel()] -= 1.0")
        return True
