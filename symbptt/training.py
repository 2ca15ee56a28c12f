"""Training a character-level network on a text with the generated function, as a worked example of what it is for.

The text is cut into windows of T characters. Within a window the gradients are exact; the state is carried from one
window to the next, but no gradient passes between them: backpropagation through time truncated in segments. After
each window every parameter takes a step of Adagrad with the gradients clipped entry by entry, as in Karpathy's
``min-char-rnn`` (2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ModelFileError, ValueInputError
from .model import ROWS, one_example

if TYPE_CHECKING:
    from .api import RNN

_EPSILON = 1e-8


@dataclass(frozen=True)
class Training:
    """What is trained on, and how.

    Parameters
    ----------
    text : str
        The text itself; its different characters, sorted, are the vocabulary.
    rate : float
        Learning rate of Adagrad (Duchi et al., 2011).
    clip : float
        Largest absolute value of an entry of a gradient.
    seed : int
        Of the initial weights.
    passes : int
        How many passes over the text are made.

    Examples
    --------
    >>> Training("abba").vocabulary
    ('a', 'b')
    """

    text: str
    rate: float = 0.1
    clip: float = 5.0
    seed: int = 0
    passes: int = 10

    def __post_init__(self) -> None:
        if len(set(self.text)) < 2:
            raise ValueInputError("training: the text needs at least two different characters")
        for name in ("rate", "clip"):
            if not getattr(self, name) > 0:
                raise ValueInputError(f"training: {name} must be greater than 0, not {getattr(self, name)}")

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.text)))


@dataclass(frozen=True)
class Pass:
    """The outcome of one pass over the text.

    Attributes
    ----------
    number : int
        From 1.
    loss : float
        Mean cross-entropy of a character, in nats, while the pass was made.
    params : dict
        Key -> array, after the pass.
    """

    number: int
    loss: float
    params: Mapping[str, Any]


class Trainer:
    """Trains a network with a softmax readout to predict the next character of a text.

    Parameters
    ----------
    model : RNN
        Softmax readout with cross-entropy, as many inputs and outputs as characters, a concrete T.
    training : Training

    Raises
    ------
    ValueInputError
        For a model that does not predict classes, or whose sizes or T do not fit the text.

    Examples
    --------
    >>> from symbptt import RNN
    >>> model = RNN("tanh", 8, 2, 2, readout="softmax", loss="cross_entropy", steps=4)
    >>> first, *_, last = Trainer(model, Training("abbabbabbabbabb")).passes(20)
    >>> last.loss < first.loss / 2
    True
    """

    def __init__(self, model: RNN, training: Training) -> None:
        self.model, self.training = model, training
        self.network = model.network
        self.count = len(training.vocabulary)
        self._check()
        self.window = int(self.network.steps)
        codes = {c: i for i, c in enumerate(training.vocabulary)}
        self.codes = np.array([codes[c] for c in training.text])
        self.bptt = model.lambdify()

    def _check(self) -> None:
        network, count = self.network, self.count
        if network.heads or network.loss.target != "distribution":
            raise ValueInputError("training needs a network that predicts characters: readout softmax, cross-entropy")
        for what, given in (("inputs", network.inputs), ("outputs", network.outputs)):
            if given != count:
                raise ValueInputError(f"the text has {count} different characters, but the model has {what} = {given}")
        if network.reduction != "sum":
            raise ValueInputError(f"training needs reduction 'sum', not {network.reduction!r}")
        if not network.steps.is_Integer or network.steps >= len(self.training.text):
            raise ValueInputError(
                f"training needs a number of steps less than the {len(self.training.text)} characters, "
                f"not {network.steps}"
            )
        if not network.hidden.is_Integer:
            raise ValueInputError(f"training needs a number of hidden units, not {network.hidden}")

    def initial(self) -> dict[str, Any]:
        """Return random weights of variance 1 / (number of inputs of the matrix), and zero biases."""
        rng = np.random.default_rng(self.training.seed)
        params: dict[str, Any] = {}
        inputs = 0 if self.network.layout == ROWS else 1
        for key, leaf in one_example(self.network).system.parameters.items():
            shape = tuple(int(s) for s in getattr(leaf, "shape", ()))[: getattr(leaf, "rank", 0)]
            matrix = len(shape) == 2
            params[key] = rng.standard_normal(shape) / np.sqrt(shape[inputs]) if matrix else np.zeros(shape)
        return params

    def passes(self, count: int | None = None) -> Iterator[Pass]:
        """Yield the outcome of each pass over the text, ``training.passes`` of them by default."""
        params = self.initial()
        squares = {key: np.zeros_like(value) for key, value in params.items()}
        eye, states = np.eye(self.count), self.model.system.states
        starts = range(0, len(self.codes) - self.window, self.window)
        for number in range(1, (count or self.training.passes) + 1):
            carried: dict[str, Any] = {}
            losses = []
            for start in starts:
                codes = self.codes[start : start + self.window + 1]
                found = self.bptt(params, eye[codes[:-1]], codes[1:], initial=carried, wrt=tuple(params))
                losses.append(found.loss / self.window)
                carried = {state: found.states[state][-1] for state in states}
                for key, gradient in found.grads.items():
                    clipped = np.clip(gradient, -self.training.clip, self.training.clip)
                    squares[key] = squares[key] + clipped * clipped
                    params[key] = params[key] - self.training.rate * clipped / np.sqrt(squares[key] + _EPSILON)
            yield Pass(number, float(np.mean(losses)), dict(params))

    def sample(self, params: Mapping[str, Any], length: int, start: str | None = None, seed: int = 0) -> str:
        """Return a text that the network writes, each character drawn from its output.

        Parameters
        ----------
        params : mapping
        length : int
        start : str, optional
            What it begins with; the first characters of the text by default.
        seed : int
            Of the draws.
        """
        text = self.training.text[: self.window] if start is None else start
        unknown = next((c for c in text if c not in self.training.vocabulary), None)
        if unknown or not text:
            raise ValueInputError(f"start: {unknown!r} is not in the text" if unknown else "start must not be empty")
        predict = self.model.replace(steps="T").lambdify()
        places = {c: i for i, c in enumerate(self.training.vocabulary)}
        rng = np.random.default_rng(seed)
        eye, read = np.eye(self.count), [places[c] for c in text]
        carried: dict[str, Any] = {}
        for _ in range(length):
            found = predict(params, eye[read], np.zeros(len(read), dtype=int), initial=carried, wrt=())
            carried = {state: found.states[state][-1] for state in self.model.system.states}
            probabilities = np.asarray(found.outputs[-1])
            read = [int(rng.choice(self.count, p=probabilities / probabilities.sum()))]
            text += self.training.vocabulary[read[0]]
        return text


def training_of(source: str | Path) -> Training:
    """Return what the ``[training]`` table of a model file asks for.

    Raises
    ------
    ModelFileError
        For a model without the table, or a text that cannot be read.
    """
    from .examples import find, read_beside

    file = find(source)
    table = file.data.get("training")
    if table is None:
        raise ModelFileError(f'{file.name}: nothing to train on: give [training] with text = "FILE.txt"')
    settings: dict[str, Any] = {key: table[key] for key in ("seed", "passes") if key in table}
    settings.update({key: float(table[key]) for key in ("rate", "clip") if key in table})
    with file.located():
        return Training(read_beside(file, str(table["text"])), **settings)
