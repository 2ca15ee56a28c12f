"""The symbols of a note: which are variables over time, which are functions, which subscripts are labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ..notation.tree import Accent, Big, Chain, Fence, Listing, Name, Number, Plus, Product, Script, Tree
from .index import Index, index_of

FUNCTION_NAMES: dict[str, str] = {
    "sigma": "sigmoid",
    "sigmoid": "sigmoid",
    "logistic": "sigmoid",
    "sigm": "sigmoid",
    "tanh": "tanh",
    "sinh": "sinh",
    "cosh": "cosh",
    "sech": "sech",
    "exp": "exp",
    "log": "log",
    "ln": "log",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arctan": "atan",
    "relu": "relu",
    "ReLU": "relu",
    "RELU": "relu",
    "Relu": "relu",
    "LeakyReLU": "leaky_relu",
    "leaky_relu": "leaky_relu",
    "ELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "softplus": "softplus",
    "softsign": "softsign",
    "softmax": "softmax",
    "sgn": "sign",
    "sign": "sign",
}
"""Names of functions in notes -> names in the language; ``log`` is the natural one."""

ARRAY_FUNCTIONS: dict[str, str] = {
    "diag": "diag",
    "Diag": "diag",
    "tr": "trace",
    "Tr": "trace",
    "trace": "trace",
    "vec": "vec",
    "det": "det",
    "concat": "concat",
    "rank": "rank",
    "sum": "sum",
    "mean": "mean",
    "norm": "norm",
    "prod": "prod",
    "abs": "abs",
    "max": "max",
    "min": "min",
}
"""Functions of arrays."""
SPECTRAL = frozenset(["lambda_max", "lambda_min", "sigma_max", "sigma_min"])
"""Extreme eigenvalues and singular values: functions of a matrix where a bracket follows."""

GENERIC_FUNCTIONS = frozenset(
    ["f", "g", "F", "G", "phi", "psi", "sigma", "rho", "varphi", "Phi", "Psi", "theta_f", "act"]
)
"""Letters that are functions where a bracket follows."""
LOSSES = frozenset(["L", "ell", "l", "E", "J", "C", "loss", "Loss", "mathcal_L", "R", "H_loss"])
"""Letters that losses have."""
TIME_LETTERS = frozenset({"t", "T", "tau"})
POWERS = frozenset({"k", "j", "s", "n"})
"""Letters that count steps where they are an exponent, ``M^k``, or the subscript of a variable over time, ``h_k``."""
LOWER_VARIABLES = frozenset(["h", "z", "x", "s", "a", "o", "y", "c", "u", "v", "e", "r", "g", "f", "i", "q", "p"])


def head_key(tree: Tree) -> str | None:
    r"""Return the key of a letter or word without scripts: ``h``, ``y_hat`` for ``\hat{y}``; None for anything else.

    >>> head_key(Accent("hat", Name("y"))), head_key(Name("L", "cal"))
    ('y_hat', 'L')
    """
    if isinstance(tree, Name):
        return tree.name.replace("-", "_")
    if isinstance(tree, Accent):
        inner = tree.body
        if isinstance(inner, Script):
            return None
        body = head_key(inner)
        return None if body is None else f"{body}_{tree.mark}" if tree.mark not in ("vec", "underline") else body
    if isinstance(tree, Fence) and tree.left == "(" and isinstance(tree.body, Name | Accent):
        return head_key(tree.body)
    return None


def label_of(tree: Tree) -> str | None:
    """Return the text of a label: ``hh``, ``x``, ``total``; None for what is none."""
    if isinstance(tree, Name):
        return tree.name.replace("-", "_").replace(" ", "_")
    if isinstance(tree, Number):
        return tree.text
    if isinstance(tree, Product) and not any(tree.operators):
        parts = [label_of(f) for f in tree.factors]
        return None if None in parts else "".join(p for p in parts if p)
    if isinstance(tree, Script) and tree.sup is None and not tree.primes and tree.sub is not None:
        base, sub = label_of(tree.base), label_of(tree.sub)
        return None if base is None or sub is None else f"{base}{sub}"
    if isinstance(tree, Fence):
        return label_of(tree.body)
    if isinstance(tree, Accent):
        return label_of(tree.body)
    if isinstance(tree, Chain) and all(r.kind == "to" for r in tree.relations):
        parts = [label_of(o) for o in tree.operands]
        return None if None in parts else "_".join(p for p in parts if p)
    return None


def parts_of(sub: Tree | None) -> tuple[Tree, ...]:
    """Return the parts of a subscript, which commas separate."""
    if sub is None:
        return ()
    return sub.items if isinstance(sub, Listing) else (sub,)


@dataclass
class _Evidence:
    """What the subscripts of a head look like over a whole note."""

    arithmetic: bool = False
    times: bool = False
    letters: set[str] = field(default_factory=set)
    numbers: set[int] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    bare: bool = False
    called: bool = False
    superscript: bool = False
    count: int = 0


@dataclass(frozen=True)
class Symbols:
    """What is known about the symbols of a note.

    Attributes
    ----------
    timed : frozenset of str
        Heads that are variables over time.
    functions : mapping
        Head or key of a function -> its name in the language, or "" where only the name is known (``f``).
    scalars : frozenset of str
        Keys that are known to be numbers, so that a T above them is an exponent.
    above : frozenset of str
        Heads whose time is a superscript: ``h^{(t)}``.
    letters : frozenset of str
        Letters that count steps beside t, T and tau: bounds of sums, indices with arithmetic.
    resolve : callable, optional
        What knows the meaning of a tree beforehand (an expression, or None): the names of a model that is at hand.
    calls : callable, optional
        What a symbol in front of a bracket does with it: (symbol, bracket) -> the name of a function and the trees of
        its arguments, or None.
    strict : bool
        Whether the notation is that of the package, which leaves nothing open: a T above something is the number of
        steps, and a bracket behind a variable is a factor.
    """

    timed: frozenset[str] = frozenset()
    functions: Mapping[str, str] = field(default_factory=dict)
    scalars: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset(TIME_LETTERS)
    resolve: Callable[[Tree], Any] | None = None
    calls: Callable[[Tree, Fence], tuple[str, tuple[Tree, ...]] | None] | None = None
    strict: bool = False


def find_symbols(trees: Iterable[Tree], functions: Mapping[str, str] = {}) -> Symbols:
    """Return what the formulas of a note, taken together, say about its symbols.

    Parameters
    ----------
    trees : iterable of Tree
    functions : mapping
        Names that are known to be functions -> their name in the language.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> sorted(find_symbols([parse("h_t = f(W_h h_{t-1} + b_i)")]).timed)
    ['h']
    """
    everything = [part for tree in trees for part in tree.walk()]
    letters = _letters(everything)
    evidence: dict[str, _Evidence] = defaultdict(_Evidence)
    for part in everything:
        if isinstance(part, Script):
            _note_script(part, evidence, letters)
        elif isinstance(part, Product):
            _note_calls(part, evidence)
        elif isinstance(part, Chain):
            _note_left(part, evidence)
    _note_inputs(everything, evidence)
    timed = {head for head, e in evidence.items() if _is_timed(head, e)}
    letters |= {name for head in timed for name in evidence[head].letters} & POWERS
    above = {head for head, e in evidence.items() if e.superscript and not e.times and not e.arithmetic}
    found = {k: v for k, v in {**FUNCTION_NAMES, **functions}.items() if k not in timed}
    for head, e in evidence.items():
        generic = head in GENERIC_FUNCTIONS or (head in LOSSES and e.called)
        if e.called and generic and head not in timed and head not in found:
            found[head] = ""
    if "sigma" in found and not evidence["sigma"].called and "sigma" not in functions:
        del found["sigma"]
    return Symbols(frozenset(timed | above), found, above=frozenset(above), letters=frozenset(letters))


def _letters(everything: list[Tree]) -> set[str]:
    """Return the letters that count steps."""
    found = set(TIME_LETTERS)
    for part in everything:
        if isinstance(part, Big) and isinstance(part.sub, Chain):
            for operand in part.sub.operands:
                index = index_of(operand)
                found |= index.letters if index is not None else set()
        elif isinstance(part, Script):
            for piece in parts_of(part.sub):
                index = index_of(piece) if isinstance(piece, Plus) else None
                found |= index.letters if index is not None else set()
            exponent = index_of(part.sup) if not (isinstance(part.base, Name) and part.base.style) else None
            found |= exponent.letters & POWERS if exponent is not None else set()
    return found


def _note_script(part: Script, evidence: dict[str, _Evidence], letters: set[str]) -> None:
    head = head_key(part.base)
    if head is None:
        return
    seen = evidence[head]
    seen.count += 1
    for piece in parts_of(part.sub):
        index = index_of(piece)
        if isinstance(piece, Plus) and index is not None:
            seen.arithmetic = True
        elif isinstance(piece, Number) and index is not None:
            seen.numbers.add(index.constant)
        elif isinstance(piece, Name) and index is not None:
            seen.times |= piece.name in ("t", "T", "tau")
            seen.letters.add(piece.name)
        else:
            seen.labels.add(label_of(piece) or "?")
    if isinstance(part.sup, Fence) and part.sup.left in "(<[":
        index = index_of(part.sup.body)
        if index is not None and (index.letters & {"t", "tau"}):
            seen.superscript = True


def _note_calls(part: Product, evidence: dict[str, _Evidence]) -> None:
    for i, operator in enumerate(part.operators):
        factor, following = part.factors[i], part.factors[i + 1]
        if operator == "" and isinstance(following, Script):
            following = following.base
        if operator == "" and isinstance(following, Fence) and following.left in "([":
            base = factor.base if isinstance(factor, Script) and factor.primes + (factor.sub is not None) else factor
            head = head_key(base)
            if head is not None:
                evidence[head].called = True


def _note_left(part: Chain, evidence: dict[str, _Evidence]) -> None:
    """A small letter that an equation defines at ``^t`` is a variable whose steps stand above."""
    left = part.operands[0]
    if not isinstance(left, Script) or part.relations[0].kind not in ("=", ":=", "equiv"):
        return
    head, above = head_key(left.base), index_of(left.sup)
    if head is None or above is None or above.letters != {"t"} or head not in LOWER_VARIABLES | {"y_hat", "h_tilde"}:
        return
    if not any(isinstance(p, Script) and head_key(p.base) == head and "t" in _letters_in(p.sub) for p in part.walk()):
        evidence[head].superscript = True


def _letters_in(sub: Tree | None) -> frozenset[str]:
    return frozenset(name for piece in parts_of(sub) for name in (index_of(piece) or Index()).letters)


def _note_inputs(everything: list[Tree], evidence: dict[str, _Evidence]) -> None:
    """Where a note writes its steps above, those of its inputs and targets stand there too."""
    if not any(e.superscript for e in evidence.values()):
        return
    for part in everything:
        head = head_key(part.base) if isinstance(part, Script) else None
        known = head in LOSSES or head in ("x", "y", "y_hat", "h", "s", "a")
        if isinstance(part, Script) and head is not None and known and part.sup is not None:
            above = index_of(part.sup)
            if above is not None and above.letters == {"t"} and not evidence[head].times:
                evidence[head].superscript = True


def _is_timed(head: str, e: _Evidence) -> bool:
    if e.arithmetic or e.times or e.superscript:
        return True
    if e.labels and not e.letters and len(e.numbers) < 3:
        return False
    lower = head.split("_")[0] in LOWER_VARIABLES
    if head in LOSSES and e.numbers:
        return True
    ordered = sorted(e.numbers)
    consecutive = len(ordered) > 1 and any(b - a == 1 for a, b in pairwise(ordered))
    return (lower and (0 in e.numbers or consecutive)) or len(e.numbers) > 2


def split_subscript(head: str, sub: Tree | None, symbols: Symbols) -> tuple[str, Index | None, tuple[Index, ...]]:
    """Return (label, step, components) of a subscript of a head."""
    label, when, places = "", None, []
    for piece in parts_of(sub):
        index = index_of(piece)
        if head in symbols.timed and head not in symbols.above and index is not None and when is None:
            if _counts(piece, index, symbols):
                when = index
                continue
        elif when is not None and index is not None:
            places.append(index)
            continue
        label += label_of(piece) or "?"
    return label, when, tuple(places)


def _counts(piece: Tree, index: Index, symbols: Symbols) -> bool:
    """Whether a subscript of a variable over time is a step and not a label."""
    return not isinstance(piece, Name) or piece.name in symbols.letters or piece.name in ("t", "T", "k", "j", "s", "i")
