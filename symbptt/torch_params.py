"""Weights of ``torch.nn.RNN``, ``LSTM`` and ``GRU`` under canonical keys. PyTorch itself is not imported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import ShapeError, UnknownNameError, ValueInputError

_NAME = re.compile(r"(weight|bias)_(ih|hh)_l(\d+)(_reverse)?")


class _Kind(NamedTuple):
    """How PyTorch stacks the gates of a cell in one matrix.

    Attributes
    ----------
    cell : str
    gates : tuple of str
        The ends of the canonical keys ``W_x.``, ``W_h.`` and ``b_.``, in PyTorch's order.
    apart : tuple of str
        Gates whose two biases stay apart, the recurrent one under ``b_h.``.
    """

    cell: str
    gates: tuple[str, ...]
    apart: tuple[str, ...] = ()


_KINDS = {
    1: _Kind("nn.RNN", ("",)),
    3: _Kind("nn.GRU", ("r", "z", "h"), apart=("h",)),
    4: _Kind("nn.LSTM", ("i", "f", "c", "o")),
}
"""Rows of ``weight_hh`` for each of its columns -> the cell."""


def params_from_torch(module: Any) -> dict[str, NDArray[Any]]:
    """Return the weights of a recurrent PyTorch module under the canonical keys of symbptt.

    Where PyTorch has two biases and the cell one, they are added; of the GRU's candidate the recurrent one is
    ``b_hh``. ``W_x`` and ``W_h`` of ``nn.RNN`` stand for tanh and relu alike.

    Parameters
    ----------
    module : torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU, or their ``state_dict()``
        The values may be tensors or arrays.

    Returns
    -------
    dict
        Key -> array (a copy). With several layers the keys begin with ``1.``, ``2.``, ...; in a bidirectional
        network with ``forward.`` and ``backward.``; in both with ``1.forward.`` and so on.

    Raises
    ------
    UnknownNameError
        Where something is no weight of such a module.
    ShapeError
        Where matrices do not fit each other.
    ValueInputError
        Where a weight is missing.

    Examples
    --------
    >>> import numpy as np
    >>> state = {"weight_ih_l0": np.ones((2, 3)), "weight_hh_l0": np.eye(2), "bias_ih_l0": [1, 2], "bias_hh_l0": [3, 4]}
    >>> params = params_from_torch(state)
    >>> params["W_x"].shape, params["b_h"]
    ((2, 3), array([4, 6]))
    """
    state = module.state_dict() if hasattr(module, "state_dict") else module
    if not isinstance(state, Mapping) or not state:
        raise ValueInputError(f"a module of PyTorch or its state_dict() is needed, not {type(module).__name__}")
    parts = _parts({str(name): _array(value) for name, value in state.items()})
    several = len({layer for layer, _ in parts}) > 1
    both = any(backward for _, backward in parts)
    params: dict[str, NDArray[Any]] = {}
    for (layer, backward), arrays in sorted(parts.items()):
        direction = ("backward." if backward else "forward.") if both else ""
        prefix = (f"{layer + 1}." if several else "") + direction
        params.update((prefix + key, value) for key, value in _canonical(prefix, arrays))
    return params


def _array(value: Any) -> NDArray[Any]:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.array(value)


def _parts(arrays: Mapping[str, NDArray[Any]]) -> dict[tuple[int, bool], dict[str, NDArray[Any]]]:
    """Return (layer, backward) -> its arrays by ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``."""
    parts: dict[tuple[int, bool], dict[str, NDArray[Any]]] = {}
    for name, value in arrays.items():
        found = _NAME.fullmatch(name)
        if found is None:
            hint = "proj_size is not supported" if name.startswith("weight_hr") else "pass the recurrent module itself"
            raise UnknownNameError(f"{name!r} is no weight of nn.RNN, nn.LSTM or nn.GRU; {hint}")
        what, which, layer, reverse = found.groups()
        parts.setdefault((int(layer), reverse is not None), {})[f"{what}_{which}"] = value
    return parts


def _canonical(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the keys and arrays of one layer and direction."""
    missing = next((name for name in ("weight_ih", "weight_hh") if name not in arrays), None)
    if missing or ("bias_ih" in arrays) != ("bias_hh" in arrays):
        where = f" of {prefix[:-1]}" if prefix else ""
        raise ValueInputError(f"{missing or 'one of bias_ih and bias_hh'} is missing{where}")
    inputs, hidden = arrays["weight_ih"], arrays["weight_hh"]
    if hidden.ndim != 2 or inputs.ndim != 2 or len(inputs) != len(hidden):
        raise ShapeError(f"weight_ih has shape {inputs.shape} and weight_hh {hidden.shape}: the rows must be as many")
    size = hidden.shape[1]
    kind = _KINDS.get(len(hidden) // size) if len(hidden) % size == 0 else None
    if kind is None:
        raise ShapeError(f"weight_hh has shape {hidden.shape}; (n, n), (3n, n) or (4n, n) is needed")
    for place, gate in enumerate(kind.gates):
        rows = slice(place * size, (place + 1) * size)
        yield f"W_x{gate}", inputs[rows]
        yield f"W_h{gate}", hidden[rows]
        if "bias_ih" in arrays:
            first, second = arrays["bias_ih"][rows], arrays["bias_hh"][rows]
            yield f"b_{gate or 'h'}", first if gate in kind.apart else first + second
            if gate in kind.apart:
                yield f"b_h{gate}", second


def is_torch_name(name: str) -> bool:
    """Return whether a weight of ``torch.nn.RNN``, ``LSTM`` or ``GRU`` is called so.

    >>> is_torch_name("weight_hh_l0"), is_torch_name("W_h")
    (True, False)
    """
    return _NAME.fullmatch(name) is not None


def gradients_from_torch(grads: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return gradients under PyTorch's names by gate: what each is called -> its canonical key, and its rows.

    Both biases of a gate have the gradient of the cell's bias, and are compared with it one by one. What has no name of
    PyTorch's keeps its own.

    Parameters
    ----------
    grads : mapping
        Name -> array or tensor.

    Raises
    ------
    ShapeError
        For a matrix that is no stack of gates.

    Examples
    --------
    >>> found = gradients_from_torch({"bias_hh_l0": np.arange(8.0), "weight_hh_l0": np.ones((8, 2)), "W_y": 1.0})
    >>> found["bias_hh_l0[2:4]"][0], found["weight_hh_l0[6:8]"][0], found["W_y"]
    ('b_f', 'W_ho', ('W_y', 1.0))
    """
    named = {name: _NAME.fullmatch(str(name)) for name in grads}
    ours = {name: match for name, match in named.items() if match is not None}
    several = len({match[3] for match in ours.values()}) > 1
    both = any(match[4] for match in ours.values())
    found: dict[str, tuple[str, Any]] = {}
    for name, value in grads.items():
        match = ours.get(name)
        if match is None:
            found[name] = (name, value)
            continue
        layer, backward = int(match[3]), match[4] is not None
        kind = _kind_of(grads, layer, backward)
        direction = ("backward." if backward else "forward.") if both else ""
        prefix = (f"{layer + 1}." if several else "") + direction
        size = len(value) // len(kind.gates)
        for place, gate in enumerate(kind.gates):
            key = f"W_{'x' if match[2] == 'ih' else 'h'}{gate}"
            if match[1] == "bias":
                key = f"b_h{gate}" if gate in kind.apart and match[2] == "hh" else f"b_{gate or 'h'}"
            rows = "" if len(kind.gates) == 1 else f"[{place * size}:{(place + 1) * size}]"
            found[f"{name}{rows}"] = (prefix + key, value[place * size : (place + 1) * size])
    return found


def _kind_of(grads: Mapping[str, Any], layer: int, backward: bool) -> _Kind:
    """Return the cell that gradients of a layer belong to, by its recurrent matrix."""
    name = f"weight_hh_l{layer}{'_reverse' * backward}"
    if name not in grads:
        raise ValueInputError(f"{name} is missing: it says how the gates of the layer are stacked")
    shape = tuple(np.shape(grads[name]))
    kind = _KINDS.get(shape[0] // shape[1]) if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0 else None
    if kind is None:
        raise ShapeError(f"{name} has shape {shape}; (n, n), (3n, n) or (4n, n) is needed")
    return kind
