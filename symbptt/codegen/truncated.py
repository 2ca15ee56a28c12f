"""Modules with truncated gradients: the backward sweep cut into segments, into windows, or at random."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr

from .. import algebra as A
from ..derive.closed import loss_index
from ..derive.tidy import substitute
from ..errors import RefusedError
from ..model import READOUT, Network
from ..model.truncation import Randomised, Segments, Truncation, Window, check_steps
from .document import check_function
from .emit import Module
from .layout import statement, wrapped
from .passes.pipeline import prepared
from .passes.reuse import reuse
from .plan import Line
from .program import Program


class TruncatedModule(Module):
    """A module whose backward sweep is truncated.

    Segments, and masks that all losses share, are a factor on what one step hands on to the step before. A window,
    and masks for each loss, treat each loss on its own; so the sweep goes over the distances of losses and not over
    steps, and at each distance takes all steps at once.

    Parameters
    ----------
    network : Network
    how : Window, Segments or Randomised

    Raises
    ------
    RefusedError
        For a cell that runs backward in time, and for a probability without a number.
    """

    def __init__(self, network: Network, how: Truncation) -> None:
        self.how = how
        self.by_distance = isinstance(how, Window) or (isinstance(how, Randomised) and not how.shared)
        super().__init__(network)
        check_steps(how, network.steps)
        if network.cell.direction != 1:
            raise RefusedError("truncated code is generated for cells that run forward in time")
        if isinstance(how, Randomised) and not how.is_numeric:
            raise RefusedError(f"truncate={how}: generated code needs probabilities in numbers, such as randomised:0.9")
        self.about = wrapped(_about(how))
        if isinstance(how, Randomised):
            self.masks = [self.names("masks of the losses", "masks")]
            shape = "(T,)" if how.shared else "(T, T)"
            self.mask_words = [f"{self.masks[0]} : array, {shape}", *wrapped(_MASKS[how.shared], 4)]
            self.factor = self.names("factors of the carries", "scale")
        self.constant = self.names("constant of the truncation", "P" if isinstance(how, Randomised) else "TAU")

    def _program(self) -> Program:
        program = super()._program()
        if not self.by_distance:
            return program
        # At each distance all steps are taken at once, so that there is no loop to take anything out of.
        kept = prepared(self.plan, (reuse,))
        return replace(program, backward=kept.backward, after=kept.after)

    def _constants(self) -> list[str]:
        if not isinstance(self.how, Randomised):
            return ["", f"{self.constant} = {self.how.tau}"]
        numbers = [repr(float(p)) for p in self.how.probabilities]
        value = f"np.array(({', '.join(numbers)},))" if self.how.varies else numbers[0]
        return ["", *statement(f"{self.constant} = {value}")]

    def _definitions(self) -> list[str]:
        return [
            *super()._definitions(),
            *(
                [_FACTORS.format(P=self.constant, **_SHAPES[self.how.shared])]
                if isinstance(self.how, Randomised)
                else []
            ),
        ]

    def equals(self, left: Any, right: Any, indent: int = 4, at: Expr | None = None) -> None:
        """Put a formula down with the mark of the truncation over the derivatives of L."""
        super().equals(self._marked(left), self._marked(right), indent, at)

    def _marked(self, expr: Any, single: bool = False) -> Any:
        """Mark the derivatives of L, or turn them into those of the loss of one step."""
        own = {e.name for e in self.system.stage(READOUT)}
        leaves = [p for p in sympy.preorder_traversal(expr) if isinstance(p, A.Gradient | A.ScalarDerivative)]
        mine = [
            p for p in leaves if p.of == self.system.L and p.mode == A.TOTAL and getattr(p.by, "name", None) not in own
        ]
        if single and not self.plan.last:
            loss = self.system.at("l", loss_index(self.system))
            return substitute(expr, {p: p.func(loss, p.by, p.args[2]) for p in mine})
        return expr if single else substitute(expr, {p: p.func(p.of, p.by, self.how.mode) for p in mine})

    # -- the sweep ------------------------------------------------------------------------------------
    def _sweep(self) -> None:
        if isinstance(self.how, Randomised):
            self.section("factors of what goes on to the step before")
            self.put(f"{self.factor} = factors({self.masks[0]}, {self.T}).astype(dtype)")
        if self.by_distance:
            self._by_distance()
        else:
            super()._sweep()

    def _end_of_step(self, carries: list[str]) -> None:
        carries = [self.pseudo(name) for name in carries]
        if isinstance(self.how, Segments) and carries:
            self.say("the first step of a segment: the state that it starts from is detached", 8)
            self.put(f"if t > 0 and t % {self.constant} == 0:", 8)
            for name in carries:
                self.put(f"{name} = np.zeros_like({name})", 12)
        elif isinstance(self.how, Randomised) and carries:
            self.say("the gradient goes on or is cut off here", 8)
            for name in carries:
                self.put(f"{name} = {self.factor}[t] * {name}", 8)

    def _by_distance(self) -> None:
        self.section("backward sweep: for each distance of a loss, all steps at once")
        lines = [line for stretch in self.program.backward for line in stretch.lines]
        sweep = [line for line in lines if not line.name.startswith("carry.")]
        carries = [line for line in lines if line.name.startswith("carry.")]
        names = {
            line.name: self.adjoint(line.name) if line.left is not None else self.pseudo(line.name) for line in sweep
        }
        totals = {line.name: self.names(f"total {line.name}", f"{names[line.name]}_total") for line in sweep}
        lag = self.names("distance of a loss", "lag")
        for line in sweep:
            shape = self._shape_of(line.leaf)
            self.put(f"{totals[line.name]} = np.zeros({self.array(self.T, self.B, shape=shape)}, dtype)")
        for line in carries:
            state = line.name.partition(".")[2]
            shape = self.plan.shape(state)
            self.put(f"{self.pseudo(line.name)} = np.zeros({self.array(self.T, self.B, shape=shape)}, dtype)")
            self.put(f"{self._start(state)} = np.zeros({self.array(self.B, shape=shape)}, dtype)")
        most = f"min({self.constant}, {self.T})" if isinstance(self.how, Window) else self.T
        self.put(f"for {lag} in range({most}):")
        weight = ", with its weight 1/T" if self.system.reduction == "mean" else ""
        self.say(f"at every step t, for the loss of step {loss_index(self.system)} = t + {lag} alone{weight}", 8)
        for line in sweep:
            right = self._marked(line.right, single=True)
            if line.left is None:
                self.say(self.formula(right), 8)
            else:
                super().equals(self._marked(line.left, single=True), right, 8)
            self.put(f"{names[line.name]} = {self.all.full(line.expr).text}", 8)
            self.put(f"{totals[line.name]} += {names[line.name]}", 8)
        for line in carries:
            self._hand_on(line, lag)
        local = [name for name in self.plan.generic.read_by_loss if f"local.{name}" in self._locals()]
        for name in local:
            self.say("a loss enters at its own step alone", 8)
            self.put(f"{self.weighted(name)} = np.zeros_like({self.weighted(name)})", 8)
        for line in sweep:
            self.put(f"{names[line.name]} = {totals[line.name]}")
        for line in carries:
            self.put(f"{self.pseudo(line.name)} = {self._start(line.name.partition('.')[2])}")

    def _locals(self) -> set[str]:
        return {f"local.{line.name}" for line in self.plan.local if line.name in self.plan.generic.adjoints}

    def _start(self, state: str) -> str:
        return self.names(f"share of the initial {state}", f"{self.arguments[f'{state}0']}_share")

    def _hand_on(self, line: Line, lag: str) -> None:
        """Hand on what each step contributes to the step before it."""
        name, state = self.pseudo(line.name), line.name.partition(".")[2]
        shape = self.plan.shape(state)
        left, right = (self.formula(self._marked(side, single=True)) for side in (line.left, line.right))
        self.say(f"{right}, the part of {left} that comes from this step", 8)
        self.put(f"{name} = {self.all.full(line.expr).text}", 8)
        missing = f"np.zeros_like({name}[:1])"
        if isinstance(self.how, Randomised):
            self.say("the gradient of each loss goes on or is cut off here", 8)
            axes = ", ".join(["None"] * (1 + len(shape)))
            self.put(f"{name} = {name}[: {self.T} - {lag}] * np.diagonal({self.factor}, -{lag})[:, {axes}]", 8)
            missing = f"np.zeros({self.array(f'{lag} + 1', self.B, shape=shape)}, dtype)"
        self.put(f"{self._start(state)} += {name}[0]", 8)
        self.put(f"{name} = np.concatenate([{name}[1:], {missing}])", 8)

    # -- the check ------------------------------------------------------------------------------------
    def _check(self) -> list[str]:
        system, args = self.system, self.arguments
        given = [name for name in (*system.inputs, "target") if name in args]
        timed = [name for name in given if not (name == "target" and self.plan.last)]
        slices = [f'                        "{args[name]}": given["{args[name]}"][k : end + 1],' for name in timed]
        slices += [f'                        "{args[n]}": given["{args[n]}"],' for n in given if n not in timed]
        for state in system.states:
            start = args[f"{state}0"]
            slices.append(f'                        "{start}": out.states["{state}"][k] if k else given["{start}"],')
        slices += ['                        "steps": end + 1 - k,'] if self.needs_steps else []
        slices += [f'                        "{name}": None,' for name in self.masks]
        T = self.T
        masks = []
        if self.masks:
            shape = f"({T},)" if isinstance(self.how, Randomised) and self.how.shared else f"({T}, {T})"
            masks = [f'    {self.masks[0]} = given["{self.masks[0]}"] = rng.random({shape}) < 0.7']
        unit = f" * (end + 1 - k) / {T}" if system.reduction == "mean" else ""
        ends = f"({T} - 1,)" if self.plan.last else f"range(k, {T})"
        single = [] if self.plan.last else ["            slopes[:, 1:] -= slopes[:, :-1].copy()  # of single losses"]
        ending = [
            *masks,
            "    out = bptt(params, **given)",
            "    # weights[k, s]: how much of loss s + 1 reaches the equations of step k + 1",
            f"    weights = np.zeros(({T}, {T}))",
            f"    for k in range({T}):",
            f"        for s in range(k, {T}):",
            f"            weights[k, s] = {self._reach()}",
            "    worst = 0.0",
            "    for key, array in arrays.items():",
            "        for where in np.ndindex(array.shape):",
            "            kept = array[where]",
            "            # slopes[k, s]: losses of steps k + 1 to s + 1, from a fixed state",
            f"            slopes = np.zeros(({T}, {T}))",
            f"            for k in range({T}):",
            f"                for end in {ends}:",
            "                    sides = []",
            "                    for step in (1e-6, -1e-6):",
            "                        array[where] = kept + step",
            "                        part = {",
            *(line.replace(" " * 24, " " * 28, 1) for line in slices),
            "                        }",
            "                        sides.append(bptt(params, **part, wrt=()).loss)",
            "                    array[where] = kept",
            f"                    slopes[k, end] = (sides[0] - sides[1]) / 2e-6{unit}",
            *single,
            "            slopes[:-1] -= slopes[1:].copy()  # through the equations of one step",
            "            error = (weights * slopes).sum() - out.grads[key][where]",
            "            worst = max(worst, float(abs(error)))",
            "    return worst",
        ]
        return check_function(self, ending)

    def _reach(self) -> str:
        if isinstance(self.how, Window):
            return f"float(s - k < {self.constant})"
        if isinstance(self.how, Segments):
            return f"float(k // {self.constant} == s // {self.constant})"
        return f"factors({self.masks[0]}, {self.T})[{'' if self.how.shared else 's, '}k + 1 : s + 1].prod()"


def _about(how: Truncation) -> str:
    """Return what the module says of its gradients."""
    if isinstance(how, Window):
        reached = f"the loss of each step reaches the equations of the last {how.tau} steps, its own among them"
        return f"The gradients are truncated: {reached}."
    if isinstance(how, Segments):
        return f"The gradients are truncated: the state is detached after every {how.tau} steps."
    whose = "masks that all losses share" if how.shared else "masks for each loss"
    what = "where a mask is 1 the gradient goes on to the step before, divided by the probability of that"
    return f"The gradients are truncated at random, without bias, with {whose}: {what}."


_MASKS = {
    True: "Entry t is 1 where the gradient goes on from step t + 1 to step t, else 0; entry 0 is not read.",
    False: "Entry s, t is 1 where the gradient of the loss of step s + 1 goes on from step t + 1 to step t, else 0; "
    "the entries t = 0 and t > s are not read.",
}
_SHAPES = {True: {"shape": "(T,)", "lead": ""}, False: {"shape": "(T, T)", "lead": ":, "}}
_FACTORS = '''def factors(masks, T):
    """Return masks divided by their probabilities; the initial state is never cut off."""
    scale = np.ones({shape})
    scale[{lead}1:] = np.asarray(masks, float)[{lead}1:] / {P}
    return scale
'''
