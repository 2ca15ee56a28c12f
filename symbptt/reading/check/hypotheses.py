"""What a note assumes: which of its statements constrain a symbol instead of claiming something, and how long for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from ..meaning.expr import Call, Counter, Deriv, Expr, Mul, Norm, Ref
from ..meaning.symbols import ARRAY_FUNCTIONS, SPECTRAL
from ..notation.tree import Chain
from ..note import Formula, Note
from ..value.world import Meanings
from .definitions import number_in, same
from .statements import Statement

INEQUALITIES = frozenset(["<", ">", "le", "ge"])
FLIPPED = {"<": ">", ">": "<", "le": "ge", "ge": "le"}
SLOPE = "slope"
"""Name of the function without arguments that stands for |f'| at the states of an instance."""

INTRODUCES = re.compile(
    r"假设|假定|(?<![建])设(?!计|置|备)|若(?!干)|如果|假如|当(?!前|然|作|于|中)|令|(?<![获采提抽选])取(?!值|决|自|得)|"
    r"只要|由于|因为|满足|使得|其中|存在|给定|已知|suppose|assum|\bif\b|\bwhen|\blet\b|\bwhere\b|such that|\bwith\s*$|"
    r"provided|whenever|\bgiven\b|\bsince\b|because|there is|there exist|requir",
    re.I,
)
CONCLUDES = re.compile(
    r"因此|所以|于是|从而|故|(?<![法原规准否])则|那么|可得|得到|可知|我们有|推出|就有|hence|thus|therefore|\bso\b|\bthen\b|"
    r"we have|we get|follows|implies|gives|we obtain|yields",
    re.I,
)
LOCAL = re.compile(r"若|如果|假如|当|只要|\bif\b|\bwhen|whenever|provided", re.I)
"""Words of a condition that ends with its section."""
ANEW = re.compile(r"(?:某个?|一个|一)常数|some constant|a constant|constant\s*$|there (?:is|exists)", re.I)
"""Words that bring in a constant, whatever its name meant before."""
FOLLOWED = re.compile(r"^[\s$`\\)]*(?:时|的时候|的情况|的条件下|成立时)")
_CLOSED = re.compile(
    r"当[^，,。]{0,60}?时[，,]?|(?:对于?|for)(?:足够|充分|很)?大的?[^，,。]{0,12}[，,]|(?:when|for|as)\b[^.,]{0,40},",
    re.I,
)
_SUPPOSE_HAVING = re.compile(r"(假设|假定|设|suppose|assume)(?: that)?\s*(?:我们有|we have)", re.I)
_SENTENCE = re.compile(r"[。！？]|[.!?](?=\s)")


@dataclass(frozen=True)
class Known:
    """What the symbols of a model stand for: whether one has a meaning, and what a note defines it as.

    Attributes
    ----------
    meanings : Meanings
    variables : frozenset of str
        Variables over time.
    """

    meanings: Meanings
    variables: frozenset[str] = frozenset()

    def __call__(self, ref: Ref) -> bool:
        meanings, key = self.meanings, ref.key
        step = ref.when.constant if ref.when is not None and ref.when.is_number else None
        if ref.when is None:
            named = key in meanings.parameters or key in meanings.loss or key in meanings.untimed
        else:
            named = key in meanings.variables or key in meanings.losses or key in self.variables
        given = {key, (key, step), f"{key}_{step}"} & set(meanings.constants)
        return named or bool(given) or self.alias(ref) is not None

    def alias(self, ref: Ref) -> Expr | None:
        """Return what a note defines a symbol as."""
        step = ref.when.constant if ref.when is not None and ref.when.is_number else None
        found = self.meanings.aliases.get((ref.key, step)) or self.meanings.aliases.get(ref.key)
        return None if found is None else found.expr


@dataclass(frozen=True)
class Hypothesis:
    """Two expressions and the relation that a note supposes between them.

    Attributes
    ----------
    left, right : Expr
    kind : str
        Of the relation: "<", "le", ">", "ge", "=", "approx".
    line : int
        In the note.
    start : int
        Offset in the note.
    conditions : tuple of Chain
        For which indices.
    local : bool
        Whether it ends with its section.
    """

    left: Expr
    kind: str
    right: Expr
    line: int
    start: int
    conditions: tuple[Chain, ...] = ()
    local: bool = False

    @property
    def sides(self) -> tuple[Expr, Expr]:
        return self.left, self.right


@dataclass
class Scope:
    """The hypotheses that hold at a place of a note."""

    active: list[Hypothesis] = field(default_factory=list)

    def add(self, new: Iterable[Hypothesis], known: Known, anew: int | None = None) -> None:
        """Take hypotheses; earlier ones that contradict them are forgotten, and all about the same constants.

        Parameters
        ----------
        new : iterable of Hypothesis
        known : Known
        anew : int, optional
            Where their constants are brought in anew: the offset before which the constants meant something else.
        """
        found = [h for h in new if not any(_alike(h, old) for old in self.active)]
        if anew is not None:
            own = set().union(*(constants_in(h.sides, known) for h in found))
            self.active = [h for h in self.active if h.start >= anew or not constants_in(h.sides, known) & own]
        forgotten: set[str] = set()
        for hypothesis in found:
            clashing = [old for old in self.active if _clash(old, hypothesis)]
            for old in clashing:
                forgotten |= constants_in(old.sides, known)
                self.active.remove(old)
        self.active = [h for h in self.active if not constants_in(h.sides, known) & forgotten]
        self.active += found

    def move(self, note: Note, start: int) -> None:
        """Forget what ended with a section before an offset."""
        headings = [p.start for p in note.passages if p.kind == "heading" and p.start < start]
        self.active = [h for h in self.active if not (h.local and any(h.start < p for p in headings))]

    def about(self, keys: set[str], known: Known) -> list[Hypothesis]:
        """Return the hypotheses about some constants, also through other constants, and about none at all."""
        wanted = set(keys)
        while True:
            more = {k for h in self.active if (own := constants_in(h.sides, known)) & wanted for k in own}
            if more <= wanted:
                break
            wanted |= more
        return [h for h in self.active if not (own := constants_in(h.sides, known)) or own & wanted]


def key_of(ref: Ref) -> str | None:
    """Return the name of what may be a constant: ``c``, ``lambda_1``; None for a variable over time.

    >>> key_of(Ref("c"))
    'c'
    """
    if ref.when is None:
        return ref.key
    return f"{ref.key}_{ref.when.constant}" if ref.when.is_number else None


def constants_in(exprs: Iterable[Expr], known: Known, depth: int = 0) -> set[str]:
    """Return the names of symbols that stand for fixed numbers and have no value."""
    found: set[str] = set()
    for part in (p for e in exprs for p in _outside_functions(e) if isinstance(p, Ref)):
        key, alias = key_of(part), known.alias(part)
        if not known(part):
            found |= {key} if key is not None else set()
        elif alias is not None and depth < 4 and part.key not in known.meanings.parameters:
            found |= constants_in([alias], known, depth + 1)
    return found


def _outside_functions(e: Expr) -> Iterator[Expr]:
    """Yield the parts of an expression that are no arguments of functions of one number."""
    yield e
    for child in e.children:
        if not (isinstance(e, Call) and isinstance(child, Ref) and _is_activation(e)):
            yield from _outside_functions(child)


OF_ARRAYS = frozenset([*ARRAY_FUNCTIONS.values(), *SPECTRAL, "rho"])
"""Functions of arrays."""


def _is_activation(e: Call) -> bool:
    return e.name not in OF_ARRAYS


def arguments_in(exprs: Iterable[Expr], known: Known) -> set[str]:
    """Return the names that stand for any number: bare arguments of functions, ``f'(z)``."""
    return {
        a.key
        for e in exprs
        for part in e.walk()
        if isinstance(part, Call) and _is_activation(part)
        for a in part.arguments
        if isinstance(a, Ref) and a.when is None and not known(a)
    }


# -- what a statement is ------------------------------------------------------------------------------


def pairs(statement: Statement) -> Iterator[tuple[Expr, str, Expr]]:
    """Yield the neighbouring operands of a chain with the relation between them."""
    for a, r, b in zip(statement.operands, statement.relations, statement.operands[1:], strict=False):
        yield a, r.kind, b


def is_supposed(statement: Statement, note: Note, known: Known, bounded: set[str]) -> bool:
    """Whether a statement constrains symbols and claims nothing.

    Parameters
    ----------
    statement : Statement
    note : Note
    known : callable
        Whether a symbol has a meaning in the model.
    bounded : set of str
        Constants about which something is supposed already.
    """
    kinds = {r.kind for r in statement.relations}
    said = said_before(note, statement)
    if not kinds & INEQUALITIES:
        return said != "claim" and _fixes(statement, known)
    if not kinds <= INEQUALITIES | {"="} or any(isinstance(o, Counter) for o in statement.operands):
        return False
    simple = all(_simple(a, b, known) for a, _, b in pairs(statement))
    if said == "claim":
        return not constants_in(statement.operands, known) <= bounded and all(
            _is_number(x) or _is_constant(x.of if isinstance(x, Norm) else x, known) for x in statement.operands
        )
    if said == "supposed":
        return simple or _brings_in(statement, known, bounded)
    timed = any(isinstance(p, Ref) and p.when is not None and known(p) for o in statement.operands for p in o.walk())
    if simple and not timed and not any(isinstance(p, Deriv | Call) for o in statement.operands for p in o.walk()):
        return True
    return _brings_in(statement, known, bounded)


def _fixes(statement: Statement, known: Known) -> bool:
    """Whether a statement gives a norm or a slope its number: ``\\|W\\| = 1``, ``f'(z_t) \\approx 0.25``."""
    if len(statement.operands) != 2:
        return False
    left, kind = statement.operands[0], statement.relations[0].kind
    if not _is_number(statement.operands[1]) and not (kind == "=" and _is_bare(statement.operands[1], known)):
        return False
    if isinstance(left, Call) and left.primes and kind == "approx":
        return any(isinstance(p, Ref) and p.when is not None for p in left.walk())
    size = isinstance(left, Norm) or (isinstance(left, Call) and left.name in SIZES)
    inner = left.children[0] if size else None
    return kind in ("=", "approx") and isinstance(inner, Ref) and inner.when is None


def _is_bare(e: Expr, known: Known) -> bool:
    """Whether an expression is the letter of a constant, with a number or without."""
    return isinstance(e, Ref) and e.when is None and e.key not in known.meanings.parameters and known.alias(e) is None


SIZES = frozenset(["rho", "sigma_max", "sigma_min", "lambda_max", "lambda_min"])
"""Functions that give the size of a matrix."""


def _simple(a: Expr, b: Expr, known: Known) -> bool:
    """Whether one side is a number or a constant, and the other as simple: c, |c|, ||W||, f'(z), c ||W||."""
    sides = [(a, b), (b, a)]
    return any((_is_number(x) or _is_bare(x, known)) and _is_plain(y, known) for x, y in sides)


def _is_number(e: Expr) -> bool:
    return isinstance(number_in(e), Fraction)


def _is_constant(e: Expr, known: Known) -> bool:
    return isinstance(e, Ref) and not known(e) and key_of(e) is not None


def _is_plain(e: Expr, known: Known) -> bool:
    if isinstance(e, Norm):
        return isinstance(e.of, Ref | Deriv) or (isinstance(e.of, Call) and (bool(e.of.primes) or e.of.name == SLOPE))
    if isinstance(e, Mul):
        return all(_is_plain(f, known) or _is_number(f) for f in e.factors)
    if isinstance(e, Call):
        return e.name in SIZES or bool(e.primes) or e.name == SLOPE
    if isinstance(e, Ref):
        return e.when is None or not known(e)
    children = e.children
    return _is_number(e) or (bool(children) and all(_is_plain(c, known) for c in children) and not isinstance(e, Deriv))


def _brings_in(statement: Statement, known: Known, bounded: set[str]) -> bool:
    """Whether a bare constant is mentioned for the first time, as a bound of something else."""
    for a, kind, b in pairs(statement):
        for side, other in ((a, b), (b, a)):
            new = isinstance(side, Ref) and _is_constant(side, known) and key_of(side) not in bounded
            if kind in INEQUALITIES and new and not constants_in([other], known):
                return True
    return False


def factorwise(statement: Statement, bounded: set[str], known: Known, note: Note) -> list[Hypothesis]:
    """Return that constants without a meaning bound the factors beside them, as in ||A|| ||B|| <= beta_A beta_B."""
    for a, kind, b in pairs(statement):
        if kind not in INEQUALITIES or not isinstance(a, Mul) or not isinstance(b, Mul):
            continue
        keys = [key_of(f) if isinstance(f, Ref) and not known(f) else None for f in b.factors]
        fresh = None not in keys and len(set(keys)) == len(keys) == len(a.factors) and not bounded & set(keys)
        if fresh and not constants_in([a], known):
            line = note.place(statement.start)[0]
            return [
                Hypothesis(x, kind, y, line, statement.start, statement.conditions)
                for x, y in zip(a.factors, b.factors, strict=True)
            ]
    return []


def said_before(note: Note, statement: Statement) -> str:
    """Return "supposed" or "claim" where the words around a statement say which it is, else ""."""
    if FOLLOWED.match(note.text[statement.read.formula.end : statement.read.formula.end + 12]):
        return "supposed"
    before = sentence_before(note, statement.read.formula.start)
    before = _CLOSED.sub("", _SUPPOSE_HAVING.sub(r"\1", before))
    supposed = [m.end() for m in INTRODUCES.finditer(before)]
    claims = [m.end() for m in CONCLUDES.finditer(before)]
    if not supposed and not claims:
        return ""
    return "supposed" if max(supposed, default=-1) > max(claims, default=-1) else "claim"


def sentence_start(note: Note, start: int) -> int:
    """Return the offset at which the sentence around an offset begins."""
    first = max(start - 240, 0)
    text = note.text[first:start]
    ends = [m.end() for m in _SENTENCE.finditer(text)]
    ends += [f.end - first for f in note.formulas if first < f.end < first + len(text) and _ends(f)]
    return first + max(ends, default=0)


def sentence_before(note: Note, start: int) -> str:
    """Return what stands before an offset in its sentence; formulas are a sign."""
    first = sentence_start(note, start)
    text = note.text[first:start]
    for formula in reversed([f for f in note.formulas if f.end > first and f.end <= start]):
        text = text[: max(formula.start - first, 0)] + "\u25a1" + text[formula.end - first :]
    return text.rstrip()


def _ends(formula: Formula) -> bool:
    """Whether a sentence ends within a formula."""
    return formula.latex.rstrip().endswith((".", "。"))


# -- contradictions -----------------------------------------------------------------------------------


def interval(hypothesis: Hypothesis) -> tuple[Expr, float, float] | None:
    """Return an expression and between which numbers a hypothesis keeps it; None where neither side is a number.

    >>> from symbptt.reading.meaning.expr import Num
    >>> interval(Hypothesis(Num(Fraction(1)), "<", Ref("c"), 1, 0))[1:]
    (1.0, inf)
    """
    left, kind, right = hypothesis.left, hypothesis.kind, hypothesis.right
    if isinstance(number_in(left), Fraction):
        left, kind, right = right, FLIPPED.get(kind, kind), left
    number = number_in(right)
    if not isinstance(number, Fraction):
        return None
    value, end = float(number), float("inf")
    if kind in ("<", "le"):
        return left, -end, value
    return (left, value, end) if kind in (">", "ge") else (left, value, value)


def _clash(a: Hypothesis, b: Hypothesis) -> bool:
    first, second = interval(a), interval(b)
    if first is None or second is None or not same(first[0], second[0]):
        return False
    low, high = max(first[1], second[1]), min(first[2], second[2])
    strict = a.kind in "<>" or b.kind in "<>"
    return low > high or (low == high and strict)


def _alike(a: Hypothesis, b: Hypothesis) -> bool:
    return a.kind == b.kind and same(a.left, b.left) and same(a.right, b.right)
