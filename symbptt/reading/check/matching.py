"""Which symbol of a note is which of a model that the user names: by the notations of the catalogue, then by place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...algebra.names import GREEK
from ...model import ROWS, Network
from ...model.notations import NOTATIONS, names_in
from ..meaning.elaborate import elaborate
from ..meaning.expr import Add, Call, Expr, Mul, Ref
from ..meaning.index import Index, letter
from ..meaning.symbols import Symbols
from ..notation import NotationError, parse
from .definitions import Definition, T, definition_of, has_derivative, refs_in
from .discover import LOSS_KEYS
from .statements import Statement

NOW, BEFORE = letter(T), Index(((T, 1),), -1)
TARGET_KEYS = ("y_hat", "y_star", "y_tilde", "y", "d")
"""Keys that targets have, the likeliest first."""
Place = tuple[str, frozenset[tuple[str, int]]]
"""Where a parameter stands: in the equation of which variable, and before which ones, each with its lag; before
nothing, a bias."""


def matched(
    network: Network, notation: str | Mapping[str, str], found: Sequence[Statement], symbols: Symbols
) -> tuple[dict[str, str], Any]:
    """Return canonical name -> key of the note, by the notation that fits the note best, and that notation.

    What it does not have is looked for at its place in the equations, and in the other notations, where only one
    symbol of the note is left for it.
    """
    system = network.system
    used = {r.key for s in found for o in s.operands for r in refs_in(o)}
    names = [*(v for v in system.variables if v not in ("l", "mask")), *system.parameters]
    notations = [notation, *NOTATIONS]
    tables = [_table(system, names, one, symbols) for one in notations]
    scores = [len({k for k in table.values() if k in used}) for table in tables]
    first = scores.index(max(scores))
    best = tables[first]
    keys: dict[str, str] = {}
    for name, key in best.items():
        if key in used and key not in keys.values():
            keys[name] = key
    definitions = _definitions(found)
    for name in [n for n, key in keys.items() if n in system.variables and n not in (*system.states, *system.inputs)]:
        if keys[name] in definitions and has_derivative(definitions[keys[name]].right):
            del keys[name]  # g_t = dL/dh_t is no candidate
    _readout(keys, network, definitions)
    _target(keys, network, definitions, found)
    _by_equations(keys, network, definitions)
    _by_place(keys, network, definitions)
    for name in names:
        if name not in keys:
            others = {t[name] for t in tables if t.get(name) in used} - set(keys.values())
            if len(others) == 1:
                keys[name] = others.pop()
    if "target" not in keys and "target" in system.variables:
        rest = [k for k in TARGET_KEYS if k in used and k not in keys.values()]
        keys.update({"target": rest[0]} if rest else {})
    return keys, notations[first]


def _table(system: Any, names: Sequence[str], notation: Any, symbols: Symbols) -> dict[str, str]:
    """Return canonical name -> key that it has in a note in some notation."""
    mapping = names_in(system, notation).mapping
    found = {}
    for name in names:
        latex = mapping.get(name, _plain(name))
        if system.layout == ROWS and name in system.variables:
            latex = re.sub(r"(?<![\\a-z])[a-z](?![a-z])", lambda m: m[0].upper(), latex, count=1)
        try:
            expr = elaborate(parse(f"{latex}_t" if name in system.variables and "_" not in latex else latex), symbols)
        except NotationError:
            continue
        if isinstance(expr, Ref):
            found[name] = expr.key.removesuffix("_t")
    return found


def _plain(name: str) -> str:
    head, _, label = name.partition("_")
    head = f"\\{head}" if head in GREEK else head
    return f"{head}_{{{label}}}" if label else head


# -- by place -----------------------------------------------------------------------------------------
def _definitions(found: Iterable[Statement]) -> dict[str, Definition]:
    """Return the first equation of each variable."""
    general = [d for d in map(definition_of, found) if d is not None and d.general and d.step is not None]
    return {d.key: d for d in reversed(general)}


def _readout(keys: dict[str, str], network: Network, definitions: Mapping[str, Definition]) -> None:
    """Match the readout's variables by what they are: W h_t + b, or a function of that.

    Notes give them the same letters in another order: y is the output here, its target there, or what goes into
    the softmax function.
    """
    stage = [e for e in network.system.equations if e.stage == "readout"]
    for equation in stage:
        keys.pop(equation.name, None)
    for equation in stage:
        match = re.match(r"\w+\[t\] = (\w+)\((\w+)\[t\]\)", equation.text)
        for key, definition in definitions.items():
            right = definition.right
            if key in keys.values() or key in LOSS_KEYS or has_derivative(right):
                continue
            called = isinstance(right, Call) and [r.key for r in refs_in(right)] == [
                keys.get(match[2] if match else "")
            ]
            reads = {r.key for r in refs_in(right) if r.when is not None}
            plain = reads == {keys.get(network.system.output)} and _has_weight(right)
            if called if match is not None else plain:
                keys[equation.name] = key
                break


def _has_weight(right: Expr) -> bool:
    return any(isinstance(p, Ref) and p.when is None for p in right.walk())


def _target(
    keys: dict[str, str], network: Network, definitions: Mapping[str, Definition], found: Sequence[Statement]
) -> None:
    """Match the target: what the losses of the note read and nothing in it defines."""
    if "target" not in network.system.targets:
        return
    losses = [d for d in map(definition_of, found) if d is not None and d.key in LOSS_KEYS]
    refs = [r for d in losses if not has_derivative(d.right) for r in refs_in(d.right)]
    others = {key for name, key in keys.items() if name != "target"} | LOSS_KEYS | set(definitions)
    left = [r.key for r in refs if r.key not in others]
    if left:
        keys["target"] = left[0]
        for name in [n for n, key in keys.items() if key == left[0] and n != "target"]:
            del keys[name]


def _by_equations(keys: dict[str, str], network: Network, definitions: Mapping[str, Definition]) -> None:
    """Match a variable that is the only one left in an equation: h_t = (1 - z_t) h_{t-1} + z_t \\tilde h_t."""
    for equation in network.system.equations:
        key = keys.get(equation.name, "")
        if key not in definitions or equation.stage != "cell":
            continue
        read = set(re.findall(r"(\w+)\[t\]", equation.text.partition("=")[2]))
        left = {name for name in read if name not in keys}
        there = {r.key for r in refs_in(definitions[key].right) if r.when == NOW} - set(keys.values())
        if len(left) == 1 and len(there) == 1:
            keys[left.pop()] = there.pop()


def _by_place(keys: dict[str, str], network: Network, definitions: Mapping[str, Definition]) -> None:
    """Match the parameters that are left by where they stand: W_f before h_{t-1} in the equation of f_t."""
    texts = {e.name: e.text.partition("=")[2] for e in network.system.equations}
    names = {key: name for name, key in keys.items()}
    ours: dict[Place, list[str]] = {}
    theirs: dict[Place, list[str]] = {}
    for name, text in texts.items():
        if name in keys:
            for place, parameter in _in_text(name, text, texts, keys):
                ours.setdefault(place, []).append(parameter)
    for key in definitions:
        if key in names:
            for place, parameter in _in_note(key, names, definitions):
                theirs.setdefault(place, []).append(parameter)
    for place, parameters in ours.items():
        left = [p for p in parameters if p not in keys and p in network.system.parameters]
        there = [k for k in theirs.get(place, []) if k not in keys.values()]
        if len(left) == 1 and len(set(there)) == 1:
            keys[left[0]] = there[0]


def _in_text(
    name: str, text: str, texts: Mapping[str, str], keys: Mapping[str, str], depth: int = 3
) -> list[tuple[Place, str]]:
    """Return the places of the parameters of an equation; variables that the note does not have are written out."""
    places: list[tuple[Place, str]] = []
    for match in re.finditer(r"(\w+) @ (\w+\[[^\]]*\]|\([^()]*\))", text):
        read = frozenset((v, -1 if lag else 0) for v, lag in re.findall(r"(\w+)\[t(-1)?\]", match[2]))
        places.append(((name, read), match[1]))
    places += [((name, frozenset()), b) for b in re.findall(r"[+(] (b_?\w*)(?![\w\[]| @)", text)]
    for inner in re.findall(r"(\w+)\[t\]", text):
        if inner in texts and inner not in keys and inner != name and depth:
            places += [((name, place[1]), p) for place, p in _in_text(inner, texts[inner], texts, keys, depth - 1)]
    return places


def _in_note(
    key: str, names: Mapping[str, str], definitions: Mapping[str, Definition], depth: int = 3
) -> list[tuple[Place, str]]:
    """Return the places of the parameters in an equation of the note, with the names of the model."""
    name, right = names.get(key, key), definitions[key].right
    places: list[tuple[Place, str]] = []
    for part in right.walk():
        if isinstance(part, Mul):
            for first, second in zip(part.factors, part.factors[1:], strict=False):
                read = _timed(second, names)
                if isinstance(first, Ref) and first.when is None and read:
                    places.append(((name, read), first.key))
                before = _timed(first, names)
                if isinstance(second, Ref) and second.when is None and before:  # in rows
                    places.append(((name, before), second.key))
        elif isinstance(part, Add):
            places += [((name, frozenset()), t.key) for t in part.terms if isinstance(t, Ref) and t.when is None]
    for ref in refs_in(right):
        if ref.when == NOW and ref.key not in names and ref.key in definitions and ref.key != key and depth:
            places += [((name, place[1]), p) for place, p in _in_note(ref.key, names, definitions, depth - 1)]
    return places


def _timed(expr: Expr, names: Mapping[str, str]) -> frozenset[tuple[str, int]]:
    """Return the variables of a factor with their lags; nothing where one is none of the model."""
    refs = [r for r in refs_in(expr) if r.when is not None]
    if isinstance(expr, Mul) or any(r.key not in names or r.when not in (NOW, BEFORE) for r in refs):
        return frozenset()
    return frozenset((names[r.key], -1 if r.when == BEFORE else 0) for r in refs)
