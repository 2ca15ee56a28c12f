"""The Python lines from which a model and a derivation are made again."""

from __future__ import annotations

import ast
import inspect
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.truncation import Randomised, Segments, Window
from ..model.values import freeze
from .parts import bare_number, pasted, thawed

if TYPE_CHECKING:
    from .model import RNN

SIZES = ("hidden", "inputs", "outputs", "steps", "layout", "batch")
"""What a loaded model may have been given anew."""
WIDTH = 110


@dataclass(frozen=True)
class Origin:
    """How a derivation was made: of which model, by which method, with which arguments.

    Attributes
    ----------
    model : RNN
    method : str
    arguments : tuple of (str, value)
        Those that are not the default.
    """

    model: RNN
    method: str
    arguments: tuple[tuple[str, Any], ...]

    def lines(self, folder: str | Path | None = None) -> list[str]:
        """Return Python lines that make ``model`` and ``derivation`` again.

        Parameters
        ----------
        folder : str or Path, optional
            Where they will run, from where a model file is then looked for.

        Examples
        --------
        >>> from symbptt import load
        >>> print("\\n".join(load("relu-explosion").derivation(detail="brief").origin.lines()))
        from symbptt import load
        <BLANKLINE>
        model = load("relu-explosion")
        derivation = model.derivation(detail="brief")
        """
        model, arguments = self._settled()
        made = f"derivation = model.{self.method}({_keywords(arguments)})"
        body = [*_model_lines(model, folder), made]
        return [*_imports("\n".join(body)), "", *body]

    def _settled(self) -> tuple[RNN, dict[str, Any]]:
        """Put numbers and T that the method was given into the model, so that its function takes them too."""
        arguments = dict(self.arguments)
        changes = {}
        if arguments.get("values"):
            changes["values"] = {**self.model.values, **arguments.pop("values")}
        if "steps" in arguments and arguments.get("values") != {}:
            changes["steps"] = arguments.pop("steps")
        return (self.model.replace(**changes) if changes else self.model), arguments


def origin(model: RNN, method: str, given: dict[str, Any]) -> Origin:
    """Return how a derivation was made; arguments that are the default are left out."""
    defaults = inspect.signature(getattr(type(model), method)).parameters
    other = {k: v for k, v in given.items() if k != "self" and not _is(v, defaults[k].default)}
    return Origin(model, method, tuple((k, _plain(v)) for k, v in other.items()))


def _is(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and bool(value == default))


def _plain(value: Any) -> Any:
    """Return arrays and nested tuples as lists, in an order that stays."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, str | int | float | Window | Segments | Randomised):
        return value
    return thawed(freeze(value))


def _model_lines(model: RNN, folder: str | Path | None) -> list[str]:
    from .model import load

    if model.source is not None:
        base = load(model.source)
        changes = _changes(base, model)
        again = base.replace(**changes) if changes else base
        where = _path(model.source, folder)
        if _same(again, model) and where is not None:
            lines = [f"model = load({_literal(where)})"]
            values = changes.pop("values", None)
            if values is not None:
                own = {k: v for k, v in values.items() if k not in base.values or base.values[k] != v}
                whole = {*base.values} <= {*values}
                changes["values"] = (
                    f"{{**model.values, {_literal(own)[1:-1]}}}" if whole and base.values else _literal(values)
                )
            shown = ", ".join(f"{k}={v if k == 'values' else _literal(v)}" for k, v in changes.items())
            return [*lines, *([f"model = model.replace({shown})"] if shown else [])]
    return [f"model = {_written(model)}"]


def _changes(base: RNN, model: RNN) -> dict[str, Any]:
    """Return what a loaded model was given anew."""
    found: dict[str, Any] = {}
    for name in SIZES:
        old, new = getattr(base.network, name), getattr(model.network, name)
        if old != new and new is not None:
            found[name] = bare_number(new) if getattr(new, "is_Integer", False) else new
    if base.notation != model.notation:
        found["notation"] = model.notation
    if base.values != model.values:
        found["values"] = model.values
    return found


def _same(one: RNN, other: RNN) -> bool:
    """Whether two models show the same."""
    return one == other and all(
        getattr(one, k) == getattr(other, k) for k in ("title", "sections", "truncate", "remedies")
    )


def _path(source: str, folder: str | Path | None) -> str | None:
    """Return a name as it is, and the path of a file as it is seen from a folder."""
    from ..examples import find

    if folder is None or not find(source).own:
        return source
    try:
        return Path(os.path.relpath(source, folder)).as_posix()
    except ValueError:  # on another drive
        return None


def _written(model: RNN) -> str:
    """Return a model as it is made, a line for each argument, with what its ``repr`` leaves out."""
    call = ast.parse(repr(model), mode="eval").body
    assert isinstance(call, ast.Call)
    parts = [ast.unparse(keyword) for keyword in call.keywords]
    for name in ("title", "sections", "truncate", "remedies"):
        value = getattr(model, name)
        parts += [f"{name}={_literal(_plain(value))}"] if value else []
    return "RNN(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _literal(value: Any) -> str:
    """Return a value as Python, strings in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Window | Segments | Randomised):
        return _literal(str(value))
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return pasted(value)


def _keywords(arguments: dict[str, Any]) -> str:
    shown = [f"{k}={_literal(v)}" for k, v in arguments.items()]
    one = ", ".join(shown)
    return one if len(one) <= WIDTH else "\n" + "".join(f"    {part},\n" for part in shown)


def _imports(text: str) -> list[str]:
    """Return the imports of what some lines use."""
    import sympy

    from .. import __all__ as own

    used = sorted({node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)})
    symbols = [name for name in used if name not in own and hasattr(sympy, name)]
    lines = [f"from sympy import {', '.join(symbols)}"] if symbols else []
    return [*lines, f"from symbptt import {', '.join(name for name in used if name in own)}"]
