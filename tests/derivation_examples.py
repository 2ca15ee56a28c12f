"""Derivations that the tests of the writers share: every cell and loss, scalar and vector, with numbers and without."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from cells import own_sizes

from symbptt import LSTM, RNN, Bidirectional, Cell, Derivation, Loss, Stack
from symbptt.algebra import rank_of, shape_of
from symbptt.model import ACTIVATIONS, CATALOGUE

READOUTS = [
    (None, "half_squared_error"),
    (None, "mse"),
    ("linear", "squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
]
MY_LSTM = Cell(LSTM().equations, ["h", "c"], name="lstm & co_1")
"""A user's own cell, with a name that needs care and gates that nobody called so."""
FAST_WEIGHTS = Cell(
    ["S[t] = 1/2 * S[t-1] + (W_k @ x[t]) @ (W_v @ x[t]).T", "h[t] = tanh(S[t] @ (W_q @ x[t]))"],
    states={"S": ("p", "k")},
    output="h",
    name="fast weights",
)
COUPLED = Cell(
    ["c[t] = tanh(W_c @ c[t-1] + W_x @ x[t])", "h[t] = sigmoid(W_h @ h[t-1]) * c[t]"], states=["h", "c"], name="coupled"
)
UNUSED = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "u[t] = V @ h[t]"], ["h"], shapes={"u": "n"})
TWO_SIZES = Cell(
    ["u[t] = tanh(A @ u[t-1] + B @ v[t-1] + W_x @ x[t])", "v[t] = sigmoid(C @ v[t-1] + D @ u[t])"],
    states={"u": "n", "v": "p"},
    output="v",
    name="two sizes",
)
FORWARD = ("closed", "influence", "forward_mode", "given", "forward", "backward", "forward_numbers")
BACKWARD = Cell(["h[t] = tanh(W_h @ h[t+1] + W_x @ x[t])"], states=["h"], direction=-1, name="backward")
TWO_READOUTS = {"y": "softmax", "v": "linear"}
TWO_LOSSES = {"y": "cross_entropy", "v": "half_squared_error"}
NOTATIONS = [
    "textbook",
    "hh",
    "d2l",
    "pytorch",
    "goodfellow",
    {"h": r"\mathbf{h}", "W_h": r"\hat{W}_{rec}", "tanh()": "f"},
]


def relu_explosion() -> RNN:
    """The worked example of the notes: z = 2, 6, 14 and dL/dh = 52, 26, 13."""
    return RNN(
        "relu",
        1,
        1,
        loss=Loss("1/2*norm2(target[t]-h[t])"),
        reduction="last",
        steps=3,
        values={"W_h": "2.0", "W_x": "2.0", "b_h": "0.0", "x": ["1.0"] * 3, "target": "1.0", "h0": "0.0"},
        notation={"target": "y", "b_h": "b"},
        title={"zh": "ReLU 网络的梯度爆炸", "en": "Exploding gradients of a ReLU network"},
    )


def with_numbers(model: RNN, scale: float = 1.0) -> RNN:
    """A model of concrete sizes with made-up numbers for everything that it needs."""
    system, steps = model.system, range(int(model.system.steps))
    entries = itertools.cycle([0.5, -0.25, 1.0, 0.75, -1.5, 0.2])
    leaves = system.parameters | {f"{state}0": system.at(state) for state in system.states}
    values = {key: _array(_sizes(model, leaf), lambda: scale * next(entries)) for key, leaf in leaves.items()}
    for key in system.inputs:
        values[key] = [_array(_sizes(model, system.at(key)), lambda: next(entries)) for _ in steps]
    values["target"] = [_target(model, t) for t in steps]
    return model.replace(values=values)


def along(model: RNN) -> RNN:
    """The model with a made-up direction in the space of its parameters."""
    entries = itertools.cycle([1.0, -0.5, 0.25])
    return model.replace(
        values=model.values
        | {
            f"V_{key}": _array(_sizes(model, leaf), lambda: next(entries))
            for key, leaf in model.system.parameters.items()
        }
    )


def _sizes(model: RNN, leaf: Any) -> tuple[int, ...]:
    """The sizes of an array as a user gives it: one for a vector, none in a scalar model."""
    return () if model.system.scalar else tuple(int(size) for size in shape_of(leaf)[: rank_of(leaf)])


def _array(shape: tuple[int, ...], entry: Callable[[], float]) -> Any:
    return [_array(shape[1:], entry) for _ in range(shape[0])] if shape else entry()


def _target(model: RNN, t: int) -> Any:
    kind, sizes = model.system.target, _sizes(model, model.system.at("target"))
    if kind == "distribution":
        return 0 if not sizes else [1.0 if i == t % sizes[0] else 0.0 for i in range(sizes[0])]
    return _array(sizes, lambda: 0.25 if kind == "unit" else 1.0)


def catalogue_models() -> Iterator[RNN]:
    """Every cell of the catalogue: each pair of a cell, a readout with its loss and a form; see ``combinations``."""
    for cell in CATALOGUE:
        yield from models_of(cell)


def models_of(cell: str) -> Iterator[RNN]:
    """A cell with the readouts, losses and forms that are its own."""
    for place, form in combinations(cell):
        yield _in_form(cell, *READOUTS[place], form)


def combinations(cell: str) -> list[tuple[int, int]]:
    """The place of a readout in ``READOUTS`` and a form: of all cells together every pair of two of the three occurs.

    An Elman cell takes every readout and every form; of a long cell two readouts, which differ from cell to cell.
    """
    place = list(CATALOGUE).index(cell)
    if cell in ACTIVATIONS:
        return [(k, (place + k) % FORMS) for k in range(len(READOUTS))]
    chosen = [(place + k) % len(READOUTS) for k in (0, 2)]
    return [(chosen[(form + place // len(READOUTS)) % 2], form) for form in range(FORMS)]


@functools.cache
def some_catalogue_models() -> tuple[RNN, ...]:
    """Every cell of the catalogue, each with one readout and in one form, so that every readout and form occurs."""
    found = []
    for place, cell in enumerate(CATALOGUE):
        form = place % FORMS if cell in ACTIVATIONS else 0
        found.append(_in_form(cell, *READOUTS[place % len(READOUTS)], form))
    return tuple(found)


FORMS = 4
"""Symbolic and with numbers, vectors and scalars."""


def _in_form(cell: str, readout: str | None, loss: str, form: int) -> RNN:
    shared: dict[str, Any] = {"cell": cell, "readout": readout, "loss": loss}
    own = own_sizes(CATALOGUE[cell]())
    one, two = dict.fromkeys(own, 1), dict.fromkeys(own, 2)
    q = 1 if readout else None
    if form == 0:
        return RNN(**shared)
    if form == 1:
        return RNN(**shared, hidden=1, inputs=1, outputs=q, reduction="mean", sizes=one)
    if form == 2:
        return with_numbers(RNN(**shared, hidden=2, inputs=1, outputs=2 if readout else None, steps=2, sizes=two))
    return with_numbers(RNN(**shared, hidden=1, inputs=1, outputs=q, steps=2, reduction="last", sizes=one))


STABILITY = ("given", "products", "bounds", "distances", "spectrum", "power")


def linear_network(matrix: list[list[Any]], start: list[Any], steps: int = 4) -> RNN:
    """A linear network without input whose gradient at the last step is the start."""
    values = {"W_h": matrix, "h0": [1] * len(start), "target": start}
    return RNN("linear", len(start), None, loss=Loss("target[t].T @ h[t]"), reduction="last", steps=steps, bias=False,
               values=values, sections=STABILITY)  # fmt: skip


def stability_models() -> dict[str, RNN]:
    """Models that between them use every rule on stability."""
    residual = Cell(["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "h[t] = h[t-1] + tanh(z[t])"], states=["h"], name="skip")
    unbounded = Cell(["h[t] = exp(W_h @ h[t-1] + W_x @ x[t])"], states=["h"], name="exp")
    drawn = {"seed": 3, "W_h": 0.1, "x": 1, "target": 1, "W_x": 0.3, "b_h": 0}
    return {
        "stability, symmetric": linear_network([[2, 1], [1, 2]], [1, 0]),
        "stability, not normal": linear_network([[2, 1], [0, 1]], [1, 0]),
        "stability, turning": linear_network([[1, -2], [2, 1]], [1, 0]),
        "stability, defective": linear_network([[3, 1], [-1, 1]], [1, 0]),
        "stability, two eigenvectors": linear_network([[1, 0, 0], [0, -1, 0], [0, 0, -1]], [1, 1, 0]),
        "stability, orthogonal": linear_network([[2, 0], [0, 1]], [0, 1]),
        "stability, vector": with_numbers(RNN("sigmoid", 2, 2, 2, "linear", steps=3)).replace(sections=STABILITY),
        "stability, scalar": with_numbers(RNN("relu", 1, 1, steps=3), 0.5).replace(sections=STABILITY),
        "stability, lstm": with_numbers(RNN("lstm", 1, 1, steps=2)).replace(sections=STABILITY),
        "stability, residual": RNN(residual, sections=STABILITY),
        "stability, unbounded": RNN(unbounded, sections=STABILITY),
        "stability, drawn": RNN("tanh", 13, 1, steps=4, random=drawn, sections=STABILITY),
    }


def special_models() -> dict[str, RNN]:
    """Models that between them use every rule."""
    kept = {"W_h": 1.0, "h0": 1.0, "target": [0.0, 0.0, 3.0]}
    at_kinks = {"W_h": 1, "W_x": 1, "b_h": 0, "h0": 0, "x": [0, -1, 2], "target": [1, 1, 1]}
    return {
        "relu": relu_explosion(),
        "softmax": RNN("tanh", readout="softmax", loss="cross_entropy"),
        "vector": with_numbers(RNN("relu", 2, 2, 3, readout="softmax", loss="cross_entropy", steps=3)),
        "mean": RNN("sigmoid", readout="linear", reduction="mean", steps=4),
        "lstm": RNN(MY_LSTM),
        "scalar lstm": with_numbers(RNN(MY_LSTM, 1, 1, steps=2)),
        "matrix state": RNN(FAST_WEIGHTS),
        "largest entry": RNN("tanh", loss=Loss("max(h[t]) + sum(abs(h[t]))")),
        "no input": RNN("tanh", inputs=None, bias=False, reduction="last"),
        "no input, numbers": with_numbers(RNN("tanh", 2, None, steps=2)),
        "long": with_numbers(RNN("tanh", 1, 1, steps=20), 0.5),
        "keeps": RNN("linear", 1, None, steps=3, bias=False, values=kept, reduction="last"),
        "decays": RNN("linear", 1, None, steps=3, bias=False, values={**kept, "W_h": 0.5}, reduction="last"),
        "stack": RNN(Stack(["tanh", "lstm"]), readout="linear"),
        "scalar stack": with_numbers(RNN(Stack(["tanh", "relu"]), 1, 1, steps=2)),
        "bidirectional": RNN(Bidirectional("tanh"), readout="softmax", loss="cross_entropy", steps=2),
        "bidirectional, numbers": with_numbers(RNN(Bidirectional("tanh"), 2, 1, 2, "linear", steps=2)),
        "stacked bidirectional": RNN(Stack([Bidirectional("relu"), Bidirectional("linear")])),
        "rows": RNN("tanh", readout="softmax", loss="cross_entropy", layout="rows", notation="d2l"),
        "rows, one": RNN("tanh", 2, 1, 2, "softmax", "cross_entropy", steps=2, layout="rows", batch=1),
        "rows, several states": RNN(COUPLED, layout="rows"),
        "rows, numbers": with_numbers(RNN("sigmoid", 2, 1, steps=2, layout="rows", batch=2)),
        "state space": RNN("state_space", readout="softmax", loss="cross_entropy", reduction="last"),
        "kink": RNN("relu", 1, 1, steps=3, values=at_kinks),
        "influence": RNN("linear", readout="linear", sections=FORWARD),
        "influence, last": RNN("tanh", reduction="last", sections=FORWARD),
        "coupled": RNN(TWO_SIZES, sections=["forward_mode"]),
        "forward mode": with_numbers(RNN("tanh", 2, 1, steps=2, sections=FORWARD)),
        "scalar forward mode": with_numbers(RNN("tanh", 1, 1, steps=2, sections=FORWARD)),
        "unused": RNN(UNUSED, sections=["recursion"]),
        "masked": RNN("tanh", readout="softmax", loss="cross_entropy", reduction="mean", mask=True),
        "some losses": with_numbers(RNN("tanh", 1, 1, steps=4, loss_steps=[2, 4])),
        "readouts": RNN("tanh", readout=TWO_READOUTS, loss=TWO_LOSSES),
        "readouts, last": RNN("relu", readout=TWO_READOUTS, loss=TWO_LOSSES, reduction="last"),
        "saliency": RNN("tanh", readout="softmax", loss="cross_entropy", sections=["saliency"]),
        "saliency, numbers": with_numbers(RNN("relu", 2, 1, 2, readout="linear", steps=3, sections=["saliency"])),
        "saliency, backward": RNN(BACKWARD, sections=["saliency"]),
        "second order": RNN("tanh", readout="softmax", loss="cross_entropy", sections=["model", "hessian"]),
        "second order, relu": RNN("relu", readout="linear", reduction="last", sections=["hessian"]),
        "second order, numbers": along(with_numbers(RNN("sigmoid", 2, 1, steps=2, sections=["given", "curvature"]))),
        **two_methods(),
    }


def remedy_models() -> dict[str, RNN]:
    """Clipping, initialisation, and before and after."""
    shown = ("clipping", "initialisation", "comparison")
    before = {"clip": 0.5, "before": {"cell": "tanh"}}
    other = {"clip": 0.5, "before": {"values": {"W_h": 3.0}}}
    return {
        "remedies": RNN("tanh", sections=shown),
        "remedies, numbers": with_numbers(RNN("residual", 2, 1, steps=3)).replace(sections=shown, remedies=before),
        "remedies, scalar": with_numbers(RNN("leaky_relu", 1, 1, steps=3)).replace(sections=shown, remedies=other),
    }


def two_methods() -> dict[str, RNN]:
    """Path expansion beside the recursion: each way of listing the chains, and of counting."""
    shown: dict[str, Any] = {"sections": ("methods", "cost")}
    return {
        "chains": with_numbers(RNN("linear", 1, 1, steps=10, bias=False, **shown)),
        "chains, symbolic": RNN("tanh", reduction="mean", **shown),
        "chains, links differ": with_numbers(RNN("tanh", 1, 1, steps=5, bias=False, **shown)),
        "chains, one loss": RNN("linear", 1, 1, steps=200, reduction="last", **shown),
        "chains, one loss, symbolic": RNN("tanh", reduction="last", **shown),
        "chains, joint": with_numbers(RNN("lstm", 2, 2, steps=3, **shown)),
        **stability_models(),
        **truncated_models(),
        **remedy_models(),
    }


def truncated_models() -> dict[str, RNN]:
    """Models that between them use every rule on truncation."""
    sections = ["truncation", "truncated"]
    both = ["window:2", "segments:2"]
    chance = ["randomised:0.8", "randomised:0.8:independent"]
    return {
        "cut": RNN("tanh", truncate=both, sections=sections),
        "cut, numbers": with_numbers(RNN("tanh", 2, 1, steps=5), 0.5).replace(truncate=both, sections=sections),
        "cut, last": RNN("tanh", 1, 1, steps=4, reduction="last", truncate=both, sections=sections),
        "cut, one": RNN("tanh", steps=3, truncate=["window:1", "segments:1"], sections=sections),
        "cut, whole": RNN("tanh", steps=3, truncate=["window:3", "segments:3"], sections=sections),
        "cut, matrix state": RNN(FAST_WEIGHTS, truncate=both, sections=sections),
        "cut at random": with_numbers(RNN("tanh", 1, 1, steps=4), 0.5).replace(truncate=chance, sections=sections),
        "cut at random, vector": RNN("tanh", steps=4, truncate=["randomised:p", "randomised:0.9,0.8,1/3:independent"],
                                     sections=sections),
        "cut at random, last": RNN("tanh", steps=4, reduction="last", truncate=chance, sections=sections),
    }  # fmt: skip


@functools.cache
def in_both_languages(name: str) -> tuple[tuple[str, Derivation], ...]:
    """A name and a derivation of a special model, in all languages."""
    model = special_models()[name]
    if name == "stability, symmetric":
        return tuple((f"{name} {lang}", model.stability(lang)) for lang in ("en", "zh"))
    derivation = model.derivation()
    return tuple((f"{name} {lang}", rewritten(derivation, lang, model.notation)) for lang in ("en", "zh"))


def special_derivations() -> tuple[tuple[str, Derivation], ...]:
    """A name and a derivation of every special model, in all languages."""
    return (*(made for name in special_models() for made in in_both_languages(name)), ("stepwise", stepwise()))


def some_special_derivations() -> tuple[tuple[str, Derivation], ...]:
    """Those of one model of twelve, for tests that take long over all of them."""
    return (
        *(made for name in list(special_models())[::12] for made in in_both_languages(name)),
        ("stepwise", stepwise()),
    )


@functools.cache
def stepwise() -> Derivation:
    """A derivation whose figures go on from the printed ones."""
    return special_models()["long"].derivation(rounding="step", digits=3)


def rewritten(derivation: Derivation, lang: str, notation: Any) -> Derivation:
    """The same derivation in another language and notation."""
    return Derivation(derivation.derived, lang, notation, derivation.options, derivation.title)
