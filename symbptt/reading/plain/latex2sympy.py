"""The adapter of latex2sympy2, the only module that imports it; in go recognised skeletons, out comes what is checked.

latex2sympy2 is silent about what it does not understand, keeps state between calls, and does not read all of its input.
So it sees nothing but :mod:`.skeleton`, its state is put aside at each call, and a term behind the text shows that the
text was read to its end. What fails any of the checks is left to our own conversion.
"""

from __future__ import annotations

import functools
import importlib.metadata
import sys
import threading
import types
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sympy

from .conversion import MOST_DIGITS, allowed, checked, converted, size
from .parts import FUNCTIONS, NotPlainError, Part, TooLargeError
from .skeleton import NoSkeletonError, Piece, pieces

VERSIONS = {"latex2sympy2": "1.9.1", "antlr4-python3-runtime": "4.7.2"}
"""What must be installed, exactly: other versions read less, or cannot be loaded."""

_LOCK = threading.RLock()
_SENTINEL = "s_{1}"
_STATE: dict[str, Any] = {
    "VARIABLE_VALUES": dict,
    "frac_type": lambda: r"\frac",
    "is_real": lambda: None,
    "var": dict,
    "variances": dict,
}
"""Every global that latex2sympy2 changes -> what makes its value for one call."""
_KINDS: tuple[Any, ...] = (
    sympy.Add, sympy.Mul, sympy.Pow, sympy.Abs, sympy.Symbol, sympy.Rational, sympy.core.numbers.Pi,
    sympy.core.numbers.Exp1, *(getattr(sympy, name) for name in FUNCTIONS.values()),
)  # fmt: skip
"""What a result may consist of."""


class NotConvertedError(ValueError):
    """Something that latex2sympy2 is not asked, or did not answer rightly; our own conversion serves then."""


@functools.cache
def missing() -> str:
    """Return why latex2sympy2 cannot be used here, or "" where it can."""
    for name, wanted in VERSIONS.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return f"{name} is not installed"
        if found != wanted:
            return f"{name} {wanted} is needed and {found} is installed"
    try:
        _module()
    except Exception as error:  # whatever goes wrong in there, we can do without
        return f"latex2sympy2 cannot be imported: {type(error).__name__}: {error}"
    return ""


def _module() -> Any:
    """Import latex2sympy2. On Python 3.13 its parser asks for ``typing.io``, which is gone: it sees one meanwhile."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stub = "typing.io" not in sys.modules
        if stub:
            from typing import TextIO

            module = types.ModuleType("typing.io")
            vars(module)["TextIO"] = TextIO
            sys.modules["typing.io"] = module
        try:
            import latex2sympy2
        finally:
            if stub:
                sys.modules.pop("typing.io", None)
    return latex2sympy2


@contextmanager
def _clean(module: Any) -> Iterator[None]:
    """Put the state of the module aside, whoever it belongs to, and back."""
    kept = {name: getattr(module, name) for name in _STATE}
    try:
        for name, make in _STATE.items():
            setattr(module, name, make())
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


def convert(part: Part, symbols: Mapping[str, Any] | None = None) -> Any:
    r"""Convert plain algebra through latex2sympy2.

    Parameters
    ----------
    part : Part
        From :func:`.recognised`.
    symbols : mapping, optional
        As for :func:`.to_sympy`.

    Returns
    -------
    sympy.Expr
        Of the same value as our own conversion.

    Raises
    ------
    NotConvertedError
        Where it is not installed, where there is no skeleton, or where a check fails.
    """
    if missing():
        raise NotConvertedError(missing())
    try:
        whole = pieces(part)
    except NoSkeletonError as error:
        raise NotConvertedError(str(error)) from error
    done: list[Any] = []
    for piece in whole:
        values = [done[name] if isinstance(name, int) else converted(name, symbols) for name in piece.names]
        done.append(_evaluated(_read(piece), values))
    return done[-1]


def _read(piece: Piece) -> Any:
    expected = tuple(piece.latex.count(f"x_{{{i + 1}}}") for i in range(len(piece.names)))
    return _converted(piece.latex, expected)


@functools.lru_cache(maxsize=4096)
def _converted(latex: str, expected: tuple[int, ...]) -> Any:
    """Return what latex2sympy2 makes of a skeleton whose names occur that many times, unevaluated, and checked.

    Skeletons are canonical and recur, and reading one takes longer than all the rest: hence the cache.
    """
    module = _module()
    with _LOCK, _clean(module):
        try:
            result = module.latex2sympy(f"{latex}+{_SENTINEL}")
        except Exception as error:
            raise NotConvertedError(f"{type(error).__name__}: {error}") from error
    return _without_sentinel(result, expected)


def _without_sentinel(result: Any, expected: tuple[int, ...]) -> Any:
    sentinel = sympy.Symbol("s_1")
    if not isinstance(result, sympy.Add) or list(result.args).count(sentinel) != 1:
        raise NotConvertedError("the text was not read to its end")
    rest = [term for term in result.args if term != sentinel]
    leaves: Counter[Any] = Counter()
    for node in _nodes(rest):
        if not isinstance(node, _KINDS):
            raise NotConvertedError(f"a {type(node).__name__} that was not written")
        if isinstance(node, sympy.Symbol):
            leaves[node] += 1
    if leaves != Counter({name(i): count for i, count in enumerate(expected) if count}):
        raise NotConvertedError("other names than were written")
    return rest[0] if len(rest) == 1 else sympy.Add(*rest, evaluate=False)


def _nodes(roots: list[Any]) -> Iterator[Any]:
    stack = list(roots)
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.args)


def name(i: int) -> Any:
    """Return the symbol that latex2sympy2 makes of the i-th canonical name, counted from 0."""
    return sympy.Symbol(f"x_{i + 1}" if i < 9 else f"x_{{{i + 1}}}")


def _evaluated(raw: Any, values: list[Any]) -> Any:
    """Evaluate what was left unevaluated, with values for the canonical names, within the limits of conversion."""
    names = {name(i): value for i, value in enumerate(values)}
    nowhere = Part()

    def rebuilt(node: Any) -> Any:
        if node.is_Symbol:
            return names[node]
        if not node.args:
            return node
        args = [rebuilt(child) for child in node.args]
        if isinstance(node, sympy.Pow):
            allowed(nowhere.place, *args)
        elif isinstance(node, sympy.Mul) and sum(map(size, args)) > MOST_DIGITS:
            raise TooLargeError(nowhere.place, "a long product")
        return checked(node.func(*args), nowhere)

    try:
        return rebuilt(raw)
    except (NotPlainError, TooLargeError) as error:
        raise NotConvertedError(str(error)) from error
