"""Results on disk by the content they come from, so that a page is made again only when something has changed."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import sympy

from .. import __version__

Result = TypeVar("Result")


@cache
def fingerprint() -> str:
    """Return a digest of the package's own files, and of the SymPy it works with."""
    digest = hashlib.sha256(f"{__version__} {sympy.__version__}".encode())
    root = Path(str(resources.files(__package__.partition(".")[0])))
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Cache:
    """A folder of results, each in a file that is named after a digest of what was asked for.

    Several processes may use it at once: a file comes into its place whole.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, asked: Any, make: Callable[[], Result]) -> Result:
        """Return the result for what is asked, from the folder or made now.

        Parameters
        ----------
        asked : object
            Its ``repr`` is the key, together with :func:`fingerprint`.
        make : callable
            Makes the result, which must be picklable.
        """
        path = self.folder / f"{digest_of(repr(asked))}.pickle"
        try:
            return pickle.loads(path.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError):
            result = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(pickle.dumps(result))
        os.replace(partial, path)
        return result


def digest_of(text: str) -> str:
    """Return a short digest of a text and of the package that works on it."""
    return hashlib.sha256(f"{fingerprint()}\0{text}".encode()).hexdigest()[:32]
