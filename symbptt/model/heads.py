"""Several readouts of one cell: each with its own nonlinearity, loss, target and parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from ..algebra import size
from ..errors import EquationError, UnknownNameError, nearest
from .losses import READOUTS, Loss, check_readout, loss

DEFAULT_LOSS = "half_squared_error"


@dataclass(frozen=True)
class Head:
    """One of several readouts: the output ``v`` with ``W_v``, ``b_v``, its loss, and the target ``target_v``.

    Parameters
    ----------
    name : str
    readout : str
    loss : Loss
    outputs : sympy.Expr
        Its size.
    """

    name: str
    readout: str
    loss: Loss
    outputs: Expr

    @property
    def target(self) -> str:
        """The name of its target."""
        return f"target_{self.name}"

    @property
    def size(self) -> str:
        """The name of its size."""
        return f"q_{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """All names that belong to it."""
        return (self.name, f"a_{self.name}", f"W_{self.name}", f"b_{self.name}", self.target)

    def equations(self, output: str, bias: bool) -> list[str]:
        """Return its equations, with the cell's output filled in.

        >>> Head("v", "sigmoid", Loss("norm2({y} - {target})"), size("q_v")).equations("h", True)
        ['a_v[t] = W_v @ h[t] + b_v', 'v[t] = sigmoid(a_v[t])']
        """
        texts = [text.replace("{h}", f"{output}[t]") for text in READOUTS[self.readout]]
        texts = texts if bias else [text.replace(" + b_y", "") for text in texts]
        own = {"y": self.name, "a": f"a_{self.name}", "W_y": f"W_{self.name}", "b_y": f"b_{self.name}"}
        return [_renamed(text, own) for text in texts]

    def loss_text(self) -> str:
        """Return its loss, with its own output, target and size.

        >>> Head("v", "linear", Loss("1/size * norm2({y} - {target})"), size("q_v")).loss_text()
        '1/q_v * norm2(v[t] - target_v[t])'
        """
        text = self.loss.text(self.name, "h")
        return _renamed(text, {"y": self.name, "target": self.target, "size": self.size})


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\b[A-Za-z_]\w*\b", lambda match: names.get(match[0], match[0]), text)


def total_loss_text(heads: tuple[Head, ...]) -> str:
    """Return the sum of the losses of all readouts."""
    return " + ".join(f"({head.loss_text()})" for head in heads)


def read_heads(readout: Mapping[str, Any], losses: Any, outputs: Any, whole: Any) -> tuple[Head, ...]:
    """Return the readouts of a model from mappings of names.

    Parameters
    ----------
    readout : mapping
        Name -> kind of readout.
    losses, outputs : mapping, or one value for all
        Name -> loss, and name -> size; the size of ``v`` is the symbol q_v by default.
    whole : callable
        What checks a size.

    Raises
    ------
    EquationError, UnknownNameError
        For names that cannot be used, and names that are no readout.
    """
    if not readout:
        raise EquationError("readout={} has no readouts; name one, such as readout={'y': 'softmax'}, or set None")
    for what, given in (("loss", losses), ("outputs", outputs)):
        for name in given if isinstance(given, Mapping) else ():
            if name not in readout:
                raise UnknownNameError(f"{what} of {name!r}: there is no such readout{nearest(str(name), readout)}")
    found = []
    for name, kind in readout.items():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
            raise EquationError(f"readout {name!r}: a readout is named by letters and digits, such as 'y'")
        if kind is None:
            raise EquationError(f"readout {name!r}: one of several readouts is linear, sigmoid or softmax, not None")
        check_readout(kind)
        own = losses.get(name, DEFAULT_LOSS) if isinstance(losses, Mapping) else losses
        own_size = outputs.get(name) if isinstance(outputs, Mapping) else outputs
        count = size(f"q_{name}") if own_size is None else whole(own_size, f"outputs of {name}")
        found.append(Head(name, kind, loss(own, kind), count))
    return tuple(found)
