"""Hypotheses in words: "the derivative of the activation is less than some constant c", "the norm of W is 1"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..meaning.elaborate import elaborate
from ..meaning.expr import Add, Call, Expr, Norm, Num, Ref, Transpose
from ..meaning.symbols import Symbols
from ..notation.tree import Chain, Listing
from ..note import Note
from .hypotheses import ANEW, LOCAL, SLOPE, Hypothesis
from .statements import Read

F = "\u27e6(\\d+)\u27e7"
"""A formula in the text that is searched."""
LESS = (
    r"小于|不超过|不大于|至多为?|不高于|低于|less than|smaller than|at most|bounded (?:above )?by|below|"
    r"not exceed(?:ing)?|no (?:more|larger|greater) than|does not exceed"
)
MORE = (
    r"大于|不小于|不低于|至少为?|超过|高于|greater than|larger than|more than|at least|bounded below by|above|exceeds?"
)
EQUAL = r"为|等于|是|equals?(?: to)?|is equal to|is|of"
GAP = "[^\u3002\uff1b;.\u27e6]"
WORDS = "[^\u3002\uff1b;.\u27e6\\d]"
SLOPES = re.compile(
    rf"(?:激活函数|非线性函数|activation|nonlinearit|非线性|\u27e7){GAP}{{0,40}}?(?:导数|derivative|slope)s?{GAP}{{0,60}}?"
    rf"(?:(?P<less>{LESS})|(?P<more>{MORE}))(?P<words>{WORDS}{{0,30}}){F}|"
    rf"(?:derivative|slope)s? of {GAP}{{0,40}}(?:{F})?{GAP}{{0,40}}?(?:(?P<less2>{LESS})|(?P<more2>{MORE}))"
    rf"(?P<words2>{WORDS}{{0,30}}){F}",
    re.I,
)
SIZES: tuple[tuple[str, str], ...] = (
    ("最大奇异值|largest singular value|spectral norm|谱范数", "sigma_max"),
    ("谱半径|spectral radius|最大特征值(?:的绝对值|的模)?|largest (?:absolute )?eigenvalue", "rho"),
    ("范数|的模|norm|magnitude", "norm"),
)
"""Words for the size of a matrix -> the function that it is."""
OF = re.compile(
    rf"{F}\s*的?\s*(?P<size>{'|'.join(w for w, _ in SIZES)})\s*{GAP}{{0,4}}?"
    rf"(?:(?P<less>{LESS})|(?P<more>{MORE})|(?P<equal>{EQUAL}))\s*(?:{F}|(?P<number>\d+(?:\.\d+)?))|"
    rf"(?P<size2>{'|'.join(w for w, _ in SIZES)}) of (?:the )?(?:[\w-]+ ){{0,3}}{F}\s*(?:is |be |was )?"
    rf"(?:(?P<less2>{LESS})|(?P<more2>{MORE})|(?P<equal2>{EQUAL}))\s*(?:{F}|(?P<number2>\d+(?:\.\d+)?))",
    re.I,
)
_NAMES = "|".join(words for words, _ in SIZES[:2])
NAMED = re.compile(
    rf"{F}\s*(?:是|为|表示|is|be|denotes?)\s*(?:the )?{F}\s*的\s*(?P<size>{_NAMES})|"
    rf"{F}\s*(?:is|be|denotes?)\s*(?:the )?(?P<size2>{_NAMES}) of (?:the )?(?:[\w-]+ ){{0,3}}{F}|"
    rf"(?P<size3>{_NAMES}) {F} of (?:the )?(?:[\w-]+ ){{0,3}}{F}|{F}\s*的\s*(?P<size4>{_NAMES})\s*{F}",
    re.I,
)

SYMMETRIC = re.compile(
    rf"对称(?:矩阵)?的?\s*{F}|symmetric (?:matrix |matrices )?{F}|"
    rf"{F}\s*(?:是|为|is)\s*(?:a )?(?:实|real )?(?:对称|symmetric)",
    re.I,
)
BOUNDED = re.compile(rf"\s*(?:is |be |都|均)?\s*(?:(?P<less>{LESS})|(?P<more>{MORE}))\s*\u27e6(?P<at>\d+)\u27e7", re.I)
"""What may follow a name."""


@dataclass(frozen=True)
class Said:
    """A hypothesis in words, and where it ends.

    Attributes
    ----------
    end : int
        Offset in the note.
    hypothesis : Hypothesis
    anew : bool
        Whether it brings in its constant, whatever that meant before.
    """

    end: int
    hypothesis: Hypothesis
    anew: bool = False


class Prose:
    """The hypotheses that a note states in words.

    Parameters
    ----------
    note : Note
    reads : sequence of Read
    symbols : Symbols
    """

    def __init__(self, note: Note, reads: list[Read], symbols: Symbols) -> None:
        self.note, self.symbols = note, symbols
        self.trees = {r.formula.start: r.tree for r in reads if r.tree is not None}
        self.text, self.offsets = _marked(note)

    def said(self) -> list[Said]:
        """Return them in order."""
        found = [*self._slopes(), *self._sizes(), *self._named(), *self._symmetric()]
        return sorted(found, key=lambda s: s.end)

    def _slopes(self) -> list[Said]:
        found = []
        for match in SLOPES.finditer(self.text):
            groups = match.groupdict()
            number = [g for g in match.groups() if g is not None and g.isdigit()][-1]
            bound = self._expr(number)
            if bound is None or not isinstance(bound, Ref | Num):
                continue
            kind = "le" if groups["less"] or groups["less2"] else "ge"
            kind = "ge" if re.search(r"不小于|不低于", match[0]) else kind
            words = (groups["words"] or groups["words2"] or "") + " "
            found.append(self._taken(match, Call(SLOPE, ()), kind, bound, bool(ANEW.search(words.strip()))))
        return found

    def _sizes(self) -> list[Said]:
        found = []
        for match in OF.finditer(self.text):
            groups = match.groupdict()
            marks = [g for g in match.groups() if g is not None and g.isdigit()]
            matrix = self._expr(marks[0])
            text = groups["number"] or groups["number2"]
            number: Expr | None = Num(Fraction(text), text) if text else None
            if number is None and len(marks) > 1:
                number = self._expr(marks[1])
            if number is None or not isinstance(matrix, Ref) or matrix.when is not None:
                continue
            kind = "<" if groups["less"] or groups["less2"] else ">" if groups["more"] or groups["more2"] else "="
            size = _size(groups["size"] or groups["size2"] or "", matrix)
            found.append(self._taken(match, size, kind, number, False))
        return found

    def _named(self) -> list[Said]:
        found = []
        for match in NAMED.finditer(self.text):
            groups = match.groupdict()
            words = next(g for k, g in groups.items() if k.startswith("size") and g)
            marks = [g for g in match.groups() if g is not None and g.isdigit()]
            name, matrix = (self._expr(m) for m in (marks if not groups["size4"] else marks[::-1]))
            if isinstance(name, Norm):
                name = name.of
            if not isinstance(name, Ref) or not isinstance(matrix, Ref) or name == matrix:
                continue
            size = _size(words, matrix)
            left = Norm(name, "abs") if isinstance(size, Call) and size.name == "rho" else name
            found.append(self._taken(match, left, "=", size, True))
            more = BOUNDED.match(self.text, match.end())
            if more is not None and more["at"]:
                kind, bound = "<" if more["less"] else ">", self._expr(more["at"])
                if bound is not None:
                    found.append(self._taken(more, left, kind, bound, False))
        return found

    def _symmetric(self) -> list[Said]:
        found = []
        for match in SYMMETRIC.finditer(self.text):
            matrix = self._expr(next(g for g in match.groups() if g))
            if isinstance(matrix, Ref) and matrix.when is None:
                difference = Norm(Add((1, -1), (matrix, Transpose(matrix))))
                found.append(replace_local(self._taken(match, difference, "=", Num(Fraction(0), "0"), False)))
        return found

    def _taken(self, match: re.Match[str], left: Expr, kind: str, right: Expr, anew: bool) -> Said:
        start, end = self.offsets[match.start()], self.offsets[match.end() - 1]
        before = self.text[max(match.start() - 30, 0) : match.start()]
        local = bool(LOCAL.search(re.split("[。.;；，,]", before)[-1]))
        line = self.note.place(start)[0]
        return Said(end, Hypothesis(left, kind, right, line, start, local=local), anew)

    def _expr(self, mark: str) -> Expr | None:
        """Return the expression that a formula is, or the first operand of its chain."""
        tree = self.trees.get(self.note.formulas[int(mark)].start)
        while isinstance(tree, Listing) and tree.items:
            tree = tree.items[0]
        if isinstance(tree, Chain):
            tree = tree.operands[0]
        return None if tree is None else elaborate(tree, self.symbols)


def replace_local(said: Said) -> Said:
    """Return what was said as a condition that ends with its section."""
    return replace(said, hypothesis=replace(said.hypothesis, local=True))


def _size(words: str, matrix: Ref) -> Expr:
    name = next(n for pattern, n in SIZES if re.fullmatch(pattern, words, re.I))
    return Norm(matrix) if name == "norm" else Call(name, (matrix,))


def _marked(note: Note) -> tuple[str, Mapping[int, int]]:
    """Return the text of a note with marks in the place of its formulas, and the offset of each character."""
    text: list[str] = []
    offsets: list[int] = []
    last = 0
    for i, formula in enumerate(note.formulas):
        piece = re.sub(r"(?:\\\\?[(\[]|\$+|:math:`|`)\s*$", "", note.text[last : formula.start])
        text.append(piece)
        offsets += range(last, last + len(piece))
        mark = f"\u27e6{i}\u27e7"
        text.append(mark)
        offsets += [formula.end] * len(mark)
        closing = re.match(r"\s*(?:\\\\?[)\]]|\$+|`)", note.text[formula.end : formula.end + 8])
        last = formula.end + (closing.end() if closing else 0)
    text.append(note.text[last:])
    offsets += range(last, len(note.text))
    return "".join(text).replace("\n", " "), dict(enumerate(offsets))
