"""Symbols and indices that a note uses without ever saying what they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Sequence

from ...algebra.names import GREEK
from ..meaning.elaborate import elaborate
from ..meaning.expr import Bound, Call, Deriv, Entry, Expr, Extreme, Ref, letters_of
from ..meaning.symbols import LOSSES, Symbols
from ..notation.tree import Accent, Chain, Fence, Listing, Name, Script, Tree, Words
from ..note import Note
from .definitions import definition_of, has_derivative, refs_in
from .discover import Discovery
from .statements import Read, Statement

USUAL = frozenset(
    ["I", "e", "pi", "x", "h", "n", "m", "q", "d", "D", "H", "N", "B", "K", "T", "t", "R", "O", "L", "infty", "ones",
     "1", "h_hat", "y", "y_hat", "i", "z", "a", "s", "u", "epsilon", "varepsilon", "Delta", "delta", "Pr", "P", "S"]
)  # fmt: skip
"""Heads that need no introduction: the identity, sizes, the input, the state, the target, a small number."""
SIGNS = frozenset(
    ["partial", "nabla", "mathrm", "diag", "softmax", "tanh", "sigmoid", "vec", "max", "min", "prod", "sum"]
)
"""Words and signs that stand alone where a formula is written loosely."""
COMPONENTS = frozenset("ijklmnpqrst_0123456789")
STEPS = frozenset({"t", "T", "tau", "tprime"})
"""Letters that everybody reads as a time step."""
INTRODUCES = frozenset({"in", "<", "le", ">", "ge", "=", ":=", "equiv", "gets", "sim", "approx", "ne", "subset"})
TESTED = frozenset({"=", ":=", "equiv", "approx", "le", "ge", "<", ">", "propto"})
MENTION = re.compile(r"\s*\\?([A-Za-z]+)\s*(?:$|=|<|>|\\leq?|\\geq?|\\in|,)")
Used = tuple[str, bool]
"""A key, and whether it stands with a step: L_t is another symbol than L."""


def undefined(
    note: Note,
    reads: Sequence[Read],
    found: Sequence[Statement],
    discovery: Discovery,
    symbols: Symbols,
    again: Collection[int] = (),
) -> Iterator[tuple[int, str]]:
    """Yield the symbols that nothing introduces, each once: offset of the first use in the note, LaTeX.

    Statements whose numbers are in ``again`` define a variable a second time where no other model begins; they
    introduce nothing.
    """
    if not any(model.equations for model in discovery.models):
        return  # a formula collection: nothing in it says what anything is
    known = _introduced(reads, symbols) | _defined(found, discovery, again)
    prose, mentioned = _prose(note), _mentioned(note)
    seen: set[str] = set()
    for statement in found:
        if not TESTED & {r.kind for r in statement.relations}:
            continue
        own = _given_here(statement)
        for operand in statement.operands:
            for ref, dummy in _uses(operand):
                key = f"{ref.key}[t]" if _is_step_loss(ref) else ref.key
                if key in seen or dummy or _is_known(ref, known | own, symbols, discovery):
                    continue
                if _in_prose(ref.key, prose) and not _is_step_loss(ref):
                    continue
                seen.add(key)
                latex = statement.source(ref)
                if ref.when is None:
                    latex = re.sub(r"\s*\^.*$", "", latex, flags=re.S)  # without a power
                yield statement.read.formula.offset(ref.tree.start), latex
        for letter, start in _loose_letters(statement, mentioned):
            if letter not in seen | symbols.timed:
                seen.add(letter)
                yield start, letter


# -- what is introduced -------------------------------------------------------------------------------
def _introduced(reads: Sequence[Read], symbols: Symbols) -> set[Used]:
    """Return the symbols that stand alone in the text, or in a list, or on the left of a relation."""
    found: set[Used] = set()
    for read in reads:
        if read.tree is not None:
            for item in _alone(read.tree):
                found |= _heads(elaborate(item, symbols))
    return found


def _alone(tree: Tree) -> Iterator[Tree]:
    if isinstance(tree, Listing):
        for item in tree.items:
            yield from _alone(item)
    elif isinstance(tree, Chain):
        if {r.kind for r in tree.relations} <= INTRODUCES:
            yield from _alone(tree.operands[0])
            if {r.kind for r in tree.relations} & {"<", "le", ">", "ge"}:
                yield from tree.operands[1:]
    elif isinstance(tree, Fence) and isinstance(tree.body, Listing):
        yield from _alone(tree.body)
    elif not isinstance(tree, Words):
        yield tree


def _heads(expr: Expr) -> set[Used]:
    """Return the symbol that an expression is, or the function and its arguments."""
    if isinstance(expr, Ref):
        return {(expr.key, expr.when is not None)}
    if isinstance(expr, Entry):
        return _heads(expr.of)
    if isinstance(expr, Call):
        return {(expr.name, False), (expr.name, True)}.union(*(_heads(a) for a in expr.arguments))
    if isinstance(expr, Extreme):
        return _heads(expr.body)
    return set()


def _defined(found: Sequence[Statement], discovery: Discovery, again: Collection[int]) -> set[Used]:
    """Return what is on the left of a definition, and what equations and losses read, their inputs and parameters;
    and what stands for any parameter, or for the factors of one."""
    keys: set[Used] = set()
    for statement in found:
        for part in (p for o in statement.operands for p in o.walk()):
            if isinstance(part, Deriv):
                keys |= {(r.key, r.when is not None) for r in part.by if isinstance(r, Ref)}
        definition = definition_of(statement)
        if definition is not None:
            keys.add((definition.key, definition.step is not None))
        if statement.number not in again and _says_what(statement):
            for operand in statement.operands:
                keys |= {(r.key, r.when is not None) for r in refs_in(operand)}
                keys |= {(p.name, True) for p in operand.walk() if isinstance(p, Call)}
    for model in discovery.models:
        equations = [*model.equations.values(), *([model.loss] if model.loss is not None else [])]
        for definition in equations:
            if definition.statement.number not in again:
                keys |= {(r.key, r.when is not None) for r in refs_in(definition.right)}
        keys |= {(k[0] if isinstance(k, tuple) else k, isinstance(k, tuple)) for k in model.constants}
    return keys


def _says_what(statement: Statement) -> bool:
    """Whether a formula says what a symbol is: no derivative in it, and a symbol alone on its left."""
    left = statement.tree.operands[0]
    alone = isinstance(left, Name | Accent | Script) and statement.relations[0].kind in ("=", ":=", "equiv", "gets")
    return alone and not any(has_derivative(o) for o in statement.operands)


def _given_here(statement: Statement) -> set[Used]:
    """Return what the conditions of a statement say."""
    from ..meaning.symbols import head_key

    keys: set[Used] = set()
    for chain in statement.conditions:
        for operand in chain.operands:
            head = head_key(operand.base if isinstance(operand, Script) else operand)
            if head is not None:
                keys |= {(head, False), (head, True)}
    return keys


# -- what is used -------------------------------------------------------------------------------------
def _uses(expr: Expr, dummy: bool = False) -> Iterator[tuple[Ref, bool]]:
    """Yield the symbols of an expression, and whether each is only a name for any value: f(z), or stands for any
    parameter by which one differentiates."""
    if isinstance(expr, Ref):
        yield expr, dummy
        return
    if isinstance(expr, Deriv):
        yield from _uses(expr.of, dummy)
        for by in expr.by:
            yield from _uses(by, True)
        return
    if isinstance(expr, Call):
        for argument in expr.arguments:
            yield from _uses(argument, dummy or (isinstance(argument, Ref) and argument.when is None))
        return
    for child in expr.children:
        yield from _uses(child, dummy)


def _is_step_loss(ref: Ref) -> bool:
    return ref.when is not None and ref.key in LOSSES


def _is_known(ref: Ref, known: set[Used], symbols: Symbols, discovery: Discovery) -> bool:
    if _is_step_loss(ref):
        return (ref.key, True) in known or not _has_step_loss(known - {(ref.key, True)}, discovery)
    if (ref.key, True) in known or (ref.key, False) in known or ref.key.endswith("'"):
        return True
    head, _, label = ref.key.partition("_")
    heads = {key.partition("_")[0] for key, _ in known}
    if head == "delta":
        return ref.when is None or "delta" in heads
    if head in LOSSES or head in SIGNS or ref.key in USUAL or ref.key in symbols.functions:
        return True
    plain = not label or label.isdigit() or ref.when is not None
    if plain and (head in USUAL or head in symbols.functions):
        return True
    if head in symbols.timed and ref.when is None and not label:
        return True  # z for any z_t
    return bool(label) and head in heads and ((ref.when is None and len(label) > 2) or not set(label) - COMPONENTS)


def _has_step_loss(known: set[Used], discovery: Discovery) -> bool:
    """Whether a note defines L as a sum of losses of steps that have another name."""
    summed = [m.loss for m in discovery.models if m.loss is not None]
    named = any(isinstance(p, Bound) for d in summed for p in d.right.walk())
    return named and any(timed and key in LOSSES | {"ell"} for key, timed in known)


def _loose_letters(statement: Statement, mentioned: Container[str]) -> Iterator[tuple[str, int]]:
    """Yield index letters that stand on the right only and are bound nowhere: letter, offset."""
    if len(statement.operands) < 2 or statement.relations[0].kind not in ("=", ":=", "equiv"):
        return
    first = statement.operands[0]
    if isinstance(first, Ref) and first.when is not None and first.when.is_number:
        return
    spare = STEPS | letters_of(first) | _names(first.tree)
    spare |= {name for chain in statement.conditions for operand in chain.operands for name in _names(operand)}
    for operand in statement.operands[1:]:
        for part in operand.walk():
            if not isinstance(part, Ref) or part.when is None or _has_several_parts(part.tree):
                continue
            for letter in sorted((part.when.letters & letters_of(operand)) - spare):
                if letter not in mentioned:
                    yield letter, statement.read.formula.offset(part.tree.start)
                    return


def _has_several_parts(tree: Tree) -> bool:
    return any(isinstance(part, Listing) for part in tree.walk())


def _names(tree: Tree) -> set[str]:
    return {p.name for p in tree.walk() if isinstance(p, Name)}


def _mentioned(note: Note) -> set[str]:
    """Return the indices that are spoken of anywhere: alone in a formula, or on the left of a relation."""
    matches = [MENTION.match(formula.latex) for formula in note.formulas]
    return {match[1] for match in matches if match is not None}


# -- prose --------------------------------------------------------------------------------------------
def _prose(note: Note) -> str:
    parts, last = [], 0
    for formula in note.formulas:
        parts.append(note.text[last : formula.start])
        last = formula.end
    return " ".join([*parts, note.text[last:]])


def _in_prose(key: str, prose: str) -> bool:
    """Whether a symbol is spoken of in plain letters: "the gain γ", "where W_h is"."""
    if key in GREEK and GREEK[key] in prose:
        return True
    if key in ("a", "A", "s", "I", "c"):
        return bool(re.search(rf"(?:where|with|and|其中)\s+{key}\s+(?:is|are|为|是)", prose))
    return bool(re.search(rf"(?<![A-Za-z\\_]){re.escape(key)}(?![A-Za-z_])", prose))
