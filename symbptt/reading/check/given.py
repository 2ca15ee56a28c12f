"""What the user says of a note's model: the model itself, its loss, the layout of derivatives, numbers or matrices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import algebra as A
from ...algebra.present import present
from ...algebra.tex import to_tex
from ...errors import SymbpttError
from ...model import COLUMNS, ROWS, Network, whole
from ...model.losses import LOSSES, Loss
from ...model.notations import names_in
from ..meaning.expr import Bound, Call, Entry, Pick, Ref
from ..meaning.symbols import Symbols
from ..value.world import Alias, Meanings
from .completion import completed
from .definitions import T, definition_of, refs_in
from .discover import LOSS_KEYS, Model
from .matching import TARGET_KEYS, matched
from .network import Built, build, in_rows, loss_of, scalar_of
from .statements import Statement
from .verdicts import Judgement, Settled


@dataclass(frozen=True)
class Options:
    """What the user says, in place of what the note does or leaves open.

    Attributes
    ----------
    model : Network or None
        The model that the note is about.
    notation : str or mapping
        In which the user's model is written.
    loss : str or None
        A loss of the catalogue, for the loss of a step that the note leaves open.
    layout : {"numerator", "denominator"} or None
    sizes : {"scalars", "matrices"} or None
    """

    model: Network | None = None
    notation: str | Mapping[str, str] = "textbook"
    loss: str | None = None
    layout: str | None = None
    sizes: str | None = None

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Options()


def built_with(
    options: Options, model: Model, functions: Mapping[str, str], found: Sequence[Statement], symbols: Symbols
) -> Built:
    """Return the networks of a model of a note, with what the user says in the place of what the note says."""
    if options.model is None:
        built = build(model, functions, found)
    else:
        built = _of_given(options, model, functions, found, symbols)
    return built if options.loss is None else _with_loss(built, LOSSES[options.loss], found)


def settled_with(options: Options, settled: Settled) -> Settled:
    """Return what is settled, with what the user says."""
    if options.layout is not None:
        settled = replace(settled, layout=options.layout)
    scalar = options.model is not None and options.model.system.scalar
    if options.sizes is not None or scalar:
        matrices = options.sizes == "matrices"
        settled = replace(settled, matrices=matrices, scalars=not matrices, transposes=settled.transposes and matrices)
    return settled


def is_settled_by(options: Options, statement: Statement, built: Built) -> bool:
    """Whether a definition of the note is one of the user's model: it is then a claim about it."""
    definition = definition_of(statement)
    if options.model is None or definition is None or not built.networks:
        return False
    meanings = built.networks[0][1]
    if definition.key in LOSS_KEYS and any(isinstance(p, Entry | Pick) for p in definition.right.walk()):
        return False  # the component of a class, which the instance has as a distribution
    return definition.key in meanings.variables or definition.key in meanings.loss | meanings.losses


def as_definition(judgement: Judgement, definition: Judgement) -> Judgement:
    """Return the verdict on a definition that the user's model has too: a definition unless it is another one."""
    return judgement if judgement.verdict in ("refuted", "conditional") else definition


# -- the user's model ---------------------------------------------------------------------------------
def _of_given(
    options: Options, model: Model, functions: Mapping[str, str], found: Sequence[Statement], symbols: Symbols
) -> Built:
    network = options.model
    assert network is not None
    rows = in_rows({k: d.right for k, d in model.equations.items()})
    network = _summed(_general(network, rows), model)
    keys, notation = matched(network, options.notation, found, symbols)
    network = _without_bias(network, keys)
    network, inner = _with_inner(network, completed(model, found), keys)
    keys = {**keys, **inner}
    variables = {key: name for name, key in keys.items() if name in network.system.variables}
    parameters = {key: name for name, key in keys.items() if name in network.system.parameters}
    known = {**functions, **_functions(network, model, variables, functions)}
    meanings = _meanings(network, model, variables, parameters, known)
    pairs = ((network, meanings),)
    small = scalar_of(network, meanings)
    if model.loss is None and model.steps is None and options.model is not None and options.model.steps.is_Integer:
        model = replace(model, steps=int(options.model.steps))
    return Built(model, pairs, (small,) if small is not None else (), rows=rows, notation=notation)


def _general(network: Network, rows: bool) -> Network:
    """Return a network with symbolic sizes and steps, in the layout of the note."""
    try:
        return replace(
            network,
            hidden=whole("n", "hidden"),
            inputs=None if network.inputs is None else whole("m", "inputs"),
            outputs=None if network.outputs is None else whole("q", "outputs"),
            sizes=(),
            steps=whole("T", "steps"),
            layout=ROWS if rows else COLUMNS,
            batch=None,
            mask=False,
            loss_steps=(),
        )
    except SymbpttError:
        return network


def _summed(network: Network, model: Model) -> Network:
    """Return a network whose losses are summed over time, or count at the last step alone, as the note says."""
    if model.loss is None:
        return network
    try:
        return replace(network, reduction=loss_of(model).reduction)
    except SymbpttError:
        return network


def _without_bias(network: Network, keys: Mapping[str, str]) -> Network:
    """Return a network without the biases that the note does not have."""
    cell = [p for p in network.cell.parameters if p.startswith("b_")]
    changes: dict[str, Any] = {}
    if cell and not any(p in keys for p in cell):
        changes["bias"] = False
    if network.readout is not None and not any(re.match(r"b_y$", p) for p in keys):
        changes["readout_bias"] = False
    try:
        return replace(network, **changes)
    except SymbpttError:
        return network


def _with_inner(network: Network, model: Model, keys: Mapping[str, str]) -> tuple[Network, dict[str, str]]:
    """Return a network that has the pre-activations that the note names, f_t = \\sigma(\\hat f_t), and their keys."""
    equations: list[str] = []
    inner: dict[str, str] = {}
    for text in network.cell.equations:
        match = re.fullmatch(r"(\w+)\[t\] = (\w+)\((.*)\)", text.strip())
        definition = model.equations.get(keys.get(match[1], "")) if match is not None else None
        right = None if definition is None else definition.right
        named = right.arguments[0] if isinstance(right, Call) and len(right.arguments) == 1 else None
        if match is None or not _is_whole(match[3]) or not isinstance(named, Ref) or named.key in keys.values():
            equations.append(text)
            continue
        name = _fresh(named.key, network, inner)
        inner[name] = named.key
        equations += [f"{name}[t] = {match[3]}", f"{match[1]}[t] = {match[2]}({name}[t])"]
    if not inner:
        return network, {}
    try:
        return replace(network, cell=replace(network.cell, equations=tuple(equations))), inner
    except SymbpttError:
        return network, {}


def _is_whole(text: str) -> bool:
    """Whether every bracket in a text is closed in it, in order."""
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _fresh(key: str, network: Network, inner: Mapping[str, str]) -> str:
    plain = "".join(c if c.isalnum() else "_" for c in key).strip("_")
    name = plain[:1].lower() + plain[1:] if plain[:1].isalpha() else "pre"
    while name in {*network.system.variables, *network.system.parameters, *inner} or name in A.FUNCTIONS:
        name = f"{name}v"
    return name


def equations_of(network: Network, notation: Any) -> tuple[str, ...]:
    """Return the equations of a network as LaTeX: cell, readout, loss of a step."""
    names = names_in(network.system, notation)
    return tuple(
        f"{to_tex(present(e.left, names))} = {to_tex(present(e.right, names))}" for e in network.system.equations
    )


def _functions(
    network: Network, model: Model, variables: Mapping[str, str], functions: Mapping[str, str]
) -> dict[str, str]:
    """Return what the functions are that have a name alone, by the equations of the user's model."""
    texts = {e.name: e.text for e in network.system.equations}
    found: dict[str, str] = {}
    used = {n for text in texts.values() for n in re.findall(r"\b([a-z_]\w*)\(", text) if n in A.FUNCTIONS}
    for key, definition in model.equations.items():
        right = definition.right
        if isinstance(right, Call) and not functions.get(right.name) and right.name not in A.FUNCTIONS:
            match = re.match(r"\w+\[t\] = (\w+)\(", texts.get(variables.get(key, ""), ""))
            if match is not None:
                found.setdefault(right.name, match[1])
    for letter, name in functions.items():
        if not name and letter not in found and len(used) == 1:
            found[letter] = next(iter(used))
    return found


def _meanings(
    network: Network,
    model: Model,
    variables: Mapping[str, str],
    parameters: Mapping[str, str],
    functions: Mapping[str, str],
) -> Meanings:
    loss_keys = frozenset({model.loss_key or "L"}) | ({"L"} if "L" not in model.equations else frozenset())
    aliases: dict[Any, Alias] = {}
    for key, definition in (*model.aliases.items(), *model.equations.items()):
        plain = key[0] if isinstance(key, tuple) else key
        if plain in variables or plain in parameters or plain in loss_keys or plain in LOSS_KEYS:
            continue
        timed = definition.step is not None and not definition.step.is_number
        aliases[key] = Alias(definition.right, T if timed else None, key[1] if isinstance(key, tuple) else None)
    taken = {*variables, *parameters, *(k[0] if isinstance(k, tuple) else k for k in aliases)}
    untimed: dict[str, tuple[str, int | None]] = {
        key: (name, None) for key, name in variables.items() if name in network.system.targets
    }
    untimed |= {k: (variables[k], step) for k, step in model.last.items() if k in variables}
    return Meanings(
        variables, parameters, loss_keys, LOSS_KEYS - taken, aliases, dict(model.constants), dict(functions), untimed,
        _total(model),
    )  # fmt: skip


def _total(model: Model) -> str:
    """Return the letter of the number of steps: the upper bound of the sum of losses."""
    bounds = [] if model.loss is None else [p for p in model.loss.right.walk() if isinstance(p, Bound)]
    letters = {name for b in bounds if b.high is not None for name in b.high.letters}
    return letters.pop() if len(letters) == 1 else "T"


# -- the loss -----------------------------------------------------------------------------------------
def _with_loss(built: Built, loss: Loss, found: Sequence[Statement]) -> Built:
    """Return networks with a loss of the catalogue in the place of one that the note leaves open."""
    if not built.generic_loss:
        return built
    used = {r.key for s in found for o in s.operands for r in refs_in(o)}

    def changed(pair: tuple[Network, Meanings]) -> tuple[Network, Meanings]:
        network, meanings = pair
        output = network.cell.output
        text = loss.equation.replace("{y}", f"{output}[t]").replace("{target}", "target[t]")
        named = replace(network, loss=Loss(text, loss.name, target=loss.target))
        if "target" in meanings.variables.values():
            return named, meanings
        key = next((k for k in TARGET_KEYS if k in used and k not in meanings.variables), None)
        if key is None:
            return named, meanings
        variables = {**meanings.variables, key: "target"}
        return named, replace(meanings, variables=variables, untimed={**meanings.untimed, key: ("target", None)})

    kept = len(built.networks) if built.generic_functions else 1
    try:
        networks = tuple(changed(pair) for pair in built.networks[:kept])
        scalar = tuple(changed(pair) for pair in built.scalar[:kept])
    except SymbpttError as error:
        return replace(built, networks=(), scalar=(), problem=f"{type(error).__name__}: {error}")
    return replace(built, networks=networks, scalar=scalar, generic_loss=False)
