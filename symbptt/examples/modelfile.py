"""Model files: TOML, checked against the schema, every complaint with its line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EquationError, ModelFileError, SymbpttError
from .checking import faults
from .kinds import Written
from .lines import locate
from .schema_tables import LATEX, MADE_OF_CELLS

if TYPE_CHECKING:
    from ..reading.cells import CellReading

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class ModelFile:
    """A model file that fits the schema.

    Attributes
    ----------
    name : str
        As the user gave it.
    data : mapping
        What is in it; decimals are kept as they were written.
    lines : mapping
        Path -> line.
    own : bool
        Whether it is a file of the user's, so that errors can be looked up in it.
    """

    name: str
    data: Mapping[str, Any]
    lines: Mapping[tuple[str | int, ...], int] = field(repr=False, default_factory=dict)
    own: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for :class:`symbptt.RNN`."""
        found = {k: _READERS.get(k, _plain)(v) for k, v in self.data.items() if k not in _BESIDE}
        cell = self.data.get("cell")
        if isinstance(cell, dict) and LATEX in cell and "layout" not in found:
            found["layout"] = _read_latex(cell).layout
        return found

    @contextmanager
    def located(self, *elsewhere: str) -> Iterator[None]:
        """Put the file and, where its text tells, the line before every error that is raised inside.

        Parameters
        ----------
        *elsewhere : str
            Values that do not come from the file; errors about them stay as they are.

        Raises
        ------
        SymbpttError
            The same, with ``file:line:`` in front.
        """
        try:
            yield
        except SymbpttError as error:
            message = str(error)
            done = message.startswith(f"{self.name}:")
            if done or not self.own or any(re.match(rf"(value for )?'?{key}\b", message) for key in elsewhere):
                raise
            line = self._line_of(message)
            raise type(error)(f"{self.name}:{line}: {message}" if line else f"{self.name}: {message}") from None

    def _line_of(self, message: str) -> int | None:
        place = _IN_LATEX.match(message)
        if place and place[1] == "loss":
            return self.lines.get(("loss",))
        if place and ("cell", LATEX) in self.lines:
            return self.lines.get(("cell", LATEX, int(place[2] or 1) - 1))
        for pattern, above in _ABOUT:
            match = pattern.match(message)
            if match and (above, match[1]) in self.lines:
                return self.lines[above, match[1]]
        quoted = [(len(text), line) for text, line in self._texts() if _quotes(message, text)]
        if quoted:
            return max(quoted)[1]
        word = _UNSETTLED.match(message)
        using = [line for text, line in self._texts() if word and re.search(rf"\b{word[1]}\b", text)]
        return min(using, default=None)

    def _texts(self) -> list[tuple[str, int]]:
        found = []
        for path, line in self.lines.items():
            value: Any = self.data
            for part in path:
                value = value[part]
            if isinstance(value, str) and not isinstance(value, Written) and path[0] not in WORDS:
                found.append((value.strip(), line))
        return found


_ABOUT = (
    (re.compile(r"value for '([^']+)'"), "values"),
    (re.compile(r"random '?([^' ]+)'?"), "random"),
    (re.compile(r"(target) (?:class|at step)"), "values"),
    (re.compile(r"(\w+) is given for"), "values"),
    (re.compile(r"notation for '([^']+)'"), "notation"),
)
"""How messages about values and notations begin -> the table that they are about."""
_IN_LATEX = re.compile(r"(latex|loss)(?: (\d+))?, (?:line|column) ")
"""How messages about a place in LaTeX begin."""
_UNSETTLED = re.compile(r"the (?:rank|size) of '(\w+)'")
"""How messages about a name in some equation begin."""


def _quotes(message: str, text: str) -> bool:
    return repr(text) in message or (len(text) > 6 and text in message)


# -- reading ------------------------------------------------------------------------------------------


def parse(text: str, name: str) -> ModelFile:
    """Return the model file of a TOML text.

    Parameters
    ----------
    text : str
    name : str
        What the file is called in messages.

    Raises
    ------
    ModelFileError
        ``name:line: what is wrong``, for text that is no TOML and for keys and values that do not fit the schema.

    Examples
    --------
    >>> parse('cell = "tanh"\\nhiden = 2', "my.toml")
    Traceback (most recent call last):
        ...
    symbptt.errors.ModelFileError: my.toml:2: unknown key 'hiden'; did you mean 'hidden'?
    """
    try:
        data = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        raise ModelFileError(_syntax(str(error), text, name)) from None
    except RecursionError:
        raise ModelFileError(f"{name}: nested too deeply") from None
    lines = locate(text)
    found = [(fault.missing, lines.get(fault.path, 0), fault.message) for fault in faults(data)]
    if found:
        _, line, message = min(found)
        raise ModelFileError(f"{name}:{line}: {message}" if line else f"{name}: {message}")
    return ModelFile(name, data, lines)


def _decimal(text: str) -> Written:
    return Written(text.replace("_", ""))


def _syntax(message: str, text: str, name: str) -> str:
    """Put the parser's ``(at line 3, column 7)`` where people and editors look for it."""
    what, _, where = message.partition(" (at ")
    match = re.match(r"line (\d+), column (\d+)", where)
    line = int(match[1]) if match else len(text.splitlines())
    column = f" (column {match[2]})" if match else " (at the end)"
    return f"{name}:{max(line, 1)}: not valid TOML: {what[:1].lower() + what[1:]}{column}"


def read(path: Path, name: str) -> ModelFile:
    """Return the model file at a path.

    Raises
    ------
    ModelFileError
        For a file that cannot be read, is not UTF-8, or does not fit.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{name}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise ModelFileError(f"{name}: cannot be read: {error.strerror or error}") from None
    return replace(parse(text.replace("\r\n", "\n"), name), own=True)


# -- from data to arguments ---------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """Return the value with nothing left of how it was read."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Written) else value


def _title(value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, dict) else {"en": value, "zh": value}


def _inputs(value: Any) -> Any:
    return None if value == 0 else value


def _readout(value: Any) -> Any:
    return None if value == "none" else _plain(value)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return value
    from ..model import Bidirectional, Cell, Stack

    ways = [key for key in ("equations", LATEX, *MADE_OF_CELLS) if key in value]
    if len(ways) > 1:
        raise EquationError(f"cell: {' and '.join(ways)} are given; a cell has one of them")
    if ways == [LATEX]:
        if "layer_sizes" in value or "direction" in value:
            stray = "layer_sizes" if "layer_sizes" in value else "direction"
            raise EquationError(f"cell: {stray} does not go with latex; leave it out")
        return _read_latex(value).cell
    if "keys" in value:
        raise EquationError("cell: keys goes with latex alone; leave it out")
    if ways != ["equations"]:
        (way,), stray = ways, next((key for key in value if key not in (*MADE_OF_CELLS, "layer_sizes", "name")), "")
        if stray or (way == "bidirectional" and "layer_sizes" in value):
            raise EquationError(f"cell: {stray or 'layer_sizes'} does not go with {way}; leave it out")
        if way == "bidirectional":
            return Bidirectional(_cell(value[way]), name=value.get("name"))
        return Stack(list(map(_cell, value[way])), hidden=value.get("layer_sizes"), name=value.get("name"))
    if "layer_sizes" in value:
        raise EquationError("cell: layer_sizes does not go with equations; give sizes in states")
    parts = {k: v for k, v in value.items() if k != "functions"}
    functions = {name: _function(name, text) for name, text in value.get("functions", {}).items()}
    return Cell(**{"name": "cell", **parts, "functions": functions})


def _read_latex(value: Mapping[str, Any]) -> CellReading:
    """Return the reading of a cell whose equations are in LaTeX."""
    from ..reading.cells import read_cell

    parts = {k: v for k, v in value.items() if k != LATEX}
    shapes = {k: tuple(v) if isinstance(v, list) else v for k, v in parts.pop("shapes", {}).items()}
    return read_cell(value[LATEX], shapes=shapes, **parts)


def _function(name: str, text: str) -> Any:
    """Return an expression in one variable as SymPy; the text is parsed, never evaluated."""
    from sympy import Symbol

    from ..model.language import build, parse_expression, uses

    parsed = parse_expression(text)
    found = uses(parsed)
    if len(found) != 1 or found[0].lag is not None:
        raise EquationError(f"function {name!r}: {text!r} must have one variable, as in 'u / (1 + abs(u))'")
    return build(parsed, lambda key, lag: Symbol(key, real=True)).doit()


def _loss(value: Any) -> Any:
    from ..model import LOSSES, Loss

    if isinstance(value, dict):
        return {name: _loss(text) for name, text in value.items()}
    if value.strip().startswith("$"):
        from ..reading.losses import loss_from_latex

        return loss_from_latex(value.strip())
    name = value.strip().replace("-", "_")
    return name if name in LOSSES or name.isidentifier() else Loss(value)


def _remedies(value: dict[str, Any]) -> dict[str, Any]:
    before = {k: _READERS.get(k, _plain)(v) for k, v in value.get("before", {}).items()}
    return {**_plain(value), **({"before": before} if before else {})}


WORDS = ("title", "description", "topic", "place", "notice")
"""Keys of what is said about a model, in which no name of it is looked for."""
_BESIDE = ("description", "topic", "place", "notice", "training")
"""Keys that are no arguments of a network."""
_READERS: dict[str, Any] = {
    "title": _title,
    "inputs": _inputs,
    "readout": _readout,
    "cell": _cell,
    "loss": _loss,
    "remedies": _remedies,
}
"""Key -> what makes an argument of its value."""
