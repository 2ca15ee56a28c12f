"""Names on the page: canonical keys and a notation's short LaTeX (``W_{hh}``, ``\\hat{y}``) as layout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from .layout import Accent, Fence, Ident, Item, Mark, Number, Operator, Row, Script, row

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "varepsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "upsilon": "υ",
    "phi": "φ",
    "varphi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Xi": "Ξ",
    "Pi": "Π",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
    "ell": "ℓ",
}
"""Name of a Greek letter -> the letter."""
MARKS: tuple[Mark, ...] = ("hat", "tilde", "bar", "vec", "overrightarrow", "overleftarrow")
DIRECTIONS: dict[str, Mark] = {"forward": "overrightarrow", "backward": "overleftarrow"}
"""What the names of a direction begin with -> the arrow over them."""
_KEY_MARKS: dict[str, Mark] = {"hat": "hat", "tilde": "tilde", "bar": "bar"}
"""First part of a key behind its letter -> the accent that it stands for: ``c_tilde``."""

_TOKEN = re.compile(r"\\[A-Za-z]+|[{}_^]|[A-Za-z]|[0-9]+|[^\s]")


@cache
def key_layout(key: str) -> Item:
    """Return how a canonical key is written when no notation says otherwise: ``W_xi`` is W with subscript xi.

    >>> key_layout("W_h")
    Script(base=Ident(name='W', style='italic'), sub=Ident(name='h', style='italic'), sup=None)
    >>> key_layout("c_tilde")
    Accent(base=Ident(name='c', style='italic'), mark='tilde')
    """
    base, _, sub = key.partition("_")
    head: Item = Ident(GREEK[base]) if base in GREEK else _word(base)
    mark, _, rest = sub.partition("_")
    if mark in _KEY_MARKS and isinstance(head, Ident):
        head, sub = Accent(head, _KEY_MARKS[mark]), rest
    return Script(head, _letters(sub)) if sub else head


def _word(text: str) -> Item:
    match = re.fullmatch(r"([A-Za-z])(\d+)", text)
    if match:
        return Script(Ident(match[1]), Number(match[2]))
    return Ident(text, "italic" if len(text) == 1 else "upright")


def _letters(text: str) -> Item:
    if text in GREEK and len(text) > 2:
        return Ident(GREEK[text])
    pieces = re.findall(r"\d+|[A-Za-z]|.", text.replace("_", ","))
    return row(*(Number(p) if p.isdigit() else Operator(p, "separator") if p == "," else Ident(p) for p in pieces))


@cache
def name_layout(latex: str) -> Item:
    """Return the layout of a name given as short LaTeX: letters, Greek, accents, scripts, ``\\mathbf``.

    >>> name_layout(r"\\hat{y}")
    Accent(base=Ident(name='y', style='italic'), mark='hat')

    Raises
    ------
    ValueError
        For LaTeX that is not a name.
    """
    tokens = _TOKEN.findall(latex)
    item, rest = _sequence(tokens)
    if rest:
        raise ValueError(f"{latex!r} is not a name: {rest[0]!r} is left over")
    return item


def _sequence(tokens: list[str]) -> tuple[Item, list[str]]:
    items: list[Item] = []
    while tokens and tokens[0] != "}":
        if tokens[0] in "_^":
            script, tokens2 = _atom(tokens[1:])
            base = items.pop()
            old = base if isinstance(base, Script) else Script(base)
            items.append(Script(old.base, script, old.sup) if tokens[0] == "_" else Script(old.base, old.sub, script))
            tokens = tokens2
        else:
            item, tokens = _atom(tokens)
            items.append(item)
    if not items:
        raise ValueError("an empty name")
    return row(*items), tokens


def _atom(tokens: list[str]) -> tuple[Item, list[str]]:
    if not tokens:
        raise ValueError("a name ends too early")
    head, rest = tokens[0], tokens[1:]
    if head == "{":
        item, rest = _sequence(rest)
        return item, rest[1:]
    if not head.startswith("\\"):
        return _plain_atom(head), rest
    word = head[1:]
    mark = next((mark for mark in MARKS if mark == word), None)
    if mark is not None:
        base, rest = _atom(rest)
        return Accent(base, mark), rest
    if word in ("mathbf", "boldsymbol", "mathrm", "mathcal"):
        style = {"mathrm": "upright", "mathcal": "calligraphic"}.get(word, "bold")
        base, rest = _atom(rest)
        return _restyle(base, style), rest
    if word in GREEK:
        return Ident(GREEK[word]), rest
    if word == "top":
        return Operator("⊤", "plain"), rest
    if word == "prime":
        return Operator("′", "plain"), rest
    raise ValueError(f"{head} is not known in a name")


def _plain_atom(token: str) -> Item:
    if token.isdigit():
        return Number(token)
    if token == "'":
        return Operator("′", "plain")
    if token == "*":
        return Operator("∗", "plain")
    return Operator(token, "separator") if token in ",;" else Ident(token)


def _restyle(item: Item, style: Any) -> Item:
    if isinstance(item, Row):
        letters = "".join(i.name for i in item.items if isinstance(i, Ident))
        return Ident(letters, style)
    return Ident(item.name, style) if isinstance(item, Ident) else item


def _placed(item: Item, places: list[str]) -> Item:
    """Mark a name with the layers and the directions that it belongs to."""
    arrows = [DIRECTIONS[place] for place in places if place in DIRECTIONS]
    numbers = [Number(place) for place in places if place not in DIRECTIONS]
    base, sub, sup = (item.base, item.sub, item.sup) if isinstance(item, Script) else (item, None, None)
    for mark in arrows:
        base = Accent(base, mark)
    if numbers:
        inside = [part for number in numbers for part in (Operator(",", "separator"), number)][1:]
        layer = Fence(row(*inside))
        sup = layer if sup is None else row(sup, layer)
    return base if sub is None and sup is None else Script(base, sub, sup)


_CAPITALS = {"γ": "Γ", "δ": "Δ", "θ": "Θ", "λ": "Λ", "ξ": "Ξ", "π": "Π", "σ": "Σ", "φ": "Φ", "ψ": "Ψ", "ω": "Ω"}
"""Greek letters whose capitals are no Latin letters."""


def capital(item: Item, bold: bool = False) -> Item:
    """Return a name with a capital letter, scripts and accents kept; a letter without one, or on demand, is bold.

    >>> capital(name_layout(r"\\hat{y}")), capital(name_layout(r"\\alpha"))
    (Accent(base=Ident(name='Y', style='italic'), mark='hat'), Ident(name='α', style='bold'))
    """
    if isinstance(item, Script):
        return Script(capital(item.base, bold), item.sub, item.sup)
    if isinstance(item, Accent):
        return Accent(capital(item.base, bold), item.mark)
    if isinstance(item, Row):
        return row(capital(item.items[0], bold), *item.items[1:])
    if not isinstance(item, Ident):
        return item
    if item.name.isascii():
        name = item.name[:1].upper() + item.name[1:]
        return Ident(name, "bold" if bold and len(name) == 1 else item.style)
    known = _CAPITALS.get(item.name)
    return Ident(known, "bold" if bold else item.style) if known else Ident(item.name, "bold")


FUNCTION_NAMES: dict[str, Item] = {
    "sigmoid": Ident("σ"),
    "relu": Ident("ReLU", "upright"),
    "leaky_relu": Ident("LeakyReLU", "upright"),
    "elu": Ident("ELU", "upright"),
    "gelu": Ident("GELU", "upright"),
    "silu": Ident("SiLU", "upright"),
}


@dataclass(frozen=True)
class Names:
    """How names are written: canonical key to short LaTeX; what is not mapped is written as its key.

    Parameters
    ----------
    mapping : mapping
        Canonical key -> short LaTeX, such as ``{"W_h": "W_{hh}", "target": r"\\hat{y}"}``.
    untimed : frozenset of str
        Keys that are written without their time index (a target that exists only at the last step).
    functions : mapping
        Function name -> short LaTeX, such as ``{"tanh": "f"}``.
    capitals : frozenset of str
        Keys that are written with a capital letter, ``h`` as H: matrices with a row for each example.
    bold : frozenset of str
        Of these, the keys whose capital means something else already; they are bold.
    rows : bool
        Whether vectors are rows on the page, so that the transpose of a column is written as the vector itself.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    untimed: frozenset[str] = frozenset()
    functions: Mapping[str, str] = field(default_factory=dict)
    capitals: frozenset[str] = frozenset()
    bold: frozenset[str] = frozenset()
    rows: bool = False

    @cached_property
    def layouts(self) -> dict[Any, Any]:
        """Layouts of expressions in these names, which :mod:`symbptt.algebra.present` keeps here."""
        return {}

    def of_one_row(self, single: bool) -> Names:
        """Return the names of one row: small letters, unless there is a single row and it has its name already."""
        return replace(self, rows=True) if single else replace(self, capitals=frozenset(), bold=frozenset(), rows=True)

    def key(self, key: str) -> Item:
        """Return the layout of a canonical key.

        A layer is a number in brackets above, a direction an arrow over the letter; a key that a notation names as a
        whole is written as it says.

        >>> Names().key("1.W_h").sup, Names().key("forward.h").mark
        (Fence(body=Number(text='1'), left='(', right=')'), 'overrightarrow')
        """
        prefix, _, bare = key.rpartition(".")
        own = key if key in self.mapping else bare
        item = name_layout(self.mapping[own]) if own in self.mapping else key_layout(bare)
        item = capital(item, key in self.bold) if key in self.capitals else item
        return _placed(item, prefix.split(".")) if prefix and own == bare else item

    def at(self, key: str, when: Item) -> Item:
        """Return the layout of a key at a step: the index joins a subscript that is there."""
        name = self.key(key)
        if key in self.untimed:
            return name
        if isinstance(name, Script):
            sub = when if name.sub is None else row(name.sub, Operator(",", "separator"), when)
            return Script(name.base, sub, name.sup)
        return Script(name if isinstance(name, Ident | Accent) else Fence(name), when)

    def function(self, name: str) -> Item:
        """Return the layout of a function's name; primes stay primes."""
        base = name.rstrip("'")
        primes = len(name) - len(base)
        prefix, _, base = base.rpartition(".")
        if base in self.functions:
            item = name_layout(self.functions[base])
        else:
            item = FUNCTION_NAMES.get(base, Ident(base, "upright" if len(base) > 1 else "italic"))
        item = _placed(item, prefix.split(".")) if prefix else item
        return row(item, *[Operator("′", "plain")] * primes)
