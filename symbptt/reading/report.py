"""What comes of checking notes: claims with their verdicts, models that were understood, lints; data, no prose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..checking.result import UNDECIDED, WRONG, Comparison
from .note import Note

HOLDS, REFUTED, CONDITIONAL = "holds", "refuted", "conditional"
DEFINITION, ASSUMPTION, UNCHECKED, UNREAD = "definition", "assumption", "unchecked", "unread"
VERDICTS = (HOLDS, REFUTED, CONDITIONAL, DEFINITION, ASSUMPTION, UNCHECKED, UNREAD)
"""Every verdict, in the order in which they are counted."""


@dataclass(frozen=True)
class Math:
    """A formula within a message, as LaTeX without delimiters."""

    latex: str


@dataclass(frozen=True)
class Message:
    """Words to be: the key of a phrase, and what fills its placeholders (numbers, texts, :class:`Math`, messages).

    >>> message("check.reason.shapes", left=Math("W h^\\\\top"), shape="2 x 3").values[1]
    ('shape', '2 x 3')
    """

    key: str
    values: tuple[tuple[str, Any], ...] = ()


def message(key: str, **values: Any) -> Message:
    """Return a message."""
    return Message(key, tuple(values.items()))


@dataclass(frozen=True)
class Counterexample:
    """Where two operands of a chain differ.

    Attributes
    ----------
    left, right : str
        The two neighbouring operands, as LaTeX.
    relation : str
        The relation between them, as LaTeX: ``=``, ``\\le``.
    left_value, right_value : float, nested tuples of float, or None
        Their values; None where an operand has none, because its shapes do not fit.
    sizes : tuple of (str, int)
        n, m, q and T of the instance.
    indices : tuple of (str, int)
        Values of the free time indices.
    numbers : tuple of (str, value)
        The numbers of the instance that are worth showing: all of a scalar model, few otherwise.
    given : bool
        Whether the numbers are the note's own.
    seed : int or None
    """

    left: str
    right: str
    relation: str
    left_value: Any
    right_value: Any
    sizes: tuple[tuple[str, int], ...] = ()
    indices: tuple[tuple[str, int], ...] = ()
    numbers: tuple[tuple[str, Any], ...] = ()
    given: bool = False
    seed: int | None = None

    @property
    def has_values(self) -> bool:
        """Whether an operand has a value: none has where the shapes within them do not fit."""
        return self.left_value is not None or self.right_value is not None


@dataclass(frozen=True)
class Claim:
    """A formula with a relation, and what was found about it.

    Attributes
    ----------
    file : str
    cell : int or None
        Of a notebook.
    line, column : int
        Of the formula's first character.
    start, end : int
        Its offsets in the text of the note.
    latex : str
    verdict : str
        One of :data:`VERDICTS`.
    reason : Message
    condition : Message or None
        Of what is conditional.
    counterexample : Counterexample or None
        Of what is refuted.
    cause : str or None
        The likely mistake, a word of :data:`CAUSES`.
    right : str or None
        The right formula, as LaTeX.
    consequence_of : int or None
        The line of the earlier claim from whose mistake this one follows.
    inline : bool
        Whether the formula stands within a line of text.
    """

    file: str
    line: int
    column: int
    start: int
    end: int
    latex: str
    verdict: str
    reason: Message
    condition: Message | None = None
    counterexample: Counterexample | None = None
    cause: str | None = None
    right: str | None = None
    consequence_of: int | None = None
    inline: bool = False
    cell: int | None = None


CAUSES = (
    "lost-sum",  # a product along one path in the place of a sum over all paths
    "missing-derivative",  # f' is missing
    "misplaced-derivative",  # f' is at another step, or on the wrong side
    "transposed",  # a factor is transposed, or should be
    "reversed-product",  # the factors stand in the other order
    "inverted-factor",  # dh_{t-2}/dh_{t-1} in a chain that needs dh_{t-1}/dh_{t-2}
    "index-shift",
    "sign",
    "total-immediate",  # a total derivative where an immediate one is needed, or the other way round
    "scalar-formula",  # a formula of the scalar case, used for matrices
    "one-step-bound",  # a bound of one step, used for many
    "missing-term",
    "wrong-factor",
    "arithmetic",
    "rounding",
)
"""What goes wrong in notes."""


@dataclass(frozen=True)
class Lint:
    """Something beside the formulas that a reader would stumble over.

    Attributes
    ----------
    file : str
    line, column : int
    kind : str
        One of :data:`LINTS`.
    message : Message
    """

    file: str
    line: int
    column: int
    kind: str
    message: Message
    cell: int | None = None


LINTS = (
    "other-derivative",  # a heading or sentence names a derivative that is not the one in the formula under it
    "defined-twice",
    "undefined-symbol",
    "sum-without-bounds",
    "inverted-factor",
    "unclosed",  # a delimiter or brace that is never closed
)


@dataclass(frozen=True)
class Understood:
    """A model as the note gives it.

    Attributes
    ----------
    line : int
        From which on it holds.
    equations : tuple of str
        As LaTeX: the equations, the readout, the loss.
    facts : tuple of Message
        What was understood about it: convention, sizes, activation, and what was assumed because the note is silent.
    symbols : tuple of (str, str, Message)
        LaTeX, shape as LaTeX, meaning.
    values : tuple of (str, str)
        LaTeX of a symbol, its number.
    """

    file: str
    line: int
    equations: tuple[str, ...] = ()
    facts: tuple[Message, ...] = ()
    symbols: tuple[tuple[str, str, Message], ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    cell: int | None = None


CODE_VERDICTS = ("right", "wrong", "undecided", "unchecked")
"""What may be said of a function of a note whose gradients were to be checked."""


@dataclass(frozen=True)
class CodeCheck:
    """A function in a note's Python, and what was found about its gradients.

    Attributes
    ----------
    file : str
    name : str
        As the user named it: ``f``, ``Class.method``, ``forward:backward``.
    line : int or None
        Of its definition; None where it is not known, and in notebooks.
    gradients : tuple of Comparison
    reason : Message or None
        Why it could not be checked.
    remarks : tuple of Message
        What else was met on the way, such as a block that is cut off.
    output : str
        What the code printed, cut.
    """

    file: str
    name: str
    line: int | None = None
    gradients: tuple[Comparison, ...] = ()
    reason: Message | None = None
    remarks: tuple[Message, ...] = ()
    output: str = ""

    @property
    def verdict(self) -> str:
        """One of :data:`CODE_VERDICTS`.

        >>> CodeCheck("n.md", "f", reason=Message("check.code.died")).verdict
        'unchecked'
        """
        found = {one.verdict for one in self.gradients}
        if self.reason is not None:
            return "unchecked"
        return "wrong" if WRONG in found else "right" if found - {UNDECIDED} else "undecided"


@dataclass(frozen=True)
class Report:
    """The claims of one or more notes.

    Attributes
    ----------
    notes : tuple of Note
    claims : tuple of Claim
        In the order of the text.
    lints : tuple of Lint
    models : tuple of Understood
    formulas, read : int
        How many formulas there are, claims or not, and how many of them could be read.
    code : tuple of CodeCheck
        The functions that the user had run; empty unless asked for.
    """

    notes: tuple[Note, ...] = ()
    claims: tuple[Claim, ...] = ()
    lints: tuple[Lint, ...] = ()
    models: tuple[Understood, ...] = ()
    formulas: int = 0
    read: int = 0
    code: tuple[CodeCheck, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Verdict -> number, every verdict in its order.

        >>> Report().counts["refuted"]
        0
        """
        return {verdict: sum(c.verdict == verdict for c in self.claims) for verdict in VERDICTS}

    @property
    def ok(self) -> bool:
        """Whether nothing is refuted, and every function that was to be run has right gradients."""
        return self.counts[REFUTED] == 0 and all(one.verdict == "right" for one in self.code)

    def __bool__(self) -> bool:
        return self.ok


def joined(reports: Iterable[Report]) -> Report:
    """Return one report of several."""
    all_of = tuple(reports)
    return Report(
        notes=tuple(n for r in all_of for n in r.notes),
        claims=tuple(c for r in all_of for c in r.claims),
        lints=tuple(x for r in all_of for x in r.lints),
        models=tuple(m for r in all_of for m in r.models),
        formulas=sum(r.formulas for r in all_of),
        read=sum(r.read for r in all_of),
        code=tuple(c for r in all_of for c in r.code),
    )
