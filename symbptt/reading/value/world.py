"""What the symbols of a note are worth: the variables of its model at an instance, and what it defines itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...evaluate.instance import STEP, Instance, Trace
from ..meaning.expr import Expr, Ref
from ..meaning.index import Index
from .quantity import Quantity, column, scalar
from .reading import Reading


class NoValueError(Exception):
    """A symbol that has no value."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.symbol = symbol


class NoStepError(Exception):
    """A step that does not exist."""


class NotEvaluatedError(Exception):
    """Something that is not evaluated here: a phrase key."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True)
class Alias:
    """A symbol that a note defines: its expression, in the letter of its step where it has one."""

    expr: Expr
    letter: str | None = None
    first: int | None = None
    """Where its definition is for one step alone: that step."""


@dataclass(frozen=True)
class Meanings:
    """What the symbols of a model are.

    Attributes
    ----------
    variables : mapping
        Key of a variable over time in the note -> its name in the model.
    parameters : mapping
        Key -> name of a parameter in the model.
    loss : frozenset of str
        Keys of L.
    losses : frozenset of str
        Keys of the loss of a step.
    aliases : mapping
        Key -> what the note defines it as; for one step ``(key, step)``.
    constants : mapping
        Key, or (key, step) -> number or array that the note gives.
    functions : mapping
        Name of a function in the note -> name in the language.
    total : str
        The letter for the number of steps.
    untimed : mapping
        Key without a step -> (name in the model, step or None for the last): a target that exists once.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    loss: frozenset[str] = frozenset()
    losses: frozenset[str] = frozenset()
    aliases: Mapping[Any, Alias] = field(default_factory=dict)
    constants: Mapping[Any, Any] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    untimed: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    total: str = "T"


Key = tuple[str, "int | None"]


@dataclass(frozen=True)
class World:
    """An instance of a model, a reading, and the values of the letters that count steps.

    Attributes
    ----------
    instance : Instance or None
        None where a note has no network.
    meanings : Meanings
    reading : Reading
    counters : mapping
        Letter -> number; a whole one for a letter that counts steps.
    trace : Trace or None
        A perturbed pass, while a derivative is measured.
    shifted : mapping
        (key, step) -> array that is added to a symbol that is no part of the network.
    as_written : mapping
        Derivative or symbol -> expression that the note puts in its place, though it is wrong.
    seed : int
        Of the values of symbols that stand for any number.
    guess : bool
        Whether a symbol without a meaning stands for any number.
    depth : int
        How many definitions led here.
    stepwise : bool
        Whether figures go on from rounded figures, so that their last digits may be off.
    masks : mapping, optional
        Those of a random truncation, where they are not the ones of the instance.
    draws : callable, optional
        (world, arguments) -> pairs of a weight and a world: what expectations are taken over, where it is not masks.
    units : tuple of int, optional
        The sizes of identities, and of zeros, that nothing beside them settles; and, where it is not 0, of all
        identities and ones.
    """

    instance: Instance | None
    meanings: Meanings
    reading: Reading = field(default_factory=Reading)
    counters: Mapping[str, float] = field(default_factory=dict)
    trace: Trace | None = None
    shifted: Mapping[Key, Any] = field(default_factory=dict)
    as_written: tuple[tuple[Expr, Expr, tuple[str, ...]], ...] = ()
    seed: int = 0
    guess: bool = False
    depth: int = 0
    stepwise: bool = False
    masks: Mapping[Any, int] | None = None
    draws: Callable[[World, tuple[Expr, ...]], Iterable[tuple[float, World]]] | None = None
    units: tuple[int, int, int] | None = None

    @property
    def steps(self) -> int | None:
        """T."""
        if self.instance is not None:
            return self.instance.steps
        given = self.counters.get("T")
        return None if given is None else int(given)

    @property
    def last(self) -> Index:
        """T, as an index."""
        return Index((), self.steps or 0)

    def counting(self, **letters: float) -> World:
        """Return the same with values for letters."""
        return replace(self, counters={**self.counters, **letters})

    def at(self, index: Index) -> int:
        """Return the value of an index.

        Raises
        ------
        NoValueError
            For a letter without a value.
        """
        known = {letter: int(number) for letter, number in self.counters.items() if number == int(number)}
        if self.steps is not None:
            known.setdefault("T", self.steps)
            known.setdefault(self.meanings.total, self.steps)
        try:
            return index.at(known)
        except KeyError as error:
            raise NoValueError(str(error.args[0])) from None

    def quantity(self, ref: Ref) -> Quantity | Alias:
        """Return the value of a symbol, or what the note defines it as.

        Raises
        ------
        NoValueError, NoStepError
        """
        step = None if ref.when is None else self.at(ref.when)
        found = self._plain(ref.key, step)
        shift = self.shifted.get((ref.key, step))
        if shift is not None and isinstance(found, Quantity):
            found = replace(found, array=found.array + shift)
        return found

    def _plain(self, key: str, step: int | None) -> Quantity | Alias:
        meanings = self.meanings
        own = self.model_key(key, step)
        if own is not None and self.instance is not None:
            return self._of_model(*own)
        for constant in ((key, step), f"{key}_{step}" if step is not None else key, key):
            if constant in meanings.constants and (constant != key or step is None):
                return self._vector(_numbers(meanings.constants[constant]))
        alias = meanings.aliases.get((key, step)) or meanings.aliases.get(key)
        if alias is None or (step is not None and alias.letter is None and alias.first is None):
            alias = self._family(key, step)
        if alias is not None:
            if alias.letter is not None and step is None and alias.first is None:
                raise NoValueError(key)
            return alias
        if key == "e" and step is None:
            return scalar(np.e)
        if self.guess:
            return scalar(np.random.default_rng([self.seed, step or 0, *key.encode()]).uniform(0.2, 1.8))
        raise NoValueError(key)

    def _family(self, key: str, step: int | None) -> Alias | None:
        """Return what C_4 is where a note defines C_1, C_2, C_3 and C_10: the last of them, for another number."""
        from .series import at_places, indices_of

        steps = [k[1] for k in self.meanings.aliases if isinstance(k, tuple) and k[0] == key]
        if step is None or len(steps) < 2 or not min(steps) < step < max(steps):
            return None
        base = max(steps)
        last = self.meanings.aliases[key, base].expr
        places = {p: step for p, index in indices_of(last).items() if index.is_number and index.constant == base}
        return Alias(at_places(last, places), None, step)

    def model_key(self, key: str, step: int | None) -> Key | None:
        """Return the name and step of a symbol of the model; ``("L", None)`` for the loss."""
        meanings = self.meanings
        if step is not None and key in meanings.losses:
            return "l", step
        if step is not None and key in meanings.variables:
            return meanings.variables[key], step
        if step is None:
            if key in meanings.loss:
                return "L", None
            if key in meanings.parameters:
                return meanings.parameters[key], None
            if key in meanings.untimed:
                name, when = meanings.untimed[key]
                return name, self.steps if when is None else when
        return None

    def _of_model(self, name: str, step: int | None) -> Quantity:
        instance = self.instance
        if instance is None:
            raise NoValueError(name)
        trace = self.trace or instance.base
        if (name, step) == ("L", None):
            return scalar(trace.total)
        if (name, step) not in trace.values:
            if step is None:
                raise NoValueError(name)
            raise NoStepError
        array = np.asarray(trace.values[name, step])
        if instance.system.scalar:
            return scalar(np.squeeze(array))
        return self._vector(array)

    def _vector(self, array: Any) -> Quantity:
        """Return an array as a quantity; a vector is a column, or a row where the reading says so."""
        found = column(array)
        if self.reading.gradients:  # there an axis of length 1 tells a Jacobian from a gradient
            found = Quantity(np.asarray(array), np.shape(array)[:1], np.shape(array)[1:])
        turned = self.reading.rows and found.is_vector and bool(found.rows)
        return replace(found, rows=(), columns=found.rows) if turned else found

    # -- derivatives ----------------------------------------------------------------------------------
    def shape(self, ref: Ref) -> tuple[int, ...]:
        """Return the shape of what a derivative is taken by."""
        found = self.quantity(ref)
        if isinstance(found, Alias):
            raise NotEvaluatedError("check.reason.no-value", symbol=ref.key)
        return found.shape

    def perturbed(
        self, by: Ref, place: int, shape: tuple[int, ...], mode: str, of: Expr, beside: tuple[Ref, ...] = ()
    ) -> World:
        """Return the world in which one entry of a symbol is a little larger, along the imaginary axis.

        Parameters
        ----------
        by : Ref
        place : int
            Which entry, counted along the columns.
        shape : tuple of int
            Of what ``by`` stands for.
        mode : {"total", "immediate", "direct"}
            Whether the other states, or all other variables of the cell, are held fixed.
        of : Expr
            What is differentiated.
        beside : tuple of Ref
            What else it is differentiated by at the same time, each independent of the others.
        """
        step = None if by.when is None else self.at(by.when)
        own = self.model_key(by.key, step)
        if own is None and self.instance is not None and by.key in self.meanings.aliases and not self._writes(of, by):
            raise NotEvaluatedError("check.reason.derivative-by")
        if own is None or self.instance is None:
            direction = np.zeros(shape, dtype=complex)
            direction[np.unravel_index(place, shape, order="F")] = 1j * STEP
            return replace(self, shifted={**self.shifted, (by.key, step): direction[()]})
        if self.trace is not None:
            raise NotEvaluatedError("check.reason.second-order")
        if own[0] in ("L", "l"):
            raise NotEvaluatedError("check.reason.derivative-by")
        hold = self._held(own, of, mode) if mode in ("immediate", "direct") else frozenset[Key]()
        hold |= {key for other in beside if (key := self._key(other)) is not None}
        return replace(self, trace=self.instance.perturbed(own, place, hold))

    def _key(self, ref: Ref) -> Key | None:
        return self.model_key(ref.key, None if ref.when is None else self.at(ref.when))

    def _writes(self, of: Expr, by: Ref, depth: int = 4) -> bool:
        """Whether an expression is written with a symbol: by its name, or by that of what the note defines with it.

        The network itself knows nothing of what a note only calls by a name, such as e_t for o_t - y_t.
        """
        keys = {part.key for part in of.walk() if isinstance(part, Ref)}
        inner = [self.meanings.aliases[key].expr for key in keys - {by.key} if key in self.meanings.aliases]
        return by.key in keys or (depth > 0 and any(self._writes(expr, by, depth - 1) for expr in inner))

    def _held(self, own: Key, of: Expr, mode: str) -> frozenset[Key]:
        instance = self.instance
        assert instance is not None
        keys = [self._key(part) for part in of.walk() if isinstance(part, Ref)]
        whole = isinstance(of, Ref) or all(isinstance(part, Ref) for part in of.children)
        free = frozenset(key for key in keys if whole and key is not None and key[0] not in ("L", "l"))
        base = instance.base
        everything = not free or mode == "direct"
        system = instance.system
        names = [e.name for e in system.stage("cell")] if everything else system.states
        if free and own[0] in {name for name, _ in free}:
            names = [name for name in names if name != own[0]]  # along the state itself, the others held
        return frozenset((name, step) for name in names for step in base.order()) - free - {own}


def _numbers(given: Any) -> Any:
    array = np.asarray(given)
    return array if np.iscomplexobj(array) else array.astype(float)
