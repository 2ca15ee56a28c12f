"""The equations and the symbols of a cell as a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass

from ..algebra import size
from ..algebra.layout import Ident, Item
from ..algebra.names import Names
from ..algebra.plain import to_plain
from ..algebra.present import present
from ..algebra.shown import formula
from ..algebra.tex import to_tex
from .cells import Cell
from .losses import Loss
from .network import Network
from .system import CELL


def cell_formula(cell: Cell) -> str:
    r"""Return the equations of a cell, aligned, with their sizes as symbols.

    >>> print(cell_formula(Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])"], states=["h"])))
    $\displaystyle h_t = \tanh(W_h h_{t-1} + W_x x_t)$
    """
    network = Network(
        cell=cell,
        hidden=size("n"),
        inputs=size("m") if cell.inputs else None,
        outputs=None,
        readout=None,
        loss=Loss("sum({y})", "output"),  # a network has a loss; it is not shown
        reduction="sum",
        steps=size("T"),
        bias=True,
        readout_bias=True,
    )
    return formula((e.left, e.right) for e in network.system.equations if e.stage == CELL)


@dataclass(frozen=True)
class SymbolTable:
    """The symbols of a cell: what is printed, the key, the shape, and the role.

    Attributes
    ----------
    rows : tuple of (Item, str, tuple, str)
    """

    rows: tuple[tuple[Item, str, tuple[Item, ...], str], ...]

    @classmethod
    def of(cls, cell: Cell) -> SymbolTable:
        """Return the table of a cell: states, other variables, inputs, and parameters in the order of their use."""
        inferred, names = dict(cell.inferred), Names()
        others = [key for key in cell.defined if key not in cell.state_names]
        rows = []
        for key in (*cell.state_names, *others, *cell.inputs, *cell.parameters):
            timed = key not in cell.parameters
            role = "state" if key in cell.state_names else "variable" if key in others else "input"
            role = role if timed else "parameter"
            symbol = names.at(key, Ident("t")) if timed else names.key(key)
            shape = tuple(present(part, names) for part in inferred[key])
            rows.append((symbol, key, shape, f"{role}, output" if key == cell.output else role))
        return cls(tuple(rows))

    def __str__(self) -> str:
        lines = [("symbol", "key", "shape", "role")]
        for symbol, key, shape, role in self.rows:
            lines.append((to_plain(symbol), key, " × ".join(map(to_plain, shape)) or "number", role))
        widths = [max(len(line[i]) for line in lines) for i in range(4)]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        """Show the table in a notebook."""
        head = "| symbol | key | shape | role |\n| --- | --- | --- | --- |\n"
        rows = ((to_tex(s), key, r" \times ".join(map(to_tex, shape)), role) for s, key, shape, role in self.rows)
        return head + "".join(
            f"| ${symbol}$ | `{key}` | {f'${shape}$' if shape else 'number'} | {role} |\n"
            for symbol, key, shape, role in rows
        )
