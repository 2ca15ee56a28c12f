"""The process in which a note's code runs: it reads a request, runs blocks and checks, and leaves a result.

It is started by :mod:`.run`, never imported by anything else, and writes JSON, so that nothing but numbers and texts
comes back.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...checking.check import check_gradients
from ...checking.result import WRONG, Comparison
from ...errors import SymbpttError
from .arguments import CannotRunError, Scope
from .blocks import Broken, Parsed, functions, mentions, parse
from .calls import Task
from .limits import forbid, limit

FILE = "<note>"
ENTRIES = 32


def main(target: str) -> None:
    """Read the request from standard input, and write the result to a file."""
    request = json.loads(sys.stdin.buffer.read())
    with open(target, "w", encoding="utf-8") as file:
        limit(request["seconds"], request["memory"], request["size"])
        forbid(os.getcwd())
        json.dump(answer(request), file)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Run what is asked for.

    Parameters
    ----------
    request : mapping
        ``blocks``: list of (text, first line); ``names``: what to check; ``given``, ``sizes``: arguments.
    """
    blocks = [parse(text, line, number) for number, (text, line) in enumerate(request["blocks"])]
    good = [block for block in blocks if isinstance(block, Parsed)]
    broken = [block for block in blocks if isinstance(block, Broken)]
    module = types.ModuleType("note")
    sys.modules["note"] = module
    np.random.seed(0)
    raised = [problem for block in good if (problem := _run(block, module.__dict__))]
    defined = functions(good)
    checks = {}
    for name in request["names"]:
        scope = Scope(module.__dict__, request["given"], request["sizes"])
        checks[name] = _checked(name, defined, broken, scope)
    shown = [{"block": b.block, "line": b.line, "error": b.error, "cut": b.cut} for b in broken]
    return {"broken": shown, "raised": raised, "defined": sorted(defined), "checks": checks}


def _run(block: Parsed, names: dict[str, Any]) -> dict[str, Any] | None:
    """Run the statements of a block. After one that fails only definitions are run: what it stops may be an example."""
    body = block.tree.body
    future = [n for n in body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    problem = None
    for node in body:
        if problem and not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        try:
            exec(compile(ast.Module([*future, node], []), FILE, "exec"), names)
        except BaseException as error:
            problem = problem or {"block": block.block, "line": _line(error) or node.lineno, "error": _said(error)}
    return problem


def _line(error: BaseException) -> int | None:
    """Return the last line of the note that an error went through."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    name = type(error).__name__
    if isinstance(error, MemoryError):
        name = "MemoryError"
    return (f"{name}: {text}" if text else name)[:200]


# -- checks ----------------------------------------------------------------------------------------------------
def _checked(name: str, defined: dict[str, ast.FunctionDef], broken: list[Broken], scope: Scope) -> dict[str, Any]:
    """Check one function or pair, and say how it went."""
    first, _, second = name.partition(":")
    pair = [_resolved(part, defined, scope) for part in (first, second) if part]
    for given, part in zip((first, second), pair, strict=False):
        if part in defined:
            continue
        for block in broken:
            if mentions(block.text, part):
                key = "check.code.in-cut" if block.cut else "check.code.in-broken"
                return _cannot(key, name=given, block=block.block, line=block.line, error=block.error)
        return {"status": "unknown", "name": given}
    line = defined[pair[-1]].lineno
    if len(pair) == 1 and "backward" in first:
        before = pair[0].replace("backward", "forward")
        pair = [before, *pair] if before in defined else pair
    aliases = {part: given for given, part in zip((first, second), pair, strict=False)}
    try:
        return {"status": "done", "line": line, **_compared(pair, aliases, defined, scope)}
    except CannotRunError as error:
        return {**_cannot(error.key, **error.values), "line": line}
    except SymbpttError as error:
        return {**_cannot("check.code.refused", name=name, error=str(error)), "line": line}
    except BaseException as error:
        return {**_cannot("check.code.raises", name=name, error=_said(error), line=_line(error) or line), "line": line}


def _resolved(name: str, defined: dict[str, ast.FunctionDef], scope: Scope) -> str:
    """Return the name of a method by its class, where an object of the note is named."""
    owner, _, last = name.rpartition(".")
    found = scope.names.get(owner)
    if name in defined or found is None or isinstance(found, type | types.ModuleType):
        return name
    by_class = f"{type(found).__name__}.{last}"
    if by_class in defined:
        scope.names[type(found).__name__] = found  # this object is meant, and no other of its class
        return by_class
    return name


def _cannot(key: str, **values: Any) -> dict[str, Any]:
    return {"status": "cannot", "key": key, "values": values}


def _compared(
    pair: list[str], aliases: dict[str, str], defined: dict[str, ast.FunctionDef], scope: Scope
) -> dict[str, Any]:
    task = Task(pair[0], pair[1] if len(pair) > 1 else None, defined, scope)
    values = task.values()
    loss, gradients = task.function()
    odd, fitting = [], {}
    for name, value in values.items():
        shape, given = np.shape(value), task.shapes[name]
        if [s for s in shape if s > 1] == [s for s in given if s > 1]:
            fitting[name] = value  # (3, 1) for (3,) is another habit, and no mistake
        else:
            odd.append(Comparison(name, shape, WRONG, causes=("shape",), found=tuple(given)))

    def shaped(now: Mapping[str, Any]) -> dict[str, Any]:
        found = gradients(now)
        return {k: None if found[k] is None else np.reshape(found[k], np.shape(now[k])) for k in now}

    found = list(check_gradients(loss, fitting, shaped, entries=ENTRIES).parameters) if fitting else []
    order = list(values)
    every = sorted([*odd, *found], key=lambda one: order.index(one.name))
    return {"comparisons": [vars(one) for one in every], "loose": task.loose}
