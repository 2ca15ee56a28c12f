"""Plain algebra as LaTeX that latex2sympy2 reads rightly: canonical names, and brackets around everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .parts import Abs, Add, Call, Const, Div, Mul, Neg, Num, Part, Pow, Root, Sym

LARGEST_PIECE = 12
"""How many parts go into one piece: its time grows faster than its size, and small pieces recur."""
MOST_IN_SKELETON = 200
"""How many parts are handed to latex2sympy2 in all; what is longer is left to our own conversion."""
READ = frozenset(
    ["exp", "ln", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan", "arcsin", "arccos", "arctanh"]
)  # fmt: skip
"""Functions that latex2sympy2 reads. (Of ``\\coth(x)`` it makes the cotangent of h times x.)"""


@dataclass
class Piece:
    r"""One LaTeX text for latex2sympy2, and what its names stand for.

    Attributes
    ----------
    latex : str
        Its names are ``x_{1}``, ``x_{2}``, ... in the order in which they occur.
    names : list of (Sym or int)
        What each name stands for: a name of the formula, or the piece of this number.
    """

    latex: str = ""
    names: list[Sym | int] = field(default_factory=list)


class NoSkeletonError(ValueError):
    """A part for which there is no recognised skeleton, or that is too long."""


def pieces(part: Part) -> list[Piece]:
    r"""Return the pieces that plain algebra is handed over in; the last one is the whole, the others stand in it.

    Raises
    ------
    NoSkeletonError
        For a part that latex2sympy2 is not trusted with: a sum over a range, ``\coth``, more than
        :data:`MOST_IN_SKELETON` parts.

    Examples
    --------
    >>> (piece,) = pieces(Add((Mul((Sym("W"), Sym("h_{t}"))), Call("tanh", Sym("W")))))
    >>> print(piece.latex)
    \left(x_{1}\cdot x_{2}\right)+\left(\tanh\left(x_{1}\right)\right)
    >>> piece.names
    [Sym(name='W'), Sym(name='h_{t}')]
    """
    if sum(1 for _ in part.walk()) > MOST_IN_SKELETON:
        raise NoSkeletonError("too long")
    done: list[Part] = []
    rest = _cut(part, done)
    return [_written(piece) for piece in (*done, rest)]


@dataclass(frozen=True)
class _Reference(Part):
    """A part that is a piece of its own."""

    number: int


def _size(part: Part) -> int:
    return sum(1 for _ in part.walk())


def _cut(part: Part, done: list[Part]) -> Part:
    """Replace parts of a part by references until it is small; they are put behind ``done``."""
    part = _chunked(part)
    if not part.children:
        return part
    changed = _with(part, [_cut(child, done) for child in part.children])
    while _size(changed) > LARGEST_PIECE:
        children = list(changed.children)
        largest = max(range(len(children)), key=lambda i: _size(children[i]))
        done.append(children[largest])
        children[largest] = _Reference(len(done) - 1)
        changed = _with(changed, children)
    return changed


def _chunked(part: Part) -> Part:
    """Give a long sum or product a level more, so that no part has many children."""
    if not isinstance(part, Add | Mul) or len(part.children) <= 4:
        return part
    parts = part.children
    while len(parts) > 4:
        parts = tuple(type(part)(parts[i : i + 4]) for i in range(0, len(parts), 4))
    return type(part)(parts)


def _with(part: Part, children: list[Part]) -> Part:
    """Return a part with other children."""
    if isinstance(part, Add):
        return replace(part, terms=tuple(children))
    if isinstance(part, Mul):
        return replace(part, factors=tuple(children))
    names = [name for name in ("body", "top", "bottom", "base", "exponent", "argument") if hasattr(part, name)]
    if len(names) != len(children):
        raise NoSkeletonError(type(part).__name__)
    changes: dict[str, Any] = dict(zip(names, children, strict=True))
    return replace(part, **changes)


def _written(part: Part) -> Piece:
    piece = Piece()
    piece.latex = _latex(part, piece.names)
    return piece


def _latex(part: Part, names: list[Sym | int]) -> str:
    if isinstance(part, Sym | _Reference):
        key = part.number if isinstance(part, _Reference) else replace(part, place=(0, 0))
        if key not in names:
            names.append(key)
        return f"x_{{{names.index(key) + 1}}}"
    if isinstance(part, Num):
        top, bottom = part.value.numerator, part.value.denominator
        return str(top) if bottom == 1 else f"\\frac{{{top}}}{{{bottom}}}"
    if isinstance(part, Const):
        return r"\pi" if part.name == "pi" else r"\exp\left(1\right)"
    writer = _WRITERS.get(type(part))
    if writer is None:
        raise NoSkeletonError(type(part).__name__)
    return writer(part, names)


def _bracketed(part: Part, names: list[Sym | int]) -> str:
    text = _latex(part, names)
    simple = isinstance(part, Sym | _Reference) or (isinstance(part, Num) and part.value.denominator == 1)
    return text if simple else f"\\left({text}\\right)"


def _joined(sign: str) -> Callable[[Part, list[Sym | int]], str]:
    return lambda part, names: sign.join(_bracketed(child, names) for child in part.children)


def _neg(part: Part, names: list[Sym | int]) -> str:
    return f"-{_bracketed(part.children[0], names)}"


def _div(part: Part, names: list[Sym | int]) -> str:
    top, bottom = (_latex(child, names) for child in part.children)
    return f"\\frac{{{top}}}{{{bottom}}}"


def _pow(part: Part, names: list[Sym | int]) -> str:
    base, exponent = part.children
    return f"\\left({_latex(base, names)}\\right)^{{{_latex(exponent, names)}}}"


def _root(part: Part, names: list[Sym | int]) -> str:
    assert isinstance(part, Root)
    if part.degree % 2:
        raise NoSkeletonError("an odd root, of what may be negative")
    degree = "" if part.degree == 2 else f"[{part.degree}]"
    return f"\\sqrt{degree}{{{_latex(part.body, names)}}}"


def _abs(part: Part, names: list[Sym | int]) -> str:
    return f"\\left|{_latex(part.children[0], names)}\\right|"


def _call(part: Part, names: list[Sym | int]) -> str:
    assert isinstance(part, Call)
    if part.function not in READ:
        raise NoSkeletonError(part.function)
    return f"\\{part.function}\\left({_latex(part.argument, names)}\\right)"


_WRITERS: dict[type[Part], Callable[[Part, list[Sym | int]], str]] = {
    Add: _joined("+"),
    Mul: _joined(r"\cdot "),
    Neg: _neg,
    Div: _div,
    Pow: _pow,
    Root: _root,
    Abs: _abs,
    Call: _call,
}
"""Part -> what writes it. Parts that are not here have no skeleton."""
