"""Inequalities between symbols of which nothing is known: true whatever their numbers are, or not decided."""

from __future__ import annotations

import numpy as np

from ..meaning.expr import Deriv, Norm, Ref
from ..report import HOLDS, UNCHECKED, message
from ..value.world import World
from .bounds import Trial, compared
from .compare import FALSE
from .statements import Statement
from .supposed import UnusableError, with_constants
from .verdicts import Judgement

DRAWS = 60
"""So many numbers are tried, from small to large."""


def judge_anywhere(statement: Statement, constants: set[str], trial: Trial) -> Judgement:
    """Return that an inequality holds whatever its letters stand for, or else that the note does not say what they are.

    Parameters
    ----------
    statement : Statement
    constants : set of str
        Letters without a meaning.
    trial : Trial
    """
    parts = [p for o in statement.operands for p in o.walk()]
    unknown = Judgement(UNCHECKED, message("check.reason.no-value", symbol=sorted(constants)[0]))
    if any(isinstance(p, Deriv) or (isinstance(p, Ref) and p.when is not None) for p in parts):
        return unknown
    within = {p.of.key for p in parts if isinstance(p, Norm) and isinstance(p.of, Ref)}
    rng = np.random.default_rng(trial.seed)
    for _ in range(DRAWS):
        drawn = {k: 10 ** rng.uniform(-2, 2) * (rng.choice([-1, 1]) if k in within else 1) for k in sorted(constants)}
        try:
            world = with_constants(World(None, trial.known.meanings, seed=trial.seed), drawn)
            if compared(statement, world, trial.known, None).state == FALSE:
                return unknown
        except UnusableError:
            return unknown
    return Judgement(HOLDS, message("check.reason.bound-holds", instances=DRAWS))
