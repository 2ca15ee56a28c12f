"""How a note writes its symbols: the LaTeX of expressions in the note's own letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..meaning.expr import Add, Bound, Call, Counter, Deriv, Div, Expr, Hadamard, Matrix, Mul, Num, Pow, Ref, Transpose
from ..meaning.index import Index, index_of, letter
from ..notation.tree import Script, Tree
from .statements import Statement

DIAG = re.compile(r"\\(?:operatorname|mathrm|text|textrm|mathop)\s*\*?\{[Dd]iag\}|\\diag\b")
TRANSPOSE = re.compile(r"\^\s*(?:\{\s*)?(\\top|\\intercal|\\mathsf\{T\}|\\mathrm\{T\}|\\text\{T\}|T)(?![\w{])")
ORDER = "tTjkis"
GREEK = frozenset(["tau"])


def index_latex(index: Index) -> str:
    r"""Return an index as LaTeX, positive letters first.

    >>> index_latex(Index((("k", 1), ("t", 1)), -1)), index_latex(Index((), 3))
    ('t+k-1', '3')
    """
    terms = sorted(index.terms, key=lambda pair: (pair[1] < 0, (ORDER + pair[0]).index(pair[0])))
    text = ""
    for name, factor in terms:
        shown = f"\\{name}" if name in GREEK else name
        sign = "-" if factor < 0 else "+" if text else ""
        text += f"{sign}{'' if abs(factor) == 1 else abs(factor)}{shown}"
    if index.constant or not text:
        text += f"{index.constant:+d}" if text else str(index.constant)
    return text


def braced(text: str) -> str:
    """Return what stands as a subscript: in braces, unless it is one character.

    >>> braced("t"), braced("t-1")
    ('t', '{t-1}')
    """
    return text if len(text) == 1 else f"{{{text}}}"


def place_of(ref: Ref) -> Tree | None:
    """Return the part of a symbol's tree that is its step."""
    if ref.when is None:
        return None
    for part in ref.tree.walk():
        if not isinstance(part, Script):
            continue
        pieces = getattr(part.sub, "items", (part.sub,)) if part.sub is not None else ()
        for piece in (*pieces, *(() if part.sup is None else (part.sup,))):
            for found in (piece, getattr(piece, "factors", (None,))[0], getattr(piece, "body", None)):
                if isinstance(found, Tree) and index_of(found) == ref.when:
                    return found
    return None


@dataclass(frozen=True)
class Wording:
    """The words of a note.

    Attributes
    ----------
    samples : dict
        (key, whether over time) -> text before the step and text after it; without a step, text and nothing.
    functions : dict
        Name of a function -> its LaTeX.
    diag, top : str
        How diag and the transpose are written.
    primed : dict
        Functions whose derivative the note writes with a prime -> the LaTeX of that.
    space : str
        Between the d of a derivative and what it belongs to.
    symbol : str
        Of most of its derivatives.
    last : Index
        Up to which step it sums.
    """

    samples: dict[tuple[str, bool], tuple[str, str]] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    diag: str = r"\operatorname{diag}"
    top: str = r"\top"
    primed: dict[str, str] = field(default_factory=dict)
    space: str = " "
    symbol: str = "partial"
    last: Index = field(default_factory=lambda: letter("T"))

    @classmethod
    def of(cls, found: Iterable[Statement]) -> Wording:
        """Return the wording of statements."""
        wording = cls()
        statements = list(found)
        texts = "\n".join(s.latex for s in statements)
        diag = DIAG.search(texts)
        everything = [(s, p) for s in statements for o in s.operands for p in o.walk()]
        turned = (TRANSPOSE.search(s.source(p)) for s, p in everything if isinstance(p, Transpose))
        top = next((found for found in turned if found), None)
        for statement, part in everything:
            wording._learn(statement, part)
        symbols = [p.symbol for _, p in everything if isinstance(p, Deriv)]
        space = "" if re.search(r"\\frac\s*\{\s*(d|\\mathrm\{d\})[A-Za-z]", texts) else " "
        symbol = max(("partial", "d", "nabla"), key=symbols.count)
        return cls(
            wording.samples, wording.functions, diag.group() if diag else cls.diag, top.group(1) if top else cls.top,
            wording.primed, space, symbol, _last(p for _, p in everything),
        )  # fmt: skip

    def _learn(self, statement: Statement, part: Expr) -> None:
        text = statement.source(part)
        if isinstance(part, Call) and text and part.primes < 2:
            inner = part.arguments[0].tree if part.arguments else None
            if inner is not None:
                head = text[: max(inner.start - part.tree.start, 0)].strip()
                head = re.sub(r"(\\left|\\big|\\Big|\\bigl)?\s*[(\[]?\s*$", "", head).strip()
                (self.primed if part.primes else self.functions).setdefault(part.name, head or part.name)
        if not isinstance(part, Ref) or (part.key, part.when is not None) in self.samples or not text:
            return
        place = place_of(part)
        if part.when is None:
            tree = part.tree
            if isinstance(tree, Script) and "^" in text:
                end = max(tree.base.end, tree.sub.end if tree.sub is not None else 0)
                text = statement.read.formula.latex[tree.start : end].strip()
            self.samples[part.key, False] = untransposed(text) or text, ""
        elif place is not None:
            start = part.tree.start
            text = statement.read.formula.latex[start : part.tree.end]
            before, after = text[: place.start - start], text[place.end - start :]
            if not TRANSPOSE.search(before + after) and "^2" not in after:
                self.samples[part.key, True] = before, after.rstrip()

    # -- writing ------------------------------------------------------------------------------------------
    def ref(self, key: str, when: Index | None) -> str | None:
        """Return a symbol at a step."""
        sample = self.samples.get((key, when is not None))
        if sample is None:
            return None
        before, after = sample
        if when is None:
            return before
        text = index_latex(when)
        return f"{before}{text if before.endswith('(') else braced(text)}{after}"

    def deriv(self, of: str, by: str, mode: str = "", symbol: str | None = None) -> str:
        """Return a derivative."""
        symbol = symbol or self.symbol
        if symbol == "nabla" and not mode:
            return rf"\nabla_{{{by}}} {of}"
        mark = r"\partial^+" if mode == "immediate" else "d" if symbol == "d" else r"\partial"
        under = r"\partial" if mode == "immediate" else mark
        space = self.space if mark == "d" else " "
        return rf"\frac{{{mark}{space}{of}}}{{{under}{space}{by}}}"

    def write(self, e: Expr) -> str | None:
        """Return an expression as LaTeX; None where the note has no word for a part of it."""
        text: str | None = None
        if isinstance(e, Num):
            text = e.text or (str(e.value) if e.value.denominator == 1 else
                              rf"\frac{{{e.value.numerator}}}{{{e.value.denominator}}}")  # fmt: skip
        elif isinstance(e, Counter):
            text = index_latex(e.index)
        elif isinstance(e, Ref):
            text = self.ref(e.key, e.when)
        elif isinstance(e, Transpose):
            inner = self.write(e.of)
            text = None if inner is None else transposed(inner, self.top)
        elif isinstance(e, Add):
            parts = [self.write(t) for t in e.terms]
            if None not in parts:
                text = "".join(f" {'-' if s < 0 else '+'} {p}" for s, p in zip(e.signs, parts, strict=True))
                text = text[3:] if e.signs[0] > 0 else text.strip()
        elif isinstance(e, Mul | Hadamard):
            factors = [self._factor(f) for f in e.factors]
            if None not in factors:
                text = (r" \odot " if isinstance(e, Hadamard) else " ").join(f for f in factors if f)
        elif isinstance(e, Call) and len(e.arguments) == 1:
            inner = self.write(e.arguments[0])
            head = self.functions.get(e.name, {"tanh": r"\tanh", "sigmoid": r"\sigma"}.get(e.name))
            if e.primes == 1 and e.name in self.primed:
                head = self.primed[e.name]
            elif head is not None:
                head = head + "'" * e.primes
            if inner is not None and head is not None:
                text = f"{head}({inner})"
        elif isinstance(e, Pow):
            base, exponent = self._factor(e.base), self.write(e.exponent)
            text = None if base is None or exponent is None else f"{base}^{braced(exponent)}"
        elif isinstance(e, Div):
            top, bottom = self.write(e.top), self.write(e.bottom)
            text = None if top is None or bottom is None else rf"\frac{{{top}}}{{{bottom}}}"
        elif isinstance(e, Deriv) and len(e.by) == 1 and e.order == 1:
            of, by = self.write(e.of), self.write(e.by[0])
            text = None if of is None or by is None else self.deriv(of, by, e.mode, e.symbol)
        elif isinstance(e, Matrix):
            text = None
        return text

    def _factor(self, e: Expr) -> str | None:
        text = self.write(e)
        return f"({text})" if text is not None and isinstance(e, Add | Hadamard) else text


def _last(parts: Iterable[Expr]) -> Index:
    """Return the bound of most sums over all steps: T, or a number."""
    bounds = [
        p.high for p in parts
        if isinstance(p, Bound) and p.kind == "sum" and p.low == Index((), 1) and p.high is not None
        and not p.high.letters & {"t", "k", "j", "i", "s"}
    ]  # fmt: skip
    return max(dict.fromkeys(bounds), key=bounds.count, default=letter("T"))


def untransposed(text: str) -> str | None:
    r"""Return LaTeX without its last transpose; None where it has none.

    >>> untransposed(r"W_h^\top"), untransposed(r"h^{(t)\top}"), untransposed("W")
    ('W_h', 'h^{(t)}', None)
    """
    inner = re.search(r"(\\top|\\intercal)(\s*\})\s*$", text)
    if inner and re.search(r"\^\s*\{\s*$", text[: inner.start()]) is None and "^" in text[: inner.start()]:
        return text[: inner.start()].rstrip() + inner.group(2)
    pattern = r"\s*\^\s*(\{\s*)?(\\top|\\intercal|\\mathsf\{T\}|\\mathrm\{T\}|\\text\{T\}|T)(?(1)\s*\})"
    matches = [m for m in re.finditer(pattern, text) if _depth(text[: m.start()]) == 0]
    if not matches:
        return None
    last = matches[-1]
    return text[: last.start()] + text[last.end() :]


def _depth(text: str) -> int:
    return text.count("{") - text.count("}")


def transposed(text: str, top: str = r"\top") -> str:
    r"""Return LaTeX transposed.

    >>> transposed("h_{t-1}"), transposed(r"\frac{a}{b}"), transposed("h^{(t)}")
    ('h_{t-1}^\\top', '\\left(\\frac{a}{b}\\right)^\\top', 'h^{(t)\\top}')
    """
    text = text.strip()
    if re.fullmatch(r"\(.*\)|\\left\(.*\\right\)", text, re.S):
        return f"{text}^{top}"
    if re.fullmatch(r".*\^\{\([^{}]*\)\}", text, re.S):
        return f"{text[:-1]}{top}}}"
    simple = re.fullmatch(r"(\\[a-zA-Z]+(\{[^{}]*\})?|[A-Za-z])(_(\w|\\[a-z]+|\{[^{}]*\}))?", text)
    return f"{text}^{top}" if simple and not text.startswith(r"\frac") else rf"\left({text}\right)^{top}"
