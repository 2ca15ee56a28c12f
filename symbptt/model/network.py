"""A network: a cell, a readout, a loss and a number of steps, as frozen data; and its one-step equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sympy
from sympy import Basic, Expr, Symbol

from .. import algebra as A
from ..errors import EquationError, ShapeError, SizeError, UnknownNameError, nearest
from .cells import RESERVED, Cell, without
from .heads import Head, total_loss_text
from .inference import infer
from .language import Parsed, bare, build, parse_equation, uses
from .losses import READOUTS, Loss, check_readout, check_reduction
from .rows import COLUMNS, ROWS, SAMPLE, batch_symbol, in_rows, on_one_row
from .system import CELL, LOSS, READOUT, Equation, System
from .unification import Shape


def whole(given: Any, what: str) -> Expr:
    """Return a size or a number of steps: a positive integer or a SymPy symbol.

    Raises
    ------
    SizeError
        For zero, a negative number, a fraction, or anything else.
    """
    if isinstance(given, bool) or given is None:
        raise SizeError(f"{what} must be a positive integer or a symbol, not {given!r}")
    if isinstance(given, str) and given.isidentifier():
        return A.size(given)
    try:
        value = sympy.Integer(given) if isinstance(given, str) else sympy.sympify(given, strict=True)
    except (sympy.SympifyError, TypeError, ValueError, AttributeError):
        raise SizeError(f"{what} must be a positive integer or a symbol, not {given!r}") from None
    if isinstance(value, Symbol):
        return value
    if isinstance(value, sympy.Integer) and value > 0:
        return value
    raise SizeError(f"{what} must be a positive integer or a symbol, not {given!r}")


@dataclass(frozen=True)
class Network:
    """A recurrent network, by value: equal parts make equal networks.

    Parameters
    ----------
    cell : Cell
    hidden, inputs, outputs, steps : sympy.Expr
        n, m, q and T; ``inputs`` and ``outputs`` may be None where there is no input or no readout.
    readout : str or None
    loss : Loss
    reduction : str
    bias, readout_bias : bool
        Whether the terms b_... of the cell and of the readout are there.
    sizes : tuple of pairs
        Values of other size names of the cell.
    layout : {"columns", "rows", "sample"}
        ``sample`` is for generated code: one row of ``rows`` as a column, with parameters in the shapes of ``rows``.
    batch : sympy.Expr or None
        B, with ``layout="rows"`` alone.
    mask : bool
        Whether the loss of each step is multiplied by a given number m_t.
    loss_steps : tuple of int
        The steps whose losses count: m_t is 1 there and 0 elsewhere. Empty where it is not known beforehand.
    heads : tuple of Head
        Several readouts, in the place of ``readout``, ``loss`` and ``outputs``; the losses are added.
    """

    cell: Cell
    hidden: Expr
    inputs: Expr | None
    outputs: Expr | None
    readout: str | None
    loss: Loss
    reduction: str
    steps: Expr
    bias: bool = True
    readout_bias: bool = True
    sizes: tuple[tuple[str, Expr], ...] = ()
    layout: str = COLUMNS
    batch: Expr | None = None
    mask: bool = False
    loss_steps: tuple[int, ...] = ()
    heads: tuple[Head, ...] = ()

    def __post_init__(self) -> None:
        if self.batch is not None and self.layout != ROWS:
            raise SizeError(
                f"batch={self.batch} needs layout='rows'; in columns the equations are those of one example"
            )
        if self.layout == ROWS and self.batch is None:
            object.__setattr__(self, "batch", batch_symbol(self._names))
        check_readout(self.readout)
        check_reduction(self.reduction)
        if self.masked:
            _check_mask(self)
        if self.reduction == "last" and any(scan.direction != 1 for scan in self.cell.scans):
            raise EquationError(
                "reduction='last' reads step T, which a cell that runs backward in time computes first; use 'sum'"
            )
        known = {str(s) for _, shape in self.cell.inferred for part in shape for s in part.free_symbols}
        for name, _ in self.sizes:
            if name not in known:
                raise UnknownNameError(f"the cell has no size {name!r}{nearest(name, known)}")
        _ = self.system

    @property
    def _names(self) -> set[str]:
        """Every name that stands for something in the model: variables, parameters and sizes."""
        sizes = [self.hidden, self.inputs, self.outputs, self.steps, *(value for _, value in self.sizes)]
        own = {str(s) for _, shape in self.cell.inferred for part in shape for s in part.free_symbols}
        return {*self.cell.defined, *self.cell.inputs, *self.cell.parameters, *map(str, sizes), *own}

    @property
    def system(self) -> System:
        """The one-step equations, built (and checked) once for each network."""
        return _system(self)

    @property
    def masked(self) -> bool:
        """Whether a mask is among its variables."""
        return self.mask or bool(self.loss_steps)

    def of_any_length(self, steps: Expr) -> Network:
        """Return the same with another number of steps; which losses count is then left to the mask that is given."""
        return replace(self, steps=steps, mask=self.masked, loss_steps=())


def _check_mask(network: Network) -> None:
    if network.reduction == "last":
        what = "mask=True" if network.mask else f"loss_steps={list(network.loss_steps)}"
        raise EquationError(
            f"{what} with reduction='last', which counts the loss of step T alone; set reduction='sum', or leave "
            f"{what.split('=')[0]} out"
        )
    if network.mask and network.loss_steps:
        raise EquationError("mask=True and loss_steps: the steps are the mask; give one of them")
    names = (*network.cell.defined, *network.cell.inputs, *network.cell.parameters)
    if "mask" in names:
        raise EquationError("the cell uses 'mask', which stands for the weights of the losses; rename it")
    for step in network.loss_steps:
        if isinstance(step, bool) or not isinstance(step, int) or step < 1:
            raise SizeError(f"loss_steps: a step is a positive integer, not {step!r}")
    if network.loss_steps and not network.steps.is_Integer:
        raise SizeError(f"loss_steps needs a number of steps, not {network.steps}; give steps, or mask=True")
    late = [step for step in network.loss_steps if step > network.steps]
    if late:
        raise SizeError(f"loss_steps has step {late[0]}, but there are {network.steps} steps")


def one_example(network: Network) -> Network:
    """Return the network of one example of a batch in rows, as a column, with parameters in the shapes of ``rows``."""
    return replace(network, layout=SAMPLE, batch=None) if network.layout == ROWS else network


def _pruned(network: Network) -> Cell:
    cell = network.cell
    drop = [] if network.bias else [p for p in cell.parameters if bare(p) == "b" or bare(p).startswith("b_")]
    if network.inputs is None:
        drop += list(cell.inputs)
    return without(cell, drop) if drop else cell


@lru_cache(maxsize=64)
def _system(network: Network) -> System:
    system = _in_columns(network)
    if network.layout == SAMPLE:
        return on_one_row(system)
    is_scalar = system.scalar and network.batch == 1
    return in_rows(system, network.batch) if network.layout == ROWS and not is_scalar else system


def _in_columns(network: Network) -> System:
    cell = _pruned(network)
    readout = _readout_equations(network, cell)
    prediction = network.heads[0].name if network.heads else "y" if readout else cell.output
    loss = _loss_equation(network, cell, prediction)
    parsed = [*((p, CELL) for p in cell.parsed), *((p, READOUT) for p in readout), (loss, LOSS)]
    values = _size_values(network)
    shapes = _shapes(network, cell, [p for p, _ in parsed], prediction)
    concrete = {name: tuple(s.xreplace(values) for s in shape) for name, shape in shapes.items()}
    _check_inputs(network, shapes)
    fixed = (*_targets(network), *(("mask",) if network.masked else ()))
    names = _Resolver(cell, [str(p.name) for p, _ in parsed], concrete, fixed)
    equations = tuple(names.equation(p, stage, dict(cell.functions), network) for p, stage in parsed)
    scalar = all(s == 1 for shape in concrete.values() for s in shape)
    return System(
        equations=equations,
        states=cell.state_names,
        inputs=cell.inputs,
        output=cell.output,
        prediction=prediction,
        variables=names.variables,
        parameters=names.parameters,
        reduction=network.reduction,
        steps=network.steps,
        scans=cell.scans,
        scalar=scalar,
        sizes={str(k): v for k, v in values.items()},
        target="real" if network.heads else network.loss.target,
        roles=dict(cell.roles),
        targets={name: kind for name, kind in _targets(network).items() if name in names.variables},
        predictions=tuple(head.name for head in network.heads) or (prediction,),
        masked=network.masked,
        loss_steps=network.loss_steps,
    )


def _targets(network: Network) -> dict[str, str]:
    """Name of each target -> what it may be."""
    return {h.target: h.loss.target for h in network.heads} or {"target": network.loss.target}


def _readout_equations(network: Network, cell: Cell) -> list[Parsed]:
    for head in network.heads:
        taken = {*cell.defined, *cell.inputs, *cell.parameters, *RESERVED} - {"y", "a"}
        taken |= {name for other in network.heads if other != head for name in other.names}
        clash = next((name for name in head.names if name in taken), None)
        if clash:
            raise EquationError(f"readout {head.name!r} needs the name {clash!r}, which is taken; rename one of them")
    if network.heads:
        texts = [t for head in network.heads for t in head.equations(cell.output, network.readout_bias)]
        return [parse_equation(text) for text in texts]
    if network.readout is None:
        return []
    for name in ("W_y", "b_y", "y", "a"):
        if name in cell.parameters:
            raise EquationError(f"the cell uses {name!r}, which belongs to the readout; rename it, or set readout=None")
    texts = [text.replace("{h}", f"{cell.output}[t]") for text in READOUTS[network.readout]]
    if not network.readout_bias:
        texts = [text.replace(" + b_y", "") for text in texts]
    return [parse_equation(text) for text in texts]


def _loss_equation(network: Network, cell: Cell, prediction: str) -> Parsed:
    text = total_loss_text(network.heads) if network.heads else network.loss.text(prediction, cell.output)
    whole = text if text.split("=")[0].strip() == "l[t]" else f"l[t] = {text}"
    if network.masked:
        whole = f"l[t] = mask[t] * ({whole.partition('=')[2].strip()})"
    parsed = parse_equation(whole, dict(cell.functions))
    known = {*cell.defined, *cell.inputs, prediction, "target", *(("a",) if network.readout else ())}
    known |= {"mask"} if network.masked else set()
    known |= {name for head in network.heads for name in head.names[:2]} | {*_targets(network)}
    sizes = {head.size for head in network.heads}
    for use in uses(parsed):
        if use.lag is not None and (use.name not in known or use.lag != 0):
            if use.name in known:
                raise EquationError(f"loss {text!r}: a loss reads step t only; write {use.name}[t]")
            raise EquationError(f"loss {text!r}: {use.name!r} is no variable of the model{nearest(use.name, known)}")
        if use.lag is None and use.name not in ("size", "n", "m", "q", "T", *cell.parameters, *sizes):
            raise UnknownNameError(f"loss {text!r}: {use.name!r} is not known{nearest(use.name, known)}")
        if network.reduction == "last" and use.name in cell.inputs:
            raise EquationError(
                f"loss {text!r} reads the input directly; with reduction='last' put it into the cell's output"
            )
    return parsed


def _check_inputs(network: Network, shapes: Mapping[str, Shape]) -> None:
    """Refuse a size of the input that the equations contradict."""
    shape = shapes.get("x") if "x" in network.cell.inputs else None
    if shape and network.inputs is not None and network.inputs.is_Integer and A.size("m") not in shape[0].free_symbols:
        found = shape[0].xreplace(_size_values(network))
        if found != network.inputs:
            raise ShapeError(f"inputs={network.inputs}, but the equations make x of size {shape[0]} = {found}")


def _size_values(network: Network) -> dict[Basic, Expr]:
    values: dict[Basic, Expr] = {A.size("n"): network.hidden}
    if network.inputs is not None:
        values[A.size("m")] = network.inputs
    if network.outputs is not None:
        values[A.size("q")] = network.outputs
    values.update({A.size(head.size): head.outputs for head in network.heads})
    values.update({A.size(name): value for name, value in network.sizes})
    return {k: v for k, v in values.items() if k != v}


_SIZE_NAMES = ("size", "n", "m", "q", "T")


def _shapes(network: Network, cell: Cell, parsed: list[Parsed], prediction: str) -> dict[str, Shape]:
    known: dict[str, Shape] = dict(cell.inferred)
    if network.readout is not None:
        known.update({"y": (A.size("q"),), "b_y": (A.size("q"),)})
    for head in network.heads:
        known.update({head.name: (A.size(head.size),), f"b_{head.name}": (A.size(head.size),)})
    used = {u.name for p in parsed for u in uses(p)} | {p.name for p in parsed}
    given = {name: shape for name, shape in known.items() if name in used}
    if "target" in used:
        given["target"] = given[prediction]
    given.update({head.target: given[head.name] for head in network.heads if head.target in used})
    if network.masked:
        given["mask"] = ()
    sizes = dict.fromkeys((*_SIZE_NAMES, *(head.size for head in network.heads)), sympy.S.One)
    try:
        return infer(parsed, {}, given, dict(cell.functions), sizes)
    except ShapeError as error:
        raise ShapeError(f"{error} (loss {network.loss.name!r}, readout {network.readout!r})") from None


class _Resolver:
    """Makes the nodes of names, each once."""

    def __init__(self, cell: Cell, defined: list[str], shapes: Mapping[str, Shape], fixed: tuple[str, ...]) -> None:
        self.shapes = shapes
        self.timed = {*defined, *cell.inputs, *fixed}
        self.variables: dict[str, A.Variable] = {}
        self.parameters: dict[str, Basic] = {}
        self.t = A.index("t")
        for name in shapes:
            if name in self.timed:
                self.variables[name] = self._variable(name, shapes[name])

    @staticmethod
    def _variable(name: str, shape: Shape) -> A.Variable:
        sizes = (*shape, sympy.S.One) if len(shape) == 1 else shape
        return A.Variable(name, *sizes, *((2,) if len(shape) == 2 and shape[1] == 1 else ()))

    def _parameter(self, name: str) -> Basic:
        shape = self.shapes[name]
        if not shape:
            return A.scalar_parameter(name)
        return A.Parameter(name, shape[0], 1) if len(shape) == 1 else A.MatrixParameter(name, *shape)

    def equation(self, parsed: Parsed, stage: str, functions: Mapping[str, Any], network: Network) -> Equation:
        size_of = self.shapes[str((network.readout and "y") or network.cell.output)]
        count = sympy.prod(size_of) if size_of else sympy.S.One
        sizes = {"size": count, "n": network.hidden, "m": network.inputs, "q": network.outputs, "T": network.steps}
        sizes.update({head.size: head.outputs for head in network.heads})

        def resolve(name: str, lag: int | None) -> Any:
            if name in self.timed:
                return self.variables[name][self.t + (lag or 0)]
            if name in sizes and name not in self.shapes:
                return sizes[name]
            if name not in self.parameters:
                self.parameters[name] = self._parameter(name)
            return self.parameters[name]

        try:
            right = build(parsed, resolve, functions)
        except ShapeError as error:
            raise ShapeError(f"equation {parsed.text!r}: {error}") from None
        name = str(parsed.name)
        if stage == LOSS and A.shape_of(right):
            if all(s == 1 for s in A.shape_of(right)):
                right = A.entry_sum(right)
                self.variables["l"] = A.Variable("l")
            else:
                shape = A.show_shape(A.shape_of(right))
                raise ShapeError(
                    f"loss {parsed.text!r} has shape {shape}, not a scalar; wrap it in sum(...) or norm2(...)"
                )
        return Equation(self.variables[name][self.t], right, stage, parsed.text)
