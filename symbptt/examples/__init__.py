"""Models by name: worked examples, cells of the catalogue, and model files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ModelFileError, UnknownNameError, nearest
from .kinds import number_fault
from .modelfile import ModelFile, parse, read
from .writing import json_schema, template

__all__ = [
    "ModelFile",
    "example_names",
    "examples",
    "find",
    "json_schema",
    "load_model",
    "number_fault",
    "read_beside",
    "template",
]


@lru_cache(maxsize=1)
def example_names() -> tuple[str, ...]:
    """Return the names of the worked examples, sorted.

    >>> "relu-explosion" in example_names()
    True
    """
    from importlib import resources

    files = (file.name for file in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def example(name: str) -> ModelFile:
    """Return the model file of a worked example."""
    from importlib import resources

    return parse(resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)


def examples() -> list[tuple[str, dict[str, str]]]:
    """Return (name, language -> description) of every worked example.

    >>> dict(examples())["relu-explosion"]["en"]
    'A scalar ReLU network whose gradient doubles with every step back in time'
    """
    return [(name, dict(example(name).data["description"])) for name in example_names()]


def find(source: str | Path | ModelFile) -> ModelFile:
    """Return what a source stands for: a worked example, a cell of the catalogue, or a model file.

    Parameters
    ----------
    source : str, Path or ModelFile
        A name comes before a file of the same name; ``./name`` is always a file. What was found is returned as it is.

    Raises
    ------
    UnknownNameError
        For a name that is none of these.
    ModelFileError
        For a file that cannot be read or does not fit the schema.
    """
    if isinstance(source, ModelFile):
        return source
    if isinstance(source, Path):
        return read(source, str(source))
    if source in example_names():
        return example(source)
    path = Path(source)
    if "/" in source or "\\" in source or source.endswith(".toml") or path.is_file():
        return read(path, source)
    from ..model import CATALOGUE

    if source.replace("-", "_") in CATALOGUE:
        return ModelFile(source, {"cell": source})
    hint = nearest(source, [*example_names(), *CATALOGUE])
    raise UnknownNameError(f"no example, cell or file is called {source!r}{hint}")


def read_beside(file: ModelFile, name: str) -> str:
    """Return the text of a file that lies beside a model file, or beside the worked examples.

    Raises
    ------
    ModelFileError
        For a file that cannot be read or is not UTF-8.
    """
    from importlib import resources

    folder = Path(file.name).parent if file.own else resources.files(__name__)
    try:
        return folder.joinpath(name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelFileError(f"text {name!r} is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise ModelFileError(f"text {name!r} cannot be read: {error.strerror or error}") from None


def load_model(source: str | Path) -> dict[str, Any]:
    """Return the keyword arguments of :class:`symbptt.RNN` for a source.

    Parameters
    ----------
    source : str or Path
        The name of a worked example or of a cell, or the path of a model file.

    Examples
    --------
    >>> load_model("relu-explosion")["values"]["x"]
    ['1.0', '1.0', '1.0']
    >>> load_model("sigmoid")
    {'cell': 'sigmoid'}
    """
    file = find(source)
    with file.located():
        return file.arguments()
