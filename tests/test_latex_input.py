"""Cells and losses in LaTeX that users write: their own, ambiguous ones, wrong ones, and those of model files."""

from __future__ import annotations

from typing import Any

import pytest

from symbptt import RNN, Cell, Loss, load
from symbptt.cli import run
from symbptt.errors import EquationError, RankError, SymbpttError, SymbpttWarning
from symbptt.examples import find
from symbptt.reading.cells import read_cell


def sizes(cell: Cell) -> list[str]:
    """The names of sizes of a cell beyond n and m."""
    names = {str(s) for _, shape in cell.inferred for part in shape for s in part.free_symbols}
    return sorted(names - {"n", "m"})


# -- cells that users invent ----------------------------------------------------------------------------

MINIMAL = [
    r"h_t = u_t \odot h_{t-1} + (1 - u_t) \odot z_t",
    r"u_t = \sigma(U_h h_{t-1} + U_z z_t + b_u)",
    r"z_t = \Phi(W_x x_t + b_z)",
]
OWN: dict[str, dict[str, Any]] = {
    "minimal": {"equations": MINIMAL, "functions": {"Phi": "tanh"}},
    "sru": {
        "equations": [
            r"f_t = \sigma(W_f x_t + v_f \odot c_{t-1} + b_f), \quad r_t = \sigma(W_r x_t + v_r \odot c_{t-1} + b_r)",
            r"c_t = f_t \odot c_{t-1} + (1 - f_t) \odot (W x_t)",
            r"h_t = r_t \odot c_t + (1 - r_t) \odot (U x_t)",
        ]
    },
    "ugrnn": {
        "equations": r"\begin{cases} c_t = \phi(W_c [h_{t-1}, x_t] + b_c) \\ g_t = \sigma(W_g [h_{t-1}, x_t] + b_g) \\"
        r"h_t = g_t h_{t-1} + (1 - g_t) c_t \end{cases}",
        "functions": {r"\phi": "u / (1 + abs(u))"},
    },
    "antisymmetric": {
        "equations": r"h_t = h_{t-1} + \epsilon \tanh((W - W^\top - \gamma D) h_{t-1} + V x_t + b)",
    },
    "continuous": {
        "equations": r"h_t = \left(1 - \frac{\Delta t}{\tau}\right) h_{t-1} "
        r"+ \frac{\Delta t}{\tau} \tanh(W h_{t-1} + U x_t)",
    },
    "oscillator": {
        "equations": [
            r"v_t = v_{t-1} + \tau (\tanh(W_h h_{t-1} + W_v v_{t-1} + W_x x_t) - \gamma h_{t-1} - \epsilon v_{t-1})",
            r"h_t = h_{t-1} + \tau v_t",
        ],
    },
    "two layers": {
        "equations": r"h_t^{(1)} = \tanh(W^{(1)} h_{t-1}^{(1)} + U^{(1)} x_t + b^{(1)}), "
        r"h_t^{(2)} = \sigma(W^{(2)} h_{t-1}^{(2)} + U^{(2)} h_t^{(1)} + b^{(2)})",
    },
    "attention over time": {
        "equations": [
            r"S_t = \lambda S_{t-1} + v_t k_t^\top", r"k_t = W_k x_t", r"v_t = W_v x_t", r"\hat y_t = S_t (W_q x_t)",
        ],
    },
    "softmax output": {
        "equations": r"h_t = \tanh(W h_{t-1} + U x_t + b), \hat y_t = \mathrm{softmax}(V h_t + c)",
    },
    "backward": {"equations": r"h_t = \tanh(W h_{t+1} + U x_t)"},
    "normed": {"equations": r"h_t = \tanh(W h_{t-1} + \frac{U x_t}{\sqrt{1 + \|x_t\|^2}})"},
}  # fmt: skip


@pytest.mark.sample(9)
@pytest.mark.parametrize("name", OWN)
def test_cells_of_ones_own_are_derived_and_verified(name):
    cell = Cell.from_latex(**OWN[name])
    assert RNN(cell, hidden=2, inputs=2, steps=3, sizes=dict.fromkeys(sizes(cell), 3)).verify().ok


def test_the_order_of_the_equations_does_not_matter():
    assert read_cell(MINIMAL, functions={"Phi": "tanh"}) == read_cell(MINIMAL[::-1], functions={"Phi": "tanh"})


def test_what_is_inferred_can_be_said_otherwise():
    latex = r"h_t = \tanh(W_{hh} h_{t-1} + g c_{t-1}), \quad c_t = c_{t-1} + W_c h_t"
    cell = Cell.from_latex(latex)
    assert (cell.state_names, cell.output, dict(cell.inferred)["g"]) == (("h", "c"), "h", ())
    own = Cell.from_latex(
        latex.replace(r"g c", r"g \odot c"), states={"c": "n", "h": "n"}, output="c", keys={"W_{hh}": "W_h"}, name="own"
    )
    assert (own.state_names, own.output, own.parameters) == (("c", "h"), "c", ("W_h", "g", "W_c"))
    assert len(dict(own.inferred)["g"]) == 1


def test_sigma_is_the_logistic_function_unless_it_is_said_otherwise():
    latex = r"h_t = \sigma(W h_{t-1} + U x_t)"
    assert Cell.from_latex(latex).equations == ("h[t] = sigmoid(W @ h[t-1] + U @ x[t])",)
    assert Cell.from_latex(latex, functions={"sigma": "relu"}).equations == ("h[t] = relu(W @ h[t-1] + U @ x[t])",)
    wikipedia = latex.replace(r"\sigma", r"\sigma_g")
    assert Cell.from_latex(wikipedia, functions={r"\sigma_g": "tanh"}).equations[0].startswith("h[t] = tanh(")


def test_a_declaration_settles_a_rank():
    open_product = r"h_t = W h_{t-1} + a_t x_t"
    cell = Cell.from_latex([open_product, r"a_t \in \mathbb{R}^{n}, \quad x_t \in \mathbb{R}^n"])
    assert len(dict(cell.inferred)["a_"]) == 1


ROWS = [
    r"\mathbf{I}_t = \sigma(\mathbf{X}_t \mathbf{W}_{xi} + \mathbf{H}_{t-1} \mathbf{W}_{hi} + \mathbf{b}_i)",
    r"\tilde{\mathbf{H}}_t = \tanh(\mathbf{X}_t \mathbf{W}_{xc} + (\mathbf I_t \odot \mathbf H_{t-1}) \mathbf{W}_{hc})",
    r"\mathbf{H}_t = \mathbf{I}_t \odot \mathbf{H}_{t-1} + (1 - \mathbf{I}_t) \odot \tilde{\mathbf{H}}_t",
]


def test_rows_give_the_column_cell_and_a_model_in_rows():
    rows = ROWS
    with pytest.warns(SymbpttWarning, match="layout='rows'"):
        cell = Cell.from_latex(rows)
    assert cell == Cell.from_latex(rows, layout="rows")
    with pytest.raises(EquationError, match="convention of 'rows'"):
        Cell.from_latex(rows, layout="columns")
    model = RNN(cell, hidden=3, inputs=2, steps=2, layout="rows", batch=2)
    assert model.gradient("W_xi").shape == (2, 3)
    assert model.verify().ok


def test_the_table_says_symbol_key_shape_and_role():
    table = Cell.from_latex(r"h_t = (1-\alpha) h_{t-1} + \alpha \tanh(W h_{t-1} + U x_t)").table()
    assert str(table).splitlines()[1:3] == ["hₜ      h      n       state, output", "xₜ      x      m       input"]
    assert "| $\\alpha$ | `alpha` | number | parameter |" in table._repr_markdown_()


# -- what is ambiguous, and what is wrong ---------------------------------------------------------------

WRONG: dict[str, tuple[type[Exception], str]] = {
    r"h_t = a b + W h_{t-1}": (RankError, "column 7: the product of 'a' and 'b' is ambiguous: a a number and b a"),
    r"h_t = W h_{t-1} + a_t x_t": (RankError, "column 19: the product of 'a_t' and 'x_t' is ambiguous"),
    r"z_t = r_t \cdot s_t, h_t = h_{t-1} + z_t^\top h_{t-1} u, r_t = W x_t, s_t = U x_t": (SymbpttError, "column"),
    r"h_t = \tanh(W h_{t-1} + U x_t + h_0)": (EquationError, "column 33: a cell reads the steps t and t-1"),
    r"h_{t+1} = \tanh(W h_t + U x_t + h_0)": (EquationError, "a cell reads the steps t and t-1, and not the step 0"),
    r"h_t = \tanh(W h_{t-1}": (EquationError, "column 12: this bracket is never closed"),
    r"h_t = \tanh(W_{h h_{t-1})": (EquationError, "column"),
    r"h_t = W x_t": (EquationError, "column 1: nothing is carried from step to step"),
    r"h_t = W h_{t-2}": (EquationError, "column 9: a cell reads the steps t and t-1, and not the step t-2"),
    r"h_t = W h_{t-1} + U h_{t+1}": (EquationError, "column 1: .*forward and backward in time at once"),
    r"h_t = W h_{t-1} + U x_{t-1}": (EquationError, "column 21: 'x_{t-1}' is read, but no equation defines x_t"),
    r"h_t = \phi(W h_{t-1})": (EquationError, r"the function '\\phi' is not known: .*functions={'phi': 'tanh'}"),
    r"h_t = \sigma_c(W h_{t-1})": (EquationError, r"the function '\\sigma_c' is not known"),
    r"h_t = W h_{t-1} + \frac{\partial h_t}{\partial x_t}": (EquationError, "column 19: a derivative cannot stand"),
    r"h_t = \tanh'(W h_{t-1})": (EquationError, "column 7: a derivative cannot stand"),
    r"h_t = W h_{t-1} + U h_t": (EquationError, "column 1: the equations of 'h' need each other"),
    r"h_t = W h_{t-1}, h_t = U h_{t-1}": (EquationError, "column 18: a second equation for 'h_t'"),
    r"h_t = W h_{t-1} = U h_{t-1}": (EquationError, "a second = "),
    r"h_{t,1} = W h_{t-1}": (EquationError, "column 1: 'h_{t,1}' is no variable at step t"),
    r"h = W h_{t-1}": (EquationError, "column 1: 'h' has no step"),
    r"h_t = \sum_{k=1}^K W_k x_t + h_{t-1}": (EquationError, "column 7: this sum is not over components"),
    r"h_t = W h_{t-1} + x_t + \cdots + x_1": (EquationError, "column"),
    r"h_t = h_{t-1} W + U x_t": (EquationError, "column 7: 'h_{t-1} W' has its weight behind the vector"),
    r"h_t = h_{t-1}^{10^{10^{10}}}": (EquationError, "column 15: an exponent must be a number"),
    r"h_t = W^2 h_{t-1}": (EquationError, "column 7: a power of a matrix"),
    r"h_t = h_{t-1} + t x_t": (EquationError, "column 17: the number of a step"),
    r"h_t = \tanh h": (EquationError, "stands here without a step"),
    r"h_t = W h_{t-1} + x_t \mathbf{1}^\top": (EquationError, "a row of ones has no form"),
    r"h_t = \tanh(h_{t-1}^\top W + x_t^\top U)^\top": (SymbpttError, "shapes do not fit"),
    r"h_t = \mathcal{H}(W h_{t-1} + x_t)": (EquationError, "functions={'H': 'tanh'}"),
    r"h_t = \foo{W} h_{t-1}": (EquationError, r"column 7: the command '\\foo' is not known"),
    r"h_t": (EquationError, "column 1: 'h_t' is no equation"),
    r"h_t \le 2": (EquationError, "defines nothing"),
    r"h_t = ": (EquationError, "column"),
    "": (EquationError, "no equation is given"),
    "{" * 10_000: (EquationError, "nested more than"),
    "h_t = " + "x_t + " * 5000: (EquationError, "column|characters"),
    r"h_t = \operatorname{eye}(10^6) h_{t-1}": (EquationError, "the function .*eye.* is not known"),
    "h_t = W h_{t-1}\n + \\phi(x_t)": (EquationError, "line 2, column 4: the function"),
}  # fmt: skip


@pytest.mark.parametrize("latex", WRONG, ids=lambda text: text[:40])
def test_what_is_wrong_is_one_line_with_the_place(latex):
    kind, message = WRONG[latex]
    with pytest.raises(kind, match=message) as caught:
        Cell.from_latex(latex)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"states": ["c"]}, "states names 'c'"),
        ({"output": "o"}, "output names 'o'"),
        ({"shapes": {"V": ()}}, "shapes names 'V'"),
        ({"keys": {"V": "W"}}, "keys names 'V'"),
        ({"functions": {"f": "tahn"}}, "'f' is 'tahn', which is not known; did you mean 'tanh'"),
        ({"roles": {"h": "nothing"}}, "unknown role 'nothing'"),
        ({"layout": "diagonal"}, "layout"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(SymbpttError, match=message):
        Cell.from_latex(r"h_t = \tanh(W h_{t-1} + U x_t)", **arguments)


def test_the_second_of_several_strings_is_named():
    with pytest.raises(EquationError, match=r"^latex 2, column 7: the function"):
        Cell.from_latex([r"h_t = W h_{t-1} + z_t", r"z_t = \phi(U x_t)"])


# -- losses ---------------------------------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("latex", "equation"),
    {
        r"\ell_t = \frac12 \|y_t - \hat y_t\|^2": "1/2 * norm2({y} - {target})",
        r"\ell_t = \frac{1}{2} \lVert h_t - \hat{y}_t \rVert_2^2": "1/2 * norm2({y} - {target})",
        r"L = \frac12 (h_T - y)^2": "1/2 * norm2({y} - {target})",
        r"L = \sum_{t=1}^T \frac12 (y_t - \hat y_t)^2": "1/2 * norm2({y} - {target})",
        r"\frac12 (y_t - \hat y_t)^\top (y_t - \hat y_t)": "1/2 * ({y} - {target}).T @ ({y} - {target})",
        r"-\sum_k y_{t,k} \log \hat y_{t,k}": "-sum({target} * log({y}))",
        r"-y_t^\top \log \hat y_t": "-({target}.T @ log({y}))",
        r"-(y_t \log p_t + (1 - y_t) \log(1 - p_t))": "sum(-({target} * log({y}) + (1 - {target}) * log(1 - {y})))",
        r"\frac{1}{q} \sum_{k=1}^{q} (o_{t,k} - y_{t,k})^2": "mean(({y} - {target})**2)",
        r"|y_t - \hat y_t|": "sum(abs({y} - {target}))",
        r"\frac12 \|h_t\|^2": "1/2 * norm2({y})",
    }.items(),
)
def test_losses_are_read(latex, equation):
    loss = Loss.from_latex(latex)
    assert loss.equation == equation
    assert RNN("tanh", hidden=2, inputs=1, steps=2, readout="sigmoid", outputs=2, loss=loss).verify().ok


def test_which_is_the_target_is_asked_where_it_matters():
    latex = r"y_t^\top \hat y_t"
    with pytest.raises(EquationError, match=r"it is open which is the prediction, 'y' .* or 'y_hat'"):
        Loss.from_latex(latex)
    assert Loss.from_latex(latex, target=r"\hat y").equation == "{y}.T @ {target}"
    cell = Cell.from_latex(r"h_t = \tanh(W h_{t-1} + U x_t), \hat y_t = V h_t")
    assert Loss.from_latex(latex, cell=cell).equation == "{target}.T @ {y}"


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\lambda \|h_t\|^2", r"column 1: '\\lambda' is no number"),
        (r"L = \frac1T \sum_{t=1}^T \|y_t - \hat y_t\|^2", "column 13: give the loss of one step"),
        (r"\frac12 \|y_t - ", "column 17"),
        (r"\ell_t = 3", "no variable at step t"),
        ("", "a loss is a string"),
    ],
)
def test_wrong_losses_are_refused(latex, message):
    with pytest.raises(EquationError, match=message):
        Loss.from_latex(latex)


def test_a_cell_with_its_own_softmax_takes_the_cross_entropy():
    cell = Cell.from_latex(OWN["softmax output"]["equations"])
    loss = Loss.from_latex(r"-\sum_k y_{t,k} \log \hat y_{t,k}", cell=cell, targets="distribution")
    assert RNN(cell, hidden=2, inputs=2, steps=2, loss=loss, sizes={"p": 3}).verify().ok


# -- model files ----------------------------------------------------------------------------------------

FILE = r"""
hidden = 2
inputs = 1
steps = 2
loss = '$\frac12 \|h_t - y_t\|^2$'

[cell]
latex = [
  'h_t = u_t \odot h_{t-1} + (1 - u_t) \odot z_t',
  'u_t = \sigma(U_h h_{t-1} + U_z z_t + b_u)',
  'z_t = \Phi(W_x x_t + b_z)',
]
functions = {Phi = "tanh"}
shapes = {b_u = "n"}
keys = {"W_x" = "W"}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_model_file_with_latex_is_derived(file, capsys):
    model = load(file)
    assert model.network.cell.parameters == ("W", "b_z", "U_h", "U_z", "b_u")
    assert run(["derive", str(file), "--lang", "en", "--to", "latex", "--section", "model"]) == 0
    assert r"z_t = \tanh(W x_t + b_z)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("h_{t-1} + U_z", "h_{t-2} + U_z", "own.toml:10: latex 2, column 18: a cell reads the steps"),
        ('functions = {Phi = "tanh"}', "", "own.toml:11: latex 3, column 7: the function"),
        (r"h_t - y_t\|", r"h_t - \|", "own.toml:5: loss, column"),
        ("latex = [", 'stack = ["tanh"]\nlatex = [', "own.toml: cell: latex and stack are given"),
        ('functions = {Phi = "tanh"}', "functions = {Phi = 3}", "own.toml:13: cell.functions.Phi must be a string"),
        ("[cell]\nlatex", "[cell]\nlayer_sizes = [2]\nlatex", "own.toml: cell: layer_sizes does not go with latex"),
    ],
)
def test_errors_of_a_model_file_name_the_line(file, old, new, message, capsys):
    assert old in FILE
    file.write_text(FILE.replace(old, new), encoding="utf-8")
    assert run(["derive", str(file), "--lang", "en"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_model_file_in_the_row_convention_is_a_model_in_rows(tmp_path):
    path = tmp_path / "rows.toml"
    path.write_text("[cell]\nlatex = ['H_t = \\tanh(X_t W_x + H_{t-1} W_h + b_h)']\n", encoding="utf-8")
    assert load(path).network.layout == "rows"
    path.write_text('layout = "columns"\n' + path.read_text("utf-8"), encoding="utf-8")
    assert load(path).network.layout == "columns"


def test_a_file_without_latex_says_that_keys_goes_with_it(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[cell]\nequations = ["h[t] = h[t-1]"]\nstates = ["h"]\nkeys = {a = "b"}\n', encoding="utf-8")
    with pytest.raises(EquationError, match="keys goes with latex alone"):
        find(path).arguments()
