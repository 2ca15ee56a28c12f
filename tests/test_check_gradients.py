"""check_gradients: right ones pass in every form, wrong ones are found and explained, kinks are not wrong."""

from __future__ import annotations

import numpy as np
import pytest

import symbptt
from symbptt import check_gradients
from symbptt.checking.result import CAUSES
from symbptt.errors import ShapeError, SymbpttError, UnknownNameError, ValueInputError
from symbptt.render.phrases import catalogue

RANDOM = np.random.default_rng(1)
T, N, M = 4, 3, 2
X, Y = RANDOM.standard_normal((T, M)), RANDOM.standard_normal((T, N))
PARAMS = {
    "W_h": 0.6 * RANDOM.standard_normal((N, N)),
    "W_x": 0.6 * RANDOM.standard_normal((N, M)),
    "b_h": 0.2 * RANDOM.standard_normal(N),
}


def rnn(p, f=np.tanh, slope=lambda z: 1 - np.tanh(z) ** 2, recurrent=lambda W: W.T):
    """The loss of a small network, and its gradients by BPTT, written by hand."""
    kind = p["W_h"].dtype
    h, z = [np.zeros(N, kind)], []
    for t in range(T):
        z.append(p["W_h"] @ h[-1] + p["W_x"] @ X[t].astype(kind) + p["b_h"])
        h.append(f(z[-1]))
    grads, carried = {k: np.zeros_like(v) for k, v in p.items()}, np.zeros(N, kind)
    for t in reversed(range(T)):
        delta = (h[t + 1] - Y[t].astype(kind) + carried) * slope(z[t])
        grads["W_h"] += np.outer(delta, h[t])
        grads["W_x"] += np.outer(delta, X[t])
        grads["b_h"] += delta
        carried = recurrent(p["W_h"]) @ delta
    return sum(0.5 * ((h[t + 1] - Y[t].astype(kind)) ** 2).sum() for t in range(T)), grads


def spoilt(change):
    def f(p):
        loss, grads = rnn(p)
        return loss, change(grads)

    return f


def relu(p):
    return rnn(p, lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0)


# -- right -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["float64", "float32", "float16"])
def test_right_gradients_are_right_in_every_type(kind):
    report = check_gradients(rnn, {k: v.astype(kind) for k, v in PARAMS.items()})
    assert report and [one.verdict for one in report.parameters.values()] == ["right"] * 3
    assert all(one.error < 20 for one in report.parameters.values())


def test_float64_is_checked_to_ten_digits():
    report = check_gradients(rnn, PARAMS)
    assert all(one.expected * report.data.tolerance < 1e-8 for one in report.parameters.values())
    slightly = spoilt(lambda g: {**g, "b_h": g["b_h"] * (1 + 1e-7)})
    found = check_gradients(slightly, PARAMS).parameters
    assert [one.verdict for one in found.values()] == ["right", "right", "wrong"]


def test_a_function_that_rounds_inside_is_measured_and_not_blamed():
    inner = lambda p: rnn({k: v.astype("float32") for k, v in p.items()})  # noqa: E731
    assert check_gradients(inner, PARAMS)
    wrong = lambda p: rnn({k: v.astype("float32") for k, v in p.items()}, recurrent=lambda W: W)  # noqa: E731
    assert not check_gradients(wrong, PARAMS)


@pytest.mark.parametrize("size", [1e-8, 1e8])
def test_the_size_of_the_loss_does_not_matter(size):
    assert check_gradients(lambda p: (size * rnn(p)[0], {k: size * v for k, v in rnn(p)[1].items()}), PARAMS)


def test_every_form_of_params_and_gradients():
    W = PARAMS["W_h"]
    assert check_gradients(lambda w: (0.5 * (w**2).sum(), w), W)
    assert check_gradients(lambda w: 0.5 * (w**2).sum(), W, lambda w: w)
    assert check_gradients(lambda w: 0.5 * (w**2).sum(), W, W)
    assert check_gradients(lambda p: (p[0] @ p[1], [p[1], p[0]]), [X[0], X[1]])
    assert check_gradients(lambda p: (p[0] @ p[1], (p[1], p[0])), (X[0], X[1]))
    assert check_gradients(lambda w: (np.array([w**2]), 2 * w), 3.0)
    seen = []
    check_gradients(lambda w: seen.append(type(w)) or (w**2, 2 * w), 3.0)
    assert set(seen) == {float}


def test_inputs_are_not_modified_and_may_be_in_any_layout():
    def greedy(p):
        loss, grads = rnn(p)
        for v in p.values():
            v[...] = 7
        return loss, grads

    params = {k: np.asfortranarray(v) for k, v in PARAMS.items()}
    before = {k: v.copy() for k, v in params.items()}
    assert check_gradients(greedy, params)
    assert all((params[k] == before[k]).all() for k in params)


def test_the_same_again():
    assert repr(check_gradients(rnn, PARAMS)) == repr(check_gradients(rnn, PARAMS))


# -- wrong -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "causes", "factor"),
    [
        (lambda g: g.T.copy(), ("transposed",), None),
        (lambda g: -g, ("sign",), None),
        (lambda g: 2 * g, ("double",), 2.0),
        (lambda g: g / 2, ("half",), 0.5),
        (lambda g: 7 * g, ("sum",), 7.0),
        (lambda g: g / 7, ("mean",), 1 / 7),
        (lambda g: 0 * g, ("missing",), None),
        (lambda g: None, ("missing",), None),
        (lambda g: -0.3 * g.T, ("transposed", "sign", "factor"), -0.3),
        (lambda g: g + 1, (), None),
    ],
)
def test_the_usual_mistakes_are_recognised(change, causes, factor):
    report = check_gradients(spoilt(lambda g: {**g, "W_h": change(g["W_h"])}), PARAMS)
    wrong = report.parameters["W_h"]
    assert not report.ok and wrong.verdict == "wrong" and wrong.causes == causes
    assert wrong.factor == (factor if factor is None else pytest.approx(factor, rel=1e-8))
    assert report.parameters["W_x"].verdict == report.parameters["b_h"].verdict == "right"


def test_mistakes_in_the_backward_pass_are_found_without_a_wrong_guess():
    for wrong in (lambda p: rnn(p, slope=lambda z: 1.0), lambda p: rnn(p, recurrent=lambda W: W),
                  lambda p: rnn(p, recurrent=lambda W: 0 * W)):  # fmt: skip
        report = check_gradients(wrong, PARAMS)
        assert not report and not any(one.causes for one in report.parameters.values())


def test_the_entry_and_both_values_are_named():
    def change(g):
        g["W_x"][2, 1] += 0.5
        return g

    report = check_gradients(spoilt(change), PARAMS)
    one = report.parameters["W_x"]
    assert (one.wrong, one.compared, one.entry) == (1, N * M, (2, 1))
    assert one.given == rnn(PARAMS)[1]["W_x"][2, 1] + 0.5 and one.given - one.numeric == pytest.approx(0.5)
    assert "1 of 6 entries differ; most at [2, 1]" in repr(report)


def test_one_wrong_entry_of_many_is_found_along_a_random_direction():
    A = RANDOM.standard_normal((60, 70))

    def f(w, extra=0.0):
        grad = A * np.cos(A * w)
        grad[59, 3] += extra
        return np.sin(A * w).sum(), grad

    assert check_gradients(f, A)
    report = check_gradients(lambda w: f(w, 0.5), A)
    assert not report and report.data.parameters[0].entry is None and "random direction" in repr(report)


def test_only_what_is_asked_for():
    wrong = spoilt(lambda g: {**g, "W_h": -g["W_h"]})
    assert check_gradients(wrong, PARAMS, wrt=["b_h"]) and not check_gradients(wrong, PARAMS, wrt="W_h")


# -- where nothing can be said ---------------------------------------------------------------------------------
def test_kinks_are_counted_and_not_wrong():
    report = check_gradients(lambda w: (np.abs(w).sum(), np.sign(w)), np.array([0.0, 1.0, -2.0, 1e-6]))
    (one,) = report.data.parameters
    assert report and (one.kinks, one.compared, one.wrong) == (1, 3, 0) and "kinks" in repr(report)
    assert check_gradients(relu, PARAMS)


def test_nothing_but_kinks_is_undecided_and_not_ok():
    report = check_gradients(relu, {k: 0 * v for k, v in PARAMS.items()}, wrt=["b_h"])
    assert report.data.parameters[0].verdict == "undecided" and not report.ok and not report
    step = check_gradients(lambda w: (float(np.floor(w).sum()), 0 * w), np.array([1.0, 2.0]))
    assert step.data.parameters[0].kinks == 2


def test_where_rounding_hides_everything_that_is_said():
    low = {k: v.astype("float16") for k, v in PARAMS.items()}
    report = check_gradients(rnn, low, dtype="float16")
    assert not any(one.verdict == "wrong" for one in report.parameters.values())
    assert "rounding would hide" in repr(report) or report.ok


def test_a_gradient_that_is_zero_everywhere_is_right():
    assert check_gradients(lambda p: (p["a"] @ p["a"], {"a": 2 * p["a"], "b": 0 * p["b"]}), {"a": X[0], "b": X[1]})


# -- bad input -------------------------------------------------------------------------------------------------
def W(x=None):
    return {"W": np.ones((2, 3)) if x is None else x}


@pytest.mark.parametrize(
    ("f", "params", "error", "text"),
    [
        (lambda p: (1.0, {"W": np.ones((3, 2))}), W(), ShapeError,
         "by W: shape (3, 2), but W has (2, 3); is it transposed?"),
        (lambda p: (1.0, {"W": np.ones((5, 2, 3))}), W(), ShapeError, "is a sum over axis 0 missing?"),
        (lambda p: (1.0, {"V": 1.0}), W(), UnknownNameError, "gradient by 'V': no such parameter"),
        (lambda p: (1.0, [1.0]), W(), ValueInputError, "give a mapping"),
        (lambda p: 1.0, W(), ValueInputError, "return (loss, grads), or give grads"),
        (lambda p: (1.0, 2, 3), W(), ValueInputError, "f returns 3 things"),
        (lambda p: (np.ones(3), {}), W(), ShapeError, "a loss of shape (3,)"),
        (lambda p: (1j, {}), W(), ValueInputError, "complex loss"),
        (lambda p: (None, {}), W(), ValueInputError, "no loss"),
        (lambda p: (float("nan"), {}), W(), ValueInputError, "the loss nan"),
        (lambda p: (1.0, {"W": np.full((2, 3), np.inf)}), W(), ValueInputError, "the gradient is inf at [0, 0]"),
        (lambda p: (1.0, {"W": "x"}), W(), ValueInputError, "gradient by W"),
        (lambda p: 1.0, W(np.array([[1, 2]])), ValueInputError, "W: the parameter holds integers (int64)"),
        (lambda p: 1.0, W(np.array([1j])), ValueInputError, "holds no floats (complex128)"),
        (lambda p: 1.0, W(np.array([1.0, np.nan])), ValueInputError, "W: the parameter is nan at [1]"),
        (lambda p: 1.0, W(np.array([])), ValueInputError, "no entries"),
        (lambda p: 1.0, W({"a": 1.0}), ValueInputError, "one flat mapping"),
        (lambda p: 1.0, W([[1.0], [1.0, 2.0]]), ValueInputError, "no array of numbers"),
        (lambda p: 1.0, {}, ValueInputError, "params is empty"),
        (lambda p: 1.0, [1.0, 2.0], ValueInputError, "params is a list of numbers"),
        (lambda p: (1.0, [1.0]), [np.ones(1), np.ones(1)], ShapeError, "1 gradients for 2 parameters"),
        (lambda p: (RANDOM.standard_normal(), {"W": np.ones((2, 3))}), W(), ValueInputError, "two losses at the same"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(f, params, error, text):
    with pytest.raises(error) as caught:
        check_gradients(f, params)
    assert text in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"eps": 0}, {"eps": float("nan")}, {"tolerance": -1}, {"entries": 0}, {"dtype": "int8"}, {"dtype": "float63"},
     {"wrt": ["V"]}, {"lang": "xx"}],
)  # fmt: skip
def test_bad_options_are_one_line(options):
    with pytest.raises(SymbpttError) as caught:
        check_gradients(rnn, PARAMS, **options)
    assert "\n" not in str(caught.value)


def test_an_error_of_the_function_itself_comes_through():
    with pytest.raises(ZeroDivisionError):
        check_gradients(lambda p: 1 / 0, PARAMS)


# -- what it says ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_says_it_in_one_block(lang):
    report = check_gradients(spoilt(lambda g: {**g, "W_h": -2 * g["W_h"].T}), PARAMS, lang=lang)
    text, table = repr(report), report._repr_markdown_()
    assert text == report.to_text() and text.count("\n") < 10 and "{" not in text + table
    for name in PARAMS:
        assert name in text and f"| `{name}` |" in table
    for cause in ("transposed", "sign", "double"):
        assert catalogue(lang)[f"notes.grad_cause_{cause}"] in text
    assert all(line.startswith("|") for line in table.strip().splitlines()[2:])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_cause_has_words(lang):
    assert all(f"notes.grad_cause_{cause}" in catalogue(lang) for cause in CAUSES)


def test_it_is_public():
    assert symbptt.check_gradients is check_gradients and "check_gradients" in symbptt.__all__
