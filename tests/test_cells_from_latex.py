"""Cells and losses from LaTeX: as textbooks print them, as our own renderer does, and as users invent them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from symbptt import RNN
from symbptt.algebra.present import present
from symbptt.algebra.tex import to_tex
from symbptt.errors import SymbpttError
from symbptt.model import CATALOGUE, GRU, LSTM, NOTATIONS, Cell, names_in
from symbptt.reading.cells import read_cell

MATRIX_STATES = ("delta_rule", "linear_attention")
VARIANTS = {
    **CATALOGUE,
    "lstm_both": lambda: LSTM(peephole=True, coupled=True),
    "gru_replace": lambda: GRU(update="replace"),
    "gru_before_replace": lambda: GRU(reset="before", update="replace"),
}


def values(cell: Cell, order: Sequence[str]) -> tuple[list[Any], dict[str, Any], float]:
    """The gradients of a cell, its states and its loss, at parameters that depend on their place in an order alone."""
    width = dict.fromkeys(sizes(cell), 4)
    model = RNN(cell, hidden=3, inputs=2, steps=3, sizes=width)
    rng, system = np.random.default_rng(0), model.system
    parameters: dict[str, Any] = {}
    for key in order:
        rank = getattr(system.parameters[key], "rank", 0)
        shape = tuple(int(s) for s in system.parameters[key].shape[:rank]) if rank else ()
        parameters[key] = rng.normal(size=shape) * 0.5 + 0.1 if rank else float(rng.normal() * 0.3 + 0.2)
    count = int(system.variables[system.prediction].shape[0])
    out = model.lambdify()(parameters, rng.normal(size=(3, 2)), rng.normal(size=(3, count)))
    return [np.asarray(out.grads[key]) for key in order], dict(out.states), out.loss


def sizes(cell: Cell) -> list[str]:
    """The names of sizes of a cell beyond n and m."""
    names = {str(s) for _, shape in cell.inferred for part in shape for s in part.free_symbols}
    return sorted(names - {"n", "m"})


def assert_equal(one: Cell, two: Cell) -> None:
    """Both compute the same, and have the same gradients: parameters of the same names, or in the same order."""
    same = set(one.parameters) == set(two.parameters)
    assert same or len(one.parameters) == len(two.parameters)
    grads, states, loss = values(one, two.parameters if same else one.parameters)
    others, also, other = values(two, two.parameters)
    assert loss == pytest.approx(other, rel=1e-12)
    for a, b in zip(grads, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert len(states) == len(also)


# -- what our own renderer prints -----------------------------------------------------------------------


def printed(model: RNN, notation: str) -> list[str]:
    """The equations of a model's cell, as documents print them."""
    used = names_in(model.system, notation)
    return [
        f"{to_tex(present(e.left, used))} = {to_tex(present(e.right, used))}"
        for e in model.system.equations
        if e.stage == "cell"
    ]


@pytest.mark.sample(9)
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_what_a_derivation_prints_of_a_cell_is_read_back(name, notation):
    cell = VARIANTS[name]()
    reading = read_cell(printed(RNN(cell, notation=notation), notation))
    assert reading.layout == "columns"
    assert_equal(reading.cell, cell)


@pytest.mark.sample(4)
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in MATRIX_STATES])
def test_what_a_derivation_prints_in_rows_is_read_back(name, notation):
    cell = VARIANTS[name]()
    reading = read_cell(printed(RNN(cell, layout="rows", notation=notation), notation))
    assert reading.layout == "rows"
    assert_equal(reading.cell, cell)


def invented(rng: random.Random) -> Cell | None:
    """A cell with an equation put together at random; None where it is not in the language."""
    counts = iter(range(1, 100))

    def vector(depth: int) -> str:
        a, b = (vector(depth - 1), vector(depth - 1)) if depth else ("", "")
        n = next(counts)
        leaves = ["h[t-1]", "u[t]", f"W_{n} @ x[t]"]
        forms = [
            *(f"W_{n} @ ({a})", f"({a} + {b})", f"({a} - {b})", f"({a}) * ({b})", f"tanh({a})", f"sigmoid({a})"),
            *(f"alpha * ({a})", f"0.5 * ({a})", f"(1 - alpha) * ({a})", f"({a}) / (1 + norm2({b}))", f"({a} + b_{n})"),
            *(f"-({a})", f"(1 - {a})", f"({a})**2", f"W_{n}.T @ ({a})", f"softmax({a})", f"sqrt(1 + ({a})**2)"),
            f"inner({a}, {b}) * ({a})",
        ]
        return rng.choice(leaves if depth == 0 or rng.random() < 0.2 else forms)

    equations = ["u[t] = tanh(W_u @ h[t-1] + W_x @ x[t])", f"h[t] = tanh({vector(3)} + W_h @ h[t-1])"]
    try:
        return Cell(equations, states=["h"])
    except SymbpttError:
        return None


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(s, marks=pytest.mark.slow) for s in range(8, 120))])
def test_equations_put_together_at_random_are_read_back(seed):
    rng = random.Random(seed)
    cell = next(found for found in iter(lambda: invented(rng), 0) if isinstance(found, Cell))
    for layout in ("columns", "rows"):
        reading = read_cell(printed(RNN(cell, layout=layout), "textbook"))
        assert reading.layout == layout
        assert_equal(reading.cell, cell)


# -- as the textbooks print them ------------------------------------------------------------------------

LSTM_GATES = r"""\begin{{aligned}}
i_t &= \sigma(W_{{xi}} x_t + W_{{hi}} h_{{t-1}} + {i}b_i) \\
f_t &= \sigma(W_{{xf}} x_t + W_{{hf}} h_{{t-1}} + {f}b_f) \\
g_t &= \tanh(W_{{xc}} x_t + W_{{hc}} h_{{t-1}} + b_c) \\
c_t &= f_t {o} c_{{t-1}} + i_t {o} g_t \\
o_t &= \sigma(W_{{xo}} x_t + W_{{ho}} h_{{t-1}} + {p}b_o) \\
h_t &= o_t {o} \tanh(c_t)
\end{{aligned}}"""
BOLD_LSTM = [
    r"\mathbf{i}_t = \sigma\left(\mathbf{W}_{xi} \mathbf{x}_t + \mathbf{W}_{hi}\mathbf{h}_{t-1} + \mathbf{b}_i\right)",
    r"\mathbf{f}_t = \sigma\left(\mathbf{W}_{xf} \mathbf{x}_t + \mathbf{W}_{hf}\mathbf{h}_{t-1} + \mathbf{b}_f\right)",
    r"\tilde{\mathbf{c}}_t = \tanh(\mathbf{W}_{xc}\mathbf{x}_t + \mathbf{W}_{hc}\mathbf{h}_{t-1} + \mathbf{b}_c)",
    r"\mathbf{c}_t = \mathbf{f}_t \odot \mathbf{c}_{t-1} + \mathbf{i}_t \odot \tilde{\mathbf{c}}_t",
    r"\mathbf{o}_t = \sigma\left(\mathbf{W}_{xo} \mathbf{x}_t + \mathbf{W}_{ho}\mathbf{h}_{t-1} + \mathbf{b}_o\right)",
    r"\mathbf{h}_t = \mathbf{o}_t \odot \tanh(\mathbf{c}_t)",
]
D2L_LSTM = [
    r"\begin{aligned}"
    r"\mathbf{I}_t &= \sigma(\mathbf{X}_t \mathbf{W}_{xi} + \mathbf{H}_{t-1} \mathbf{W}_{hi} + \mathbf{b}_i),\\"
    r"\mathbf{F}_t &= \sigma(\mathbf{X}_t \mathbf{W}_{xf} + \mathbf{H}_{t-1} \mathbf{W}_{hf} + \mathbf{b}_f),"
    r"\end{aligned}",
    r"\tilde{\mathbf{C}}_t = \text{tanh}(\mathbf{X}_t \mathbf{W}_{xc} + \mathbf{H}_{t-1} \mathbf{W}_{hc} + b_c)",
    r"\mathbf{C}_t = \mathbf{F}_t \odot \mathbf{C}_{t-1} + \mathbf{I}_t \odot \tilde{\mathbf{C}}_t.",
    r"\mathbf{O}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xo} + \mathbf{H}_{t-1} \mathbf{W}_{ho} + \mathbf{b}_o)",
    r"\mathbf{H}_t = \mathbf{O}_t \odot \tanh(\mathbf{C}_t)",
]
GRU_GATES = [
    r"r_t = \sigma(W_{xr} x_t + W_{hr} h_{t-1} + b_r)",
    r"z_t = \sigma(W_{xz} x_t + W_{hz} h_{t-1} + b_z)",
]
TORCH_GRU = r"""\begin{array}{ll}
    r_t = \sigma(W_{ir} x_t + W_{hr} h_{t-1} + b_{r}) \\
    z_t = \sigma(W_{iz} x_t + W_{hz} h_{t-1} + b_{z}) \\
    n_t = \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1}+ b_{hn})) \\
    h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}
\end{array}"""
AFFINE = r"W_h h_{t-1} + W_x x_t + b_h"
ACTIVATED = {
    "tanh": r"\tanh({})", "sigmoid": r"\sigma({})", "relu": r"\max(0, {})",
    "leaky_relu": r"\operatorname{{LeakyReLU}}({})",
    "linear": "{}", "softplus": r"\log(1 + e^{{{}}})", "elu": r"\mathrm{{ELU}}({})", "gelu": r"\mathrm{{GELU}}({})",
    "silu": r"\mathrm{{SiLU}}({})",
}  # fmt: skip
TEXTBOOK: dict[str, list[Any]] = {
    **{name: [r"h_t = " + form.format(AFFINE)] for name, form in ACTIVATED.items()},
    "residual": [rf"h_t = h_{{t-1}} + \tanh({AFFINE})", rf"h_{{t}}=\tanh\left({AFFINE}\right)+h_{{t-1}}"],
    "leaky": [rf"h_t = (1-\alpha) h_{{t-1}} + \alpha \tanh({AFFINE})"],
    "indrnn": [r"\mathbf{h}_t = \mathrm{ReLU}(\mathbf{w}_h \odot \mathbf{h}_{t-1} + \mathbf{W}_x \mathbf{x}_t + b_h)"],
    "layer_norm": [
        [
            r"h_t = \tanh(g_h \odot u_t + b_h)",
            r"u_t = \frac{z_t - \mu_t}{s_t}, \quad z_t = W_h h_{t-1} + W_x x_t",
            r"\mu_t = \frac{1}{n} \sum_{i=1}^{n} z_{t,i}, \qquad "
            r"s_t = \sqrt{\frac{1}{n} \sum_{i=1}^{n} (z_{t,i} - \mu_t)^2 + 0.00001}",
        ]
    ],
    "mgu": [
        [
            r"f_t = \sigma(W_{xf} x_t + W_{hf} h_{t-1} + b_f)",
            r"\tilde h_t = \tanh(W_{xh} x_t + W_{hh}(f_t \odot h_{t-1}) + b_h)",
            r"h_t = (1 - f_t) \odot h_{t-1} + f_t \odot \tilde h_t",
        ]
    ],
    "lstm": [
        LSTM_GATES.format(i="", f="", p="", o=r"\odot"),
        LSTM_GATES.format(i="", f="", p="", o=""),
        LSTM_GATES.format(i="", f="", p="", o="*"),
        LSTM_GATES.format(i="", f="", p="", o=r"\circ"),
        LSTM_GATES.format(i="", f="", p="", o=r"\cdot"),
        BOLD_LSTM,
        BOLD_LSTM[::-1],
        D2L_LSTM,
    ],
    "lstm_peephole": [
        LSTM_GATES.format(i=r"p_i \odot c_{t-1} + ", f=r"p_f \odot c_{t-1} + ", p=r"p_o \odot c_t + ", o=r"\odot")
    ],
    "lstm_coupled": [
        LSTM_GATES.format(i="", f="", p="", o=r"\odot").replace(r"i_t \odot", r"(1 - f_t) \odot").split("\\\\\n", 1)[1]
        .replace(r"\end{aligned}", "").replace("&", "").replace("\\\\", ", "),
    ],
    "gru": [
        [*GRU_GATES, r"\tilde h_t = \tanh(W_{xh} x_t + b_h + r_t \odot (W_{hh} h_{t-1} + b_{hh}))",
         r"h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde h_t"],
        TORCH_GRU,
    ],
    "gru_replace": [
        [*GRU_GATES, r"\tilde h_t = \tanh(W_{xh} x_t + b_h + r_t \odot (W_{hh} h_{t-1} + b_{hh}))",
         r"h_t = (1 - z_t) h_{t-1} + z_t \tilde h_t"],
    ],
    "gru_before": [
        [*GRU_GATES, r"\tilde{h}_t = \tanh(W_{xh} x_t + W_{hh} (r_t \odot h_{t-1}) + b_h)",
         r"h_t = z_t \odot h_{t-1} + (1 - z_t) \odot \tilde{h}_t"],
        [r"\mathbf{R}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xr} + \mathbf{H}_{t-1} \mathbf{W}_{hr} + \mathbf{b}_r)",
         r"\mathbf{Z}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xz} + \mathbf{H}_{t-1} \mathbf{W}_{hz} + \mathbf{b}_z)",
         r"\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xh} + \left(\mathbf{R}_t \odot \mathbf{H}_{t-1}\right)"
         r"\mathbf{W}_{hh} + \mathbf{b}_h)",
         r"\mathbf{H}_t = \mathbf{Z}_t \odot \mathbf{H}_{t-1}  + (1 - \mathbf{Z}_t) \odot \tilde{\mathbf{H}}_t"],
    ],
    "gru_before_replace": [
        [*GRU_GATES, r"\tilde{h}_t = \tanh(W_{xh} x_t + W_{hh} [r_t \circ h_{t-1}] + b_h)",
         r"h_t = (1 - z_t) \circ h_{t-1} + z_t \circ \tilde{h}_t"],
    ],
    "lstm_both": [
        [r"f_t = \sigma(W_{xf} x_t + W_{hf} h_{t-1} + p_f \odot c_{t-1} + b_f)",
         r"\tilde c_t = \tanh(W_{xc} x_t + W_{hc} h_{t-1} + b_c)",
         r"c_t = f_t \odot c_{t-1} + (1 - f_t) \odot \tilde c_t",
         r"o_t = \sigma(W_{xo} x_t + W_{ho} h_{t-1} + p_o \odot c_t + b_o)", r"h_t = o_t \odot \tanh(c_t)"],
    ],
    "state_space": [
        r"h_t = A h_{t-1} + B x_t, \quad y_t = C h_t + D x_t",
        [r"y_t = C h_t + D x_t", r"h_t = A h_{t-1} + B x_t"],
        [r"x_t = A x_{t-1} + B u_t", r"y_t = C x_t + D u_t"],
    ],
    "linear_attention": [
        [r"k_t = W_k x_t,\; v_t = W_v x_t,\; q_t = W_q x_t", r"S_t = S_{t-1} + v_t k_t^\top", r"o_t = S_t q_t"],
        [r"k_t = W_k x_t,\; v_t = W_v x_t,\; q_t = W_q x_t", r"S_t = S_{t-1} + v_t \otimes k_t", r"y_t = S_t q_t"],
    ],
    "delta_rule": [
        [r"k_t = W_k x_t,\; v_t = W_v x_t,\; q_t = W_q x_t", r"\beta_t = \sigma(w_\beta^T x_t)",
         r"S_t = S_{t-1} - \beta_t (S_{t-1} k_t - v_t) k_t^T", r"o_t = S_t q_t"],
    ],
}  # fmt: skip
STYLES = [(name, i) for name, forms in TEXTBOOK.items() for i in range(len(forms))]


def test_every_cell_of_the_catalogue_has_its_textbook_form():
    assert set(TEXTBOOK) == set(VARIANTS)


@pytest.mark.sample(3)
@pytest.mark.parametrize(("name", "style"), STYLES)
def test_the_textbook_form_is_the_cell_of_the_catalogue(name, style):
    assert_equal(read_cell(TEXTBOOK[name][style]).cell, VARIANTS[name]())


# -- weights that are joined, and other names -----------------------------------------------------------

COLAH = [
    r"f_t = \sigma\left(W_f \cdot [h_{t-1}, x_t] + b_f\right)",
    r"i_t = \sigma\left(W_i \cdot [h_{t-1}, x_t] + b_i\right)",
    r"\tilde{C}_t = \tanh(W_C \cdot [h_{t-1}, x_t] + b_C)",
    r"C_t = f_t * C_{t-1} + i_t * \tilde{C}_t",
    r"o_t = \sigma\left(W_o [h_{t-1}, x_t] + b_o\right)",
    r"h_t = o_t * \tanh\left(C_t\right)",
]
COLUMN = r"\begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}"
JOINED = {
    "comma": COLAH,
    "semicolon": [text.replace("h_{t-1}, x_t", "h_{t-1}; x_t") for text in COLAH],
    "column": [text.replace("[h_{t-1}, x_t]", COLUMN) for text in COLAH],
    "round": [text.replace(r"\cdot [h_{t-1}, x_t]", "(h_{t-1}, x_t)") for text in COLAH],
    "turned": [text.replace("[h_{t-1}, x_t]", r"[h_{t-1}^\top, x_t^\top]^\top") for text in COLAH],
}


@pytest.mark.parametrize("style", JOINED)
def test_joined_vectors_are_the_sum_of_two_products(style):
    cell = read_cell(JOINED[style]).cell
    split = Cell(
        [
            *(f"{k}[t] = sigmoid(W_{k}1 @ h[t-1] + W_{k}2 @ x[t] + b_{k})" for k in "fi"),
            "g[t] = tanh(W_C1 @ h[t-1] + W_C2 @ x[t] + b_C)",
            "c[t] = f[t] * c[t-1] + i[t] * g[t]",
            "o[t] = sigmoid(W_o1 @ h[t-1] + W_o2 @ x[t] + b_o)",
            "h[t] = o[t] * tanh(c[t])",
        ],
        states=["h", "c"],
    )
    rng = np.random.default_rng(1)
    parameters = {}
    for gate in "fiCo":
        parameters[f"W_{gate}1"], parameters[f"W_{gate}2"] = rng.normal(size=(3, 3)), rng.normal(size=(3, 2))
        parameters[f"b_{gate}"] = rng.normal(size=3)
    joined = {f"b_{gate}": parameters[f"b_{gate}"] for gate in "fiCo"}
    joined |= {f"W_{g}": np.hstack([parameters[f"W_{g}1"], parameters[f"W_{g}2"]]) for g in "fiCo"}
    x, target = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    models = [RNN(c, hidden=3, inputs=2, steps=4).lambdify() for c in (cell, split)]
    one, two = models[0](joined, x, target), models[1](parameters, x, target)
    assert one.loss == pytest.approx(two.loss, rel=1e-12)
    np.testing.assert_allclose(one.grads["W_C"][:, :3], two.grads["W_C1"], rtol=1e-10)
    np.testing.assert_allclose(one.grads["x"], two.grads["x"], rtol=1e-10)


@pytest.mark.parametrize(
    ("latex", "equations"),
    {
        r"a^{(t)} = b + W h^{(t-1)} + U x^{(t)}, \quad h^{(t)} = \tanh(a^{(t)})": (
            "a_[t] = b + W @ h[t-1] + U @ x[t]", "h[t] = tanh(a_[t])",
        ),
        r"h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})": (
            "h[t] = tanh(W_ih @ x[t] + b_ih + W_hh @ h[t-1] + b_hh)",
        ),
        r"h_t = \tanh(x_t W_{ih}^T + b_{ih} + h_{t-1} W_{hh}^T + b_{hh})": (
            "h[t] = tanh(W_ih @ x[t] + b_ih + W_hh @ h[t-1] + b_hh)",
        ),
        r"h_{t+1} = \tanh(W h_t + U x_{t+1})": ("h[t] = tanh(W @ h[t-1] + U @ x[t])",),
        r"h_t^{(1)} = \tanh(W^{(1)} h_{t-1}^{(1)} + x_t), h_t^{(2)} = \tanh(W^{(2)} h_{t-1}^{(2)} + h_t^{(1)})": (
            "1.h[t] = tanh(1.W @ 1.h[t-1] + x[t])", "2.h[t] = tanh(2.W @ 2.h[t-1] + 1.h[t])",
        ),
        r"\hat{y_t} = V h_t + c, \text{ where } h_t = \tanh(W h_{t-1} + U x_t),\ h_0 = 0,\ t = 1, \dots, T": (
            "h[t] = tanh(W @ h[t-1] + U @ x[t])", "y_hat[t] = V @ h[t] + c",
        ),
        r"h_t = h_{t-1} + \frac{\Delta t}{\tau}\left(-h_{t-1} + \tanh(W h_{t-1} + U x_t)\right)": (
            "h[t] = h[t-1] + Delta_t / tau * (-h[t-1] + tanh(W @ h[t-1] + U @ x[t]))",
        ),
        r"h_t = \tanh(W \alpha h_{t-1} + 0.10 U x_t)": ("h[t] = tanh(W * alpha @ h[t-1] + 0.10 * U @ x[t])",),
        r"h_t = \begin{bmatrix} W & U \end{bmatrix} \begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}": (
            "h[t] = W @ h[t-1] + U @ x[t]",
        ),
        r"n_t = \tanh(W_{in} x_t), \; h_t = \lambda n_t + (1 - \lambda) h_{t-1}": (
            "n_[t] = tanh(W_in @ x[t])", "h[t] = lambda_ * n_[t] + (1 - lambda_) * h[t-1]",
        ),
        r"\overrightarrow{h}_t = \tanh(\overrightarrow{W}_h \overrightarrow{h}_{t-1} + x_t), \quad "
        r"\overleftarrow{h}_t = \tanh(\overleftarrow{W}_h \overleftarrow{h}_{t+1} + x_t), \quad "
        r"o_t = [\overrightarrow{h}_t; \overleftarrow{h}_t]": (
            "forward.h[t] = tanh(forward.W_h @ forward.h[t-1] + x[t])",
            "backward.h[t] = tanh(backward.W_h @ backward.h[t+1] + x[t])",
            "o[t] = concat(forward.h[t], backward.h[t])",
        ),
        r"h_t = \tanh(W_1 h_{t-1} + W_2 x_t + h_{t-1} \mathbf{1}^\top x_t)": (
            "h[t] = tanh(W_1 @ h[t-1] + W_2 @ x[t] + h[t-1] * sum(x[t]))",
        ),
        r"h_t = W h_{t+1} + U x_t": ("h[t] = W @ h[t+1] + U @ x[t]",),
        r"h_t = (w^\top h_{t-1}) x_t + h_{t-1}": ("h[t] = w.T @ h[t-1] * x[t] + h[t-1]",),
    }.items(),
)  # fmt: skip
def test_names_and_numbers_survive_as_written(latex, equations):
    assert read_cell(latex).cell.equations == equations
