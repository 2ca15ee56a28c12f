"""What a network has but does not need: variables that never reach the loss, functions that no equation calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .. import algebra as A
from .network import Network
from .system import CELL, LOSS, System


def unused(network: Network) -> Iterator[str]:
    """Yield one line for each variable of the cell that never reaches the loss, and each function that is not called.

    >>> from symbptt import Cell, RNN
    >>> cell = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "u[t] = V @ h[t]"], ["h"], shapes={"u": "n"})
    >>> next(unused(RNN(cell).network))
    "cell 'cell': 'u' never reaches the loss, so that the gradient of 'V' is 0; leave its equation out, or read it"
    """
    system, cell = network.system, network.cell
    reached = _reaching(system)
    for name in (e.name for e in system.stage(CELL) if e.name not in reached):
        read = [k for k, symbol in system.parameters.items() if A.depends(system.by_name[name].right, symbol)]
        idle = [repr(key) for key in read if _is_idle(system, key, reached)]
        zero = f", so that the gradient of {', '.join(idle)} is 0" if idle else ""
        yield f"cell {cell.name!r}: {name!r} never reaches the loss{zero}; leave its equation out, or read it"
    calls = (node.func for p in cell.parsed for node in ast.walk(p.tree) if isinstance(node, ast.Call))
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    for name, _ in cell.functions:
        if name not in called:
            yield f"cell {cell.name!r}: no equation calls the function {name!r}; leave it out"


def _reaching(system: System) -> set[str]:
    """Return the variables on which the loss of some step depends."""
    reached: set[str] = set()
    waiting = [equation.name for equation in system.equations if equation.stage == LOSS]
    while waiting:
        equation = system.by_name[waiting.pop()]
        reached.add(equation.name)
        for name in system.by_name:
            read = (A.depends(equation.right, system.at(name, when)) for when in (system.t, system.previous_of(name)))
            if name not in reached and any(read):
                waiting.append(name)
    return reached


def _is_idle(system: System, key: str, reached: set[str]) -> bool:
    """Whether no equation on the way to the loss uses a parameter."""
    symbol = system.parameters[key]
    return not any(e.name in reached and A.depends(e.right, symbol) for e in system.equations)
