"""The row layout: the same numbers as in columns, proved line by line, in the shapes and names of d2l."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from cells import CELLS, MIXED, by_size, own_sizes
from hypothesis import given, settings
from hypothesis import strategies as st

from symbptt import RNN, Cell, Loss, load
from symbptt.algebra import derivative
from symbptt.cli import run
from symbptt.errors import EquationError, RefusedError, SizeError, UnknownNameError, ValueInputError
from symbptt.evaluate.claims import check_equality, instances
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.oracles import oracle_gradients
from symbptt.model import ACTIVATIONS, CATALOGUE, NOTATIONS
from symbptt.training import Trainer, Training

LOSSES = [
    (None, "half_squared_error"),
    (None, "mse"),
    ("linear", "squared_error"),
    ("sigmoid", "binary_cross_entropy"),
    ("softmax", "cross_entropy"),
]
MATRIX_STATES = ("delta_rule", "linear_attention")
LONG = ("lstm", "lstm_peephole", "lstm_coupled", "gru_before", "layer_norm", "stacked", "coupled", "mgu")
"""Cells whose derivations are long; one of their kind is among the quick tests."""
OWN = {name: cell for name, cell in CELLS.items() if name not in (*MATRIX_STATES, *MIXED)}


def _in_rows(cell: Any, **parts: Any) -> RNN | None:
    """The model in rows, or None where a state of the catalogue cell is a matrix."""
    columns = RNN(cell, **parts)
    if any(columns.system.variables[name].rank == 2 for name in columns.system.variables):
        with pytest.raises(EquationError, match=r"layout='rows': .* is a matrix at each step"):
            columns.replace(layout="rows")
        return None
    return columns.replace(layout="rows")


# -- the same numbers as in columns ---------------------------------------------------------------------


def _column_numbers(model: RNN, data: dict[str, Any]) -> dict[str, Any]:
    """The numbers of an instance in rows, as the function of the column layout takes them."""
    parameters = model.replace(layout="columns", values={}).system.parameters
    ranks = {key: getattr(symbol, "rank", 0) for key, symbol in parameters.items()}
    return {key: _column(data[key], rank) for key, rank in ranks.items()}


def _column(value: Any, rank: int) -> Any:
    return value.T if rank == 2 else value[0] if rank == 1 else value


def _agreement(model: RNN) -> None:
    """Compare the forward pass in rows, its loss and gradients by complex steps, with the code of the column layout."""
    (instance,) = instances(model.network, seed=3, count=1)
    system, data = instance.system, instance.data
    states = {f"{s}0": data[f"{s}0"] for s in system.states}
    timed = {s: v[..., 0] if v.ndim == 3 and _is_number(model, s) else v for s, v in data.items()}
    columns = model.replace(layout="columns", values={}).lambdify()
    x = {name: timed[name] for name in system.inputs} or None
    out = columns(_column_numbers(model, data), x, timed.get("target"), initial=states, steps=instance.steps)
    assert out.loss == pytest.approx(instance.loss, rel=1e-12)
    for key, symbol in system.parameters.items():
        found = _column(np.asarray(instance.value(derivative(system.L, symbol))), np.ndim(out.grads[key]))
        np.testing.assert_allclose(found, out.grads[key], rtol=1e-9, atol=1e-12)
    for state in system.states:
        start = derivative(system.L, system.at(state, system.start))
        np.testing.assert_allclose(instance.value(start), out.grads[f"{state}0"], rtol=1e-9, atol=1e-12)


def _is_number(model: RNN, name: str) -> bool:
    """Whether a variable is a number at each step, so that a batch of it is a vector."""
    return name in model.system.variables and model.system.variables[name].rank < 2


@pytest.mark.sample(4)
@pytest.mark.parametrize("cell", by_size(CATALOGUE))
def test_catalogue_cells_have_the_loss_and_gradients_of_columns(cell):
    model = _in_rows(cell, readout="softmax", loss="cross_entropy")
    if model is not None:
        _agreement(model)


@pytest.mark.parametrize("name", OWN)
def test_cells_of_ones_own_have_the_loss_and_gradients_of_columns(name):
    _agreement(RNN(OWN[name], sizes=own_sizes(OWN[name]), layout="rows"))


@pytest.mark.parametrize(("readout", "loss"), LOSSES)
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
def test_losses_have_the_values_of_columns(readout, loss, reduction):
    _agreement(RNN("tanh", readout=readout, loss=loss, reduction=reduction, layout="rows"))


@pytest.mark.parametrize(
    "loss",
    [
        "sum(abs(h[t])) / 2 + norm2(W_h)",
        "log(1 + norm2(h[t] - target[t]))",
        "mean(h[t]) * sum(h[t])",
        "norm2(h[t]) / (1 + norm2(W_h))",
        "variance(h[t]) - h[t].T @ target[t]",
    ],
)
def test_losses_of_ones_own_are_summed_over_the_examples(loss):
    model = RNN("tanh", loss=Loss(loss), layout="rows")
    _agreement(model)
    assert model.derivation().verify().ok


def test_mse_divides_by_the_outputs_and_not_by_the_batch():
    model = RNN("linear", 2, 2, 3, readout="linear", loss="mse", layout="rows", batch=4, steps=1)
    instance = Instance(model.network)
    y, target = (instance.base.values[name, 1] for name in ("y", "target"))
    assert instance.loss == pytest.approx(((y - target) ** 2).sum() / 3)


# -- proved ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in OWN])
def test_derivations_of_cells_are_proved(name):
    report = RNN(OWN[name], layout="rows").derivation().verify()
    assert report.ok, report.failures


@pytest.mark.parametrize(("readout", "loss"), LOSSES)
def test_derivations_with_readouts_and_losses_are_proved(readout, loss):
    reduction = "last" if loss in ("cross_entropy", "mse") else "sum"
    report = RNN("sigmoid", readout=readout, loss=loss, reduction=reduction, layout="rows").derivation().verify()
    assert report.ok, report.failures


LOSSES_OF = {c: LOSSES if c in ACTIVATIONS else [LOSSES[1], LOSSES[4]] for c in CATALOGUE}
EACH = [(c, *pair) for c, pairs in LOSSES_OF.items() for pair in pairs]
WHOLE = [(c, *pairs[place % len(pairs)]) for place, (c, pairs) in enumerate(LOSSES_OF.items())]
"""Of these, one for each cell whose generated function is proved too; every loss is among them."""


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "readout", "loss"), EACH)
def test_every_catalogue_cell_is_proved(cell, readout, loss):
    model = _in_rows(cell, readout=readout, loss=loss, reduction="mean")
    if model is not None:
        report = model.verify() if (cell, readout, loss) in WHOLE else model.derivation().verify()
        assert report.ok, report.failures


@settings(max_examples=5, deadline=None)
@given(st.tuples(*[st.integers(1, 3)] * 5), st.sampled_from(LOSSES))
def test_all_sizes_are_proved(sizes, kind):
    hidden, inputs, outputs, batch, steps = sizes
    readout, loss = kind
    model = RNN("tanh", hidden, inputs, outputs if readout else None, readout, loss, steps=steps, layout="rows",
                batch=batch)  # fmt: skip
    report = model.derivation().verify()
    assert report.ok, report.failures
    if not model.system.scalar:
        _agreement(model)


def test_a_wrong_transpose_is_found():
    model = RNN("tanh", layout="rows")
    system = model.system
    right = model.gradient("h", at="t")
    wrong = right.xreplace({system.parameters["W_h"]: system.parameters["W_h"].T})
    left, where = derivative(system.L, system.at("h")), {system.t: (1, system.steps - 1)}
    random = instances(model.network)
    assert check_equality(random, left, right, where)
    assert not check_equality(random, left, wrong, where).ok


# -- generated code -------------------------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", OWN)
def test_generated_gradients_are_the_transposes_of_those_in_columns(name):
    cell, sizes = OWN[name], own_sizes(OWN[name])
    columns, rows = (RNN(cell, 3, 2, steps=4, sizes=sizes, layout=layout) for layout in ("columns", "rows"))
    (instance,) = instances(columns.network, seed=5, count=1)
    data, ranks = instance.data, {key: np.ndim(instance.data[key]) for key in columns.system.parameters}
    parameters = {key: data[key] for key in ranks}
    turned = {key: np.transpose(value) for key, value in parameters.items()}
    rest: dict[str, Any] = {
        "x": data["x"], "target": data["target"], "initial": {s: data[f"{s}0"] for s in columns.system.states}
    }  # fmt: skip
    left, right = columns.lambdify()(parameters, **rest), rows.lambdify()(turned, **rest)
    assert left.loss == pytest.approx(right.loss, rel=1e-13)
    for key in ranks:
        np.testing.assert_allclose(np.transpose(left.grads[key]), right.grads[key], rtol=1e-12)
    np.testing.assert_allclose(left.grads["x"], right.grads["x"], rtol=1e-12)


def test_generated_code_reads_like_the_row_convention():
    source = RNN("tanh", readout="linear", layout="rows").lambdify().source
    assert "zₜ = hₜ₋₁ W_h + xₜ W_x + b_h" in source and "∂L/∂W_h = Σₜ₌₁ᵀ hₜ₋₁ᵀ ∂L/∂zₜ" in source
    assert (
        "z_in = x @ W_x + b_h" in source
        and "z_in[t] + h_prev[t] @ W_h" in source
        and "W_x (m, n)" in source
        and "W_y (n, q)" in source
    )


def test_vectors_inside_the_jacobians_of_one_row_are_rows_on_the_page():
    page = RNN(CELLS["gru"], layout="rows").derivation(sections=["local"]).to_latex()
    assert r"(h_t W_{hh} + b_{hh})" in page and r"W_{hh}^\top h_t" not in page


def test_a_bias_may_be_given_as_a_row():
    bptt = RNN("tanh", layout="rows").lambdify()
    rng = np.random.default_rng(0)
    W_h, W_x, b_h = rng.normal(size=(3, 3)), rng.normal(size=(2, 3)), rng.normal(size=3)
    x, target = rng.normal(size=(4, 5, 2)), rng.normal(size=(4, 5, 3))
    flat = bptt({"W_h": W_h, "W_x": W_x, "b_h": b_h}, x, target)
    row = bptt({"W_h": W_h, "W_x": W_x, "b_h": b_h[None]}, x, target)
    assert flat.grads["b_h"].shape == (3,) and row.grads["b_h"].shape == (1, 3)
    np.testing.assert_array_equal(flat.grads["b_h"], row.grads["b_h"][0])


def test_a_network_in_rows_is_trained_from_zero_biases():
    model = RNN("tanh", 6, 2, 2, "softmax", "cross_entropy", steps=4, layout="rows")
    trainer = Trainer(model, Training("abbabbabbabbabb"))
    initial = trainer.initial()
    assert not initial["b_h"].any() and initial["W_x"].shape == (2, 6)
    first, *_, last = trainer.passes(20)
    assert last.loss < first.loss / 2


@pytest.mark.oracle("torch")
@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_peephole", "layer_norm", "leaky"])
def test_rows_agree_with_torch(name):
    model = RNN(OWN[name], readout="softmax", loss="cross_entropy", layout="rows")
    (instance,) = instances(model.network, seed=1, count=1)
    found = oracle_gradients(instance, "torch")
    data = instance.data
    parameters = {key: data[key] for key in model.system.parameters}
    initial = {s: data[f"{s}0"] for s in model.system.states}
    out = model.lambdify()(parameters, data["x"], data["target"], initial=initial)
    for key in parameters:
        np.testing.assert_allclose(out.grads[key], found[key, None], rtol=1e-10, atol=1e-12)


# -- on the page ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_variables_are_capital_and_proofs_do_not_depend_on_the_notation(notation, lang):
    model = RNN("tanh", readout="softmax", loss="cross_entropy", layout="rows", notation=notation)
    page = model.derivation(lang=lang, sections=["model", "recursion"]).to_latex()
    assert "H_t" in page and "H_{t-1}" in page and "h_t" not in page and r"\hat{y}" not in page
    assert "X_t" in page and "x_t" not in page


def test_d2l_writes_its_subscripts_as_in_its_section_on_batches():
    text = RNN("tanh", readout="linear", layout="rows", notation="d2l").derivation(sections=["model"]).to_latex()
    assert "Z_t = H_{t-1} W_{hh} + X_t W_{xh} + b_h" in text.replace("&", "")
    assert "W_{hq}" in text and "W_{qh}" not in text
    assert "W_{hx}" in RNN("tanh", notation="d2l").derivation(sections=["model"]).to_latex()
    own = RNN("tanh", layout="rows", notation={"notation": "d2l", "W_x": "U"}).derivation(sections=["model"]).to_latex()
    assert "X_t U" in own


def test_a_capital_that_is_taken_is_bold():
    cell = Cell(["h[t] = tanh(H @ h[t-1] + C @ x[t])"], ["h"])
    text = RNN(cell, layout="rows").derivation(sections=["model"]).to_latex()
    assert r"\mathbf{H}_t = \tanh(\mathbf{H}_{t-1} H + X_t C)" in text.replace("&", "")


def test_the_batch_takes_a_letter_that_is_free():
    cell = Cell(["h[t] = A @ h[t-1] + B @ x[t]"], ["h"])
    assert str(RNN(cell, layout="rows").network.batch) == "N"
    assert str(RNN("tanh", layout="rows").network.batch) == "B"
    assert RNN("tanh", layout="rows", batch="S").symbols["B"].name == "S"


def test_shapes_are_those_of_d2l():
    symbols = RNN("tanh", 4, 3, 2, readout="linear", layout="rows", batch=5).symbols
    shapes = {key: tuple(map(int, symbols[key].shape)) for key in ("W_x", "W_h", "b_h", "W_y", "b_y", "h", "x", "y")}
    assert shapes == {
        "W_x": (3, 4), "W_h": (4, 4), "b_h": (1, 4), "W_y": (4, 2), "b_y": (1, 2), "h": (5, 4), "x": (5, 3), "y": (5, 2)
    }  # fmt: skip


def test_with_all_sizes_1_both_layouts_are_the_same_page():
    sizes = {"hidden": 1, "inputs": 1, "outputs": 1, "readout": "linear"}
    columns, rows = RNN("tanh", **sizes), RNN("tanh", **sizes, layout="rows", batch=1)
    assert columns.derivation().to_latex() == rows.derivation().to_latex()
    assert rows.gradient("W_h") == columns.gradient("W_h")


def test_one_row_is_small_in_a_batch_and_keeps_its_name_alone():
    many = RNN("tanh", layout="rows").derivation(sections=["closed"])
    one = RNN("tanh", layout="rows", batch=1).derivation(sections=["closed"])
    assert r"\frac{\partial h_s}{\partial h_t}" in many.to_latex() and "Small letters" in many.to_latex()
    assert r"\frac{\partial H_s}{\partial H_t}" in one.to_latex() and "Small letters" not in one.to_latex()


def test_closed_forms_have_no_transposed_jacobian():
    closed = RNN("tanh", layout="rows").derivation(sections=["closed"])
    page = closed.to_latex()
    assert r"\right)^\top" not in page and r"\frac{\partial h_s}{\partial h_{s-1}} \cdots" in page
    assert closed.verify().ok


def test_the_convention_is_stated_once():
    for lang, words in (("en", "vectors are rows"), ("zh", "向量均为行向量")):
        assert RNN("tanh", layout="rows").derivation(lang=lang).to_text().replace("\n", "").count(words) == 1


# -- numbers --------------------------------------------------------------------------------------------


def test_worked_numbers_are_those_of_numpy():
    model = load("d2l-rows")
    values = {key: np.array(value, dtype=float) for key, value in model.values.items()}
    h, hs, errors = values["h0"], [values["h0"]], []
    for x, target in zip(values["x"], values["target"], strict=True):
        h = np.maximum(x @ values["W_x"] + h @ values["W_h"] + values["b_h"], 0)
        hs.append(h)
        errors.append(h @ values["W_y"] - target)
    gradient = sum(h.T @ e for h, e in zip(hs[1:], errors, strict=True))
    text = model.derivation(lang="en", sections=["results"]).to_text()
    assert gradient.tolist() == [[1.0, -0.75], [6.0, -5.75]]
    assert "∂L/∂W_hq = [[1.0, −0.75], [6.0, −5.75]]" in text
    assert f"L        = {sum((e * e).sum() for e in errors) / 2}" in text
    assert model.derivation().verify().ok


@pytest.mark.parametrize("example", ["vector-tanh", "custom-cell", "relu-explosion"])
def test_numbers_in_columns_become_a_batch_of_one_and_back(example):
    model = load(example)
    rows = model.replace(layout="rows")
    assert rows.replace(layout="columns").values == model.values
    assert rows.network.batch in (1, rows.symbols["B"])
    report = model.derivation(layout="rows").verify()
    assert report.ok, report.failures
    symbolic = model.derivation(layout="rows", values={})
    assert symbolic.derived.network.batch == rows.replace(values={}, batch="B").network.batch
    assert symbolic.derived.numbers is None


def test_class_indices_of_a_batch_are_distributions_row_by_row():
    shared: dict[str, Any] = {"layout": "rows", "batch": 2, "steps": 2, "readout": "softmax", "loss": "cross_entropy"}
    values = {"W_h": [[0.5]], "W_x": [[1]], "b_h": [0], "W_y": [[1, -1]], "b_y": [0, 0], "x": [[[1], [0]], [[0], [1]]]}
    classes, distributions = [[0, 1], [1, 1]], [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    texts = []
    for target in (classes, distributions):
        model = RNN("tanh", 1, 1, 2, **shared, values={**values, "target": target})
        derivation = model.derivation(sections=["given", "forward", "results"])
        assert derivation.verify().ok
        texts.append(derivation.to_text())
    assert texts[0] == texts[1]


def test_a_row_that_is_no_distribution_is_refused():
    values = {"W_h": [[0.5]], "W_x": [[1]], "b_h": [0], "W_y": [[1, -1]], "b_y": [0, 0], "x": [[[1], [0]]],
              "target": [[[1, 0], [0.5, 0.4]]]}  # fmt: skip
    model = RNN("tanh", 1, 1, 2, "softmax", "cross_entropy", steps=1, layout="rows", batch=2, values=values)
    with pytest.raises(ValueInputError, match=r"target at step 1 sums to 0.9"):
        model.derivation()


# -- refusals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRIX_STATES)
def test_matrix_states_are_refused_in_one_line(name):
    with pytest.raises(EquationError, match=r"^layout='rows': 'S' is a matrix at each step.*layout='columns'$"):
        RNN(CELLS[name], layout="rows")


@pytest.mark.parametrize(
    "equation", ["h[t] = tanh(W_h @ h[t-1] + max(h[t-1]) * W_x @ x[t])", "h[t] = tanh(diag(W_h) * h[t-1] + W_x @ x[t])"]
)
def test_what_has_no_row_form_is_refused_with_its_equation(equation):
    cell = Cell([equation], ["h"], shapes={"W_h": ("n", "n"), "W_x": ("n", "m")})
    with pytest.raises(EquationError, match=rf"^layout='rows': equation {re.escape(repr(equation))}: "):
        RNN(cell, layout="rows")


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match=r"unknown layout 'row'; did you mean 'rows'\?"):
        RNN("tanh", layout="row")
    with pytest.raises(UnknownNameError, match="unknown layout 'sample'"):
        RNN("tanh", layout="sample")
    with pytest.raises(SizeError, match=r"batch=3 needs layout='rows'"):
        RNN("tanh", batch=3)
    with pytest.raises(SizeError, match=r"batch must be a positive integer"):
        RNN("tanh", layout="rows", batch=0)
    with pytest.raises(RefusedError, match=r"use layout='columns'"):
        RNN("tanh", layout="rows").gradient("h", form="closed")
    with pytest.raises(ValueInputError, match=r"a batch of 2 examples has no values in columns"):
        load("d2l-rows").replace(layout="columns")
    with pytest.raises(ValueInputError, match=r"B is a symbol; give hidden, inputs, outputs and batch as integers"):
        load("d2l-rows").replace(batch="B").derivation()


# -- value semantics and the command line -----------------------------------------------------------------


def test_models_in_rows_are_values():
    model = RNN("tanh", layout="rows", batch=3)
    assert eval(repr(model), {"RNN": RNN, "Cell": Cell}) == model
    assert model != RNN("tanh") and model.replace(layout="columns") == RNN("tanh")
    assert model.replace(steps=5).network.batch == 3


def test_the_command_line_takes_the_layout(capsys):
    assert run(["gradient", "tanh", "--wrt", "W_h", "--layout", "rows", "--notation", "hh"]) == 0
    assert capsys.readouterr().out == "∂L/∂W_hh = Σₜ₌₁ᵀ Hₜ₋₁ᵀ ((1 − Hₜ ⊙ Hₜ) ⊙ ∂L/∂Hₜ)\n"
    assert run(["unroll", "relu", "--layout", "rows", "--steps", "1", "--to", "latex"]) == 0
    assert "H_0 W_h + X_1 W_x + b_h" in capsys.readouterr().out
    assert run(["derive", "softmax-readout", "--layout", "rows", "--symbolic", "--lang", "zh", "--to", "text"]) == 0
    assert "B 个样本" in capsys.readouterr().out
    assert run(["codegen", "tanh", "--layout", "rows"]) == 0
    assert "W_x (m, n)" in capsys.readouterr().out
    assert run(["derive", "tanh", "--layout", "row"]) == 2
    assert "unknown layout 'row'; did you mean 'rows'?" in capsys.readouterr().err
