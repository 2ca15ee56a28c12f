"""The models of a note: which of its statements define what, in their order and scope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..meaning.expr import Bound, Call, Counter, Expr, Num, Ref, Series, with_index
from ..meaning.index import Index, letter
from ..note import Note
from .definitions import (
    Definition,
    T,
    definition_of,
    generalised,
    given_together,
    has_derivative,
    named_argument,
    number_in,
    refs_in,
    same,
)
from .statements import Statement, is_setting

LOSS_KEYS = frozenset(["L", "J", "E", "C", "loss", "Loss", "ell", "l", "cost", "R", "epsilon", "mathcal_L"])
"""Keys that losses have."""
DECLARING = frozenset(["in", "gets", "+=", "-=", "mapsto"])
"""Relations that declare a shape, or tell what an algorithm does."""
LONGEST = 200
"""The largest T that is taken from a note."""
LAST_LOSS = re.compile(
    r"损失[^。\n]{0,12}(只|仅)[^。\n]{0,10}最后|only (?:at|on|depends on|through) the (?:last|final)|"
    r"loss (?:at|of) the (?:last|final) (?:step|time step|state)|loss is (?:computed|evaluated) (?:only )?at the end",
    re.I,
)
"""Words that say that only the last step has a loss."""
NEW_MODEL = re.compile(
    r"例|假设|假定|考虑|模型设置|设置|example|suppose|assume|consider|let us|now take|instance|special case|另一|simpl",
    re.I,
)
"""Words that announce another model, so that a symbol may be defined again."""


@dataclass
class Model:
    """A model as a note gives it.

    Attributes
    ----------
    start : int
        Offset in the note from which on it holds.
    equations : dict
        Key -> the equation of a variable over time, in t.
    loss : Definition or None
        L.
    constants : dict
        Key, or (key, step) -> number or array.
    aliases : dict
        Key, or (key, step) -> what the note calls by that symbol.
    abstract : dict
        Key -> what a note defines apart from time, L = f(Y, Z).
    steps : int or None
    uses : set of int
        Numbers of the statements that define it.
    own : set of str
        Keys that it defines anew.
    last : dict
        Key without a step that is a variable at one step, o = v h_3 -> that step, None for T.
    last_loss : bool
        Whether words say that the loss is that of the last step.
    """

    start: int = 0
    equations: dict[str, Definition] = field(default_factory=dict)
    loss: Definition | None = None
    constants: dict[Any, Any] = field(default_factory=dict)
    aliases: dict[Any, Definition] = field(default_factory=dict)
    abstract: dict[str, Definition] = field(default_factory=dict)
    steps: int | None = None
    uses: set[int] = field(default_factory=set)
    own: set[str] = field(default_factory=set)
    last: dict[str, int | None] = field(default_factory=dict)
    last_loss: bool = False

    def following(self, start: int) -> Model:
        """Return the model that begins at an offset, with everything of this one that is not given again."""
        return Model(start, dict(self.equations), self.loss, dict(self.constants), dict(self.aliases),
                     dict(self.abstract), self.steps, set(self.uses), set(), dict(self.last))  # fmt: skip

    @property
    def states(self) -> set[str]:
        """Variables that some equation reads at the step before."""
        lagged = {r.key for d in self.equations.values() for r in refs_in(d.right)
                  if r.when is not None and r.when == Index(((T, 1),), -1)}  # fmt: skip
        return lagged & set(self.equations)

    @property
    def loss_key(self) -> str | None:
        return None if self.loss is None else self.loss.key


@dataclass
class Discovery:
    """What came of reading a note for its models.

    Attributes
    ----------
    models : list of Model
    verdicts : dict
        Number of a statement that only defines or assumes -> "definition" or "assumption".
    twice : list of (Statement, Statement)
        Symbols that are defined in two ways.
    settings : list of (int, int)
        Offsets at which the note says what T is.
    """

    models: list[Model]
    verdicts: dict[int, str] = field(default_factory=dict)
    twice: list[tuple[Statement, Statement]] = field(default_factory=list)
    settings: list[tuple[int, int]] = field(default_factory=list)

    def steps_at(self, offset: int, note: Note) -> int | None:
        """Return what T was last said to be in the section of an offset."""
        near = [(o, steps) for o, steps in self.settings if o < offset and not _section_between(note, o, offset)]
        return near[-1][1] if near else None

    def model_at(self, offset: int) -> Model:
        """Return the model that holds at an offset of the note."""
        found = [m for m in self.models if m.start <= offset]
        return found[-1] if found else self.models[0]


def discover(found: Iterable[Statement], note: Note, assumed: Mapping[str, float] = {}) -> Discovery:
    """Return the models of a note.

    Parameters
    ----------
    found : iterable of Statement
    note : Note
    assumed : mapping
        Numbers that the user adds.
    """
    discovery = Discovery([Model(constants={**assumed})])
    for statement in found:
        _take(statement, discovery, note)
    for model in discovery.models:
        model.last_loss = bool(LAST_LOSS.search(note.text))
    first = next((m for m in discovery.models if m.equations), discovery.models[0])
    first.start = 0
    discovery.models = [m for m in discovery.models if m is first or m.start > 0]
    return discovery


def _take(statement: Statement, discovery: Discovery, note: Note) -> None:
    model = discovery.models[-1]
    if is_setting(statement):
        _setting(statement, discovery)
        return
    several = given_together(statement)
    for one in several:
        _given(one, number_in(one.right), discovery, note)
    if several:
        return
    if statement.relations[0].kind in DECLARING:
        discovery.verdicts[statement.number] = "definition"
        return
    inner = named_argument(statement)
    if inner is not None and inner.key not in model.equations:
        _equation(inner, discovery, note)
        discovery.verdicts.pop(statement.number, None)
    definition = definition_of(statement)
    if definition is None:
        return
    number = number_in(definition.right)
    if number is not None and len(statement.operands) == 2:
        _given(definition, number, discovery, note)
        return
    if number is not None:
        return
    other = model.loss is not None and model.loss.key != definition.key
    if definition.key in LOSS_KEYS and definition.step is None and _is_loss(definition.right, model) and not other:
        _loss(definition, discovery, note)
    elif _is_abstract(definition, model):
        model.abstract[definition.key] = definition
        model.uses.add(statement.number)
        discovery.verdicts[statement.number] = "definition"
    elif has_derivative(definition.right) or any(isinstance(p, Series) for p in definition.right.walk()):
        _alias(definition, discovery)
    elif definition.step is not None:
        _equation(definition, discovery, note)
    else:
        _alias(definition, discovery)


def _setting(statement: Statement, discovery: Discovery) -> None:
    """``T = 10``, ``t = 3``: a number for a counter."""
    left, right = statement.operands
    discovery.verdicts[statement.number] = "assumption"
    total = isinstance(left, Counter) and left.index == letter("T")
    if total and isinstance(right, Num) and right.value.denominator == 1 and 1 <= right.value <= LONGEST:
        discovery.settings.append((statement.start, int(right.value)))
        if discovery.models[-1].steps is None:
            discovery.models[-1].steps = int(right.value)


def _given(definition: Definition, number: object, discovery: Discovery, note: Note) -> None:
    """A number that the note gives: of a parameter, an input, an initial state, a target."""
    model, statement = discovery.models[-1], definition.statement
    step = definition.step
    if step is not None and not step.is_number and definition.key in model.equations:
        return
    key: object = definition.key if step is None or not step.is_number else (definition.key, step.constant)
    if definition.key in model.equations and step is not None and step.is_number and step.constant > 0:
        return
    if key in model.constants and model.constants[key] != number:
        model = _next_model(discovery, statement)
    model.constants[key] = number
    model.uses.add(statement.number)
    discovery.verdicts[statement.number] = "assumption"


def _next_model(discovery: Discovery, statement: Statement) -> Model:
    new = discovery.models[-1].following(statement.start)
    discovery.models.append(new)
    return new


def _is_loss(right: Expr, model: Model) -> bool:
    """Whether something over time is on the right: a sum of losses, or the error of a step."""
    if any(isinstance(p, Bound) or (isinstance(p, Ref) and p.when is not None) for p in right.walk()):
        return True
    return any(_step_of_alias(model, r.key) is not None for r in refs_in(right))


def _step_of_alias(model: Model, key: str) -> Index | None:
    """Return the step of a symbol like o in o = v h_3; None for any other."""
    definition = model.aliases.get(key)
    if definition is None or has_derivative(definition.right) or definition.step is not None:
        return None
    steps = {r.when for r in refs_in(definition.right) if r.when is not None}
    return next(iter(steps)) if len(steps) == 1 else None


def _readout_of_one_step(model: Model, right: Expr) -> Expr:
    """Return a loss in which o = v h_3 is the variable o at step 3, and make o a variable of the model."""
    changed = right
    for ref in refs_in(right):
        step = _step_of_alias(model, ref.key) if ref.when is None else None
        if step is None:
            continue
        definition = model.aliases.pop(ref.key)

        def now(part: Expr) -> Expr:
            return replace(part, when=letter(T)) if isinstance(part, Ref) and part.when is not None else part

        model.equations[ref.key] = replace(definition, step=letter(T), right=definition.right.mapped(now))
        model.last[ref.key] = step.constant if step.is_number else None
        at = _Timed(ref.key, step)
        changed = changed.mapped(at)
    return changed


@dataclass(frozen=True)
class _Timed:
    """Gives a symbol its step."""

    key: str
    step: Index

    def __call__(self, part: Expr) -> Expr:
        return replace(part, when=self.step) if isinstance(part, Ref) and part.key == self.key else part


def _is_abstract(definition: Definition, model: Model) -> bool:
    """Whether a symbol is a function of symbols without time: Y = g(W)."""
    refs = refs_in(definition.right)
    calls = isinstance(definition.right, Call)
    return definition.step is None and calls and bool(refs) and all(r.when is None for r in refs)


def _loss(definition: Definition, discovery: Discovery, note: Note) -> None:
    model, statement = discovery.models[-1], definition.statement
    earlier = model.loss
    if earlier is not None:
        if same(earlier.right, definition.right):
            if len(statement.operands) == 2:
                discovery.verdicts.setdefault(statement.number, "definition")
            return
        if not _announced(statement, note) and len(statement.operands) > 2:
            return
        if model.start < statement.start and "loss" not in model.own and model.own:
            pass  # the loss of a model that has just begun
        else:
            model = _next_model(discovery, statement)
            if not _announced(statement, note):
                discovery.twice.append((earlier.statement, statement))
    elif model.equations and _announced(statement, note):
        first = min(d.statement.start for d in model.equations.values())
        if _section_between(note, first, statement.start, 2):
            model = _next_model(discovery, statement)
    definition = replace(definition, right=_readout_of_one_step(model, definition.right))
    model.loss = definition
    model.own.add("loss")
    model.uses.add(statement.number)
    steps = _steps_of(definition.right)
    if steps is not None:
        model.steps = steps
    if len(statement.operands) == 2:
        discovery.verdicts[statement.number] = "definition"


def _steps_of(right: Expr) -> int | None:
    """Return T where the loss says it: the bound of its sum, or the step that it reads."""
    for part in right.walk():
        if isinstance(part, Bound) and part.high is not None and part.high.is_number:
            return part.high.constant if 1 <= part.high.constant <= LONGEST else None
    numbers = [r.when.constant for r in refs_in(right) if r.when is not None and r.when.is_number]
    return max(numbers) if numbers and 1 <= max(numbers) <= LONGEST else None


def _alias(definition: Definition, discovery: Discovery) -> None:
    """A symbol for something that the model has already."""
    model, statement = discovery.models[-1], definition.statement
    if definition.key in model.equations or definition.key == model.loss_key:
        return
    step = definition.step
    key: object = definition.key if step is None or not step.is_number else (definition.key, step.constant)
    known = model.aliases.get(key)
    if known is None:
        model.aliases[key] = definition
        model.uses.add(statement.number)
        if len(statement.operands) == 2:
            discovery.verdicts[statement.number] = "definition"
    elif same(known.right, definition.right) and len(statement.operands) == 2:
        discovery.verdicts.setdefault(statement.number, "definition")


def _equation(definition: Definition, discovery: Discovery, note: Note) -> None:
    """The equation of a variable over time, or of one step of it."""
    model, statement = discovery.models[-1], definition.statement
    if definition.key in model.aliases:
        return
    if definition.key.startswith(("delta", "Delta", "d_")):
        _alias(definition, discovery)
        return
    found = definition if definition.general else generalised(definition)
    if found is None or any(isinstance(p, Counter) for p in found.right.walk()):
        return
    backward = any(r.when == Index(((T, 1),), 1) for r in refs_in(found.right))
    if backward or _reads_gradients(found.right, model):
        _alias(definition, discovery)
        return
    known = model.equations.get(found.key)
    if known is not None:
        if same(known.right, found.right):
            if len(statement.operands) == 2:
                discovery.verdicts.setdefault(statement.number, "definition")
            return
        if not definition.general or not _is_new_equation(known, found, statement, note):
            return
        previous = model
        if model.start < statement.start or model.uses:
            model = _next_model(discovery, statement)
        model.own = {found.key}
        if not _announced(statement, note) and not _section_between(note, known.statement.start, statement.start):
            discovery.twice.append((known.statement, statement))
        if found.key in previous.states:
            model.constants = {}
            model.steps = None
            model.aliases = {}
    model.equations[found.key] = found
    model.own.add(found.key)
    model.uses.add(statement.number)
    if len(statement.operands) == 2:
        discovery.verdicts[statement.number] = "definition"


def _reads_gradients(right: Expr, model: Model) -> bool:
    """Whether an equation reads what the note has defined as a derivative: it belongs to the backward pass."""
    return any(r.key in model.aliases and has_derivative(model.aliases[r.key].right) for r in refs_in(right)) or any(
        r.key.startswith(("delta", "d_")) for r in refs_in(right)
    )


def _is_new_equation(known: Definition, found: Definition, statement: Statement, note: Note) -> bool:
    """Whether a second equation for a variable is another model, and not a wrong restatement of the first."""
    if not statement.read.formula.display and all(r.when is not None for r in refs_in(found.right)):
        return False  # h_t = h_{t-1}, where some gate is 0
    state = any(r.key == found.key and r.when == Index(((T, 1),), -1) for r in refs_in(found.right))
    return state or _announced(statement, note) or _section_between(note, known.statement.start, statement.start)


def _announced(statement: Statement, note: Note) -> bool:
    """Whether the passage around a statement, or the heading above, says that another model begins."""
    near = [p for p in note.passages if p.start <= statement.start + 1 and p.end >= statement.start - 400]
    texts = [note.text[p.start : min(p.end, statement.start)] for p in near[-4:]]
    return any(NEW_MODEL.search(text) for text in texts)


def _section_between(note: Note, a: int, b: int, level: int = 9) -> bool:
    return any(p.kind == "heading" and a < p.start < b and p.level <= level for p in note.passages)


def in_step(definition: Definition, step: Index) -> Expr:
    """Return the right side of an equation at a step."""
    return with_index(definition.right, T, step)
