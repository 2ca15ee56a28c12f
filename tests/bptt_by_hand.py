"""BPTT of a tanh network with softmax and cross-entropy, by hand and one step at a time, with mistakes on request."""

from __future__ import annotations

from typing import Any

import numpy as np

T, B, N, M, Q = 6, 3, 4, 3, 5

MISTAKES: dict[str, set[str]] = {
    "sign": {"sign"},
    "mean over time": {"mean"},
    "mean over the batch": {"mean"},
    "a gradient by another matrix": {"transposed"},
    "no derivative": {"slope_missing"},
    "no derivative on the way back": {"slope_missing_recurrence"},
    "no derivative in the sums": {"slope_missing_sums"},
    "the derivative twice": {"slope_twice"},
    "the derivative of the output": {"slope_of_output"},
    "the derivative of the input": {"slope_of_input"},
    "the derivative of the next step": {"slope_shifted"},
    "not transposed": {"not_transposed"},
    "the recurrence is cut": {"recurrence_cut"},
    "a window of 3": {"window"},
    "segments of 2": {"segments"},
    "only the last loss": {"losses_last"},
    "only the last loss, in the readout too": {"loss_last"},
    "the last loss is dropped": {"losses_not_last"},
    "assigned": {"first_share"},
    "only the last step": {"last_share"},
    "one step too few": {"without_first"},
    "the last step left out": {"without_last"},
    "the state of the same step": {"state_shifted"},
    "the input before": {"input_shifted"},
    "the last sample": {"last_sample"},
    "the first sample": {"first_sample"},
    "not carried to h0": {"initial_too_early"},
    "the Jacobian of softmax is missing": {"readout_slope_missing"},
    "sign and mean": {"sign", "mean"},
    "no derivative, one step too few": {"slope_missing", "without_first"},
    "no derivative, not transposed": {"slope_missing", "not_transposed"},
    "only the last loss, no derivative on the way back": {"losses_last", "slope_missing_recurrence"},
}
"""Mistake -> the names of the causes that should be found; what stands between commas is made together."""


def numbers(seed: int = 0) -> dict[str, Any]:
    """Return params, x, target and h0."""
    rng = np.random.default_rng(seed)
    shapes = {"W_h": (N, N), "W_x": (N, M), "b_h": (N,), "W_y": (Q, N), "b_y": (Q,)}
    params = {key: 0.7 * rng.standard_normal(shape) for key, shape in shapes.items()}
    x, target = rng.standard_normal((T, B, M)), rng.integers(0, Q, (T, B))
    return {"params": params, "x": x, "target": target, "h0": 0.5 * rng.standard_normal((B, N))}


def bptt(given: dict[str, Any], mistake: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return gradients and adjoints, summed over the batch."""
    made = set(mistake.split(", ")) | {mistake}
    parts = [_sample(given, b, made) for b in range(B)]
    chosen = parts[-1:] if "the last sample" in made else parts[:1] if "the first sample" in made else parts
    grads = {key: sum(part[key] for part in chosen) for key in given["params"]}
    for key, axis in (("x", 1), ("h0", 0)):
        grads[key] = np.stack([part[key] for part in parts], axis)
    if mistake in ("sign", "sign and mean"):
        grads["W_h"] = -grads["W_h"]
    if mistake in ("mean over time", "sign and mean"):
        grads["W_h"] /= T
    if mistake == "mean over the batch":
        grads["b_y"] /= B
    if mistake == "a gradient by another matrix":
        grads["W_h"] = grads["W_h"].T
    return grads, {name: np.stack([part["d" + name] for part in parts], 1) for name in ("h", "z")}


def _sample(given: dict[str, Any], b: int, made: set[str]) -> dict[str, Any]:
    p, x, target = given["params"], given["x"][:, b], given["target"][:, b]
    h, z = np.zeros((T + 1, N)), np.zeros((T + 1, N))
    h[0] = given["h0"][b]
    for t in range(1, T + 1):
        z[t] = p["W_h"] @ h[t - 1] + p["W_x"] @ x[t - 1] + p["b_h"]
        h[t] = np.tanh(z[t])
    da = np.array([_readout(p["W_y"] @ h[t] + p["b_y"], target[t - 1], made) for t in range(1, T + 1)])
    if "a window of 3" in made:
        return _add([_backward(p, x, h, z, da, made, [s], max(s - 2, 1)) for s in range(1, T + 1)], p, h, da)
    return _add([_backward(p, x, h, z, da, made, list(range(1, T + 1)), 1)], p, h, da, made)


def _readout(a: Any, target: int, made: set[str]) -> Any:
    y = np.exp(a - a.max())
    y /= y.sum()
    one = np.eye(Q)[target]
    return -one / y if "the Jacobian of softmax is missing" in made else y - one


def _backward(p: Any, x: Any, h: Any, z: Any, da: Any, made: set[str], losses: list[int], end: int) -> dict[str, Any]:
    out: dict[str, Any] = {"W_h": np.zeros((N, N)), "W_x": np.zeros((N, M)), "b_h": np.zeros(N)}
    out |= {"dh": np.zeros((T, N)), "dz": np.zeros((T, N)), "x": np.zeros((T, M)), "h0": np.zeros(N)}
    later = np.zeros(N)
    if "only the last loss" in made or "only the last loss, in the readout too" in made:
        losses = [T]
    if "the last loss is dropped" in made:
        losses = losses[:-1]
    for t in range(T, end - 1, -1):
        dh = later + (p["W_y"].T @ da[t - 1] if t in losses else 0)
        dz = _slope(z, h, t, made) * dh
        back = dh if "no derivative on the way back" in made else dz
        W = p["W_h"] if "not transposed" in made else p["W_h"].T
        later = W @ back
        if "the recurrence is cut" in made or ("segments of 2" in made and t % 2 == 1 and t > 1):
            later = 0 * later
        out["dh"][t - 1], out["dz"][t - 1] = dh, dz
        out["x"][t - 1] = p["W_x"].T @ dz
        used = dh if "no derivative in the sums" in made else dz
        if "the derivative twice" in made:
            used = dz
        skipped = ("one step too few" in made and t == 1) or ("the last step left out" in made and t == T)
        if skipped or ("only the last step" in made and t != T):
            continue
        state = h[t] if "the state of the same step" in made else h[t - 1]
        before = x[t - 2] if t > 1 else np.zeros(M)
        inputs = before if "the input before" in made else x[t - 1]
        keep = 0 if "assigned" in made else 1
        out["W_h"] = keep * out["W_h"] + np.outer(used, state)
        out["W_x"] = keep * out["W_x"] + np.outer(used, inputs)
        out["b_h"] = keep * out["b_h"] + used
    if end == 1:
        out["h0"] = out["dh"][0] if "not carried to h0" in made else later
    return out


def _slope(z: Any, h: Any, t: int, made: set[str]) -> Any:
    if "no derivative" in made:
        return 1.0
    if "the derivative of the output" in made:
        return 1 - np.tanh(h[t]) ** 2
    if "the derivative of the input" in made:
        return 1 - z[t] ** 2
    if "the derivative of the next step" in made:
        return 1 - (h[t + 1] if t < T else 0 * h[t]) ** 2
    slope = 1 - h[t] ** 2
    return slope**2 if "the derivative twice" in made else slope


def _add(parts: list[dict[str, Any]], p: Any, h: Any, da: Any, made: Any = frozenset()) -> dict[str, Any]:
    out = {key: sum(part[key] for part in parts) for key in parts[0]}
    steps = range(T) if "only the last loss, in the readout too" not in made else [T - 1]
    share = {"one step too few": range(1, T), "assigned": [0], "only the last step": [T - 1]}
    for name, chosen in (*share.items(), ("the last step left out", range(T - 1))):
        steps = chosen if name in made else steps
    out["W_y"] = sum(np.outer(da[t], h[t + 1]) for t in steps)
    out["b_y"] = sum(da[t] for t in steps)
    return out
