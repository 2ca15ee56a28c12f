"""Models: cells, readouts, losses, notations; frozen, equal by value, and refused in one line where they are wrong."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Integer, Symbol  # noqa: F401  (what a pasted repr may name)

import symbptt
from symbptt import RNN, Cell, Elman, Loss, SymbpttError, load
from symbptt import algebra as A
from symbptt.algebra import FUNCTIONS, present
from symbptt.algebra.functions import U, Y
from symbptt.algebra.tex import to_tex
from symbptt.errors import EquationError, ShapeError, SizeError, UnknownNameError, ValueInputError
from symbptt.model import ACTIVATIONS, CATALOGUE, LOSSES, NOTATIONS, names, supremum
from symbptt.model.functions import read_function

n, m, q = map(A.size, "nmq")
ELMAN = ["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"]


def gate(name: str, function: str, other: str = "") -> str:
    return f"{name}[t] = {function}(W_x{name} @ x[t] + W_h{name} @ h[t-1]{other} + b_{name})"


LSTM = Cell(
    [gate("i", "sigmoid"), gate("f", "sigmoid"), gate("o", "sigmoid"),
     "g[t] = tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)", "c[t] = f[t] * c[t-1] + i[t] * g[t]",
     "h[t] = o[t] * tanh(c[t])"],
    states=["h", "c"], name="my lstm",
)  # fmt: skip
BACKWARD = Cell(["h[t] = tanh(W_h @ h[t+1] + W_x @ x[t])"], ["h"], direction=-1)
CUBE = Cell(["h[t] = f(W @ h[t-1])"], ["h"], functions={"f": "u**3 + sin(u)"})
MATRIX = Cell(
    ["k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]", "S[t] = S[t-1] + v[t] @ k[t].T", "o[t] = S[t] @ (W_q @ x[t])"],
    states={"S": ("p", "d")}, output="o",
)  # fmt: skip

# -- cells that are no cells --------------------------------------------------------------------------

BAD_CELLS = {
    "no equation": (([], ["h"]), "at least one equation"),
    "no state": ((["h[t] = h[t-1]"], []), "needs a state"),
    "a cycle": ((["u[t] = v[t]", "v[t] = w[t]", "w[t] = u[t]", "h[t] = h[t-1]"], ["h"]), "cycle.*u -> v -> w -> u"),
    "a variable of itself": ((["h[t] = h[t]"], ["h"]), "cycle.*h -> h"),
    "used before defined": ((["h[t] = z[t]", "z[t] = W @ h[t-1]"], ["h"]), r"uses z\[t\] before it is defined; move"),
    "never updated": ((["h[t] = h[t-1]"], ["h", "c"]), r"'c' is never updated: add an equation c\[t\]"),
    "two equations": ((["h[t] = h[t-1]", "h[t] = x[t]"], ["h"]), "two equations for 'h'.*keep one"),
    "the future": ((["h[t] = h[t+1]"], ["h"]), r"refers to h\[t\+1\]"),
    "no state read at t-1": ((["h[t] = h[t-1] + x[t-1]"], ["h"]), "'x' is no state"),
    "a variable without a step": ((["h[t] = tanh(W @ h)"], ["h"]), r"'h' is a variable; write h\[t\]"),
    "an input without a step": ((["h[t] = W @ h[t-1] + x[t] * x"], ["h"]), r"write x\[t\]"),
    "a state twice": ((["h[t] = h[t-1]"], ["h", "h"]), "listed twice"),
    "an unknown output": ((["z[t] = W @ h[t-1]", "h[t] = z[t]"], ["h"], "zz"), "did you mean 'z'"),
    **{
        f"its own {name}": ((["h[t] = h[t-1]", f"{name}[t] = h[t]"], ["h"]), f"cannot define '{name}'.*rename")
        for name in ("l", "L", "y", "a", "t", "T", "target")
    },
    **{
        f"a parameter {name}": (([f"h[t] = {name} * h[t-1]"], ["h"]), f"'{name}' (stands for|is a size)")
        for name in ("l", "L", "t", "T", "n", "h0")
    },
    "an input y": ((["h[t] = h[t-1] + y[t]"], ["h"]), "'y' stands for the readout"),
    "no name as output": ((["h[t] = h[t-1]"], ["h"], "g"), "output 'g'"),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_a_bad_cell_is_refused_when_it_is_made(name: str) -> None:
    arguments, message = BAD_CELLS[name]
    with pytest.raises(SymbpttError, match=message) as caught:
        Cell(*arguments)
    assert "\n" not in str(caught.value)


def test_a_cell_says_for_which_direction_it_is() -> None:
    with pytest.raises(EquationError, match=r"reads steps t and t\+1"):
        Cell(["h[t] = h[t-1]"], ["h"], direction=-1)
    with pytest.raises(EquationError, match="direction must be 1"):
        Cell(["h[t] = h[t-1]"], ["h"], direction=2)
    with pytest.raises(EquationError, match="computes first"):
        RNN(BACKWARD, reduction="last")


def test_shapes_of_names_that_are_in_no_equation_are_refused() -> None:
    with pytest.raises(EquationError, match="shapes names 'V'"):
        Cell(["h[t] = W @ h[t-1]"], ["h"], shapes={"V": "n"})


NO_FUNCTIONS = [
    "__import__('os').getcwd()", "u +", "u.real", "foo(u)", "[u]", "u if u else 1", "9**9**9*u", "lambda: u", "_u",
    "1/0*u", "(1, u)", "u*v", "3", "exp(u, u)",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_FUNCTIONS)
def test_the_text_of_a_function_is_parsed_and_never_evaluated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr("os.getcwd", lambda: ran.append(1))
    with pytest.raises(EquationError, match="function 'f'"):
        Cell(["h[t] = f(h[t-1])"], ["h"], functions={"f": text})
    assert not ran


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_read_back_from_its_text(name: str) -> None:
    rule = FUNCTIONS[name].function.rule(U)
    assert read_function(str(rule)) == rule


@pytest.mark.parametrize("make", [RNN, Elman, lambda name: RNN(name.replace("tahn", "rleu"))])
def test_an_unknown_cell_or_activation_is_answered_with_the_nearest(make: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean '(tanh|relu)'\?"):
        make("tahn")


@pytest.mark.parametrize("cell", [None, 3, "", "relu(", []])
def test_what_is_no_cell_is_answered_with_the_cells_there_are(cell: Any) -> None:
    with pytest.raises(UnknownNameError, match="unknown cell"):
        RNN(cell)


# -- values -------------------------------------------------------------------------------------------

MODELS = {
    "default": RNN(),
    "scalar": RNN("relu", 1, 1, steps=3),
    "all options": RNN(LSTM, 4, 3, 2, "softmax", "cross_entropy", "mean", 5, bias=False, readout_bias=False),
    "other symbols": RNN("gelu", hidden="p", inputs="d", steps="N"),
    "a plain symbol": RNN(steps=sympy.Symbol("N")),
    "an activation of SymPy": RNN(sympy.sin(sympy.Symbol("a")) + 1),
    "an activation with branches": RNN(sympy.Piecewise((U, U > 0), (sympy.exp(U) - 1, True))),
    "a lambda of SymPy": RNN(sympy.Lambda(U, U / (1 + sympy.Abs(U)))),
    "no input": RNN(inputs=None),
    "its own loss": RNN(loss=Loss("norm2(h[t] - target[t]) / 2")),
    "its own named loss": RNN(readout="softmax", loss=Loss("-sum(target[t] * log(y[t]))", "mine", "softmax")),
    "matrix state": RNN(MATRIX, inputs=2, sizes={"p": 3, "d": 2}),
    "backward": RNN(BACKWARD),
    "its own function": RNN(CUBE),
    "values and notation": RNN("relu", values={"x": [1.5, 2], "W_h": np.eye(2)}, notation={"W_h": "A", "h": "s"}),
    "a named notation": RNN(notation="d2l"),
    "worked example": load("relu-explosion"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_can_be_pasted_back_from_its_repr(name: str) -> None:
    model = MODELS[name]
    assert eval(repr(model)) == model
    assert eval(repr(model.network.cell)) == model.network.cell


@pytest.mark.parametrize("name", MODELS)
def test_a_model_can_be_pickled(name: str) -> None:
    copy = pickle.loads(pickle.dumps(MODELS[name]))
    assert copy == MODELS[name]
    assert copy.gradient("h", at=1) == MODELS[name].gradient("h", at=1) if "h" in copy.system.states else True


def test_models_are_equal_and_hashed_by_value() -> None:
    assert len({RNN(), RNN("tanh"), RNN(Elman("tanh")), RNN(hidden="n", steps=A.size("T"))}) == 1
    assert len(set(MODELS.values())) == len(MODELS)
    assert Cell(ELMAN, ["h"]) == Cell(tuple(ELMAN), {"h": None}, "h") != Cell(ELMAN, {"h": 3})
    assert RNN(values={"W_h": [[1]]}) == RNN(values={"W_h": np.array([[1]])}) != RNN(values={"W_h": [[2]]})
    assert RNN() != RNN(notation="hh")
    assert RNN() != "RNN"


def test_models_are_immutable() -> None:
    model = RNN(values={"x": [1, 2]})
    for name in ("values", "steps", "network", "new"):
        with pytest.raises(AttributeError):
            setattr(model, name, 1)
    with pytest.raises(AttributeError):
        Cell(ELMAN, ["h"]).name = "other"
    model.values["x"].append(3)
    assert model.values == {"x": [1, 2]}
    assert model.replace(steps=7).network.steps == 7
    assert model.network.steps == A.size("T")


@pytest.mark.parametrize("steps", [0, -1, 2.5, 3.0, "x y", "2*T", "", True, None, [3], float("nan"), sympy.pi])
def test_a_number_of_steps_is_a_positive_integer_or_a_symbol(steps: Any) -> None:
    with pytest.raises(SizeError, match="steps must be a positive integer or a symbol"):
        RNN(steps=steps)


@pytest.mark.parametrize("what", ["hidden", "inputs", "outputs"])
@pytest.mark.parametrize("size", [-1, 2.5, "x y", True, [3]])
def test_a_size_is_a_positive_integer_or_a_symbol(what: str, size: Any) -> None:
    with pytest.raises(SizeError, match=f"{what} must be a positive integer or a symbol"):
        RNN(readout="linear", **{what: size})


def test_sizes_are_never_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []
    monkeypatch.setattr("os.getcwd", lambda: ran.append(1))
    for ask in (lambda text: RNN(steps=text), lambda text: RNN().gradient("h", at=text)):
        with pytest.raises(SizeError):
            ask("__import__('os').getcwd()")
    assert not ran


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"readout": "sofmax"}, UnknownNameError, "did you mean 'softmax'"),
        ({"readout": 3}, UnknownNameError, "known: linear, sigmoid, softmax"),
        ({"reduction": "average"}, UnknownNameError, "unknown reduction 'average'"),
        ({"loss": "mse2"}, UnknownNameError, "did you mean 'mse'"),
        ({"loss": 3}, UnknownNameError, "unknown loss 3"),
        ({"loss": "cross_entropy"}, EquationError, "needs readout='softmax', but the model has no readout"),
        ({"loss": "cross_entropy", "readout": "linear"}, EquationError, "the model has a linear readout"),
        ({"loss": "binary_cross_entropy", "readout": "softmax"}, EquationError, "needs readout='sigmoid'"),
        ({"loss": Loss("norm2(y[t] - target[t])")}, EquationError, "'y' is no variable of the model"),
        ({"loss": Loss("norm2(h[t-1])")}, EquationError, "a loss reads step t only"),
        ({"loss": Loss("norm2(h[t] - k)")}, UnknownNameError, "'k' is not known"),
        ({"loss": Loss("h[t] - target[t]")}, ShapeError, r"shape \(n\), not a scalar; wrap it in sum"),
        ({"notation": "hhh"}, UnknownNameError, "did you mean 'hh'"),
        ({"notation": 3}, UnknownNameError, "a name or a mapping"),
        ({"values": 3}, ValueInputError, "values must be a mapping"),
        ({"sizes": {"k": 3}}, UnknownNameError, "no size 'k'"),
        ({"cell": Cell(["h[t] = a * h[t-1]"], ["h"]), "readout": "softmax"}, EquationError, "belongs to the readout"),
        ({"cell": Cell(["h[t] = tanh(b_h)"], ["h"]), "bias": False}, EquationError, "nothing is left without b_h"),
        ({"cell": Cell(["h[t] = tanh(W @ x[t])"], ["h"]), "inputs": 0}, EquationError, "nothing is left without x"),
    ],
)  # fmt: skip
def test_a_bad_model_is_refused_in_one_line(options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        RNN(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments", [(3,), ("norm2(",), ("foo(y[t])",), ("norm2(y[t])", "x", None, "other")])
def test_a_bad_loss_is_refused_when_it_is_made(arguments: Any) -> None:
    with pytest.raises(SymbpttError):
        Loss(*arguments)


# -- what is in a model -------------------------------------------------------------------------------


def right(model: RNN, name: str) -> str:
    return str(model.system.by_name[name].right)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "W_h @ h[t - 1] + W_x @ x[t] + b_h"),
        ({"bias": False}, "W_h @ h[t - 1] + W_x @ x[t]"),
        ({"inputs": 0}, "W_h @ h[t - 1] + b_h"),
        ({"inputs": None, "bias": False}, "W_h @ h[t - 1]"),
    ],
)
def test_bias_and_input_are_optional(options: dict[str, Any], expected: str) -> None:
    model = RNN("tanh", **options)
    assert right(model, "z") == expected
    assert ("b_h" in model.system.parameters) == ("bias" not in options)
    assert model.system.inputs == (("x",) if "inputs" not in options else ())


def test_bias_and_input_are_optional_in_every_equation_of_a_cell() -> None:
    model = RNN(LSTM, inputs=0, bias=False, readout="linear", readout_bias=False)
    assert list(model.system.parameters) == ["W_hi", "W_hf", "W_ho", "W_hc", "W_y"]
    assert right(model, "g") == "tanh(W_hc @ h[t - 1])"
    assert right(model, "c") == "f[t] * c[t - 1] + i[t] * g[t]"
    assert right(model, "y") == "W_y @ h[t]"


def test_terms_that_are_left_keep_their_sign_and_order() -> None:
    cell = Cell(["z[t] = b_z - W @ h[t-1] - V @ x[t]", "h[t] = tanh(z[t] - b) - (W @ h[t-1])"], ["h"])
    model = RNN(cell, bias=False)
    assert right(model, "z") == "-W @ h[t - 1] - V @ x[t]"
    assert right(model, "h") == "tanh(z[t]) - W @ h[t - 1]"
    assert right(RNN(cell, inputs=0), "z") == "b_z - W @ h[t - 1]"


def test_shapes_of_what_is_dropped_are_dropped_too() -> None:
    cell = Cell(["h[t] = tanh(W @ h[t-1] + V @ x[t] + b)"], ["h"], shapes={"V": ("n", "m"), "b": "n"})
    assert list(RNN(cell, inputs=0, bias=False).system.parameters) == ["W"]


@pytest.mark.parametrize(
    ("readout", "equations", "parameters"),
    [
        (None, [], []),
        ("linear", ["W_y @ h[t] + b_y"], ["W_y", "b_y"]),
        ("sigmoid", ["W_y @ h[t] + b_y", "sigmoid(a[t])"], ["W_y", "b_y"]),
        ("softmax", ["W_y @ h[t] + b_y", "softmax(a[t])"], ["W_y", "b_y"]),
    ],
)
def test_a_readout_is_a_few_equations(readout: str | None, equations: list[str], parameters: list[str]) -> None:
    system = RNN(readout=readout).system
    assert [str(e.right) for e in system.stage("readout")] == equations
    assert [key for key in system.parameters if key.endswith("_y")] == parameters
    assert system.prediction == ("y" if readout else "h")
    if readout:
        assert system.parameters["W_y"].shape == (q, n)


@pytest.mark.parametrize(
    ("loss", "readout", "expected"),
    [
        ("half_squared_error", None, "1/2*norm2(h[t] - target[t])"),
        ("squared_error", "linear", "norm2(y[t] - target[t])"),
        ("mse", None, "1/n*norm2(h[t] - target[t])"),
        ("mse", "linear", "1/q*norm2(y[t] - target[t])"),
        ("cross_entropy", "softmax", "-target[t].T @ log(y[t])"),
        ("binary_cross_entropy", "sigmoid", "-sum(target[t] * log(y[t]) + (1 - target[t]) * log(1 - y[t]))"),
    ],
)
def test_losses_are_what_their_names_say(loss: str, readout: str | None, expected: str) -> None:
    found = right(RNN(readout=readout, loss=loss), "l")
    assert found.replace(" ", "").replace("(1/n)", "1/n").replace("(1/q)", "1/q") == expected.replace(" ", "")


def test_every_loss_fits_some_readout_and_every_cell_any_readout() -> None:
    for name, loss in LOSSES.items():
        assert RNN(readout=loss.readout or "linear", loss=name).network.loss == loss
    for cell in CATALOGUE:
        assert RNN(cell).network.cell.name == cell


def test_the_sizes_of_a_model_are_those_given() -> None:
    system = RNN("tanh", 4, 3, 2, "softmax", "cross_entropy", steps=5).system
    shapes = {key: symbol.shape for key, symbol in system.parameters.items()}
    assert shapes == {"W_h": (4, 4), "W_x": (4, 3), "b_h": (4, 1), "W_y": (2, 4), "b_y": (2, 1)}
    assert not system.scalar
    assert RNN("tanh", 1, 1, 1, "linear").system.scalar
    assert not RNN("tanh", 1, 2).system.scalar


def test_symbols_are_those_in_the_expressions() -> None:
    model = RNN(readout="linear")
    symbols = model.symbols
    t, T = symbols["t"], symbols["T"]
    assert (T, symbols["n"], symbols["m"], symbols["q"]) == (A.size("T"), n, m, q)
    gradient = model.gradient("W_y")
    assert gradient == A.time_sum(A.outer(A.subtract(symbols["y"][t], symbols["target"][t]), symbols["h"][t]), t, 1, T)
    assert model.system.parameters["W_h"] == symbols["W_h"]
    assert RNN(steps=5, hidden=4).symbols["T"] == 5
    assert RNN(steps="N").symbols["T"] == A.size("N")


def test_symbols_of_a_scalar_model_are_scalars() -> None:
    symbols = RNN("relu", 1, 1, steps=3).symbols
    assert symbols["W_h"] == A.scalar_parameter("W_h")
    assert A.shape_of(symbols["h"][2]) == ()
    assert symbols["h"][2] in RNN("relu", 1, 1, steps=3).gradient("h", at=2).free_symbols | set(
        sympy.preorder_traversal(RNN("relu", 1, 1, steps=3).gradient("h", at=2))
    )


# -- activations --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_carries_its_derivative_its_supremum_and_its_kinks(name: str) -> None:
    entry = FUNCTIONS[name]
    points = np.linspace(-6, 6, 24001) + 1e-4
    value, slope = (sympy.lambdify(U, f.rule(U), "numpy") for f in (entry.function, entry.function.prime))
    measured = (value(points + 1e-6) - value(points - 1e-6)) / 2e-6 * np.ones_like(points)
    np.testing.assert_allclose(slope(points) * np.ones_like(points), measured, atol=1e-6)
    if entry.written is not None:
        written = sympy.lambdify([U, Y], entry.written, "numpy")(points, value(points))
        np.testing.assert_allclose(written * np.ones_like(points), measured, atol=1e-6)
    assert supremum(name) == entry.supremum
    assert np.abs(measured).max() <= float(entry.supremum) + 1e-4
    assert np.abs(measured).max() >= float(entry.supremum) - 5e-3
    assert entry.function.kinks == ((0,) if name in ("relu", "leaky_relu") else ())


def test_derivatives_are_in_the_form_that_people_write() -> None:
    assert FUNCTIONS["tanh"].written == 1 - Y**2
    assert FUNCTIONS["sigmoid"].written == Y * (1 - Y)
    assert [supremum(name) for name in ("tanh", "sigmoid", "relu", "nothing")] == [1, sympy.Rational(1, 4), 1, None]


def test_the_slope_at_a_kink_is_a_convention() -> None:
    assert FUNCTIONS["relu"].function.prime(0) == 0
    assert FUNCTIONS["leaky_relu"].function.prime(0) == sympy.Rational(1, 100)


def test_any_expression_of_one_variable_is_an_activation() -> None:
    a = sympy.Symbol("a")
    model = RNN(a**2 / (1 + a**2))
    assert right(model, "h") == "f(z[t])"
    slope = model.system.by_name["h"].right.args[0].prime
    assert sympy.simplify(slope(U) - 2 * U / (1 + U**2) ** 2) == 0
    for bad in (a * Symbol("b"), sympy.Integer(3)):
        with pytest.raises(EquationError, match="one variable"):
            RNN(bad)


# -- notations ----------------------------------------------------------------------------------------

PRINTED = {
    "textbook": ("W_h", "W_x", "W_y", "h_t", "y_t", r"\hat{y}_t"),
    "hh": ("W_{hh}", "W_{xh}", "W_{hy}", "h_t", "y_t", r"\hat{y}_t"),
    "d2l": ("W_{hh}", "W_{hx}", "W_{qh}", "h_t", "o_t", "y_t"),
    "pytorch": ("W_{hh}", "W_{ih}", "W_y", "h_t", "y_t", r"\hat{y}_t"),
    "goodfellow": ("W", "U", "V", "h_t", r"\hat{y}_t", "y_t"),
}


def printed(model: RNN, notation: Any) -> tuple[str, ...]:
    symbols, t = model.symbols, model.symbols["t"]
    keys = ["W_h", "W_x", "W_y"]
    nodes = [symbols[key] for key in keys] + [symbols[key][t] for key in ("h", "y", "target")]
    return tuple(to_tex(present(node, names(notation))) for node in nodes)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_notation_prints_the_names_of_its_book(notation: str) -> None:
    assert printed(RNN(readout="linear"), notation) == PRINTED[notation]


def test_a_mapping_goes_on_top_of_a_notation() -> None:
    model = RNN(readout="linear")
    assert printed(model, {"W_h": "A", "h": "s"}) == ("A", "W_x", "W_y", "s_t", "y_t", r"\hat{y}_t")
    bold = printed(model, {"notation": "d2l", "h": r"\mathbf{s}"})
    assert bold[:4] == ("W_{hh}", "W_{hx}", "W_{qh}", r"\mathbf{s}_t")


def test_a_notation_changes_nothing_but_what_is_printed() -> None:
    one, other = RNN(), RNN(notation="goodfellow")
    assert one.gradient("W_h") == other.gradient("W_h")
    assert one.network == other.network


@pytest.mark.parametrize(
    "mapping", [{"W_h": r"\frac{a}{b}"}, {"W_h": ""}, {"W_h": "A}"}, {"W_h": "_a"}, {"W_h": 3}, {"notation": "other"}]
)
def test_a_bad_mapping_is_refused(mapping: Any) -> None:
    with pytest.raises(UnknownNameError, match="notation"):
        RNN(notation=mapping)


def test_the_public_names_are_there() -> None:
    assert set(symbptt.__all__) <= set(dir(symbptt))
    for name in symbptt.__all__:
        assert getattr(symbptt, name) is not None
    with pytest.raises(AttributeError):
        _ = symbptt.nothing
