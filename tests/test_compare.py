"""bptt.compare: right gradients pass in every type, each usual mistake is named, and the first wrong step is found."""

from __future__ import annotations

import json
import pickle
from xml.etree import ElementTree

import numpy as np
import pytest
from bptt_by_hand import MISTAKES as BY_HAND
from bptt_by_hand import B, M, N, Q, T, bptt, numbers
from codegen_networks import CELLS, data, network

from symbptt import RNN, Bidirectional, Loss, Stack, load, params_from_torch
from symbptt.api.bptt import Bptt, CompareReport
from symbptt.codegen.comparing.compare import TOLERANCE, _Comparison
from symbptt.codegen.comparing.mistakes import BY_NAME, MISTAKES, forms_of
from symbptt.codegen.comparing.result import Cause
from symbptt.errors import ShapeError, SymbpttError, UnknownNameError, ValueInputError
from symbptt.examples import example_names
from symbptt.model import ACTIVATIONS
from symbptt.render.compared import as_data
from symbptt.render.compared_words import written
from symbptt.render.phrases import catalogue, languages, placeholders

FUNCTION = RNN("tanh", N, M, Q, "softmax", "cross_entropy", steps="T").lambdify()
GIVEN = numbers()
RIGHT, ADJOINTS = bptt(GIVEN)


def rounded(array, kind):
    """An array rounded to a type; bfloat16 in a float32."""
    if kind != "bfloat16":
        return np.asarray(array).astype(kind)
    bits = np.asarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)


def causes(report):
    """The names of all causes."""
    return {cause.name for found in report.data.explanations for cause in found}


class Rounding:
    """Whatever is read or computed is rounded, as a kernel does that works in a low precision."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, value):
        return np.asarray(rounded(value, self.kind), float)

    slope = __call__

    def copies(self, value):
        return [self(value)]


# -- right -----------------------------------------------------------------------------------------------------
def test_right_gradients_written_by_hand_are_right():
    report = FUNCTION.compare(RIGHT, **GIVEN, adjoints=ADJOINTS)
    assert report and report.first is None and not report.data.explanations
    assert all(item.verdict == "right" and item.error < 5 for item in report.items.values())
    assert set(report.items) == {*RIGHT, "adjoints.h", "adjoints.z"}


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.sample(12)) for name in (*ACTIVATIONS, *CELLS)])
def test_right_gradients_of_every_cell_are_right_in_every_type(name, kind):
    function = Bptt(network(CELLS.get(name, name), readout="sigmoid", loss_="binary_cross_entropy"))
    given = data(function, 4 if name == "reductions" else 12, 2)  # its states grow without bound
    out = function(**given)
    low = {k: rounded(v, kind) for k, v in out.grads.items()}
    adjoints = {k: rounded(v, kind) for k, v in out.adjoints.items()}
    found = [function.compare(low, **given, dtype=kind, adjoints=adjoints)]
    inside = _Comparison(function, given, None, TOLERANCE, {}).numbers.noisy(Rounding(kind))
    swept = inside.backward(_Comparison(function, given, None, TOLERANCE, {}).right)
    computed = {k: swept.grads[k].reshape(np.shape(v)) for k, v in out.grads.items()}
    found.append(function.compare(computed, **given, dtype=kind))
    for report in found:
        assert not [item for item in report.items.values() if item.verdict == "wrong"], report
        assert max(item.error for item in report.items.values()) < TOLERANCE / 2
        assert report.ok or kind != "float64"


def _reduced():
    """Return every cell with every reduction that it has: with a scan that runs backward, the last step comes first."""
    for reduction in ("sum", "mean", "last"):
        for name in (*ACTIVATIONS, *CELLS):
            scans = network(CELLS.get(name, name)).system.scans
            if reduction != "last" or all(scan.direction == 1 for scan in scans):
                yield reduction, name


@pytest.mark.sample(5)
@pytest.mark.parametrize(("reduction", "name"), list(_reduced()))
def test_the_passes_give_what_the_generated_code_gives(reduction, name):
    cell = CELLS.get(name, name)
    function = Bptt(network(cell, readout="sigmoid", loss_="squared_error", reduction=reduction))
    given = data(function, 5, None if reduction == "mean" else 3, seed=1)
    out = function(**given)
    inside = _Comparison(function, given, None, TOLERANCE, {})
    found = inside.numbers.backward(inside.right)
    for key, grad in out.grads.items():
        assert np.allclose(found.grads[key].reshape(np.shape(grad)), grad, rtol=1e-9, atol=1e-12), key
    for key, adjoint in out.adjoints.items():
        assert np.allclose(found.adjoints[key][1:-1].reshape(adjoint.shape), adjoint, rtol=1e-9, atol=1e-12), key


def test_one_per_cent_is_found_in_float32_and_one_entry_too():
    low = {k: v.astype("float32") for k, v in RIGHT.items()}
    assert FUNCTION.compare(low, **GIVEN)
    for key, value in low.items():
        report = FUNCTION.compare({**low, key: value * np.float32(1.01)}, **GIVEN)
        assert [k for k, item in report.items.items() if item.verdict == "wrong"] == [key]
    for key, value in (("W_x", low["W_x"]), ("h0", low["h0"])):
        changed = value.copy()
        changed[-1] *= np.float32(1.01)
        report = FUNCTION.compare({**low, key: changed}, **GIVEN)
        item = report.items[key]
        assert item.verdict == "wrong" and item.wrong == changed[-1].size and item.entry[0] == len(value) - 1


def test_lists_tensors_and_other_layouts_are_the_same():
    class Tensor:
        def __init__(self, array, kind="torch.float32"):
            self.array, self.dtype = array, kind

        detach = cpu = float = lambda self: self
        numpy = lambda self: self.array  # noqa: E731

    low = {k: Tensor(np.asfortranarray(v.astype("float32"))) for k, v in RIGHT.items()}
    report = FUNCTION.compare(low, **GIVEN)
    assert report and {item.dtype for item in report.items.values()} == {"float32"}
    assert FUNCTION.compare({k: v.tolist() for k, v in RIGHT.items()}, **GIVEN)
    half = {k: Tensor(rounded(v, "bfloat16"), "torch.bfloat16") for k, v in RIGHT.items()}
    assert {item.dtype for item in FUNCTION.compare(half, **GIVEN).items.values()} == {"bfloat16"}


def test_the_bits_of_bfloat16_are_read():
    bits = {k: (rounded(v, "bfloat16").view(np.uint32) >> 16).astype(np.uint16).view("V2") for k, v in RIGHT.items()}
    report = FUNCTION.compare(bits, **GIVEN)
    assert report.items["W_h"].dtype == "bfloat16" and not [i for i in report.items.values() if i.verdict == "wrong"]


def test_where_the_true_gradient_overflows_nothing_is_said():
    function = RNN("linear", 1, None, reduction="last", steps="T").lambdify()
    given = {"params": {"W_h": 1e200, "b_h": 1.0}, "target": 0.0, "steps": 5}
    report = function.compare({"W_h": 1.0}, **given)
    assert report.items["W_h"].verdict == "undecided" and not report


def test_nothing_that_is_given_is_changed():
    kept = {k: v.copy() for k, v in {**RIGHT, **GIVEN["params"]}.items()}
    FUNCTION.compare({**RIGHT, "W_h": RIGHT["W_h"] + 1}, **GIVEN)
    assert all((kept[k] == v).all() for k, v in {**RIGHT, **GIVEN["params"]}.items())


def test_where_rounding_hides_everything_that_is_said():
    hidden = FUNCTION.compare({"W_h": np.full((N, N), 1e-9)}, **{**GIVEN, "target": None} | {"target": GIVEN["target"]},
                              dtype="bfloat16", tolerance=1e6)  # fmt: skip
    assert hidden.items["W_h"].verdict == "undecided" and not hidden and "hide" in repr(hidden)


# -- mistakes --------------------------------------------------------------------------------------------------
@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("mistake", BY_HAND)
def test_mistakes_made_by_hand_are_named(mistake, kind):
    grads, adjoints = bptt(GIVEN, mistake)
    report = FUNCTION.compare({k: v.astype(kind) for k, v in grads.items()}, **GIVEN)
    assert not report and causes(report) == BY_HAND[mistake] and not report.data.unexplained
    assert causes(FUNCTION.compare(grads, **GIVEN, adjoints=adjoints)) == BY_HAND[mistake]


@pytest.mark.parametrize("mistake", [m for m in BY_HAND if "," not in m])
def test_mistakes_are_seen_through_the_rounding_of_bfloat16(mistake):
    grads, _ = bptt(GIVEN, mistake)
    report = FUNCTION.compare({k: rounded(v, "bfloat16") for k, v in grads.items()}, **GIVEN, dtype="bfloat16")
    assert not report and causes(report) <= BY_HAND[mistake]


CELLS_TO_PLANT_IN = ("tanh", "lstm", "gru", "coupled", "lstm_peephole", "delta_rule", "both ways", "reductions")
PLANTED = [  # every mistake in three cells, every cell in turn
    (CELLS_TO_PLANT_IN[(i + shift) % len(CELLS_TO_PLANT_IN)], mistake.name)
    for shift in (0, 3, 5)
    for i, mistake in enumerate(MISTAKES)
]


@pytest.mark.sample(12)
@pytest.mark.parametrize(("name", "mistake"), PLANTED)
def test_every_form_of_every_mistake_in_the_table_is_named(name, mistake):
    function = Bptt(network(CELLS.get(name, name), readout="sigmoid", loss_="squared_error"))
    given = data(function, 5, 3)
    out = function(**given)
    inside = _Comparison(function, given, None, TOLERANCE, {})
    for values, changed in forms_of(BY_NAME[mistake], inside.right, inside.numbers):
        found = inside.numbers.backward(changed)
        grads = {k: found.grads[k].reshape(np.shape(v)) for k, v in out.grads.items()}
        report = function.compare(grads, **given)
        if report.ok:
            continue  # of no consequence here: the derivative of a linear function, say
        assert not report.data.unexplained, (values, report)
        for item in report.items.values():
            if item.causes and item.causes != (Cause(mistake, values),):
                assert _same_gradient(inside, item, grads[item.key], values), (mistake, values, report)


def _same_gradient(inside, item, given, values):
    """Whether the causes that were found give that gradient too: two mistakes may be one and the same."""
    (cause, *rest) = item.causes
    if cause.name in ("missing", "sign", "double", "half", "sum", "mean", "swapped", "transposed"):
        return True
    forms = dict(forms_of(BY_NAME[cause.name], inside.right, inside.numbers))
    again = inside.numbers.backward(forms[cause.values]).grads[item.key].reshape(given.shape)
    return bool(rest) or np.allclose(again, given, rtol=1e-9, atol=1e-12)


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda g: 2 * g, "double"), (lambda g: g / 2, "half"), (lambda g: T * g, "sum"), (lambda g: g / B, "mean"),
        (lambda g: -g, "sign"), (lambda g: 0.37 * g, "factor"), (lambda g: 0 * g, "missing"),
        (lambda g: None, "missing"), (lambda g: g * np.nan, "not_finite"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_whole_gradient_is_named(change, name):
    for key, value in RIGHT.items():
        report = FUNCTION.compare({**RIGHT, key: change(value)}, **GIVEN)
        assert [c.name for c in report.items[key].causes] == [name], report
        assert all(item.verdict == "right" for k, item in report.items.items() if k != key)


def test_gates_in_another_order_are_named_under_the_names_of_torch():
    lstm = RNN("lstm", 4, 3, steps="T").lambdify()
    given = data(lstm, 5, 2)
    grads = lstm(**given).grads

    def stacked(order):
        names = {"weight_ih_l0": "W_x", "weight_hh_l0": "W_h", "bias_ih_l0": "b_", "bias_hh_l0": "b_"}
        return {name: np.concatenate([grads[key + gate] for gate in order]) for name, key in names.items()}

    right = lstm.compare(stacked("ifco"), **given)
    assert right and list(right.items)[:2] == ["weight_ih_l0[0:4]", "weight_ih_l0[4:8]"]
    report = lstm.compare(stacked("ifoc"), **given)
    assert [item.name for item in report.items.values() if item.verdict == "wrong"][:2] == [
        "weight_ih_l0[8:12]", "weight_ih_l0[12:16]"
    ]  # fmt: skip
    assert causes(report) == {"swapped"}
    assert report.items["weight_hh_l0[8:12]"].causes[0].values == (("other", "W_ho"),)


def test_a_truncated_function_is_compared_with_truncated_gradients():
    model = RNN("tanh", N, M, Q, "softmax", "cross_entropy", steps="T")
    for how, mistake in (("window:3", "a window of 3"), ("segments:2", "segments of 2")):
        grads, adjoints = bptt(GIVEN, mistake)
        assert model.lambdify(how).compare(grads, **GIVEN, adjoints=adjoints)
        assert not model.lambdify(how).compare(RIGHT, **GIVEN)
    with pytest.raises(ValueInputError, match="random truncation"):
        model.lambdify("randomised:1/2").compare(RIGHT, **GIVEN)


def test_what_no_mistake_explains_is_said_so():
    noise = np.random.default_rng(0).standard_normal((N, N))
    report = FUNCTION.compare({**RIGHT, "W_h": RIGHT["W_h"] + noise}, **GIVEN)
    assert [item.key for item in report.data.unexplained] == ["W_h"] and "none of the usual mistakes" in repr(report)


def test_two_separate_mistakes_are_each_named():
    report = FUNCTION.compare({**RIGHT, "W_h": RIGHT["W_h"].T, "b_y": -RIGHT["b_y"]}, **GIVEN)
    assert [c.name for c in report.items["W_h"].causes] == ["transposed"]
    assert [c.name for c in report.items["b_y"].causes] == ["sign"]


def test_a_mistake_in_the_sweep_is_not_put_on_the_readout():
    grads, _ = bptt(GIVEN, "no derivative")
    report = FUNCTION.compare({**grads, "b_y": grads["b_y"] / T}, **GIVEN)
    assert [c.name for c in report.items["b_y"].causes] == ["mean"]
    assert [c.name for c in report.items["W_h"].causes] == ["slope_missing"]


def test_a_cell_in_rows_that_was_written_with_four_mistakes():
    """One matrix product for each step, kept in lists; only the last step has a loss."""
    rng = np.random.default_rng(3)
    x, c = rng.standard_normal((4, 1, 3)), np.zeros(4)
    U, V = rng.standard_normal((3, 4)), rng.standard_normal((4, 4)) / 2
    states = [np.zeros((1, 4))]
    for now in x:
        states.append(np.tanh(now @ U + states[-1] @ V + c))

    def slope(z):
        return 1 - np.tanh(z) ** 2

    flow, dU, dV, dc = np.ones((1, 4)), [], [], []
    for t in (3, 2, 1, 0):
        local = flow * slope(states[t + 1])  # of the output, where the pre-activation belongs
        dU.append(x[t].T @ local)
        dV.append(states[t].T @ local)
        dc.append(local[0])
        flow = flow @ V.T  # the derivative is lost on the way back
    model = RNN("tanh", 4, 3, readout=None, loss=Loss("sum({y})"), reduction="last", layout="rows", steps="T")
    params = {"W_x": U, "W_h": V, "b_h": c}
    report = model.lambdify().compare({"W_x": dU, "W_h": dV, "b_h": dc}, params, x)
    mistakes = ["not_summed", "slope_missing_recurrence", "slope_of_output_sums"]
    assert [[cause.name for cause in item.causes] for item in report.items.values()] == [mistakes] * 3
    inner = [float(np.dot(states[t][0], np.ones(4) * slope(states[t + 1])[0])) for t in range(4)]
    report = model.lambdify().compare({"W_h": inner}, params, x)  # np.dot of two vectors is a number
    assert report.items["W_h"].causes[0].name == "inner_product"


# -- steps -----------------------------------------------------------------------------------------------------
def test_the_first_wrong_adjoint_is_the_latest_and_has_its_equation():
    _, adjoints = bptt(GIVEN, "no derivative on the way back")
    first = FUNCTION.compare(RIGHT, **GIVEN, adjoints=adjoints).first
    assert (first.item.key, first.item.step, first.item.entry[0]) == ("h", T - 1, T - 2)
    assert str(first.left) == f"d(L)/d(h[{T - 1}])" and f"W_h.T @ d(L)/d(z[{T}])" in str(first.right)
    changed = ADJOINTS["z"].copy()
    changed[2, 1, 3] += 1e-6
    first = FUNCTION.compare(None, **GIVEN, adjoints={"h": ADJOINTS["h"], "z": changed}).first
    assert (first.item.key, first.item.step, first.item.entry) == ("z", 3, (2, 1, 3))
    _, adjoints = bptt(GIVEN, "no derivative")
    first = FUNCTION.compare(None, **GIVEN, adjoints=adjoints).first
    assert (first.item.key, first.item.step) == ("z", T)  # before h at T - 1, in the order of the sweep


@pytest.mark.slow
def test_of_a_backward_cell_the_first_step_of_the_sweep_is_the_first():
    function = Bptt(network(CELLS["both ways"]))
    given = data(function, 5, 2)
    adjoints = {k: v.copy() for k, v in function(**given).adjoints.items()}
    adjoints["backward.h"][[0, 3]] += 1
    first = function.compare(None, **given, adjoints=adjoints).first
    assert (first.item.key, first.item.step) == ("backward.h", 1)


def test_a_wrong_forward_pass_comes_before_all():
    states = {k: v.copy() for k, v in FUNCTION(**GIVEN).states.items()}
    assert FUNCTION.compare(RIGHT, **GIVEN, states=states)
    assert FUNCTION.compare(None, **GIVEN, states={"h": states["h"][1:]})
    states["h"][4:] += 1e-3
    report = FUNCTION.compare({**RIGHT, "W_h": -RIGHT["W_h"]}, **GIVEN, states=states)
    assert (report.first.item.kind, report.first.item.step) == ("state", 4)
    assert str(report.first.left) == "h[4]" and not causes(report) and "forward pass" in repr(report)


def test_a_model_in_scalars():
    function = RNN("tanh", 1, 1, steps=3).lambdify()
    given = {"params": {"W_h": 0.5, "W_x": 1.0, "b_h": 0.1}, "x": [1.0, 0.5, -1.0], "target": [0.0, 1.0, 0.0]}
    out = function(**given)
    assert function.compare(out.grads, **given, adjoints=out.adjoints, states=out.states)
    report = function.compare({"W_h": -2 * out.grads["W_h"]}, **given)
    assert causes(report) == {"sign", "double"}


def test_layers_and_their_keys():
    function = RNN(Stack(["tanh", "gru"], hidden=[3, 4]), hidden=4, inputs=2, steps="T").lambdify()
    given = data(function, 4, 2, sizes={"m": 2, "n": 4})
    out = function(**given)
    key = next(key for key in out.grads if key.startswith("1."))
    report = function.compare({**out.grads, key: -out.grads[key]}, **given, adjoints=out.adjoints)
    assert [k for k, item in report.items.items() if item.causes] == [key]


# -- bad input -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("grads", "more", "error", "text"),
    [
        ({"W_h": np.ones((3, 7))}, {}, ShapeError, "grads['W_h'] has shape (3, 7); expected (n, n) = (4, 4)"),
        ({"x": np.ones((T, M))}, {}, ShapeError, f"expected (T, B, m) = ({T}, {B}, {M})"),
        ({"W_hh": 1.0}, {}, UnknownNameError, "grads: 'W_hh' is no gradient of the model; did you mean 'W_h'?"),
        ({}, {}, ValueInputError, "nothing is given to compare"),
        (None, {}, ValueInputError, "nothing is given to compare"),
        ([1.0], {}, ValueInputError, "grads must map names to arrays"),
        ({"W_h": "x"}, {}, ValueInputError, "grads['W_h'] holds no real numbers"),
        ({"W_h": [[1.0], [1.0, 2.0]]}, {}, ValueInputError, "its rows may differ in length"),
        ({"W_h": np.ones((4, 4)) * 1j}, {}, ValueInputError, "no real numbers (complex128)"),
        (RIGHT, {"adjoints": {"h": np.ones((T, B, 2))}}, ShapeError, "adjoints['h'] has shape"),
        (RIGHT, {"adjoints": {"hh": 1.0}}, UnknownNameError, "adjoints: 'hh' is no variable of the cell"),
        (RIGHT, {"states": {"h": np.ones((T + 2, B, N))}}, ShapeError, f"(T + 1, B, n) = ({T + 1}, {B}, {N})"),
        (RIGHT, {"dtype": "float23"}, UnknownNameError, "no type of floats"),
        (RIGHT, {"tolerance": -1}, ValueInputError, "give a positive number"),
        (RIGHT, {"lang": "xx"}, UnknownNameError, "unknown language"),
        (RIGHT, {"x": None}, ValueInputError, "x is missing"),
        ({"weight_hh_l0": np.ones((5, 3))}, {}, ShapeError, "weight_hh_l0 has shape (5, 3)"),
        ({"bias_hh_l0": np.ones(4)}, {}, ValueInputError, "weight_hh_l0 is missing"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(grads, more, error, text):
    with pytest.raises(error) as caught:
        FUNCTION.compare(grads, **{**GIVEN, **more})
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, SymbpttError)


# -- what it says ----------------------------------------------------------------------------------------------
def test_every_mistake_has_words_and_their_values():
    function = Bptt(network("lstm"))
    given = data(function, 5, 3)
    report = function.compare({"W_hi": -function(**given).grads["W_hi"]}, **given)
    inside = _Comparison(function, given, None, TOLERANCE, {})
    for lang in languages():
        words = report._words(lang)
        for mistake in MISTAKES:
            for values, _ in forms_of(mistake, inside.right, inside.numbers):
                assert placeholders(catalogue(lang)[f"compare.cause_{mistake.name}"]) <= {name for name, _ in values}
                assert "{" not in written(words.causes((Cause(mistake.name, values),)), str)


WHOLE = {
    "transposed": {}, "sign": {}, "double": {}, "half": {}, "missing": {}, "not_finite": {}, "inner_product": {},
    "sum": {"size": "T = 5"}, "mean": {"size": "B = 3"}, "factor": {"factor": 0.125}, "swapped": {"other": "W_x"},
    "not_summed": {"axes": "T, B"},
}  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_is_said_of_whole_gradients(lang):
    report = FUNCTION.compare(RIGHT, **GIVEN, lang=lang)
    for name, values in WHOLE.items():
        text = written(report._words(None).causes((Cause(name, tuple(values.items())),)), str)
        assert all(str(value) in text for value in values.values()) and "{" not in text
    known = {key.removeprefix("compare.cause_") for key in catalogue(lang) if key.startswith("compare.cause_")}
    assert known == {*WHOLE, *BY_NAME}


@pytest.mark.sample(3)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_in_every_form(lang):
    grads, adjoints = bptt(GIVEN, "no derivative on the way back")
    report = FUNCTION.compare({**grads, "b_y": grads["b_y"] + 1}, **GIVEN, adjoints=adjoints, lang=lang)
    text = repr(report)
    assert text == report.to_text() == report.to_text(lang) and all(len(line) <= 116 for line in text.splitlines())
    assert "∂L/∂h₅ = " in text and "tanh'" in text and "{" not in text
    other = {"en": "zh", "zh": "en"}[lang]
    assert (
        report.to_text(other)
        == FUNCTION.compare({**grads, "b_y": grads["b_y"] + 1}, **GIVEN, adjoints=adjoints, lang=other).to_text()
    )
    table = report._repr_markdown_()
    assert all(f"| `{name}` |" in table for name in grads) and r"\frac{\partial L}{\partial h_5}" in table
    found = json.loads(report.to_json())
    assert found == as_data(report._words(None)) and found["first"]["step"] == T - 1 and not found["ok"]
    assert {cause["name"] for one in found["causes"] for cause in one["causes"]} == {"slope_missing_recurrence"}
    page = report.to_html()
    style = page.index("<style>"), page.index("</style>")
    ElementTree.fromstring(page[len("<!DOCTYPE html>") : style[0]] + page[style[1] + len("</style>") :])
    assert f'lang="{lang}"' in page and "<math" in page


def test_numbers_that_are_not_finite_are_null_in_json():
    report = FUNCTION.compare({"b_h": np.full(N, np.inf)}, **GIVEN)
    found = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(name))
    assert found["arrays"][0]["given"] is None and found["arrays"][0]["error"] is None


def test_the_same_again():
    first, second = (FUNCTION.compare({**RIGHT, "W_h": RIGHT["W_h"].T}, **GIVEN).to_json() for _ in range(2))
    assert first == second


def test_the_function_survives_pickling_and_still_compares():
    again = pickle.loads(pickle.dumps(FUNCTION))
    assert again is FUNCTION and isinstance(again.compare(RIGHT, **GIVEN), CompareReport)


# -- cotangents in place of a loss -----------------------------------------------------------------------------
def test_gradients_for_cotangents_are_compared_and_a_dropped_one_is_named():
    function = RNN("lstm", 4, 3, 2, "linear", steps="T").lambdify()
    given = data(function, 5, 3, sizes={"q": 2})
    rng = np.random.default_rng(5)
    given = {key: given[key] for key in ("params", "x", "initial")}
    ends = {"dh_T": rng.standard_normal((3, 4)), "dc_T": rng.standard_normal(4)}
    dy = rng.standard_normal((5, 3, 2))
    right = function.vjp(**given, dy=dy, **ends)
    report = function.compare(right.grads, **given, dy=dy, **ends, adjoints=right.adjoints, states=right.states)
    assert report and "reduction" not in repr(report)
    assert function.compare(function.vjp(**given, **ends).grads, **given, **ends)
    report = function.compare(function.vjp(**given, dy=dy).grads, **given, dy=dy, **ends)
    assert causes(report) == {"ends_dropped"} and "(h, c)" in repr(report)
    with pytest.raises(ValueInputError, match="both given"):
        function.compare(right.grads, **given, dy=dy, target=dy)


# -- with everything else --------------------------------------------------------------------------------------
@pytest.mark.sample(3)
@pytest.mark.parametrize("name", [n for n in example_names() if {*load(n).system.parameters} <= {*load(n).values}])
def test_every_example_with_numbers(name):
    model = load(name)
    function, given = model.lambdify(), model.arguments()
    out = function(**given)
    assert function.compare(out.grads, **given, adjoints=out.adjoints, states=out.states)
    key, value = next(((k, v) for k, v in out.grads.items() if np.any(v)), ("", 0.0))
    if key:
        report = function.compare({**out.grads, key: -np.asarray(value)}, **given)
        assert [cause.name for cause in report.items[key].causes] == ["sign"] and not report


@pytest.mark.oracle
def test_a_function_in_jax_compares_arrays_of_jax(require):
    require("jax")
    function = RNN("tanh", N, M, Q, "softmax", "cross_entropy", steps="T").lambdify(backend="jax")
    grads = function(**GIVEN).grads
    report = function.compare(grads, **GIVEN)
    assert report and {item.dtype for item in report.items.values()} == {str(grads["W_h"].dtype)}
    half = {name: grad.astype("bfloat16") for name, grad in grads.items()}
    found = function.compare(half, **GIVEN).items.values()
    assert {item.dtype for item in found} == {"bfloat16"} and not [i for i in found if i.verdict == "wrong"]
    assert causes(function.compare({**half, "W_h": -half["W_h"]}, **GIVEN)) == {"sign"}


@pytest.mark.oracle
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, False), (1, True)])
def test_gradients_of_torch_are_right_in_its_types(require, cell, layers, both):
    torch = require("torch")
    torch.manual_seed(0)
    module = getattr(torch.nn, cell)(3, 4, num_layers=layers, bidirectional=both)
    x, goal = torch.randn(7, 2, 3), torch.randn(7, 2, 8 if both else 4)
    (0.5 * (module(x)[0] - goal) ** 2).sum().backward()
    kind = {"RNN": "tanh"}.get(cell, cell.lower())
    one = Bidirectional(kind) if both else kind
    function = RNN(Stack([one] * layers) if layers > 1 else one, hidden=4, inputs=3, steps="T").lambdify()
    grads = {name: p.grad for name, p in module.named_parameters()}
    report = function.compare(grads, params_from_torch(module), x, goal)
    assert report and {item.dtype for item in report.items.values()} == {"float32"}
    half = {name: grad.bfloat16() for name, grad in grads.items()}
    found = function.compare(half, params_from_torch(module), x, goal)
    assert not [item for item in found.items.values() if item.verdict == "wrong"]
    wrong = {**grads, "weight_hh_l0": -grads["weight_hh_l0"]}
    assert causes(function.compare(wrong, params_from_torch(module), x, goal)) == {"sign"}
