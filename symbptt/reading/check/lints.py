"""What a reader of a note would stumble over beside wrong formulas, found in its text and its formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ..meaning.expr import Call, Expr, Ref
from ..meaning.index import Index, letter
from ..meaning.symbols import Symbols
from ..note import Note
from ..report import Lint, Math, Message, message
from .chains import loose_sums, upside_down
from .definitions import Definition, T, definition_of, has_derivative, number_in, refs_in, same
from .discover import Discovery, Model
from .introduced import undefined
from .naming import misnamed
from .statements import Read, Statement

NOW, BEFORE = letter(T), Index(((T, 1),), -1)
CELLS = re.compile(
    r"LSTM|GRU|长短期|门控|双向|多层|深度|注意力|编码|bidirectional|stack|deep|gated|attention|encoder|decoder|variant|residual",
    re.I,
)
"""Words in headings under which other cells stand."""
ANNOUNCES = re.compile(
    r"例|假设|假定|考虑|模型设置|另一|\bexample|\bsuppose|\bassume|\bconsider|\blet us|\bnow take|\binstance", re.I
)
"""Words after which a symbol may be defined anew: another model, or another example."""
SIMPLER = re.compile(
    r"去掉|忽略|省略|线性|简化|若|如果|当|\b(without|ignor\w+|drop\w*|linear|simpl\w+|if|when|special)\b", re.I
)
"""Words after which a state may follow another equation for a while."""
DEFINES = re.compile(r"(定义|记|令|\b(define|denote|let|write|call)\b)[^。.;；]{0,40}$", re.I)
"""Words before a formula that make it a definition, and no claim."""


def lints_of(
    note: Note, reads: Sequence[Read], found: Sequence[Statement], discovery: Discovery, symbols: Symbols
) -> tuple[Lint, ...]:
    """Return the remarks about a note, in the order of the text.

    Parameters
    ----------
    note : Note
    reads : sequence of Read
        Every formula with its tree.
    found : sequence of Statement
    discovery : Discovery
    symbols : Symbols

    Examples
    --------
    >>> from symbptt.reading.extract import note_of
    >>> from symbptt.reading.check.note import check_note
    >>> lints = check_note(
    ...     note_of(
    ...         "$h_t = f(W h_{t-1} + b)$. Then $\\\\frac{\\\\partial h_3}{\\\\partial h_2} "
    ...         "\\\\frac{\\\\partial h_1}{\\\\partial h_2}$ is the chain."
    ...     )
    ... ).lints
    >>> [lint.kind for lint in lints]
    ['inverted-factor']
    """
    twice = sorted(
        [*_losses_again(discovery), *_equations_again(note, discovery), *_symbols_again(note, found)],
        key=lambda pair: pair[1].start,
    )
    again = {second.number for _, second in twice}
    lints: list[tuple[int, str, Message]] = [
        *_unclosed(note),
        *_twice(note, twice),
        *((start, "other-derivative", message("check.lint.other-derivative", named=Math(named), found=Math(shown)))
          for start, named, shown in misnamed(note, reads, found, symbols)),
        *((start, "undefined-symbol", message("check.lint.undefined-symbol", symbol=Math(latex)))
          for start, latex in undefined(note, reads, found, discovery, symbols, again)),
        *((start, "sum-without-bounds", message("check.lint.sum-without-bounds", sum=Math(latex)))
          for start, latex in loose_sums(note, reads, symbols)),
        *((start, "inverted-factor", message("check.lint.inverted-factor", factor=Math(factor), right=Math(right)))
          for start, factor, right in upside_down(reads)),
    ]  # fmt: skip
    lints.sort(key=lambda lint: lint[:2])
    placed = [Lint(note.file, *note.place(start), kind, words, note.cell(start)) for start, kind, words in lints]
    return tuple({(x.cell, x.line, x.kind, x.message): x for x in reversed(placed)}.values())[::-1]


def _unclosed(note: Note) -> Iterator[tuple[int, str, Message]]:
    for problem in note.problems:
        if problem.key == "check.problem.unclosed":
            yield problem.start, "unclosed", message("check.lint.unclosed", **dict(problem.values))


def _twice(note: Note, pairs: Sequence[tuple[Statement, Statement]]) -> Iterator[tuple[int, str, Message]]:
    """Yield the second definitions of symbols in one scope."""
    seen: set[int] = set()
    for first, second in pairs:
        if second.number not in seen and second.read.formula is not first.read.formula:
            seen.add(second.number)
            symbol = Math(second.source(second.operands[0]))
            line = note.place(first.start)[0]
            yield second.start, "defined-twice", message("check.lint.defined-twice", symbol=symbol, line=line)


def _losses_again(discovery: Discovery) -> Iterator[tuple[Statement, Statement]]:
    losses = {m.loss.statement.number for m in discovery.models if m.loss is not None}
    yield from (pair for pair in discovery.twice if pair[1].number in losses)


def _equations_again(note: Note, discovery: Discovery) -> Iterator[tuple[Statement, Statement]]:
    """Yield equations that replace a single one of a model in passing, though nothing says that it is another model."""
    for before, after in pairwise(discovery.models):
        changed = [k for k in after.own if k in before.equations and k in after.equations]
        found_rough = any(after.equations[k].statement is second for _, second in discovery.twice for k in changed)
        if len(changed) != 1 or (len(after.own) != 1 and not found_rough):
            continue
        first, second = before.equations[changed[0]], after.equations[changed[0]]
        if not _in_one_scope(note, before, after, first, second):
            continue
        recurs = any(r.key == second.key and r.when == BEFORE for r in refs_in(second.right))
        if not (recurs and _is_simpler(note, second.statement)):
            yield first.statement, second.statement


def _in_one_scope(note: Note, before: Model, after: Model, first: Definition, second: Definition) -> bool:
    """Whether two definitions of a variable contradict each other: nothing that announces another model or cell stands
    between them, the second reads nothing that is newer than the first, and they are not the same written out."""
    start, end = first.statement.start, second.statement.start
    between = [p for p in note.passages if p.kind == "heading" and start < p.start < end]
    headings = " ".join(note.text[p.start : p.end] for p in between)
    if end < start or CELLS.search(headings) or _announced(note, second.statement):
        return False
    if isinstance(second.right, Call) and len(second.right.arguments) > 1:
        return False  # h_t = f(h_{t-1}, x_t) says less, and nothing else
    newer = {k for k, d in after.equations.items() if start < d.statement.start < end and k != second.key}
    expanded = _expanded(first.right, before.equations), _expanded(second.right, after.equations)
    reads = {r.key for r in refs_in(second.right)}
    return not same(*expanded) and not reads & newer


def _expanded(right: Expr, equations: Mapping[str, Definition], depth: int = 3) -> Expr:
    """Put the right sides of variables of the same step in their place."""

    def written_out(part: Expr) -> Expr:
        inner = isinstance(part, Ref) and part.when == NOW and equations.get(part.key)
        return inner.right if isinstance(inner, Definition) else part

    for _ in range(depth):
        right = right.mapped(written_out)
    return right


def _is_simpler(note: Note, statement: Statement) -> bool:
    """Whether the words before a formula, or the heading, say that something is left out for a while."""
    start = statement.read.formula.start
    headings = [p for p in note.passages if p.kind == "heading" and p.start < start]
    words = "".join(note.text[p.start : p.end] for p in headings[-1:]) + note.text[max(start - 60, 0) : start]
    return bool(SIMPLER.search(words))


def _symbols_again(note: Note, found: Sequence[Statement]) -> Iterator[tuple[Statement, Statement]]:
    """Yield the second of two formulas that say of themselves that they define a symbol, in different ways."""
    known: dict[tuple[str, str], list[Statement]] = {}
    for statement in found:
        definition = definition_of(statement)
        if definition is None or number_in(definition.right) is not None or not _defines(note, statement):
            continue
        key = (definition.key, repr(definition.step))
        for earlier in known.get(key, []):
            other = definition_of(earlier)
            apart = other is not None and not same(other.right, definition.right)
            if apart and has_derivative(definition.right) and not _announced(note, statement):
                yield earlier, statement
                break
        known.setdefault(key, []).append(statement)


def _defines(note: Note, statement: Statement) -> bool:
    start = statement.read.formula.start
    before = note.text[max(start - 80, 0) : start].rstrip(" \n$\\[(")
    return statement.relations[0].kind in (":=", "equiv") or bool(DEFINES.search(before))


def _announced(note: Note, statement: Statement) -> bool:
    """Whether the passages around a statement, or the heading above, say that another model or example begins."""
    headings = [p for p in note.passages if p.kind == "heading" and p.start < statement.start]
    near = [p for p in note.passages if p.start <= statement.start and p.end >= statement.start - 300]
    return any(ANNOUNCES.search(note.text[p.start : min(p.end, statement.start)]) for p in (*headings[-1:], *near))
