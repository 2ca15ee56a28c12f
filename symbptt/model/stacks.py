"""Cells made of cells: layers on top of each other, and one cell run in both directions of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sympy import Expr

from ..algebra import FUNCTIONS, ElementwiseFunction, size
from ..errors import EquationError, ShapeError, SymbpttError
from .catalogue import cell as find_cell
from .cells import Cell
from .language import bare, known_functions, renamed
from .network import whole
from .scans import BOTH
from .unification import Shape

FORWARD, BACKWARD = "forward", "backward"
"""What the names of a direction begin with."""


def Stack(cells: Sequence[Any], hidden: Sequence[Any] | None = None, name: str | None = None) -> Cell:
    """Return layers of cells: layer l reads the output of layer l - 1 at the same step in the place of x_t.

    Parameters
    ----------
    cells : sequence of str or Cell
        From the first layer, which reads the input, to the last, whose output the readout or the loss reads.
    hidden : sequence of int, str or sympy.Symbol, optional
        The size n of each layer; the n of the model for all by default.
    name : str, optional

    Returns
    -------
    Cell
        The names of layer l begin with its number: parameters ``1.W_h``, states ``2.h``, initial states ``2.h0``.

    Raises
    ------
    EquationError
        For no layers, a layer that is no cell, or a layer but the first without an input ``x``.
    ShapeError
        Where a layer cannot read the output of the one before.

    References
    ----------
    Graves, Mohamed and Hinton, "Speech recognition with deep recurrent neural networks", ICASSP 2013.

    Examples
    --------
    >>> Stack(["tanh", "linear"]).equations[1:]
    ('1.h[t] = tanh(1.z[t])', '2.h[t] = 2.W_h @ 2.h[t-1] + 2.W_x @ 1.h[t] + 2.b_h')
    """
    layers = _layers(cells)
    sizes = _hidden(layers, hidden)
    parts: list[_Part] = []
    for number, (layer, own) in enumerate(zip(layers, sizes, strict=True), start=1):
        parts.append(_layer(number, layer, own, parts[-1] if parts else None, _ambiguous_functions(layers)))
    ways = {layer.direction for layer in layers}
    return _joined(
        parts,
        output=parts[-1].output,
        name=name or " + ".join(layer.name for layer in layers),
        direction=ways.pop() if len(ways) == 1 else BOTH,
    )


def Bidirectional(cell: Any, name: str | None = None) -> Cell:
    """Return a cell run forward and backward in time, each with its own parameters, and both outputs joined.

    Parameters
    ----------
    cell : str or Cell
        One that runs forward in time.
    name : str, optional

    Returns
    -------
    Cell
        Its names begin with ``forward.`` and ``backward.``; its output, ``concat(forward.h[t], backward.h[t])``, has
        the name of the cell's output and twice its size.

    Raises
    ------
    EquationError
        For a cell that does not run forward in time, or whose output is no vector.

    References
    ----------
    Schuster and Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45, 1997.

    Examples
    --------
    >>> Bidirectional("linear").equations[1:]
    ('backward.h[t] = backward.W_h @ backward.h[t+1] + backward.W_x @ x[t] + backward.b_h', 'h[t] = concat(forward.h[t], backward.h[t])')
    """  # noqa: E501
    inner = _found(cell, "Bidirectional")
    if inner.direction != 1:
        raise EquationError(f"Bidirectional takes a cell that runs forward in time; {inner.name!r} does not")
    shapes = dict(inner.inferred)
    if len(shapes[inner.output]) != 1:
        raise EquationError(
            f"Bidirectional joins two vectors, but the output {inner.output!r} of {inner.name!r} has shape "
            f"{_shown(shapes[inner.output])}"
        )
    parts = []
    for way in (FORWARD, BACKWARD):
        parts.append(_Part(inner, lambda n, w=way: n if n in inner.inputs else f"{w}.{n}", {}, way == BACKWARD))
    output = bare(inner.output)
    while output in (*inner.inputs, *inner.parameters):
        output += "_out"
    join = f"{output}[t] = concat({parts[0].output}[t], {parts[1].output}[t])"
    return _joined(parts, [join], output, name or f"bidirectional {inner.name}", BOTH)


class _Part:
    """The equations of a cell under other names and sizes.

    Parameters
    ----------
    cell : Cell
    rename : callable
    sizes : mapping
        Size symbol -> what stands in its place.
    mirror : bool
        Whether it runs the other way in time.
    functions : mapping
        Function -> its new name, where that differs.
    """

    def __init__(
        self,
        cell: Cell,
        rename: Any,
        sizes: Mapping[Any, Expr],
        mirror: bool = False,
        functions: Mapping[str, str] = {},
    ) -> None:
        self.cell, self.rename, self.sizes = cell, rename, dict(sizes)
        self.output: str = rename(cell.output)
        self.shapes: dict[str, Shape] = {
            rename(key): tuple(s.xreplace(self.sizes) for s in shape) for key, shape in cell.inferred
        }
        self.equations = [
            renamed(p, lambda key, called: functions.get(key, key) if called else rename(key), mirror)
            for p in cell.parsed
        ]
        self.roles = {rename(key): role for key, role in cell.roles}
        self.states = {rename(key): self.shapes[rename(key)] for key in cell.state_names}
        self.given = {rename(key): self.shapes[rename(key)] for key, _ in cell.shapes}
        self.functions = {
            functions.get(key, key): ElementwiseFunction(functions[key], function.rule)
            if key in functions
            else function
            for key, function in cell.functions
        }


def _joined(
    parts: Sequence[_Part], more: Iterable[str] = (), output: str = "", name: str = "", direction: Any = 1
) -> Cell:
    defined = {key for part in parts for key in part.states}
    shapes = {key: shape for part in parts for key, shape in part.given.items() if key not in defined}
    return Cell(
        [*(text for part in parts for text in part.equations), *more],
        states={key: _plain(shape) for part in parts for key, shape in part.states.items()},
        output=output,
        shapes={key: _plain(shape) for key, shape in shapes.items()},
        name=name,
        functions={key: function for part in parts for key, function in part.functions.items()},
        direction=direction,
        roles={key: role for part in parts for key, role in part.roles.items()},
    )


def _plain(shape: Shape) -> Any:
    """Return a shape in names and numbers, as people write it."""
    sizes = tuple(int(s) if s.is_Integer else str(s) if s.is_Symbol else s for s in shape)
    return sizes[0] if len(sizes) == 1 else sizes


# -- layers -------------------------------------------------------------------------------------------


def _found(given: Any, where: str) -> Cell:
    if not isinstance(given, str | Cell | Expr):
        raise EquationError(f"{where}: a cell or the name of one is needed, not {given!r}")
    try:
        return find_cell(given)
    except SymbpttError as error:
        raise type(error)(f"{where}: {error}") from None


def _layers(cells: Any) -> list[Cell]:
    if isinstance(cells, str | Cell | Mapping) or not isinstance(cells, Iterable):
        raise EquationError(f"Stack takes a list of cells, such as Stack(['tanh', 'tanh']), not {cells!r}")
    layers = [_found(given, f"layer {number} of the stack") for number, given in enumerate(cells, start=1)]
    if not layers:
        raise EquationError("a stack needs at least one layer, such as Stack(['tanh', 'tanh'])")
    for number, layer in enumerate(layers[1:], start=2):
        if "x" not in layer.inputs:
            raise EquationError(
                f"layer {number} of the stack: the cell {layer.name!r} has no input x[t] to read layer {number - 1} by"
            )
    return layers


def _hidden(layers: Sequence[Cell], hidden: Any) -> list[Expr | None]:
    if hidden is None:
        return [None] * len(layers)
    if isinstance(hidden, str) or not isinstance(hidden, Iterable):
        raise ShapeError(f"hidden of a stack is a list with a size for each layer, not {hidden!r}")
    sizes = list(hidden)
    if len(sizes) != len(layers):
        raise ShapeError(
            f"{len(layers)} layers, but the number of hidden sizes is {len(sizes)}; give one for each layer"
        )
    for number, layer in enumerate(layers, start=1):
        if not any(size("n") in s.free_symbols for _, shape in layer.inferred for s in shape):
            raise ShapeError(f"hidden: layer {number} ({layer.name!r}) has no size n; leave hidden out")
    return [whole(given, f"hidden of layer {number}") for number, given in enumerate(sizes, start=1)]


def _layer(
    number: int, layer: Cell, own: Expr | None, below: _Part | None, functions: Mapping[str, str | None]
) -> _Part:
    reads = below.output if below else "x"

    def rename(name: str) -> str:
        return (reads if name == "x" else name) if name in layer.inputs else f"{number}.{name}"

    sizes = {} if own is None else {size("n"): own}
    if below is not None:
        sizes = _fitted(number, layer, sizes, below)
    called = {name: f"{number}.{name}" for name, _ in layer.functions if name in functions}
    part = _Part(layer, rename, sizes, functions=called)
    if below is not None:
        part.given.pop(reads, None)
    return part


def _fitted(number: int, layer: Cell, sizes: Mapping[Any, Expr], below: _Part) -> dict[Any, Expr]:
    """Return the sizes with which a layer reads the output of the one below.

    Raises
    ------
    ShapeError
        Where there are none.
    """
    wanted = tuple(s.xreplace(dict(sizes)) for s in dict(layer.inferred)["x"])
    found = below.shapes[below.output]
    fits = len(wanted) == len(found)
    free = {w: f for w, f in zip(wanted, found, strict=False) if w.is_Symbol and w != size("n")}
    if not fits or any(w.xreplace(free) != f for w, f in zip(wanted, found, strict=True)):
        raise ShapeError(
            f"layer {number} of the stack ({layer.name!r}) reads x of shape {_shown(wanted)}, but layer "
            f"{number - 1} ({below.cell.name!r}) puts out {below.output} of shape {_shown(found)}"
        )
    return {**sizes, **free}


def _shown(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _ambiguous_functions(layers: Sequence[Cell]) -> dict[str, Any]:
    """Return the users' functions whose name means something else in another layer, or to the language."""
    found: dict[str, Any] = {}
    taken = {*known_functions(), *FUNCTIONS}
    for name, function in (pair for layer in layers for pair in layer.functions):
        others = {layer_function for layer in layers for key, layer_function in layer.functions if key == name}
        if name in taken or others != {function}:
            found[name] = None
    return found
