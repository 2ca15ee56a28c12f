"""The catalogue of cells: factories that return equations, and nothing else.

No entry has differentiation code, words or code generation of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sympy import Expr, Lambda

from ..algebra import FUNCTIONS
from ..errors import UnknownNameError, nearest
from .cells import Cell

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "linear", "softplus", "elu", "gelu", "silu")
"""Activations of the Elman cell; each is a function of :data:`symbptt.algebra.FUNCTIONS`."""

AFFINE = "W_h @ h[t-1] + W_x @ x[t] + b_h"
"""The pre-activation of the simple cells."""


def _activated(activation: Any, update: str, before: Iterable[str], name: str, **more: Any) -> Cell:
    """Return a cell with one state whose last equation has an activation in it, written ``f(...)`` in ``update``."""
    if isinstance(activation, str) and activation not in FUNCTIONS:
        raise UnknownNameError(f"unknown activation {activation!r}{nearest(activation, ACTIVATIONS)}")
    own = () if isinstance(activation, str) else (("f", activation),)
    text = update if own else update.replace("f(", f"{activation}(")
    return Cell((*before, f"h[t] = {text}"), ("h",), "h", name=name, functions=own, **more)


def _gate(name: str, own: str = "") -> str:
    """Return name_t = sigmoid(W_x. x_t + W_h. h_{t-1} + b_.), with a term of its own behind the matrix products."""
    return f"{name}[t] = sigmoid(W_x{name} @ x[t] + W_h{name} @ h[t-1]{own} + b_{name})"


# -- one gate or none ---------------------------------------------------------------------------------


def Elman(activation: Any = "tanh", name: str | None = None) -> Cell:
    """Return the Elman cell h_t = f(W_h h_{t-1} + W_x x_t + b_h).

    Parameters
    ----------
    activation : str or sympy.Expr
        A catalogue name, or any SymPy expression of one variable.
    name : str, optional

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science 14, 1990.

    Examples
    --------
    >>> Elman("relu").equations
    ('z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h', 'h[t] = relu(z[t])')
    """
    if activation == "linear":
        return Cell((f"h[t] = {AFFINE}",), ("h",), "h", name=name or "linear")
    default = activation if isinstance(activation, str) else "elman"
    return _activated(activation, "f(z[t])", [f"z[t] = {AFFINE}"], name or default)


def Residual(activation: Any = "tanh") -> Cell:
    """Return the residual cell h_t = h_{t-1} + f(W_h h_{t-1} + W_x x_t + b_h).

    Parameters
    ----------
    activation : str or sympy.Expr

    References
    ----------
    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, with the steps as layers.

    Examples
    --------
    >>> Residual("relu").equations[1]
    'h[t] = h[t-1] + relu(z[t])'
    """
    return _activated(activation, "h[t-1] + f(z[t])", [f"z[t] = {AFFINE}"], "residual")


def Leaky(activation: Any = "tanh") -> Cell:
    """Return the leaky integrator h_t = (1 - alpha) h_{t-1} + alpha f(W_h h_{t-1} + W_x x_t + b_h).

    ``alpha`` is a scalar parameter; its gradient is derived like that of any other.

    Parameters
    ----------
    activation : str or sympy.Expr

    References
    ----------
    Jaeger, Lukoševičius, Popovici and Siewert, "Optimization and applications of echo state networks with
    leaky-integrator neurons", Neural Networks 20, 2007.

    Examples
    --------
    >>> Leaky().equations[1], Leaky().parameters[-1]
    ('h[t] = (1 - alpha) * h[t-1] + alpha * tanh(z[t])', 'alpha')
    """
    update = "(1 - alpha) * h[t-1] + alpha * f(z[t])"
    return _activated(activation, update, [f"z[t] = {AFFINE}"], "leaky", shapes={"alpha": ()})


def IndRNN(activation: Any = "relu") -> Cell:
    """Return the independently recurrent cell h_t = f(w_h * h_{t-1} + W_x x_t + b_h), with a vector w_h.

    Each unit sees only its own past: the Jacobian dh_t/dh_{t-1} is diagonal.

    Parameters
    ----------
    activation : str or sympy.Expr

    References
    ----------
    Li, Li, Cook, Zhu and Gao, "Independently recurrent neural network (IndRNN)", CVPR 2018.

    Examples
    --------
    >>> IndRNN().equations[0], dict(IndRNN().inferred)["w_h"]
    ('z[t] = w_h * h[t-1] + W_x @ x[t] + b_h', (n,))
    """
    before = ["z[t] = w_h * h[t-1] + W_x @ x[t] + b_h"]
    more = {"shapes": {"w_h": "n"}, "roles": {"z": "pre_activation"}}
    return _activated(activation, "f(z[t])", before, "indrnn", **more)


def LayerNorm(activation: Any = "tanh") -> Cell:
    """Return the layer-normalised Elman cell h_t = f(g_h * u_t + b_h), u_t = (z_t - mu_t) / s_t.

    z_t = W_h h_{t-1} + W_x x_t, mu_t = mean(z_t) and s_t = sqrt(variance(z_t) + 1e-5), over the n units. The gain
    ``g_h`` and the bias ``b_h`` are vectors. With a single unit u_t is always 0.

    Parameters
    ----------
    activation : str or sympy.Expr

    References
    ----------
    Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450, 2016, section 3.1.

    Examples
    --------
    >>> LayerNorm().equations[3:]
    ('u[t] = (z[t] - mu[t]) / s[t]', 'h[t] = tanh(g_h * u[t] + b_h)')
    """
    before = [
        "z[t] = W_h @ h[t-1] + W_x @ x[t]",
        "mu[t] = mean(z[t])",
        "s[t] = sqrt(variance(z[t]) + 0.00001)",
        "u[t] = (z[t] - mu[t]) / s[t]",
    ]
    roles = {"z": "pre_activation", "mu": "mean", "s": "deviation", "u": "normalised"}
    more = {"shapes": {"mu": (), "s": (), "g_h": "n"}, "roles": roles}
    return _activated(activation, "f(g_h * u[t] + b_h)", before, "layer_norm", **more)


def MGU() -> Cell:
    """Return the minimal gated unit, in which one gate both forgets and resets.

    f_t = sigmoid(W_xf x_t + W_hf h_{t-1} + b_f), g_t = tanh(W_xh x_t + W_hh (f_t * h_{t-1}) + b_h),
    h_t = (1 - f_t) * h_{t-1} + f_t * g_t.

    References
    ----------
    Zhou, Wu, Zhang and Zhou, "Minimal gated unit for recurrent neural networks", International Journal of Automation
    and Computing 13, 2016.

    Examples
    --------
    >>> MGU().parameters
    ('W_xf', 'W_hf', 'b_f', 'W_xh', 'W_hh', 'b_h')
    """
    candidate = "g[t] = tanh(W_xh @ x[t] + W_hh @ (f[t] * h[t-1]) + b_h)"
    update = "h[t] = (1 - f[t]) * h[t-1] + f[t] * g[t]"
    roles = {"f": "forget_gate", "g": "candidate"}
    return Cell((_gate("f"), candidate, update), ("h",), name="mgu", roles=roles)


# -- several gates ------------------------------------------------------------------------------------


def LSTM(peephole: bool = False, coupled: bool = False) -> Cell:
    """Return the long short-term memory, with states h and c.

    i_t, f_t, o_t = sigmoid(W_xk x_t + W_hk h_{t-1} + b_k) for k = i, f, o, g_t = tanh(W_xc x_t + W_hc h_{t-1} + b_c),
    c_t = f_t * c_{t-1} + i_t * g_t, h_t = o_t * tanh(c_t).

    Parameters
    ----------
    peephole : bool
        Let the gates read the cell state: vectors ``p_i`` and ``p_f`` times c_{t-1}, and ``p_o`` times c_t.
    coupled : bool
        Take 1 - f_t for the input gate, which then has no parameters.

    Raises
    ------
    UnknownNameError
        Where one of them is not True or False.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; with the forget gate of Gers,
    Schmidhuber and Cummins, "Learning to forget", Neural Computation 12, 2000. Peepholes: Gers and Schmidhuber,
    "Recurrent nets that time and count", IJCNN 2000. Coupled gates: Greff, Srivastava, Koutník, Steunebrink and
    Schmidhuber, "LSTM: a search space odyssey", IEEE TNNLS 28, 2017.

    Examples
    --------
    >>> LSTM().equations[3]
    'c[t] = f[t] * c[t-1] + i[t] * g[t]'
    >>> LSTM(peephole=True, coupled=True).parameters[:4]
    ('W_xf', 'W_hf', 'p_f', 'b_f')
    """
    for option, given in (("peephole", peephole), ("coupled", coupled)):
        if not isinstance(given, bool):
            raise UnknownNameError(f"LSTM({option}={given!r}): {option} must be True or False")
    previous, own = (" + p_{0} * c[t-1]", " + p_{0} * c[t]") if peephole else ("", "")
    gates = [_gate(k, previous.format(k)) for k in ("f" if coupled else "if")]
    equations = [
        *gates,
        "g[t] = tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)",
        f"c[t] = f[t] * c[t-1] + {'(1 - f[t])' if coupled else 'i[t]'} * g[t]",
        _gate("o", own.format("o")),
        "h[t] = o[t] * tanh(c[t])",
    ]
    named = {"i": "input_gate", "f": "forget_gate", "o": "output_gate", "g": "candidate", "c": "cell_state"}
    roles = {key: role for key, role in named.items() if not (coupled and key == "i")}
    shapes = {key: "n" for key in ("p_i", "p_f", "p_o") if peephole and not (coupled and key == "p_i")}
    name = "_".join(["lstm", *(["peephole"] if peephole else []), *(["coupled"] if coupled else [])])
    return Cell(equations, ("h", "c"), "h", shapes=shapes, name=name, roles=roles)


def GRU(reset: str = "after", update: str = "keep") -> Cell:
    """Return the gated recurrent unit, by default as PyTorch has it.

    r_t, z_t = sigmoid(W_xk x_t + W_hk h_{t-1} + b_k) for k = r, z, and a candidate g_t = tanh(...) that sees h_{t-1}
    through r_t.

    Parameters
    ----------
    reset : {"after", "before"}
        Where the reset gate acts: ``after`` the matrix product, W_xh x_t + b_h + r_t * (W_hh h_{t-1} + b_hh), as in
        PyTorch and cuDNN; ``before`` it, W_xh x_t + W_hh (r_t * h_{t-1}) + b_h, as first published.
    update : {"keep", "replace"}
        What the update gate weighs: ``keep`` is h_t = z_t * h_{t-1} + (1 - z_t) * g_t, as in PyTorch and Cho et al.;
        ``replace`` is h_t = (1 - z_t) * h_{t-1} + z_t * g_t, as in Chung et al.

    Raises
    ------
    UnknownNameError
        For any other word.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014; Chung, Gulcehre, Cho and
    Bengio, "Empirical evaluation of gated recurrent neural networks on sequence modeling", arXiv:1412.3555, 2014.

    Examples
    --------
    >>> GRU().equations[2:]  # doctest: +NORMALIZE_WHITESPACE
    ('g[t] = tanh(W_xh @ x[t] + b_h + r[t] * (W_hh @ h[t-1] + b_hh))',
     'h[t] = z[t] * h[t-1] + (1 - z[t]) * g[t]')
    >>> GRU(reset="before", update="replace").equations[3]
    'h[t] = (1 - z[t]) * h[t-1] + z[t] * g[t]'
    """
    candidate = _choice("GRU", "reset", reset, _RESETS)
    last = _choice("GRU", "update", update, _UPDATES)
    roles = {"r": "reset_gate", "z": "update_gate", "g": "candidate"}
    name = "_".join(["gru", *([reset] if reset != "after" else []), *([update] if update != "keep" else [])])
    equations = (_gate("r"), _gate("z"), f"g[t] = tanh({candidate})", f"h[t] = {last}")
    return Cell(equations, ("h",), name=name, roles=roles)


_RESETS = {
    "after": "W_xh @ x[t] + b_h + r[t] * (W_hh @ h[t-1] + b_hh)",
    "before": "W_xh @ x[t] + W_hh @ (r[t] * h[t-1]) + b_h",
}
_UPDATES = {
    "keep": "z[t] * h[t-1] + (1 - z[t]) * g[t]",
    "replace": "(1 - z[t]) * h[t-1] + z[t] * g[t]",
}


def _choice(cell: str, option: str, given: Any, table: Mapping[str, str]) -> str:
    if not isinstance(given, str) or given not in table:
        known = " or ".join(repr(word) for word in table)
        raise UnknownNameError(f"{cell}({option}={given!r}): {option} must be {known}")
    return table[given]


# -- linear in the state ------------------------------------------------------------------------------


def StateSpace() -> Cell:
    """Return the linear state-space model h_t = A h_{t-1} + B x_t, o_t = C h_t + D x_t.

    The output, y_t in the literature of control, is called o_t, because y_t is what a readout returns. Its size is
    ``p`` (``RNN("state_space", sizes={"p": 2})``). There are no biases.

    References
    ----------
    Kalman, "A new approach to linear filtering and prediction problems", 1960; as a layer: Gu, Goel and Ré,
    "Efficiently modeling long sequences with structured state spaces", ICLR 2022.

    Examples
    --------
    >>> StateSpace().output, dict(StateSpace().inferred)["C"]
    ('o', (p, n))
    """
    equations = ("h[t] = A @ h[t-1] + B @ x[t]", "o[t] = C @ h[t] + D @ x[t]")
    return Cell(equations, ("h",), "o", shapes={"o": "p"}, name="state_space", roles={"o": "output"})


_PROJECTIONS = ("k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]", "q[t] = W_q @ x[t]")
_PROJECTED = {"k": "key", "v": "value", "q": "query", "S": "memory", "o": "output"}


def LinearAttention() -> Cell:
    """Return linear attention as a recurrence: S_t = S_{t-1} + v_t k_t^T, o_t = S_t q_t.

    Keys k_t = W_k x_t and queries q_t = W_q x_t have size ``d``, values v_t = W_v x_t and the output size ``n``; the
    state S_t is an n x d matrix. Neither a feature map nor a normalisation is applied.

    References
    ----------
    Katharopoulos, Vyas, Pappas and Fleuret, "Transformers are RNNs: fast autoregressive transformers with linear
    attention", ICML 2020, section 3.4.

    Examples
    --------
    >>> dict(LinearAttention().inferred)["S"], LinearAttention().output
    ((n, d), 'o')
    """
    equations = (*_PROJECTIONS, "S[t] = S[t-1] + v[t] @ k[t].T", "o[t] = S[t] @ q[t]")
    return Cell(equations, {"S": ("n", "d")}, "o", name="linear_attention", roles=_PROJECTED)


def DeltaRule() -> Cell:
    """Return the delta rule S_t = S_{t-1} - beta_t (S_{t-1} k_t - v_t) k_t^T, o_t = S_t q_t.

    It replaces what the memory S holds under the key k_t by a step towards v_t: one gradient step on
    ||S k_t - v_t||^2 / 2. The step size beta_t = sigmoid(w_beta^T x_t) is a number between 0 and 1 at each step. Keys,
    values and queries are as in :func:`LinearAttention`.

    References
    ----------
    Schlag, Irie and Schmidhuber, "Linear transformers are secretly fast weight programmers", ICML 2021, section 4.2.

    Examples
    --------
    >>> DeltaRule().equations[3:5]
    ('beta[t] = sigmoid(w_beta.T @ x[t])', 'S[t] = S[t-1] - beta[t] * (S[t-1] @ k[t] - v[t]) @ k[t].T')
    """
    equations = (
        *_PROJECTIONS,
        "beta[t] = sigmoid(w_beta.T @ x[t])",
        "S[t] = S[t-1] - beta[t] * (S[t-1] @ k[t] - v[t]) @ k[t].T",
        "o[t] = S[t] @ q[t]",
    )
    roles = {**_PROJECTED, "beta": "step_size"}
    return Cell(equations, {"S": ("n", "d")}, "o", shapes={"beta": ()}, name="delta_rule", roles=roles)


# -- by name ------------------------------------------------------------------------------------------

CATALOGUE: dict[str, Callable[[], Cell]] = {
    **{activation: partial(Elman, activation) for activation in ACTIVATIONS},
    "residual": Residual,
    "leaky": Leaky,
    "indrnn": IndRNN,
    "layer_norm": LayerNorm,
    "mgu": MGU,
    "lstm": LSTM,
    "lstm_peephole": partial(LSTM, peephole=True),
    "lstm_coupled": partial(LSTM, coupled=True),
    "gru": GRU,
    "gru_before": partial(GRU, reset="before"),
    "state_space": StateSpace,
    "linear_attention": LinearAttention,
    "delta_rule": DeltaRule,
}
"""Cell name -> factory without arguments."""


def cell(given: Any) -> Cell:
    """Return the cell of that name, the given cell itself, or an Elman cell with a SymPy activation."""
    if isinstance(given, Cell):
        return given
    if isinstance(given, Expr | Lambda):
        return Elman(given.expr if isinstance(given, Lambda) else given)
    if isinstance(given, str) and given.replace("-", "_") in CATALOGUE:
        return CATALOGUE[given.replace("-", "_")]()
    if callable(given):
        raise UnknownNameError(f"{getattr(given, '__name__', given)} makes a cell when it is called: give it with ()")
    raise UnknownNameError(f"unknown cell {given!r}{nearest(str(given), CATALOGUE)}")


def supremum(function_name: str) -> Expr | None:
    """Return sup |f'| of a catalogue activation, or None where it is not known.

    >>> supremum("sigmoid")
    1/4
    """
    entry = FUNCTIONS.get(function_name)
    return entry.supremum if entry else None
