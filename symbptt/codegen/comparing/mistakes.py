"""The usual mistakes in a backward pass: one entry each, that changes the derived equations of any model.

An entry gives every form that the mistake can take in a model, with what its words are filled with. To add one, write
its changes and its row in :data:`MISTAKES`, and its words ``compare.cause_NAME`` in each language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ... import algebra as A
from ...derive.generic import LOCAL, NEXT, SAME, Generic
from ...model import CELL, READOUT
from ...model.truncation import Segments, Window
from .edits import (
    Slope,
    inlined,
    missing,
    of_input,
    of_output,
    reads,
    shifted,
    slopes_in,
    squared,
    transposed_away,
    with_slopes,
)
from .equations import FIRST, LAST, NOT_FIRST, NOT_LAST, SUMS, Backward, Part
from .numbers import Numbers

Values: TypeAlias = tuple[tuple[str, Any], ...]
Forms: TypeAlias = Iterator[tuple[Values, Backward]]

SWEEP, SUM = "sweep", "sum"
"""What a mistake changes: the adjoints, or how gradients are made of them."""


@dataclass(frozen=True)
class Mistake:
    """One usual mistake.

    Attributes
    ----------
    name : str
    kind : {"sweep", "sum"}
    forms : callable
        Of the right equations and the numbers of the call: what the words are filled with, and the mistaken equations.
    common : bool
        Whether it is also tried together with other mistakes in the sweep.
    """

    name: str
    kind: str
    forms: Callable[[Backward, Numbers], Forms]
    common: bool = False


# -- derivatives of functions ----------------------------------------------------------------------------------
def _slopes(change: Slope) -> Callable[[Backward, Numbers], Forms]:
    """Return a change of all derivatives of functions."""

    def forms(right: Backward, numbers: Numbers) -> Forms:
        whole = right.exprs(lambda p: with_slopes(p.expr, change), LOCAL, SAME, NEXT, SUMS)
        yield (("functions", _functions(right)),), whole

    return forms


def _slopes_in(change: Slope) -> Callable[[Backward, Numbers], Forms]:
    """Return a change of the derivatives of functions in one equation."""

    def forms(right: Backward, numbers: Numbers) -> Forms:
        parts = [part for group in (*right.adjoints.values(), *right.parameters.values()) for part in group]
        through = dict.fromkeys(part.through for part in parts if slopes_in(part.expr))
        for name in through if len(through) > 1 else ():
            changed = right.exprs(_of_equation(name, change), SAME, NEXT, SUMS)
            yield (("variable", right.system.at(str(name))),), changed

    return forms


def _of_equation(name: str | None, change: Slope) -> Callable[[Part], Any]:
    return lambda part: with_slopes(part.expr, change) if part.through == name else part.expr


def _functions(right: Backward) -> str:
    groups = (*right.adjoints.values(), *right.parameters.values())
    names = (s.args[0].name for group in groups for part in group for s in slopes_in(part.expr))
    return ", ".join(dict.fromkeys(names))


def _slopes_where(change: Slope, place: str) -> Callable[[Backward, Numbers], Forms]:
    """Return a change of the derivatives that stand on the way to the step before, or to the parameters."""

    def forms(right: Backward, numbers: Numbers) -> Forms:
        changed = right.exprs(lambda p: inlined(p.expr, right, change), place)
        yield (("functions", _functions(right)),), changed

    return forms


def _slopes_elsewhere(right: Backward, numbers: Numbers) -> Forms:
    """The derivative of a function at another step."""
    for by in (1, -1):
        changed = right.exprs(_slope_at(by), SAME)
        yield (("functions", _functions(right)), ("read", right.system.t + by), ("when", right.system.t)), changed


def _slope_at(by: int) -> Callable[[Part], Any]:
    return lambda part: with_slopes(part.expr, lambda slope: shifted(slope, by, lambda leaf: True))


def _readout_slope(right: Backward, numbers: Numbers) -> Forms:
    """dl/da = dl/dy, without the derivative of y = g(a)."""
    system, g = right.system, Generic(right.system)
    for equation in system.stage(READOUT):
        if equation.name in (*system.predictions, system.prediction):
            for inner in right.local:
                alike = A.shape_of(system.at(inner)) == A.shape_of(equation.left)
                if alike and inner != equation.name and A.depends(equation.right, system.at(inner)):
                    local = {**right.local, inner: g.local_results[equation.name]}
                    yield (("variable", equation.left),), replace(right, local=local)


# -- paths -----------------------------------------------------------------------------------------------------
def _recurrence_cut(right: Backward, numbers: Numbers) -> Forms:
    yield (), right.mapped(lambda n, p: None if p.place == NEXT else p)


def _lost_states(right: Backward, numbers: Numbers) -> Forms:
    """Nothing comes back to a state from the next step."""
    later = [n for n, parts in right.adjoints.items() if any(p.place == NEXT for p in parts)]
    for name in later if len(later) > 1 else ():
        kept = tuple(part for part in right.adjoints[name] if part.place != NEXT)
        yield (("variable", right.system.at(name)),), replace(right, adjoints={**right.adjoints, name: kept})


def _lost_losses(right: Backward, numbers: Numbers) -> Forms:
    """The loss of a step does not enter an adjoint."""
    for name, part in _parts(right):
        if part.place == LOCAL:
            yield (("variable", right.system.at(name)),), _without(right, name, part)


def _lost_paths(right: Backward, numbers: Numbers) -> Forms:
    """One part of an adjoint is not there."""
    for name, part in _parts(right):
        if part.place != LOCAL:
            yield _path(right, name, part), _without(right, name, part)


def _sign_of_path(right: Backward, numbers: Numbers) -> Forms:
    """One part of an adjoint has the other sign."""
    for name, part in _parts(right):
        if part.place != LOCAL:
            turned = replace(part, expr=A.negate(part.expr))
            group = tuple(turned if one == part else one for one in right.adjoints[name])
            yield _path(right, name, part), replace(right, adjoints={**right.adjoints, name: group})


def _parts(right: Backward) -> Iterator[tuple[str, Part]]:
    return ((name, part) for name, parts in right.adjoints.items() for part in parts)


def _without(right: Backward, name: str, part: Part) -> Backward:
    return right.mapped(lambda n, p: None if (n, p) == (name, part) else p)


def _path(right: Backward, name: str, part: Part) -> Values:
    when = right.system.following_of(name) if part.place == NEXT else right.system.t
    return (("variable", right.system.at(name)), ("through", right.system.at(str(part.through), when)))


def _lost_use(right: Backward, numbers: Numbers) -> Forms:
    """A parameter that several equations read is differentiated in all but one."""
    for key, parts in right.parameters.items():
        for part in parts if len(parts) > 1 else ():
            through = right.system.at(str(part.through))
            yield (("parameter", right.system.parameters[key]), ("through", through)), _without(right, key, part)


# -- matrices --------------------------------------------------------------------------------------------------
def _not_transposed(right: Backward, numbers: Numbers) -> Forms:
    square = [k for k, s in right.system.parameters.items() if _is_square(numbers, k) and A.rank_of(s) == 2]
    places = (LOCAL, SAME, NEXT)
    if len(square) > 1:
        yield (("keys", ", ".join(square)),), _untransposed(right, square, places)
    for key in square:
        yield (("keys", key),), _untransposed(right, [key], places)


def _is_square(numbers: Numbers, key: str) -> bool:
    shape = numbers.parameters[key].shape
    return len(shape) == 2 and shape[0] == shape[1] > 1


def _untransposed(right: Backward, keys: list[str], places: tuple[str, ...]) -> Backward:
    symbols = [right.system.parameters[key] for key in keys]

    def change(expr: Any) -> Any:
        for symbol in symbols:
            expr = transposed_away(expr, symbol)
        return expr

    found = right.exprs(lambda p: change(p.expr), *places)
    return replace(found, local={name: change(expr) for name, expr in right.local.items()})


# -- steps -----------------------------------------------------------------------------------------------------
def _share(which: str) -> Callable[[Backward, Numbers], Forms]:
    def forms(right: Backward, numbers: Numbers) -> Forms:
        if numbers.steps > 1:
            yield (("steps", numbers.steps),), replace(right, share=which)

    return forms


def _samples(which: str) -> Callable[[Backward, Numbers], Forms]:
    def forms(right: Backward, numbers: Numbers) -> Forms:
        if numbers.batch > 1:
            yield (("batch", numbers.batch),), replace(right, samples=which)

    return forms


def _losses(which: str) -> Callable[[Backward, Numbers], Forms]:
    def forms(right: Backward, numbers: Numbers) -> Forms:
        if right.system.reduction != "last" and numbers.steps > 1:
            yield (("steps", numbers.steps),), replace(right, losses=which)

    return forms


def _loss_last(right: Backward, numbers: Numbers) -> Forms:
    """Another loss: that of the last step alone, in the sweep and in the gradients of the readout."""
    if right.system.reduction != "last" and numbers.steps > 1:
        readout = {e.name for e in right.system.equations if e.stage != CELL}
        changed = right.mapped(lambda name, part: replace(part, at_end=part.at_end or part.through in readout))
        yield (("steps", numbers.steps),), replace(changed, losses=LAST)


def _ends_dropped(right: Backward, numbers: Numbers) -> Forms:
    """Cotangents of the last states are not used."""
    if numbers.ends:
        yield (("states", ", ".join(numbers.ends)),), replace(right, ends=False)


def _shifted_states(right: Backward, numbers: Numbers) -> Forms:
    """h_t in the place of h_{t-1} in the gradients by parameters, and the other way round in a readout."""
    system = right.system
    for state in system.states:
        on = system.direction_of(state)
        for place, by in ((system.previous_of(state), on), (system.t, -on)):
            values = (("right", system.at(state, place)), ("read", system.at(state, place + by)))
            yield values, right.exprs(_read_at(by, state, place), SUMS)


def _shifted_inputs(right: Backward, numbers: Numbers) -> Forms:
    system = right.system
    for name in system.inputs:
        for by in (-1, 1):
            values = (("right", system.at(name)), ("read", system.at(name, system.t + by)))
            yield values, right.exprs(_read_at(by, name, system.t), SUMS)


def _shifted_factors(right: Backward, numbers: Numbers) -> Forms:
    """f_t in the place of f_{t+1} in what comes back from the step after."""
    for name in right.adjoints:
        following, by = right.system.following_of(name), -right.system.direction_of(name)
        values = (("right", right.system.at(name, following)), ("read", right.system.at(name)))
        yield values, right.exprs(_read_at(by, name, following), NEXT)


def _read_at(by: int, name: str, when: Any) -> Callable[[Part], Any]:
    """Return the change of a part that reads a variable some steps later than at a step."""
    return lambda part: shifted(part.expr, by, lambda leaf: leaf.name == name and leaf.when == when)


def _too_early(right: Backward, numbers: Numbers) -> Forms:
    """dL/dh_1 in the place of dL/dh_0."""
    yield (), replace(right, initial=FIRST)


def _segments(right: Backward, numbers: Numbers) -> Forms:
    for tau in _taus(right, numbers):
        yield (("tau", tau),), replace(right, cut=Segments(tau))


def _windows(right: Backward, numbers: Numbers) -> Forms:
    for tau in _taus(right, numbers):
        yield (("tau", tau),), replace(right, cut=Window(tau))


def _taus(right: Backward, numbers: Numbers) -> list[int]:
    """Return the windows that are tried: all for few steps, for many those that people take."""
    if right.system.mixed or right.cut is not None:
        return []
    return [tau for tau in range(2, numbers.steps) if numbers.steps <= _FEW or tau in _USUAL]


_FEW = 32
_USUAL = (2, 3, 4, 5, 8, 10, 15, 16, 20, 25, 30, 32, 35, 40, 50, 60, 64, 70, 75, 80, 100, 120, 128, 150, 200, 256)

MISTAKES: tuple[Mistake, ...] = (
    Mistake("recurrence_cut", SWEEP, _recurrence_cut),
    Mistake("slope_missing", SWEEP, _slopes(missing), common=True),
    Mistake("slope_missing_in", SWEEP, _slopes_in(missing)),
    Mistake("slope_missing_recurrence", SWEEP, _slopes_where(missing, NEXT), common=True),
    Mistake("slope_twice", SWEEP, _slopes(squared)),
    Mistake("slope_of_output", SWEEP, _slopes(of_output), common=True),
    Mistake("slope_of_input", SWEEP, _slopes(of_input), common=True),
    Mistake("slope_of_output_recurrence", SWEEP, _slopes_where(of_output, NEXT)),
    Mistake("slope_shifted", SWEEP, _slopes_elsewhere),
    Mistake("readout_slope_missing", SWEEP, _readout_slope, common=True),
    Mistake("ends_dropped", SWEEP, _ends_dropped, common=True),
    Mistake("loss_last", SWEEP, _loss_last, common=True),
    Mistake("losses_last", SWEEP, _losses(LAST), common=True),
    Mistake("losses_not_last", SWEEP, _losses(NOT_LAST), common=True),
    Mistake("lost_loss", SWEEP, _lost_losses),
    Mistake("lost_state", SWEEP, _lost_states),
    Mistake("lost_path", SWEEP, _lost_paths),
    Mistake("sign_of_path", SWEEP, _sign_of_path),
    Mistake("not_transposed", SWEEP, _not_transposed, common=True),
    Mistake("factor_shifted", SWEEP, _shifted_factors),
    Mistake("segments", SWEEP, _segments),
    Mistake("window", SWEEP, _windows),
    Mistake("last_share", SUM, _share(LAST)),
    Mistake("first_share", SUM, _share(FIRST)),
    Mistake("without_last", SUM, _share(NOT_LAST)),
    Mistake("without_first", SUM, _share(NOT_FIRST)),
    Mistake("last_sample", SUM, _samples(LAST)),
    Mistake("first_sample", SUM, _samples(FIRST)),
    Mistake("state_shifted", SUM, _shifted_states),
    Mistake("input_shifted", SUM, _shifted_inputs),
    Mistake("slope_missing_sums", SUM, _slopes_where(missing, SUMS)),
    Mistake("slope_of_output_sums", SUM, _slopes_where(of_output, SUMS)),
    Mistake("slope_of_input_sums", SUM, _slopes_where(of_input, SUMS)),
    Mistake("slope_twice_sums", SUM, _slopes_where(squared, SUMS)),
    Mistake("lost_use", SUM, _lost_use),
    Mistake("initial_too_early", SUM, _too_early),
)
"""The table, in the order in which they are believed where two say the same."""
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}


def forms_of(mistake: Mistake, right: Backward, numbers: Numbers) -> Forms:
    """Yield the forms of a mistake that a model can have: those that change something and read only given steps."""
    for values, changed in mistake.forms(right, numbers):
        if changed != right and _is_in_range(changed, right):
            yield values, changed


def _is_in_range(equations: Backward, right: Backward) -> bool:
    """Whether what differs from the right equations reads the steps before and after alone."""
    t = equations.system.t
    exprs = _expressions(equations) - _expressions(right)
    return not any(reads(expr, lambda leaf: abs(int(leaf.when - t)) > 1) for expr in exprs)


def _expressions(equations: Backward) -> set[Any]:
    groups = (*equations.adjoints.values(), *equations.parameters.values(), *equations.inputs.values())
    return {part.expr for group in groups for part in group}
