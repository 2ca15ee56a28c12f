"""Cells that tests share: well known ones and some that no catalogue has, as equations."""

from __future__ import annotations

from symbptt import Bidirectional, Cell, Stack


def _gate(name: str, function: str, peephole: str = "") -> str:
    return f"{name}[t] = {function}(W_x{name} @ x[t] + W_h{name} @ h[t-1]{peephole} + b_{name})"


_CANDIDATE = "g[t] = tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)"
_MEMORY = ["c[t] = f[t] * c[t-1] + i[t] * g[t]", "h[t] = o[t] * tanh(c[t])"]
_GATES = [_gate("r", "sigmoid"), _gate("z", "sigmoid")]
_UPDATE = "h[t] = z[t] * h[t-1] + (1 - z[t]) * g[t]"
_KEYS = ["k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]"]

LSTM = Cell([*(_gate(k, "sigmoid") for k in "ifo"), _CANDIDATE, *_MEMORY], ["h", "c"], name="lstm")
PEEPHOLE = Cell(
    [_gate("i", "sigmoid", " + p_i * c[t-1]"), _gate("f", "sigmoid", " + p_f * c[t-1]"), _CANDIDATE, _MEMORY[0],
     _gate("o", "sigmoid", " + p_o * c[t]"), _MEMORY[1]],
    ["h", "c"], shapes={"p_i": "n", "p_f": "n", "p_o": "n"}, name="peephole",
)  # fmt: skip
GRU_AFTER = Cell(
    [*_GATES, "g[t] = tanh(W_xh @ x[t] + b_h + r[t] * (W_hh @ h[t-1] + b_hh))", _UPDATE], ["h"], name="gru"
)
GRU_BEFORE = Cell(
    [*_GATES, "g[t] = tanh(W_xh @ x[t] + W_hh @ (r[t] * h[t-1]) + b_h)", _UPDATE], ["h"], name="gru before"
)
LAYER_NORM = Cell(
    ["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "u[t] = (z[t] - mean(z[t])) / sqrt(variance(z[t]) + 1e-2)",
     "h[t] = tanh(u[t] * g + b)"],
    ["h"], name="layer norm",
)  # fmt: skip
DELTA_RULE = Cell(
    [*_KEYS, "q[t] = W_q @ x[t]", "S[t] = S[t-1] + beta * (v[t] - S[t-1] @ k[t]) @ k[t].T", "o[t] = S[t] @ q[t]"],
    {"S": ("p", "d")}, "o", name="delta rule",
)  # fmt: skip
LINEAR_ATTENTION = Cell(
    [*_KEYS, "S[t] = S[t-1] + v[t] @ k[t].T", "o[t] = S[t] @ (W_q @ x[t])"],
    {"S": ("p", "d")}, "o", name="linear attention",
)  # fmt: skip
COUPLED = Cell(
    ["u[t] = tanh(A @ u[t-1] + B @ v[t-1] + W_x @ x[t] + b_u)", "v[t] = sigmoid(C @ v[t-1] + D @ u[t] + b_v)"],
    {"u": "n", "v": "p"}, "v", name="coupled",
)  # fmt: skip
LEAKY = Cell(
    ["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "h[t] = (1 - alpha) * h[t-1] + alpha * tanh(z[t])"],
    ["h"], name="leaky integrator",
)  # fmt: skip
CONCATENATED = Cell(["h[t] = tanh(W @ concat(h[t-1], x[t]) + b)"], ["h"], name="concatenated")
BACKWARD = Cell(["z[t] = W_h @ h[t+1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"], ["h"], direction=-1, name="backward")
SCALAR = Cell(
    ["u[t] = tanh(w_u * u[t-1] - 0.5 * v[t-1] + x[t])", "v[t] = w_v * v[t-1] + u[t]"],
    {"u": (), "v": ()}, "v", shapes={"x": ()}, name="scalar pair",
)  # fmt: skip

STACKED = Stack([LSTM, GRU_BEFORE], hidden=["n", "p"], name="stacked")
BIDIRECTIONAL = Bidirectional(COUPLED, name="bidirectional")
STACKED_BIDIRECTIONAL = Stack([Bidirectional("tanh"), Bidirectional(LSTM)], name="stacked bidirectional")

CELLS: dict[str, Cell] = {
    cell.name: cell
    for cell in (
        LSTM, PEEPHOLE, GRU_AFTER, GRU_BEFORE, LAYER_NORM, DELTA_RULE, LINEAR_ATTENTION, COUPLED, LEAKY, CONCATENATED,
        BACKWARD, SCALAR, STACKED, BIDIRECTIONAL, STACKED_BIDIRECTIONAL,
    )
}  # fmt: skip


def own_sizes(cell: Cell) -> dict[str, int]:
    """Numbers for the sizes of a cell beside n and m."""
    names = {str(s) for _, shape in cell.inferred for part in shape for s in part.free_symbols}
    return {name: size for name, size in (("p", 3), ("d", 2)) if name in names}
