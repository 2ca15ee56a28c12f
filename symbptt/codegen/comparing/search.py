"""Which usual mistake explains the wrong arrays: each is tried, the simplest that explains most is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...evaluate.numbers import Array
from ...model.truncation import Window
from .equations import Backward
from .matching import FACTOR, Match, Target, match
from .mistakes import MISTAKES, SUM, SWEEP, forms_of
from .numbers import Numbers, Swept
from .result import ADJOINT, GRADIENT, Cause

_WORK = 1e10
"""So many products of numbers the search may take; at large sizes less common mistakes, and most pairs, are left."""
_PAIRS = 200
"""Sums are tried with all mistaken sweeps where so many passes are within that."""
_BETTER = 4.0
"""Of two mistakes that explain the same the later one is believed only where it fits so many times better."""


@dataclass
class Guess:
    """A mistaken sweep, and what it explains.

    Attributes
    ----------
    causes : tuple of Cause
        Of the sweep; none for the right one.
    matches : dict
        Target -> how it is explained.
    against : set
        Right targets that the sweep would have made wrong.
    """

    causes: tuple[Cause, ...]
    matches: dict[int, Match] = field(default_factory=dict)
    against: set[int] = field(default_factory=set)

    def explains(self, targets: set[int]) -> set[int]:
        return {i for i in self.matches if i in targets}

    def settles(self, i: int) -> bool:
        """Whether a target is explained by what has a meaning."""
        return i in self.matches and all(cause.name != FACTOR for cause in self.matches[i].causes)

    def cost(self, targets: set[int]) -> int:
        extras = {self.matches[i] for i in self.explains(targets) if self.matches[i].causes}
        return 2 * len(self.causes) + sum(cost for _, cost in {(fit.causes, fit.cost) for fit in extras})

    def rank(self, targets: set[int]) -> tuple[Any, ...]:
        explained = self.explains(targets)
        return (-len(explained), bool(self.against), self.cost(targets))

    def residual(self, targets: set[int]) -> float:
        return max(self.matches[i].residual for i in self.explains(targets))


def search(right: Backward, numbers: Numbers, targets: Sequence[Target]) -> dict[int, tuple[Cause, ...]]:
    """Return what explains each wrong target, by its place.

    Parameters
    ----------
    right : Backward
    numbers : Numbers
    targets : sequence of Target
        All that was given, right and wrong.
    """
    return _Search(right, numbers, targets).run()


class _Search:
    def __init__(self, right: Backward, numbers: Numbers, targets: Sequence[Target]) -> None:
        self.right, self.numbers, self.targets = right, numbers, targets
        self.wrong = {i for i, target in enumerate(targets) if target.wrong}
        self.guesses: list[Guess] = []
        self._kept: dict[tuple[Cause, ...], Swept] = {}

    def run(self) -> dict[int, tuple[Cause, ...]]:
        """Go on from simple to composed mistakes until all is explained."""
        for stage in (self._exact, self._single, self._combined):
            stage()
            if any(self._is_whole(guess) for guess in self.guesses):
                break
        return self._chosen()

    def _is_whole(self, guess: Guess) -> bool:
        return self.wrong <= guess.matches.keys() and not guess.against

    # -- stages -----------------------------------------------------------------------------------------------
    def _exact(self) -> None:
        guess = self._guess((), self.right, self._exact_sweep)
        self._swapped(guess)
        self._sums(guess, self.right, self._exact_sweep)

    def _single(self) -> None:
        for causes, equations, swept in self._sweeps():
            self._guess(causes, equations, swept)

    def _combined(self) -> None:
        for causes, equations, swept in self._sweeps(common=not self._is_small):
            guess = self._guess(causes, equations, swept)
            self._sums(guess, equations, swept)
        if any(self._is_whole(guess) for guess in self.guesses):
            return
        for causes, equations, _ in self._sweeps(common=True) if self._is_small else ():
            for more, both in self._forms(SWEEP, equations, common=True):
                if _position(more) > _position(causes[0]):
                    swept = self.numbers.swept(both)
                    guess = self._guess((*causes, more), both, swept)
                    self._sums(guess, both, swept)

    @cached_property
    def _passes(self) -> float:
        """How many passes may be made."""
        entries = sum(value.size for value in self.numbers.parameters.values())
        return _WORK / (self.numbers.steps * self.numbers.batch * (entries + 100))

    @property
    def _is_small(self) -> bool:
        return self._passes >= _PAIRS

    def _sweeps(self, common: bool = False) -> Iterator[tuple[tuple[Cause, ...], Backward, Swept]]:
        """Yield the mistaken sweeps, each carried out once."""
        windows: Iterator[Swept] | None = None
        length = made = 0
        for cause, equations in self._forms(SWEEP, self.right, common):
            if (cause,) in self._kept:
                yield (cause,), equations, self._kept[(cause,)]
                continue
            made += 1
            if made > self._passes:
                return
            if isinstance(equations.cut, Window):  # each goes on where the one before it ends
                windows = windows or self.numbers.windows(self.right, self.numbers.steps)
                while length < equations.cut.tau:
                    found, length = next(windows), length + 1
                swept = Swept(found.local, dict(found.adjoints), dict(found.early))
            else:
                swept = self.numbers.swept(equations)
            if self._is_small:
                self._kept[(cause,)] = swept
            yield (cause,), equations, swept

    @cached_property
    def _exact_sweep(self) -> Swept:
        return self.numbers.swept(self.right)

    def _forms(self, kind: str, equations: Backward, common: bool = False) -> Iterator[tuple[Cause, Backward]]:
        for mistake in MISTAKES:
            if mistake.kind == kind and (mistake.common or not common):
                for values, changed in forms_of(mistake, equations, self.numbers):
                    yield Cause(mistake.name, values), changed

    # -- one sweep --------------------------------------------------------------------------------------------
    def _guess(self, causes: tuple[Cause, ...], equations: Backward, swept: Swept) -> Guess:
        found = self._arrays(self.numbers.sums(equations, swept), swept)
        guess = Guess(causes)
        for i, target in enumerate(self.targets):
            array = found[target.kind, target.key]
            fit = match(target, array, self._factors, plain=not target.wrong)
            if target.wrong and fit is not None:
                guess.matches[i] = fit
            elif not target.wrong and fit is None:
                guess.against.add(i)
        if guess.matches:
            self.guesses.append(guess)
        return guess

    @staticmethod
    def _arrays(sums: Mapping[str, Array], swept: Swept) -> dict[tuple[str, str], Array]:
        grads = {(GRADIENT, key): value for key, value in sums.items()}
        return {**grads, **{(ADJOINT, name): value for name, value in swept.adjoints.items()}}

    def _swapped(self, guess: Guess) -> None:
        """The gradient by another parameter; and one that is zero."""
        sums = self.numbers.sums(self.right, self._exact_sweep)
        for i in sorted(self.wrong - guess.matches.keys()):
            target = self.targets[i]
            if target.kind != GRADIENT:
                continue
            if not target.given.any():
                guess.matches[i] = Match((Cause("missing"),), 0.0)
                continue
            for other in self.right.parameters:
                alike = other != target.key and sums[other].size == target.given.size
                if alike and (fit := match(target, sums[other], self._factors)) is not None:
                    swapped = Cause("swapped", (("other", other),))
                    guess.matches[i] = Match((swapped, *fit.causes), fit.residual)
                    break
        if guess.matches and not any(guess is other for other in self.guesses):
            self.guesses.append(guess)

    def _sums(self, guess: Guess, equations: Backward, swept: Swept) -> None:
        """Try mistakes in the sums on what is not explained, or only by a factor that means nothing."""
        left = (i for i in sorted(self.wrong) if self.targets[i].kind == GRADIENT and not guess.settles(i))
        open_ = {self.targets[i].key: i for i in left}
        for cause, changed in self._forms(SUM, equations) if open_ else ():
            sums = self.numbers.sums(changed, swept, open_)
            for key, i in open_.items():
                fit = match(self.targets[i], sums[key], self._factors)
                if fit is not None and (i not in guess.matches or 1 + fit.cost < guess.matches[i].cost):
                    guess.matches[i] = Match((cause, *fit.causes), fit.residual)
        if guess.matches and not any(guess is other for other in self.guesses):
            self.guesses.append(guess)

    @cached_property
    def _factors(self) -> dict[str, float]:
        """The sizes that are summed or averaged over, by name."""
        steps, batch = self.numbers.steps, self.numbers.batch
        sizes = {str(k): v for k, v in self.numbers.sizes.items() if k != str(self.right.system.steps)}
        return {"T": steps, "B": batch, **sizes, "T B": steps * batch}

    # -- the choice -------------------------------------------------------------------------------------------
    def _chosen(self) -> dict[int, tuple[Cause, ...]]:
        """Return the causes of the best guess for most targets, then of the best for those that are left."""
        chosen: dict[int, tuple[Cause, ...]] = {}
        left = set(self.wrong)
        while left:
            able = [guess for guess in self.guesses if guess.explains(left)]
            if not able:
                break
            best = min(guess.rank(left) for guess in able)
            equal = [guess for guess in able if guess.rank(left) == best]
            least = min(guess.residual(left) for guess in equal)
            guess = next(g for g in equal if g.residual(left) <= max(_BETTER * least, 1e-3))
            for i in sorted(guess.explains(left)):
                chosen[i] = self._plainly(i, guess)
            left -= guess.explains(left)
        return chosen

    def _plainly(self, i: int, guess: Guess) -> tuple[Cause, ...]:
        """Return the causes of a target, without those of the sweep where it does not depend on them."""
        own = guess.matches[i].causes
        for other in self.guesses:
            if not other.causes and i in other.matches and other.matches[i].causes == own:
                return own
        return (*guess.causes, *own)


def _position(cause: Cause) -> int:
    return next(i for i, mistake in enumerate(MISTAKES) if mistake.name == cause.name)
