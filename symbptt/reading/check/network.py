"""From a model of a note to networks that can be computed, and what its symbols mean in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import algebra as A
from ...errors import RankError, ShapeError, SymbpttError
from ...model import COLUMNS, ROWS, Cell, Network, whole
from ...model.losses import Loss
from ..meaning.expr import Add, Bound, Call, Counter, Div, Expr, Mul, Num, Ref, with_index
from ..meaning.index import Index, letter
from ..value.world import Alias, Meanings
from .completion import any_parameters, completed
from .definitions import T, number_in, refs_in
from .discover import LOSS_KEYS, Model
from .language import NotInLanguageError, Writer, squares_as_norms
from .statements import Statement

GENERIC = (
    ("tanh", "1/2 * norm2({p} - target[t])"),
    ("sigmoid", "sum(softplus({p} - target[t])) + 1/2 * norm2({p})"),
)
"""What stands for a function and for a loss that a note leaves open; a claim has to hold for each."""
NOW, BEFORE = letter(T), Index(((T, 1),), -1)


@dataclass(frozen=True)
class Built:
    """The networks of a model, and what its symbols mean.

    Attributes
    ----------
    model : Model
    networks : tuple of (Network, Meanings)
        With symbolic sizes; one for each choice of what the note leaves open.
    scalar : tuple of (Network, Meanings)
        The same with all sizes 1.
    problem : str or None
        Why there is none.
    generic_functions : tuple of str
    generic_loss : bool
        What the note leaves open.
    rows : bool
        Whether the note multiplies from the right.
    squares : bool
        Whether the loss squares a variable as if it were a number.
    notation : str or mapping
        In which the equations of a model that the user names are shown.
    """

    model: Model
    networks: tuple[tuple[Network, Meanings], ...] = ()
    scalar: tuple[tuple[Network, Meanings], ...] = ()
    problem: str | None = None
    generic_functions: tuple[str, ...] = ()
    generic_loss: bool = False
    rows: bool = False
    squares: bool = False
    notation: Any = "textbook"


@dataclass
class _Loss:
    """The loss of a step as a note has it: its expression in t, or None where it is left open; and how L is made."""

    step: Expr | None = None
    reduction: str = "sum"
    key: str | None = None
    arguments: tuple[Expr, ...] = ()
    total: str = "T"

    @property
    def refs(self) -> list[Ref]:
        """The symbols that it reads."""
        return [r for e in ((self.step,) if self.step is not None else self.arguments) for r in refs_in(e)]


def build(model: Model, functions: Mapping[str, str], found: Sequence[Statement] = ()) -> Built:
    """Return the networks of a model.

    Parameters
    ----------
    model : Model
    functions : mapping
        Names of functions in the note -> names in the language, "" where only the name is known.
    found : sequence of Statement
        All of the note, for the symbols that they mention.
    """
    model = completed(model, found)
    loss = loss_of(model)
    equations = _needed(model, loss)
    if not equations:
        return Built(model, problem="check.reason.no-model")
    generic = tuple(sorted(_generic(equations, loss, functions)))
    rows = in_rows(equations)
    vectors: list[tuple[Network, Meanings]] = []
    scalars: list[tuple[Network, Meanings]] = []
    problem = None
    for function, text in GENERIC:
        others = dict.fromkeys(generic, function)
        try:
            one = _network({**functions, **others}, model, equations, loss, text, rows)
        except (NotInLanguageError, SymbpttError) as error:
            problem = f"{type(error).__name__}: {error}"
            break
        one = _with_any(one, found, len(vectors))
        vectors.append(one)
        small = scalar_of(*one)
        if small is not None:
            scalars.append(small)
        if not generic and loss.step is not None and not _any(one[1], found):
            break
    return Built(model, tuple(vectors), tuple(scalars), problem if not vectors else None, generic, loss.step is None,
                 rows, loss.step is not None and squares_as_norms(loss.step) != loss.step)  # fmt: skip


def _any(meanings: Meanings, found: Sequence[Statement]) -> set[str]:
    keys = {k[0] if isinstance(k, tuple) else k for k in (*meanings.aliases, *meanings.constants)}
    known = {*meanings.variables, *meanings.parameters, *meanings.loss, *meanings.losses, *keys}
    return any_parameters(found, known)


def _with_any(one: tuple[Network, Meanings], found: Sequence[Statement], number: int) -> tuple[Network, Meanings]:
    """Let a symbol for any parameter be one of them, another one in each network."""
    network, meanings = one
    names = list(meanings.parameters.values())
    keys = _any(meanings, found)
    if not keys or not names:
        return one
    chosen = (names[0], names[min(2, len(names) - 1)])[number % 2]
    return network, replace(meanings, parameters={**meanings.parameters, **dict.fromkeys(keys, chosen)})


# -- the loss -----------------------------------------------------------------------------------------


def loss_of(model: Model) -> _Loss:
    definition = model.loss
    if definition is None:
        key = next((k for k in model.equations if k in LOSS_KEYS), None)
        return _Loss(model.equations[key].right if key else None, "last" if model.last_loss else "sum", key)
    right, factor = _without_factor(definition.right)
    reduction = "mean" if factor else "sum"
    if isinstance(right, Bound) and right.kind == "sum" and _over_time(right):
        body = with_index(right.body, right.index, NOW)
        return replace(_step_loss(body, reduction, model), total=_total(right))
    last = _last_step(right)
    if last is None:
        return _Loss(None, key=None)
    if isinstance(last, Ref) and last.key not in model.equations:  # the loss of the last step, which is left open
        return _Loss(None, "last", last.key)
    return _Loss(last, "last", None)


def _total(bound: Bound) -> str:
    """Return the letter of the number of steps: the upper bound of the sum of losses."""
    letters = bound.high.letters if bound.high is not None else frozenset()
    return next(iter(letters), "T") if len(letters) == 1 else "T"


def _over_time(bound: Bound) -> bool:
    return any(r.when is not None and bound.index in r.when.letters for r in refs_in(bound.body))


def _without_factor(right: Expr) -> tuple[Expr, bool]:
    """Take 1/T off a sum, and put a number in front of one into it."""
    if isinstance(right, Mul) and len(right.factors) == 2 and _is_one_over_steps(right.factors[0]):
        return right.factors[1], True
    if isinstance(right, Div) and isinstance(right.bottom, Counter) and right.bottom.index == letter("T"):
        return right.top, True
    if isinstance(right, Add) and right.signs == (-1,) and isinstance(right.terms[0], Bound):
        inner = right.terms[0]
        return replace(inner, body=Add((-1,), (inner.body,))), False
    if isinstance(right, Mul) and isinstance(right.factors[-1], Bound):
        front, total = right.factors[:-1], right.factors[-1]
        if all(number_in(f) is not None for f in front) and isinstance(total, Bound):
            return replace(total, body=Mul((*front, total.body), right.kinds)), False
    return right, False


def _is_one_over_steps(e: Expr) -> bool:
    one = isinstance(e, Div) and isinstance(e.top, Num) and e.top.value == 1
    return one and isinstance(e, Div) and isinstance(e.bottom, Counter) and e.bottom.index == letter("T")


def _step_loss(body: Expr, reduction: str, model: Model) -> _Loss:
    if isinstance(body, Ref) and body.when == NOW and body.key in model.equations:
        inner = model.equations[body.key].right
        if isinstance(inner, Call) and inner.name not in A.FUNCTIONS and inner.name not in ("sum", "softmax"):
            return _Loss(None, reduction, body.key, inner.arguments)
        return _Loss(inner, reduction, body.key)
    if isinstance(body, Ref) and body.when == NOW:
        return _Loss(None, reduction, body.key)
    if isinstance(body, Call) and body.name not in A.FUNCTIONS and body.name not in ("sum", "softmax"):
        return _Loss(None, reduction, body.name, body.arguments)
    return _Loss(body, reduction, None)


def _last_step(right: Expr) -> Expr | None:
    """Return the loss of the last step in t: every variable in it is at one step."""
    steps = {r.when for r in refs_in(right) if r.when is not None}
    if len(steps) != 1:
        return None
    step = steps.pop()
    if step is None or not (step.is_number or step == letter("T")):
        return None

    def rule(part: Expr) -> Expr:
        return replace(part, when=NOW) if isinstance(part, Ref) and part.when is not None else part

    return right.mapped(rule)


# -- the cell -----------------------------------------------------------------------------------------


def _needed(model: Model, loss: _Loss) -> dict[str, Expr]:
    """Return the equations that the states and the loss need, each behind what it reads at the same step."""
    equations = {k: d.right for k, d in model.equations.items() if k != loss.key}
    states = {r.key for e in equations.values() for r in refs_in(e) if r.when == BEFORE} & set(equations)
    if not states:
        return {}
    wanted = [*states]
    if loss.step is not None:
        wanted += [r.key for r in refs_in(loss.step) if r.key in equations]
    elif loss.arguments:
        wanted += [r.key for a in loss.arguments for r in refs_in(a) if r.key in equations]
    else:
        wanted += [k for k in equations if _reads_state(equations[k], states)]
    ordered: dict[str, Expr] = {}
    for key in dict.fromkeys(k for k in model.equations if k in wanted):
        _place(key, equations, ordered, ())
    return ordered


def _reads_state(right: Expr, states: set[str]) -> bool:
    return any(r.key in states and r.when == NOW for r in refs_in(right))


def _place(key: str, equations: Mapping[str, Expr], ordered: dict[str, Expr], above: tuple[str, ...]) -> None:
    if key in ordered or key in above:
        return
    for ref in refs_in(equations[key]):
        if ref.when == NOW and ref.key in equations:
            _place(ref.key, equations, ordered, (*above, key))
    ordered[key] = equations[key]


def _generic(equations: Mapping[str, Expr], loss: _Loss, functions: Mapping[str, str]) -> set[str]:
    """Return the functions that have a name alone."""
    everything = [*equations.values(), *([loss.step] if loss.step is not None else [])]
    calls = {p.name for e in everything for p in e.walk() if isinstance(p, Call)}
    return {name for name in calls if name not in A.FUNCTIONS and not functions.get(name) and name not in
            ("softmax", "sum", "diag", "concat")}  # fmt: skip


def in_rows(equations: Mapping[str, Expr]) -> bool:
    """Whether variables stand in front of their weights: X_t W."""
    for right in equations.values():
        for part in right.walk():
            if isinstance(part, Mul) and len(part.factors) == 2:
                first, second = part.factors
                timed = isinstance(first, Ref) and first.when is not None
                if timed and isinstance(second, Ref) and second.when is None and second.key[:1].isupper():
                    return True
    return False


def _network(
    functions: Mapping[str, str], model: Model, equations: Mapping[str, Expr], loss: _Loss, generic: str, rows: bool
) -> tuple[Network, Meanings]:
    target = _target(model, equations, loss)
    writer = Writer(functions, rows, target)
    texts, own = writer.lines(equations, loss.step)
    states = [writer.names[k] for k in equations if any(
        r.key == k and r.when == BEFORE for e in equations.values() for r in refs_in(e)
    )]  # fmt: skip
    prediction = _prediction(equations, loss, writer)
    text = own if own is not None else generic.replace("{p}", f"{prediction}[t]")
    kind = "distribution" if "log(" in text and _is_softmax(prediction, writer, equations) else "real"
    cell = _cell(texts, states, prediction, writer, equations)
    inputs = whole("m", "inputs") if cell.inputs else None
    made = _with_loss(cell, inputs, [text, f"sum({text})"], kind, loss.reduction, rows)
    return made, _meanings(model, writer, loss, functions, target)


def _with_loss(cell: Cell, inputs: Expr | None, texts: list[str], kind: str, reduction: str, rows: bool) -> Network:
    """Return the network with the first of some losses that is a number: ``-y log(p)`` means the sum of its entries."""
    for i, text in enumerate(texts):
        try:
            return Network(cell, whole("n", "hidden"), inputs, None, None, Loss(text, target=kind), reduction,
                           whole("T", "steps"), layout=ROWS if rows else COLUMNS)  # fmt: skip
        except ShapeError:
            if i == len(texts) - 1:
                raise
    raise AssertionError


def _is_softmax(prediction: str, writer: Writer, equations: Mapping[str, Expr]) -> bool:
    key = next(k for k in equations if writer.names[k] == prediction)
    right = equations[key]
    return isinstance(right, Call) and right.name == "softmax"


def _cell(texts: list[str], states: list[str], prediction: str, writer: Writer, equations: Mapping[str, Expr]) -> Cell:
    """Return the cell; what only the loss reads has the size q where nothing says another one."""
    feeding = {writer.names[k] for k in equations if _feeds(k, equations, states, writer)}
    outer = [writer.names[k] for k in equations if writer.names[k] not in feeding]
    tries: list[dict[str, Any]] = [{}, {prediction: ("q",)}, dict.fromkeys(outer, ("q",))]
    for i, shapes in enumerate(tries):
        if i and (prediction in states or not outer):
            break
        try:
            return Cell(texts, states=states, output=prediction, name="note", shapes=shapes)
        except (ShapeError, RankError):
            continue
    return Cell(texts, states=states, output=prediction, name="note")


def _feeds(key: str, equations: Mapping[str, Expr], states: list[str], writer: Writer) -> bool:
    """Whether a variable is a state, or some state needs it."""
    wanted = [k for k in equations if writer.names[k] in states]
    seen: set[str] = set()
    while wanted:
        now = wanted.pop()
        if now not in seen:
            seen.add(now)
            wanted += [r.key for r in refs_in(equations[now]) if r.key in equations]
    return key in seen


def _target(model: Model, equations: Mapping[str, Expr], loss: _Loss) -> str | None:
    """Return the key of what the prediction is compared with: what the loss reads and nothing computes."""
    refs = loss.refs
    read = {r.key for e in equations.values() for r in refs_in(e)}
    open_ = [r.key for r in refs if r.key not in equations and r.key not in read]
    timed = [r.key for r in refs if r.key in open_ and r.when is not None]
    return next(iter(timed or open_), None)


def _prediction(equations: Mapping[str, Expr], loss: _Loss, writer: Writer) -> str:
    for ref in loss.refs:
        if ref.key in equations:
            return writer.names[ref.key]
    return writer.names[list(equations)[-1]]


def _meanings(model: Model, writer: Writer, loss: _Loss, functions: Mapping[str, str], target: str | None) -> Meanings:
    variables = dict(writer.names)
    untimed = {key: (writer.names[key], step) for key, step in model.last.items() if key in writer.names}
    if target is not None:
        variables[target] = "target"
        untimed[target] = ("target", None)
    keys = frozenset({model.loss_key or "L"}) | ({"L"} if "L" not in model.equations else frozenset())
    own = {key[0] if isinstance(key, tuple) else key for key in (*model.aliases, *model.constants)}
    free = LOSS_KEYS - set(variables) - own
    per_step = free | ({loss.key} if loss.key else frozenset())
    aliases: dict[Any, Alias] = {}
    for key, definition in model.aliases.items():
        if key in variables:
            continue
        timed = definition.step is not None and not definition.step.is_number
        aliases[key] = Alias(definition.right, T if timed else None, key[1] if isinstance(key, tuple) else None)
    for key, definition in model.equations.items():
        if key not in variables and key not in per_step and key != loss.key:
            aliases[key] = Alias(definition.right, T)
    return Meanings(
        variables, dict(writer.parameters), keys, per_step, aliases, dict(model.constants), dict(functions), untimed,
        loss.total,
    )  # fmt: skip


def scalar_of(network: Network, meanings: Meanings) -> tuple[Network, Meanings] | None:
    """Return a network with all its sizes 1."""
    names = {str(s) for _, shape in network.cell.inferred for part in shape for s in part.free_symbols}
    sizes = tuple((name, whole(1, name)) for name in sorted(names - {"n", "m", "q", "T"}))
    one = whole(1, "size")
    try:
        small = replace(network, hidden=one, inputs=None if network.inputs is None else one, sizes=sizes,
                        layout=COLUMNS, batch=None)  # fmt: skip
        _ = small.system
    except SymbpttError:
        return None
    return small, meanings


__all__ = ["Built", "build"]
