"""Headings and sentences that name a derivative, compared with the formulas under them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from ..meaning.elaborate import elaborate
from ..meaning.expr import Deriv, Entry, Expr, Ref, Transpose
from ..meaning.symbols import LOSSES, Symbols
from ..notation.tree import Chain, Listing
from ..note import Formula, Note
from .statements import Read, Statement

MARK = re.compile(r"⟦(\d+)⟧")
_F = r"⟦(\d+)⟧"
_LOSS_ZH = r"(?:总损失|损失函数|损失|误差|目标函数|代价函数)"
_KIND_ZH = (
    r"(?:的?(?:当前|隐藏状态|隐状态|状态|权重矩阵|权重|参数|矩阵|偏置|净输入|输入|输出|向量|项|值|上一|时间步|如"
    r"|\s|[（(，,])*)"
)
_MANY_ZH = rf"{_F}(?:\s*[）)]?\s*(?:、|和|与|及|以及|,|，)\s*{_F})*\s*[）)]?"
_WHAT_ZH = r"的?\s*(?:偏导数|偏导|导数|梯度|雅可比矩阵|雅可比)"
_LOSS_EN = r"(?:the\s+)?(?:total\s+|overall\s+)?(?:loss|cost|error|objective)(?:\s+function)?"
_KIND_EN = (
    r"(?:\s*(?:the|an?|each|hidden|state|states|weight|weights|matrix|matrices|parameters?|bias|biases|input|inputs|"
    r"output|outputs|pre-activation|vector|recurrent|previous|current|initial)\b)*\s*"
)
_MANY_EN = rf"{_F}(?:\s*(?:,|and|or|,\s*and)\s*{_F})*"
_WHAT_EN = r"(?:(?:total|partial|immediate)\s+)?(?:gradients?|derivatives?|Jacobian|partials?)"
_BY_EN = r"(?:with\s+respect\s+to|w\.\s?r\.\s?t\.?|wrt|regarding|relative\s+to)"

PATTERNS = (
    re.compile(rf"(?:{_LOSS_ZH}\s*|{_F}\s*)+(?:相对于|对于|关于|对)\s*{_KIND_ZH}(?P<by>{_MANY_ZH})\s*{_WHAT_ZH}"),
    re.compile(rf"(?:^|[^⟧])\s*{_KIND_ZH}(?P<by>{_F})\s*的\s*(?:梯度)"),
    re.compile(
        rf"{_WHAT_EN}\s+(?:of|for)\s+(?:{_LOSS_EN}\s*|{_KIND_EN}{_F}\s*)+{_BY_EN}{_KIND_EN}(?P<by>{_MANY_EN})", re.I
    ),
    re.compile(rf"gradients?\s+{_BY_EN}{_KIND_EN}(?P<by>{_MANY_EN})", re.I),
    re.compile(rf"differentiat\w+\s+(?:{_LOSS_EN}\s*|{_KIND_EN}{_F}\s*)+{_BY_EN}{_KIND_EN}(?P<by>{_MANY_EN})", re.I),
    re.compile(
        rf"(?:计算|求出?|推导|comput\w+|deriv(?:e|ing)|calculat\w+)\s*(?P<whole>{_F})\s*(?:\**\s*[:：]?\s*)$", re.I
    ),
)
TAIL = re.compile(
    r"^\**\s*(?:就?是|为|等于|如下|则|可以?.{0,14}(?:计算|得到|写成|写为|表示为?|求得)|is|are|equals?|reads?|becomes?|follows?|"
    r"(?:is|are)\s+(?:then\s+|therefore\s+|thus\s+)?(?:given\s+by|as\s+follows)?|can\s+be\s+.{0,40})?\s*\**[:：,，.]?\s*\**$",
    re.I,
)
"""What may stand between a derivative that is named and its formula."""
USES = re.compile(
    r"(?:利用|根据|由|已知|通过|代入|使用|有了|\b(?:using|given|from|with|by|once|knowing|use)\b)[^，,:：]*$", re.I
)
"""What stands before a derivative that is only made use of."""
STOPS = re.compile(r"[。！？!?；;]|\.(?=\s)|\n\s*\n|\n\s*(?=[-*+#>]|\d+[.)]\s)")
MOST_BEHIND = 2
MOST_WORDS = 500


@dataclass(frozen=True)
class _Named:
    """A derivative that words name: its variable (None for the loss), by what, and its LaTeX."""

    of: tuple[Ref | None, ...]
    by: tuple[Ref, ...]
    latex: str


def misnamed(
    note: Note, reads: Sequence[Read], found: Sequence[Statement], symbols: Symbols
) -> Iterator[tuple[int, str, str]]:
    """Yield where words name a derivative and the formulas under them are others.

    Yields
    ------
    (int, str, str)
        Offset in the note of the words, the derivative that they name, the one that is there, as LaTeX.
    """
    finder = _Finder(note, reads, found, symbols)
    yield from finder.headings()
    yield from finder.sentences()


class _Finder:
    def __init__(self, note: Note, reads: Sequence[Read], found: Sequence[Statement], symbols: Symbols) -> None:
        self.note, self.found, self.symbols = note, found, symbols
        self.reads = {id(read.formula): read for read in reads}
        self.aliases = _aliases(found)
        self.starts = [formula.start for formula in note.formulas]
        self.places = [statement.start for statement in found]

    # -- the places of words ------------------------------------------------------------------------------
    def headings(self) -> Iterator[tuple[int, str, str]]:
        """Compare each heading with the formulas up to the next."""
        starts = sorted(self._heading_spans())
        for (start, end), following in pairwise([*starts, (len(self.note.text), 0)]):
            named = self._named(self._marked(start, end))
            under = self.found[bisect_left(self.places, end) : bisect_left(self.places, following[0])]
            if named is not None and under:
                yield from self._compared(start, named, under)

    def _heading_spans(self) -> Iterator[tuple[int, int]]:
        for passage in self.note.passages:
            text = self.note.text[passage.start : passage.end].strip()
            if passage.kind == "heading" or (text[:2] == "**" and text[-2:] == "**" and "**" not in text[2:-2]):
                yield passage.start, passage.end
        for match in re.finditer(r"^\*\*[^*\n]+\*\*[:：]?[ \t]*$", self.note.text, re.M):
            inside = any(p.start <= match.start() < p.end and p.kind == "heading" for p in self.note.passages)
            if not inside:
                yield match.start(), match.end()

    def sentences(self) -> Iterator[tuple[int, str, str]]:
        """Compare the words right before a formula with it."""
        bold = set(self._heading_spans())
        for number, statement in enumerate(self.found):
            formula = statement.read.formula
            if number and self.found[number - 1].read.formula is formula:
                continue
            start = self._sentence(formula)
            if any(a <= start < b or start <= a < formula.start for a, b in bold):
                continue
            words = self._marked(start, formula.start)
            words = re.sub(r"(?:\$+|\\\[|\\\(|\\begin\{\w+\*?\}|\.\. math::|:math:`|```math|\s)+$", "", words)
            named = self._named(words, at_end=True)
            if named is not None:
                yield from self._compared(start + _leading(words), named, self._behind(number))

    def _sentence(self, formula: Formula) -> int:
        """Return where the sentence begins that leads to a formula."""
        first = max(formula.start - 400, 0)
        text = self._blanked(first, formula.start).rstrip()
        text = re.sub(r"(?:\$+|\\\[|\\\(|\\begin\{\w+\*?\}|\.\. math::|:math:`|```math|\s)+$", "", text)
        stops = [m.end() for m in STOPS.finditer(text)]
        return first + (stops[-1] if stops else 0)

    def _blanked(self, start: int, end: int) -> str:
        """Return text with formulas blanked, so that nothing in them looks like words; the length stays."""
        text = self.note.text[start:end]
        for formula in self._formulas(start, end):
            a, b = max(formula.start, start), min(formula.end, end)
            if a < b:
                text = text[: a - start] + "x" * (b - a) + text[b - start :]
        return text

    def _behind(self, number: int) -> list[Statement]:
        """Return a statement and those that stand behind it with no words between."""
        formula = self.found[number].read.formula
        return list(takewhile(lambda s: self._follows(formula, s.read.formula), self.found[number:]))

    def _follows(self, first: Formula, other: Formula) -> bool:
        """Whether one formula stands behind another with no words between."""
        if other is first:
            return True
        if other.start < first.start:
            return False
        between = re.sub(r"[\s$\\\[\]()`,.，、]|begin|end|align|equation|\*", "", self._blanked(first.end, other.start))
        return len(between) <= MOST_BEHIND

    def _formulas(self, start: int, end: int) -> Sequence[Formula]:
        """Return the formulas that may overlap a piece of the note."""
        return self.note.formulas[max(bisect_left(self.starts, start) - 1, 0) : bisect_left(self.starts, end)]

    def _marked(self, start: int, end: int) -> str:
        """Return text with each formula as a mark, without its delimiters."""
        parts, last = [], start
        for formula in self._formulas(start, end):
            if start <= formula.start and formula.end <= end:
                i = bisect_left(self.starts, formula.start)
                parts += [self.note.text[last : formula.start], f"⟦{i}⟧"]
                last = formula.end
        text = "".join([*parts, self.note.text[last:end]])
        text = re.sub(r"(?:\$+|\\\(|\\\[|:math:`)\s*(⟦\d+⟧)\s*(?:\$+|\\\)|\\\]|`)", r" \1 ", text)
        return text.replace("**", " ")

    # -- what words name ----------------------------------------------------------------------------------
    def _named(self, words: str, at_end: bool = False) -> _Named | None:
        words = words[:MOST_WORDS].rstrip("*_ \n")
        for pattern in PATTERNS:
            matches = list(pattern.finditer(words))
            if not matches:
                continue
            match = matches[-1]
            if at_end and (not TAIL.match(words[match.end() :].strip()) or USES.search(words[: match.start()])):
                return None
            if not at_end and len(matches) > 1:
                return None
            return self._meant(match, words)
        return None

    def _meant(self, match: re.Match[str], words: str) -> _Named | None:
        groups = match.groupdict()
        if groups.get("whole"):
            number = MARK.findall(groups["whole"])[0]
            deriv = self._expr(int(number))
            if not isinstance(deriv, Deriv):
                return None
            by = tuple(r for r in map(_symbol, deriv.by) if r is not None)
            of = _symbol(deriv.of)
            return _Named((of,), by, self._latex(int(number))) if of is not None and by else None
        by_marks = [int(n) for n in MARK.findall(groups["by"])]
        of_marks = [int(n) for n in MARK.findall(words[match.start() : match.start("by")])]
        by = tuple(r for n in by_marks if (r := _symbol(self._expr(n))) is not None)
        top = tuple(r for n in of_marks[-1:] if (r := _symbol(self._expr(n))) is not None)
        if len(by) != len(by_marks) or len(top) != len(of_marks[-1:]):
            return None
        of_latex = self._latex(of_marks[-1]) if of_marks else "L"
        return _Named(top or (None,), by, rf"\frac{{\partial {of_latex}}}{{\partial {self._latex(by_marks[0])}}}")

    def _latex(self, number: int) -> str:
        return self.note.formulas[number].latex.strip()

    def _expr(self, number: int) -> Expr | None:
        read = self.reads.get(id(self.note.formulas[number]))
        if read is None or read.tree is None or isinstance(read.tree, Chain | Listing):
            return None
        return elaborate(read.tree, self.symbols)

    # -- the comparison -----------------------------------------------------------------------------------
    def _compared(self, start: int, named: _Named, under: Sequence[Statement]) -> Iterator[tuple[int, str, str]]:
        shown: str | None = None
        for statement in under:
            for i, operand in enumerate(statement.operands):
                for part in operand.walk():
                    resolved = self.aliases.get(part.key) if isinstance(part, Ref) else part
                    if isinstance(resolved, Deriv) and _is_meant(resolved, named):
                        return
                first = operand.of if isinstance(operand, Transpose) else operand
                if i == 0 and isinstance(first, Deriv) and shown is None:
                    shown = statement.source(first)
        known = {r.key for s in self.found for o in s.operands for r in o.walk() if isinstance(r, Ref)}
        if shown is not None and all(r.key in known for r in named.by):
            yield start, named.latex, shown


def _aliases(found: Sequence[Statement]) -> dict[str, Deriv]:
    r"""Return what a note calls a derivative: \delta_t for \partial L/\partial z_t."""
    return {
        s.operands[0].key: s.operands[1]
        for s in found
        if len(s.operands) > 1 and isinstance(s.operands[0], Ref) and isinstance(s.operands[1], Deriv)
    }


def _symbol(expr: Expr | None) -> Ref | None:
    """Return the symbol that an expression is, or is a component of."""
    while isinstance(expr, Entry | Transpose):
        expr = expr.of
    return expr if isinstance(expr, Ref) else None


def _leading(words: str) -> int:
    return len(words) - len(words.lstrip())


def _is_meant(deriv: Deriv, named: _Named) -> bool:
    """Whether a derivative is the one that words name; a letter may be any step, and words may leave the step out."""
    of_fits = any(_same(deriv.of, of) for of in named.of)
    by_fits = any(_same(part, by) for part in deriv.by for by in named.by)
    return of_fits and by_fits


def _same(expr: Expr, named: Ref | None) -> bool:
    refs = [p for p in expr.walk() if isinstance(p, Ref)]
    if named is None or named.key in LOSSES:
        return any(r.key in LOSSES for r in refs)
    return any(_one(r, named) for r in refs)


def _one(ref: Ref, named: Ref) -> bool:
    if ref.key != named.key and not (ref.key.startswith(f"{named.key}_") and named.when is None):
        return False
    a, b = ref.when, named.when
    return a is None or b is None or not (a.is_number and b.is_number) or a == b
