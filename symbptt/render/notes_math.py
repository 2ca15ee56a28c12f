"""LaTeX of notes as MathML, by way of the notation parser; what that cannot read stays LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ..algebra.layout import Ident
from ..algebra.names import GREEK
from ..reading.notation import NotationError, parse
from ..reading.notation import tree as nodes
from .mathml import NAMESPACE, content
from .notes_signs import (
    ACCENTS,
    BIG,
    BLACKBOARD,
    BRACKETS,
    IMPLICATIONS,
    LETTERS,
    MATRIX_BRACKETS,
    OPERATORS,
    RELATIONS,
    SEPARATORS,
    SIGNS,
)

LONGEST_LINE = 44
"""Letters and signs from which on a chain on lines of its own is broken before its relation signs."""
_NO_SIGNS = re.compile(r"\\(?:[dt]?frac|left|right|big\w?|math\w+|text|hat|bar|tilde)|[\s{}_^&]")


def math_of(latex: str, macros: Mapping[str, Any] | None = None, display: bool = False) -> str:
    """Return a formula of a note for an HTML page.

    Parameters
    ----------
    latex : str
    macros : mapping, optional
        As :attr:`symbptt.reading.note.Note.macros`.
    display : bool
        Whether it stands on lines of its own.

    Returns
    -------
    str
        A ``math`` element, or the LaTeX in a ``code`` element if it cannot be read.

    Examples
    --------
    >>> print(math_of("h_t = 1"))
    <math xmlns="http://www.w3.org/1998/Math/MathML"><mrow><msub><mi>h</mi><mi>t</mi></msub><mo>=</mo><mn>1</mn></mrow></math>
    >>> math_of(r"\\oops{<b")
    '<code class="latex">\\\\oops{&lt;b</code>'
    """
    try:
        tree = parse(latex, macros or {})
    except NotationError:
        return f'<code class="latex">{escape(latex.strip())}</code>'
    body = _Writer(latex).whole(tree, display)
    shown = ' display="block"' if display else ""
    return f'<math xmlns="{NAMESPACE}"{shown}>{body}</math>'


def _tag(name: str, inside: str, **attributes: str) -> str:
    written = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>"


def _sign(char: str, **attributes: str) -> str:
    return _tag("mo", escape(char), **attributes)


def _row(*parts: str) -> str:
    filled = [part for part in parts if part]
    return filled[0] if len(filled) == 1 else _tag("mrow", "".join(filled))


class _Writer:
    """Writes the trees of one formula; its source says what the tree does not keep, such as the kind of brackets."""

    def __init__(self, latex: str) -> None:
        self.latex = latex

    def whole(self, tree: nodes.Tree, display: bool) -> str:
        """Write a formula; a long one on lines of its own is broken."""
        if display and isinstance(tree, nodes.Chain) and len(tree.relations) > 1 and self._is_long():
            return self._lines([(tree, "")])
        return self.write(tree)

    def write(self, tree: nodes.Tree | None) -> str:
        return "" if tree is None else _WRITERS[type(tree)](self, tree)

    def _source(self, tree: nodes.Tree) -> str:
        return self.latex[tree.start : tree.end]

    def _is_long(self) -> bool:
        return len(re.sub(r"\\[A-Za-z]+", "x", _NO_SIGNS.sub("", self.latex))) > LONGEST_LINE

    # -- leaves ------------------------------------------------------------------------------------------------
    def number(self, tree: nodes.Number) -> str:
        bold = {"style": "font-weight: bold"} if tree.style in ("bold", "bb") else {}
        return _tag("mn", escape(tree.text), **bold)

    def name(self, tree: nodes.Name) -> str:
        if tree.name in SIGNS:
            return _sign(SIGNS[tree.name], lspace="0", rspace="0")
        letter = LETTERS.get(tree.name) or GREEK.get(tree.name)
        if letter is None and len(tree.name) > 1:
            return _tag("mi", escape(tree.name))
        char = letter or tree.name
        if tree.style in ("bold", "cal"):
            return content(Ident(char, "bold" if tree.style == "bold" else "calligraphic"))
        if tree.style == "bb":
            return _tag("mi", BLACKBOARD.get(char, char))
        upright = tree.style in ("upright", "text") or char in "\u2202\u2207\u221e"
        return _tag("mi", escape(char), **({"mathvariant": "normal"} if upright else {}))

    def words(self, tree: nodes.Words) -> str:
        text = tree.text.strip()
        before = "\u00a0" * (text[:1].isascii() or tree.text[:1].isspace())
        after = "\u00a0" * (text[-1:].isascii() or tree.text[-1:].isspace())
        return _tag("mtext", before + escape(text) + after)

    def dots(self, tree: nodes.Dots) -> str:
        low = any(word in self._source(tree) for word in ("\\dots", "\\ldots", "...", "\u2026"))
        vertical = {"\\vdots": "\u22ee", "\\ddots": "\u22f1"}.get(self._source(tree).strip())
        return _sign(vertical or ("\u2026" if low else "\u22ef"), lspace="0.167em", rspace="0.167em")

    def empty(self, tree: nodes.Empty) -> str:
        return _tag("mrow", "")

    # -- what encloses -----------------------------------------------------------------------------------------
    def accent(self, tree: nodes.Accent) -> str:
        char, stretches = ACCENTS.get(tree.mark, ("^", False))
        wide = stretches or not isinstance(tree.body, nodes.Name)
        mark = _sign(char, stretchy="true" if wide else "false")
        if tree.mark == "underline":
            return _tag("munder", self.write(tree.body) + mark)
        return _tag("mover", self.write(tree.body) + mark, accent="true")

    def script(self, tree: nodes.Script) -> str:
        primes = _sign("\u2032", lspace="0", rspace="0") * tree.primes
        base = self.write(tree.base)
        if tree.sub is None and tree.sup is None:
            return _row(base, primes) if primes else base
        sup = self.write(tree.sup)
        if primes:
            sup = _row(primes, sup) if sup else _tag("mrow", primes)
        parts = [self.write(tree.sub), sup]
        kind = "m" + "sub" * bool(parts[0]) + "sup" * bool(parts[1])
        return _tag(kind, base + "".join(parts)) if kind != "m" else base

    def fence(self, tree: nodes.Fence) -> str:
        tall = any(isinstance(part, _TALL) for part in tree.body.walk())
        return self._fenced(self.write(tree.body), tree.left, tree.right, tall)

    def _fenced(self, body: str, left: str, right: str, tall: bool) -> str:
        grows = "true" if tall else "false"
        opening, closing = BRACKETS.get(left, (left, left))[0], BRACKETS.get(right, (right, right))[1]
        before = _sign(opening, form="prefix", stretchy=grows, lspace="0", rspace="0") if opening else ""
        after = _sign(closing, form="postfix", stretchy=grows, lspace="0", rspace="0") if closing else ""
        return _tag("mrow", before + body + after)

    def fraction(self, tree: nodes.Fraction) -> str:
        return _tag("mfrac", self.write(tree.top) + self.write(tree.bottom))

    def root(self, tree: nodes.Root) -> str:
        if tree.degree is None:
            return _tag("msqrt", self.write(tree.body))
        return _tag("mroot", self.write(tree.body) + self.write(tree.degree))

    def grid(self, tree: nodes.Grid) -> str:
        aligned = {"style": "text-align: left"} if tree.kind == "cases" else {}
        rows = ("".join(_tag("mtd", self.write(cell), **aligned) for cell in row) for row in tree.rows)
        table = _tag("mtable", "".join(_tag("mtr", row) for row in rows))
        if tree.kind == "cases":
            return self._fenced(table, "{", ".", True)
        if tree.kind == "binomial":
            return self._fenced(table, "(", ")", True)
        match = re.match(r"\\begin\s*\{(\w+)", self._source(tree))
        left, right = MATRIX_BRACKETS.get(match[1] if match else "", (".", "."))
        return self._fenced(table, left, right, True)

    def annotated(self, tree: nodes.Annotated) -> str:
        body = self.write(tree.body)
        if tree.kind == "box":
            return _tag("mrow", body, style="border: 0.05em solid; padding: 0.15em")
        if tree.kind in ("under", "over"):
            name, brace = ("munder", "\u23df") if tree.kind == "under" else ("mover", "\u23de")
            braced = _tag(name, _tag("mrow", body) + _sign(brace, stretchy="true"))
            return _tag(name, braced + self.write(tree.note)) if tree.note is not None else braced
        if tree.kind == "aside":
            return _row(body, '<mspace width="1em"></mspace>', self.write(tree.note))
        below = self._source(tree).startswith("\\underset")
        return _tag("munder" if below else "mover", _tag("mrow", body) + self.write(tree.note))

    def evaluated(self, tree: nodes.Evaluated) -> str:
        bar = _sign("|", form="postfix", stretchy="true", lspace="0", rspace="0")
        body = _tag("mrow", self.write(tree.body) + bar)
        parts = [self.write(tree.sub), self.write(tree.sup)]
        kind = "m" + "sub" * bool(parts[0]) + "sup" * bool(parts[1])
        return _tag(kind, body + "".join(parts)) if kind != "m" else body

    # -- operators ---------------------------------------------------------------------------------------------
    def big(self, tree: nodes.Big) -> str:
        bounds = [self.write(tree.sub), self.write(tree.sup)]
        char = BIG.get(tree.kind)
        if char is None:
            sign = _tag("mo", escape(tree.kind), movablelimits="true", lspace="0", rspace="0.167em")
        else:
            sign = _sign(char, largeop="true", movablelimits="true")
        names = ("sub", "sup") if tree.kind == "int" else ("under", "over")
        kind = "m" + "".join(name for name, bound in zip(names, bounds, strict=True) if bound)
        return _row(_tag(kind, sign + "".join(bounds)) if kind != "m" else sign, self.write(tree.body))

    def product(self, tree: nodes.Product) -> str:
        parts = [self.write(tree.factors[0])]
        for i, operator in enumerate(tree.operators):
            left, right = tree.factors[i], tree.factors[i + 1]
            if operator:
                parts.append(_sign(OPERATORS.get(operator, operator)))
            elif _is_word(left) and not isinstance(right, nodes.Fence):
                parts.append('<mo lspace="0" rspace="0.167em">&#x2061;</mo>')
            elif not isinstance(right, nodes.Fence):
                apart = _is_word(right) or any(
                    isinstance(part, nodes.Fraction | nodes.Derivative) for part in (left, right)
                )
                parts.append(f'<mo lspace="0" rspace="{"0.167em" if apart else "0"}">&#x2062;</mo>')
            parts.append(self.write(right))
        return _row(*parts)

    def plus(self, tree: nodes.Plus) -> str:
        parts = []
        for i, (sign, term) in enumerate(zip(tree.signs, tree.terms, strict=True)):
            char = {"+": "+", "-": "\u2212", "pm": "\u00b1", "oplus": "\u2295"}.get(sign, "")
            parts += [_sign(char, form="prefix" if i == 0 else "infix") if char else "", self.write(term)]
        return _row(*parts)

    def derivative(self, tree: nodes.Derivative) -> str:
        if tree.symbol == "nabla":
            by = _row(*map(self.write, tree.by)) if tree.by else ""
            nabla = '<mi mathvariant="normal">\u2207</mi>'
            return _row(_tag("msub", nabla + by) if by else nabla, self.write(tree.of))
        symbol = {"partial": '<mi mathvariant="normal">\u2202</mi>', "delta": "<mi>\u03b4</mi>"}.get(
            tree.symbol, f"<mi>{escape(tree.symbol)}</mi>"
        )
        sup = self.write(tree.mark) or self.write(tree.order)
        above = _tag("msup", symbol + sup) if sup else symbol
        if isinstance(tree.mark, nodes.Accent):
            above = self.write(tree.mark)
        below = _row(*(part for by in tree.by for part in (symbol, self.write(by))))
        source = self._source(tree)
        if "/" in source and "frac" not in source:
            return _row(above, self.write(tree.of), _sign("/", lspace="0", rspace="0"), below)
        behind = tree.of is not None and bool(tree.by) and tree.of.start > tree.by[-1].start
        fraction = _tag("mfrac", _row(above, "" if behind else self.write(tree.of)) + below)
        return _row(fraction, self.write(tree.of)) if behind else fraction

    # -- chains ------------------------------------------------------------------------------------------------
    def relation(self, tree: nodes.Relation) -> str:
        source = self._source(tree).strip()
        char = RELATIONS.get(source) or RELATIONS.get(tree.kind, tree.kind)
        sign = _sign(char)
        return sign if tree.note is None else _tag("mover", sign + self.write(tree.note))

    def chain(self, tree: nodes.Chain) -> str:
        """Write a chain, below one another where its source has several lines."""
        places = [part for pair in zip(tree.operands, tree.relations, strict=False) for part in pair]
        gaps = zip(places, [*places[1:], tree.operands[-1]], strict=True)
        if any("\\\\" in self.latex[before.end : after.start] for before, after in gaps):
            return self._lines([(tree, "")])
        parts = [self.write(tree.operands[0])]
        for relation, operand in zip(tree.relations, tree.operands[1:], strict=True):
            parts += [self.write(relation), self.write(operand)]
        return _row(*parts)

    def listing(self, tree: nodes.Listing) -> str:
        rows = [i + 1 for i, separator in enumerate(tree.separators) if separator == "row"]
        if not rows:
            return _row(self.write(tree.items[0]), self._tail(tree, 0, len(tree.items)))
        bounds = zip([0, *rows], [*rows, len(tree.items)], strict=True)
        return self._lines([(tree.items[start], self._tail(tree, start, end)) for start, end in bounds])

    def _tail(self, tree: nodes.Listing, start: int, end: int) -> str:
        """Write the items of a listing behind one of them, each with what separates it."""
        parts = []
        for i in range(start + 1, end):
            between = self.latex[tree.items[i - 1].end : tree.items[i].start]
            parts += [self._separator(tree.separators[i - 1], between), self.write(tree.items[i])]
        return "".join(parts)

    def _separator(self, kind: str, source: str) -> str:
        wide = '<mspace width="1em"></mspace>' if "quad" in source else ""
        if kind == "implies":
            command = re.search(r"\\[A-Za-z]+", source.replace("\\quad", "").replace("\\qquad", ""))
            return wide + _sign(
                IMPLICATIONS.get(command[0] if command else "", "\u21d2"), lspace="0.5em", rspace="0.5em"
            )
        if kind in SEPARATORS:
            return _sign(SEPARATORS[kind], lspace="0", rspace="0.167em") + wide
        return wide or '<mspace width="0.35em"></mspace>'

    def _lines(self, lines: list[tuple[nodes.Tree, str]]) -> str:
        """Write lines below one another, aligned at their relation signs; each has something behind it."""
        rows = []
        for tree, tail in lines:
            if not isinstance(tree, nodes.Chain):
                rows.append(("", "", _row(self.write(tree), tail)))
                continue
            left = self.write(tree.operands[0])
            for relation, operand in zip(tree.relations, tree.operands[1:], strict=True):
                last = operand is tree.operands[-1]
                rows.append((left, self.write(relation), _row(self.write(operand), tail if last else "")))
                left = ""
        written = ("".join(_tag("mtd", cell) for cell in row) for row in rows)
        return (
            '<mtable class="aligned" displaystyle="true">' + "".join(_tag("mtr", row) for row in written) + "</mtable>"
        )


def _is_word(tree: nodes.Tree) -> bool:
    """Whether it is a word such as ``tanh``, with or without scripts."""
    core = tree.base if isinstance(tree, nodes.Script) else tree
    known = isinstance(core, nodes.Name) and (core.name in GREEK or core.name in LETTERS or core.name in SIGNS)
    return isinstance(core, nodes.Name) and len(core.name) > 1 and not known


_FRACTIONS = (nodes.Fraction, nodes.Derivative)
_TALL = (nodes.Fraction, nodes.Big, nodes.Grid, nodes.Annotated, nodes.Derivative)
_WRITERS: dict[type, Callable[[_Writer, Any], str]] = {
    nodes.Number: _Writer.number,
    nodes.Name: _Writer.name,
    nodes.Accent: _Writer.accent,
    nodes.Script: _Writer.script,
    nodes.Fence: _Writer.fence,
    nodes.Fraction: _Writer.fraction,
    nodes.Root: _Writer.root,
    nodes.Grid: _Writer.grid,
    nodes.Words: _Writer.words,
    nodes.Annotated: _Writer.annotated,
    nodes.Big: _Writer.big,
    nodes.Dots: _Writer.dots,
    nodes.Product: _Writer.product,
    nodes.Plus: _Writer.plus,
    nodes.Derivative: _Writer.derivative,
    nodes.Evaluated: _Writer.evaluated,
    nodes.Relation: _Writer.relation,
    nodes.Chain: _Writer.chain,
    nodes.Listing: _Writer.listing,
    nodes.Empty: _Writer.empty,
}
