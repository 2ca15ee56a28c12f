"""Cells: what is carried from step to step, as equations and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Lambda

from ..algebra import ElementwiseFunction, size
from ..algebra.functions import U
from ..errors import EquationError, UnknownNameError, nearest
from . import from_latex
from .functions import read_function
from .inference import infer, open_vectors
from .language import Parsed, bare, parse_equation, uses
from .scans import BOTH, Scan, scans
from .unification import Shape

if TYPE_CHECKING:
    from .shown import SymbolTable

RESERVED = {"l": "the loss of a step", "L": "the loss", "target": "the target", "y": "the readout", "a": "the readout",
            "t": "the time index", "T": "the number of steps"}  # fmt: skip
"""Names that a cell may not use for its own variables."""
RESERVED_PARAMETERS = ("l", "L", "t", "T")
"""Of these, the names that it may not use for parameters either."""

ROLES = (
    "pre_activation", "mean", "deviation", "normalised",
    "gate", "input_gate", "forget_gate", "output_gate", "reset_gate", "update_gate", "candidate",
    "cell_state", "memory", "key", "value", "query", "step_size", "output",
)  # fmt: skip
"""What a variable can be called in a derivation; each has its words in every language."""


@dataclass(frozen=True)
class Cell:
    """The equations of one step, t - 1 to t.

    Parameters
    ----------
    equations : sequence of str
        In the equation language, in the order in which they are computed.
    states : sequence or mapping
        Names that are carried on, or name -> size (``{"h": "n", "S": ("p", "n")}``).
    output : str
        What the loss or the readout reads; the first state by default.
    shapes : mapping
        Name -> ``()``, a size, or a pair of sizes, where the equations leave it open.
    name : str
    functions : mapping
        Name -> SymPy expression of one variable, a function of the cell's own.
    direction : {1, -1, "both"}
        1 where step t reads step t - 1, -1 where it reads t + 1; "both" where some equations run forward and
        some backward in time, each state in the direction in which it is read.
    roles : mapping
        Variable -> one of :data:`ROLES`, such as ``{"f": "forget_gate"}``: what the derivation calls it.

    Raises
    ------
    EquationError, ShapeError, RankError
        When the equations are not in the language, contradict each other, or leave something open.

    Examples
    --------
    >>> cell = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])"], states=["h"], name="mine")
    >>> cell.parameters
    ('W_h', 'W_x')
    >>> eval(repr(cell)) == cell
    True
    """

    equations: Sequence[str]
    states: Any
    output: str = ""
    shapes: Any = ()
    name: str = "cell"
    functions: Any = ()
    direction: int | str = 1
    roles: Any = ()
    parsed: tuple[Parsed, ...] = field(init=False, repr=False, compare=False)
    inferred: tuple[tuple[str, Shape], ...] = field(init=False, repr=False, compare=False)
    scans: tuple[Scan, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fix = object.__setattr__
        fix(self, "equations", (self.equations,) if isinstance(self.equations, str) else tuple(self.equations))
        fix(self, "states", _pairs(self.states))
        fix(self, "shapes", _pairs(self.shapes))
        fix(self, "roles", _pairs(self.roles))
        fix(self, "functions", tuple((k, _function(k, v)) for k, v in _pairs(self.functions)))
        if not self.equations:
            raise EquationError("a cell needs at least one equation, such as h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])")
        fix(self, "parsed", tuple(parse_equation(text, dict(self.functions)) for text in self.equations))
        _check_equations(self)
        fix(self, "scans", scans(self.parsed, self.direction))
        fix(self, "output", self.output or self.states[0][0])
        if self.output not in self.defined:
            raise EquationError(
                f"output {self.output!r} is not defined by an equation{nearest(self.output, self.defined)}"
            )
        _check_roles(self)
        shapes = infer(self.parsed, dict(_state_shapes(self)), dict(_shapes(self.shapes)), dict(self.functions), {})
        sizes = {str(s) for shape in shapes.values() for part in shape for s in part.free_symbols}
        unused = next((name for name, _ in self.shapes if name not in shapes or name not in self._names), None)
        if unused:
            raise EquationError(f"shapes names {unused!r}, which is in no equation{nearest(unused, self._names)}")
        clash = next((name for name in shapes if name in sizes), None)
        if clash:
            raise EquationError(f"{clash!r} is a size and cannot be the name of a variable or parameter; rename it")
        fix(self, "inferred", tuple(shapes.items()))

    def __repr__(self) -> str:
        parts = [f"{list(self.equations)!r}", f"states={_plain(self.states)!r}", f"output={self.output!r}"]
        if self.shapes:
            parts.append(f"shapes={_plain(self.shapes)!r}")
        parts.append(f"name={self.name!r}")
        if self.functions:
            parts.append("functions={" + ", ".join(f"{k!r}: {str(f.rule(U))!r}" for k, f in self.functions) + "}")
        if self.direction != 1:
            parts.append(f"direction={self.direction!r}")
        if self.roles:
            parts.append(f"roles={dict(self.roles)!r}")
        return f"Cell({', '.join(parts)})"

    def _repr_latex_(self) -> str:
        """Show the equations with their sizes as symbols, in a notebook."""
        from .shown import cell_formula

        return cell_formula(self)

    @classmethod
    def from_latex(
        cls,
        equations: str | Sequence[str],
        states: Any = None,
        output: str | None = None,
        shapes: Mapping[str, Any] | None = None,
        functions: Mapping[str, Any] | None = None,
        name: str = "cell",
        keys: Mapping[str, str] | None = None,
        roles: Mapping[str, str] | None = None,
        layout: str | None = None,
    ) -> Cell:
        r"""Return the cell that equations in LaTeX define, as a paper or a textbook prints them.

        States, inputs, parameters and all shapes are inferred; look at them with :meth:`table`.

        Parameters
        ----------
        equations : str or sequence of str
            One string may hold several equations (``aligned``, ``cases``, commas), in any order.
        states, output, shapes, roles : optional
            As for a :class:`Cell`, where the equations leave something open or mean something else.
        functions : mapping
            What a letter such as f is: ``{"f": "tanh"}``, or an expression in one variable. Without it sigma is the
            logistic function.
        name : str
        keys : mapping
            A name as it is written -> its key: ``{"W_{hh}": "W_h"}``; by default ``W_{xu}`` is ``W_xu``.
        layout : {None, "columns", "rows"}
            Which convention the equations are in. By default it is recognised; that it is ``rows``,
            H_t = f(X_t W_x + H_{t-1} W_h), is a warning, since the model needs ``layout="rows"`` for the same shapes.

        Raises
        ------
        EquationError, RankError, ShapeError
            With the place in the LaTeX and, where something is ambiguous, the readings.

        Examples
        --------
        >>> from symbptt import Cell
        >>> cell = Cell.from_latex(r"h_t = (1-\alpha) h_{t-1} + \alpha \tanh(W_h h_{t-1} + W_x x_t + b_h)")
        >>> cell.equations
        ('h[t] = (1 - alpha) * h[t-1] + alpha * tanh(W_h @ h[t-1] + W_x @ x[t] + b_h)',)
        """
        read = from_latex.reader("cell")
        found: Cell = read(equations, layout, states=states, output=output, shapes=shapes, functions=functions,
                           name=name, keys=keys, roles=roles)  # fmt: skip
        return found

    def table(self) -> SymbolTable:
        """Return its symbols with their keys, shapes and roles, as text and for notebooks.

        Examples
        --------
        >>> print(Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])"], states=["h"]).table())
        symbol  key  shape  role
        hₜ      h    n      state, output
        xₜ      x    m      input
        W_h     W_h  n × n  parameter
        W_x     W_x  n × m  parameter
        """
        from .shown import SymbolTable

        return SymbolTable.of(self)

    @cached_property
    def defined(self) -> tuple[str, ...]:
        """The variables that have an equation, in order."""
        return tuple(str(p.name) for p in self.parsed)

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.states)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self.defined, *self.inputs, *self.parameters)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """What is read at each step and has no equation: ``x``."""
        timed = (u.name for p in self.parsed for u in uses(p) if u.lag is not None)
        return tuple(dict.fromkeys(n for n in timed if n not in self.defined))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The parameters, in the order of their first use."""
        return tuple(dict.fromkeys(u.name for p in self.parsed for u in uses(p) if u.lag is None))


def _pairs(given: Any) -> tuple[tuple[str, Any], ...]:
    if isinstance(given, Mapping):
        return tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in given.items())
    if isinstance(given, str):
        return ((given, None),)
    return tuple(item if isinstance(item, tuple) else (item, None) for item in given)


def _plain(pairs: tuple[tuple[str, Any], ...]) -> Any:
    if all(value is None for _, value in pairs):
        return [name for name, _ in pairs]
    return dict(pairs)


def _shapes(pairs: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Shape]]:
    for name, given in pairs:
        parts = given if isinstance(given, tuple) else (given,)
        yield name, tuple(_size(name, part) for part in parts)


def _size(name: str, given: Any) -> Expr:
    if isinstance(given, str) and given.isidentifier():
        return size(given)
    value = sympy.sympify(given) if isinstance(given, int | Expr) and not isinstance(given, bool) else None
    if value is None or (value.is_number and not (value.is_Integer and value > 0)):
        raise EquationError(f"the size of {name!r} must be a name or a positive integer, not {given!r}")
    return value


def _state_shapes(cell: Cell) -> Iterable[tuple[str, Shape | None]]:
    for i, (name, given) in enumerate(cell.states):
        if given is not None:
            yield from _shapes([(name, given)])
        else:
            first = i == 0 and not bare(name)[0].isupper() and name not in dict(cell.shapes)
            yield name, (size("n"),) if first else None


def open_sizes(equations: Iterable[str], states: Any, shapes: Any, functions: Any) -> list[str]:
    """Return the vectors over time whose size neither the equations nor the shapes settle; arguments as for a cell."""
    own = {key: _function(key, given) for key, given in _pairs(functions)}
    draft = object.__new__(Cell)
    for name, given in (("states", _pairs(states)), ("shapes", _pairs(shapes))):
        object.__setattr__(draft, name, given)
    parsed = [parse_equation(text, own) for text in equations]
    return open_vectors(parsed, dict(_state_shapes(draft)), dict(_shapes(draft.shapes)), own)


def _function(name: str, given: Any) -> ElementwiseFunction:
    if isinstance(given, ElementwiseFunction):
        return given
    if not bare(name).isidentifier() or bare(name).startswith("_"):
        raise EquationError(f"function {name!r}: a function is named by a word")
    try:
        expr = read_function(given) if isinstance(given, str) else sympy.sympify(given, strict=True)
    except (sympy.SympifyError, EquationError) as error:
        reason = f": {error}" if isinstance(error, EquationError) else f", not {given!r}"
        raise EquationError(f"function {name!r}: a SymPy expression of one variable is needed{reason}") from None
    free = sorted(expr.free_symbols, key=str)
    if len(free) != 1:
        raise EquationError(f"function {name!r}: a SymPy expression of one variable is needed, not {given}")
    u = sympy.Symbol("u", real=True)
    return ElementwiseFunction(name, Lambda(u, expr.xreplace({free[0]: u})))


def _check_equations(cell: Cell) -> None:
    names = [str(p.name) for p in cell.parsed]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice:
        texts = [p.text for p in cell.parsed if p.name == twice]
        raise EquationError(f"two equations for {twice!r}: {texts[0]!r} and {texts[1]!r}; keep one")
    for name in names:
        if name in RESERVED:
            raise EquationError(f"a cell cannot define {name!r}, which stands for {RESERVED[name]}; rename it")
    for state in cell.state_names:
        if state not in names:
            raise EquationError(f"state {state!r} is never updated: add an equation {state}[t] = ...")
    if not cell.states:
        raise EquationError("a cell needs a state: states=['h']")
    repeated = next((name for name in cell.state_names if cell.state_names.count(name) > 1), None)
    if repeated:
        raise EquationError(f"state {repeated!r} is listed twice; keep one")
    if cell.direction not in (1, -1, BOTH) or isinstance(cell.direction, bool):
        raise EquationError(f"direction must be 1 (forward in time), -1 (backward) or 'both', not {cell.direction!r}")
    for i, parsed in enumerate(cell.parsed):
        for use in uses(parsed):
            _check_use(cell, parsed, use.name, use.lag, names, i)


def _check_roles(cell: Cell) -> None:
    for name, role in cell.roles:
        if name not in cell.defined:
            raise EquationError(f"roles names {name!r}, which no equation defines{nearest(name, cell.defined)}")
        if role not in ROLES:
            raise UnknownNameError(f"role of {name!r}: unknown role {role!r}{nearest(str(role), ROLES)}")


def _check_use(cell: Cell, parsed: Parsed, name: str, lag: int | None, names: list[str], i: int) -> None:
    where = f"equation {parsed.text!r}"
    if lag is None:
        if name in names:
            raise EquationError(f"{where}: {name!r} is a variable; write {name}[t] or {name}[t-1]")
        if name in RESERVED_PARAMETERS:
            raise EquationError(f"{where}: {name!r} stands for {RESERVED[name]}; rename the parameter")
        if name in cell.inputs:
            raise EquationError(f"{where}: {name!r} is read at steps elsewhere; write {name}[t]")
        if name.endswith("0") and name[:-1] in cell.state_names:
            raise EquationError(f"{where}: {name!r} stands for the initial state; rename the parameter")
        return
    if name not in names and name in RESERVED:
        raise EquationError(f"{where}: {name!r} stands for {RESERVED[name]}; rename the input")
    if lag == cell.direction:
        step = "t+1" if lag == 1 else "t-1"
        raise EquationError(f"{where} refers to {name}[{step}]; a cell of this direction reads steps t and t{-lag:+d}")
    if lag and name not in cell.state_names:
        raise EquationError(f"{where} reads {name}[t{lag:+d}], but {name!r} is no state; add it to states")
    if lag == 0 and name in names and names.index(name) >= i:
        chain = _cycle(cell, name, str(parsed.name))
        if chain:
            state = "" if name in cell.state_names else f", and list {name!r} in states"
            way = cell.direction if isinstance(cell.direction, int) else 1
            raise EquationError(
                f"{where}: the equations form a cycle within a step: {' -> '.join(chain)}; "
                f"read {name}[t{-way:+d}]{state}"
            )
        raise EquationError(f"{where} uses {name}[t] before it is defined; move the equation of {name!r} up")


def _cycle(cell: Cell, start: str, goal: str) -> list[str] | None:
    """The chain start <- ... <- goal of same-step uses that closes a cycle, if there is one."""
    same_step = {str(p.name): [u.name for u in uses(p) if u.lag == 0] for p in cell.parsed}
    stack = [[start]]
    while stack:
        chain = stack.pop()
        if chain[-1] == goal:
            return [goal, *chain] if chain[0] != goal or len(chain) > 1 else [goal, goal]
        stack += [[*chain, n] for n in same_step.get(chain[-1], []) if n not in chain]
    return None


def without(cell: Cell, names: Iterable[str]) -> Cell:
    """Return the cell without the terms in which one of the names occurs (biases, or the input)."""
    drop = set(names)
    texts = []
    for parsed in cell.parsed:
        tree = _prune(parsed.tree, drop)
        if tree is None:
            raise EquationError(f"equation {parsed.text!r}: nothing is left without {', '.join(sorted(drop))}")
        texts.append(parsed.text if tree is parsed.tree else f"{parsed.name}[t] = {ast.unparse(tree)}")
    if tuple(texts) == cell.equations:
        return cell
    again = [parse_equation(text, dict(cell.functions)) for text in texts]
    left = {str(p.name) for p in again} | {u.name for p in again for u in uses(p)}
    kept = tuple((name, shape) for name, shape in cell.shapes if name in left)
    return replace(cell, equations=tuple(texts), shapes=kept)


def _prune(tree: Any, drop: set[str]) -> Any:
    """Remove the smallest terms of sums in which a dropped name occurs; None when nothing is left."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        left, right = _prune(tree.left, drop), _prune(tree.right, drop)
        if left is None or right is None:
            negative = left is None and isinstance(tree.op, ast.Sub) and right is not None
            return ast.UnaryOp(ast.USub(), right) if negative else (right if left is None else left)
        return tree if (left, right) == (tree.left, tree.right) else ast.BinOp(left, tree.op, right)
    if isinstance(tree, ast.BinOp) and not isinstance(tree.op, ast.Pow):
        sides = _prune(tree.left, drop), _prune(tree.right, drop)
        if None in sides:
            return None
        return tree if sides == (tree.left, tree.right) else ast.BinOp(sides[0], tree.op, sides[1])
    if isinstance(tree, ast.Call):
        arguments = [_prune(a, drop) for a in tree.args]
        if any(a is None for a in arguments):
            return None
        same = all(a is b for a, b in zip(arguments, tree.args, strict=True))
        return tree if same else ast.Call(tree.func, arguments, [])
    gone = any(isinstance(part, ast.Name) and part.id in drop for part in ast.walk(tree))
    return None if gone else tree
