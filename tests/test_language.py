"""The equation language: what is in it, what is refused, and the ranks and sizes that are found out."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from symbptt import RNN, Cell, Loss, SymbpttError
from symbptt import algebra as A
from symbptt.errors import EquationError, RankError, ShapeError
from symbptt.model.inference import infer
from symbptt.model.language import build, known_functions, parse_equation, parse_expression, uses

n, m, p, d = map(A.size, "nmpd")
V, K = A.MatrixParameter("V", 3, 3), A.MatrixParameter("K", 3, 2)
u, v, a = A.Parameter("u", 3, 1), A.Parameter("v", 3, 1), A.scalar_parameter("a")
x, h = A.Variable("x", 3, 1), A.Variable("h", 3, 1)
t = A.index("t")
NAMES = {"V": V, "K": K, "u": u, "v": v, "a": a}


def read(text: str, functions: Any = None) -> Any:
    """The node of an expression in u, v (vectors of 3), V (3 x 3), K (3 x 2), a (scalar), x[t], h[t-1]."""

    def resolve(name: str, lag: int | None) -> Any:
        return NAMES[name] if lag is None else {"x": x, "h": h}[name][t + lag]

    return build(parse_expression(text, functions or {}), resolve, functions or {})


def shapes(*equations: str, states: Any = ("h",), **options: Any) -> dict[str, Any]:
    return dict(Cell(equations, states, **options).inferred)


# -- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("u + v", A.add(u, v)),
        ("v + u", A.add(v, u)),
        ("u - v", A.subtract(u, v)),
        ("-u", A.negate(u)),
        ("+u", u),
        ("1 - u", A.subtract(1, u)),
        ("a * u", A.product(a, u)),
        ("u * v", A.hadamard(u, v)),
        ("v * u * u", A.hadamard(v, u, u)),
        ("u / a", A.divide(u, a)),
        ("u / v", A.divide(u, v)),
        ("1 / v", A.divide(1, v)),
        ("V @ u", A.matmul(V, u)),
        ("V.T @ u", A.matmul(A.transpose(V), u)),
        ("u @ v.T", A.outer(u, v)),
        ("u.T @ v", A.inner(u, v)),
        ("u ** 2", A.power(u, 2)),
        ("a ** -1", A.power(a, -1)),
        ("a ** (1/2)", A.power(a, sympy.Rational(1, 2))),
        ("x[t]", x[t]),
        ("h[t-1]", h[t - 1]),
        ("h[t+1]", h[t + 1]),
        ("V @ h[t - 1] + u", A.add(A.matmul(V, h[t - 1]), u)),
        ("sum(u)", A.entry_sum(u)),
        ("mean(u)", A.mean(u)),
        ("variance(u)", A.variance(u)),
        ("max(u)", A.max_entry(u)),
        ("norm2(u)", A.squared_norm(u)),
        ("trace(V)", A.trace(V)),
        ("softmax(u)", A.softmax(u)),
        ("diag(u)", A.diag(u)),
        ("diag(V)", A.diag(V)),
        ("inner(u, v)", A.inner(u, v)),
        ("outer(u, v)", A.outer(u, v)),
        ("concat(u, v)", A.concat(u, v)),
        ("concat(u, v, u)", A.concat(u, v, u)),
        ("(u)", u),
        ("  u  ", u),
        ("(u +\n v)", A.add(u, v)),
    ],
)  # fmt: skip
def test_operators_and_functions_are_read_as_written(text: str, node: Any) -> None:
    assert read(text) == node


@pytest.mark.parametrize("name", A.FUNCTIONS)
def test_every_named_function_can_be_called_on_vectors_and_scalars(name: str) -> None:
    assert read(f"{name}(u)") == A.apply(name, u)
    assert read(f"{name}(a)") == A.apply(name, a)


@pytest.mark.parametrize("text", ["sigma(u)", r"\sigma(u)", "logistic(u)", "sigmoid(u)"])
def test_sigma_is_the_logistic_function(text: str) -> None:
    assert read(text) == A.apply("sigmoid", u)


def test_sigma_is_the_users_own_where_a_model_says_so() -> None:
    own = A.ElementwiseFunction("sigma", sympy.Lambda(A.functions.U, A.functions.U**3))
    assert read("sigma(u)", {"sigma": own}) == A.apply(own, u)


@pytest.mark.parametrize("text", ["0.5", "0.50", "1e-3", "2.0", "1e-05", ".5", "1_0.5"])
def test_decimals_keep_their_spelling(text: str) -> None:
    number = read(text)
    assert isinstance(number, A.Literal)
    assert str(number) == text


@pytest.mark.parametrize("text", [r"\sigma(0.5 * u)", "  0.5 * u", "sigmoid( 0.5*u)"])
def test_decimals_keep_their_spelling_wherever_they_stand(text: str) -> None:
    assert [str(part) for part in sympy.preorder_traversal(read(text)) if isinstance(part, A.Literal)] == ["0.5"]


def test_whole_numbers_are_exact() -> None:
    assert read("3") == sympy.Integer(3)
    assert read("1/3 * u") == A.product(sympy.Rational(1, 3), u)


def test_the_name_on_the_left_and_the_uses_on_the_right_are_found() -> None:
    parsed = parse_equation("z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h + h[t-1]")
    assert parsed.name == "z"
    assert [(use.name, use.lag) for use in uses(parsed)] == [
        ("W_h", None), ("h", -1), ("W_x", None), ("x", 0), ("b_h", None),
    ]  # fmt: skip


def test_a_loss_can_be_an_equation_or_an_expression() -> None:
    one, other = Loss("l[t] = norm2(h[t] - target[t])"), Loss("norm2(h[t] - target[t])")
    first, second = (RNN("tanh", loss=loss).system.by_name["l"].right for loss in (one, other))
    assert first == second


# -- what is refused ----------------------------------------------------------------------------------

OUTSIDE = [
    "h[t] = x.real",
    "h[t] = x[t].__class__",
    "h[t] = ().__class__.__bases__",
    "h[t] = foo(x[t])",
    "h[t] = open('file', 'w')",
    "h[t] = __import__('os').system('true')",
    "h[t] = eval('1')",
    "h[t] = exec(x[t])",
    "h[t] = getattr(x, 'T')",
    "h[t] = tanh.T(x[t])",
    "h[t] = (tanh)(x[t])(x[t])",
    "h[t] = tanh(x[t], out=x[t])",
    "h[t] = tanh(**x)",
    "h[t] = tanh(*x)",
    "h[t] = tanh()",
    "h[t] = tanh(x[t], x[t])",
    "h[t] = inner(x[t])",
    "h[t] = concat()",
    "h[t] = lambda: 1",
    "h[t] = (lambda u: u)(x[t])",
    "h[t] = [i for i in x]",
    "h[t] = sum(i for i in x)",
    "h[t] = {i: i for i in x}",
    "h[t] = {1, 2}",
    "h[t] = [1, 2]",
    "h[t] = (1, 2)",
    "h[t] = x[t-2]",
    "h[t] = x[t+2]",
    "h[t] = x[0]",
    "h[t] = x[s]",
    "h[t] = x[t:1]",
    "h[t] = x[t, 1]",
    "h[t] = x[t-1.0]",
    "h[t] = x[t-True]",
    "h[t] = x[1-t]",
    "h[t] = x[t][0]",
    "h[t] = (x[t] + x[t])[t]",
    "h[t] = 'a'",
    "h[t] = b'a'",
    "h[t] = f'{x}'",
    "h[t] = True",
    "h[t] = None",
    "h[t] = ...",
    "h[t] = 1j",
    "h[t] = 1e400 * h[t-1]",
    "h[t] = (y := 1)",
    "h[t] = x if x else x",
    "h[t] = x and x",
    "h[t] = not x",
    "h[t] = ~x",
    "h[t] = x < x",
    "h[t] = x // 2",
    "h[t] = x % 2",
    "h[t] = x << 2",
    "h[t] = x | x",
    "h[t] = await x",
    "h[t] = (yield x)",
    "h[t] = __class__ * h[t-1]",
    "h[t] = _x[t]",
    "h[t] = 9**9**9 * h[t-1]",
    "h[t] = (9**9)**9 * h[t-1]",
    "h[t] = 10**100000 * h[t-1]",
    "h[t] = h[t-1]**a",
    "h[t] = 2**h[t-1]",
    "h[t] = h[t-1] / 0",
    "h[t] = h[t-1] / (1 - 1.0)",
    "h[t] = x @",
    "h[t] = x[t",
    "h[t] = ",
    "h[t] == x[t]",
    "h[t]",
    "h = x[t]",
    "h[t-1] = x[t]",
    "h.T = x[t]",
    "tanh(h[t]) = x[t]",
    "h[t] = g[t] = x[t]",
    "h[t], g[t] = x[t]",
    "h[t] += x[t]",
    "h[t]: int = x[t]",
    "import os",
    "from os import *",
    "del h",
    "pass",
    "if x: h[t] = x[t]",
    "def f(): pass",
    "class C: pass",
    "raise SystemExit",
    "h[t] = x[t]; g[t] = x[t]",
    "h[t] = x[t]\ng[t] = x[t]",
    "h[t] = x[t]; import os",
    "# nothing",
    "h[t] = x\x00",
    "",
    "   ",
    "h[t] = " + "-" * 300 + "x[t]",
    "h[t] = " + "tanh(" * 100 + "x[t]" + ")" * 100,
    "h[t] = " + "(" * 900 + "x[t]" + ")" * 900,
    "h[t] = " + "-" * 1900 + "x[t]",
    "h[t] = " + "x[t] + " * 430 + "x[t]",
]


@pytest.mark.parametrize("text", OUTSIDE, ids=lambda text: repr(text[:40]))
def test_what_is_not_in_the_language_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(EquationError) as caught:
        parse_equation(text)
    message = str(caught.value)
    assert "\n" not in message
    assert message


@pytest.mark.parametrize("text", [3, None, b"h[t] = x[t]", ["h[t] = x[t]"]])
def test_an_equation_is_a_string(text: Any) -> None:
    with pytest.raises(EquationError, match="string"):
        parse_equation(text)


def test_a_text_of_3000_characters_is_refused_and_not_repeated() -> None:
    with pytest.raises(EquationError, match="at most 2000 characters") as caught:
        parse_equation("h[t] = x[t]" + " " * 3000 + "+ x[t]")
    assert len(str(caught.value)) < 200


def test_nothing_is_executed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran: list[Any] = []
    monkeypatch.setattr("builtins.eval", lambda *a, **k: ran.append(a))
    monkeypatch.setattr("builtins.exec", lambda *a, **k: ran.append(a))
    for text in ["h[t] = open('made', 'w')", "h[t] = __import__('os').mkdir('made')", "h[t] = exec('made = 1')"]:
        for take in (parse_equation, parse_expression, Loss, lambda text: Cell([text], ["h"])):
            with pytest.raises(EquationError):
                take(text)
    assert not ran
    assert not list(tmp_path.iterdir())


def test_an_unknown_function_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(EquationError, match=r"did you mean 'tanh'\?"):
        parse_equation("h[t] = tahn(x[t])")


@given(st.text(alphabet="h[t]=-+*/@.T(x1 )tanhW_'\"\n:;,{}lambda", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_equation(text)
    except EquationError as error:
        assert "\n" not in str(error)


# -- ranks and sizes ----------------------------------------------------------------------------------

AFFINE = "W_h @ h[t-1] + W_x @ x[t] + b_h"
VECTOR, SQUARE, TALL = (n,), (n, n), (n, m)
GATES = {"W_xi": TALL, "W_hi": SQUARE, "b_i": VECTOR, "x": (m,), "i": VECTOR, "c": VECTOR, "h": VECTOR}

TABLE = {
    "elman": ([f"h[t] = tanh({AFFINE})"], {}, {"W_h": SQUARE, "W_x": TALL, "b_h": VECTOR, "x": (m,), "h": VECTOR}),
    "a state named by its size": (
        ["h[t] = tanh(W @ h[t-1] + V @ x[t])"], {"states": {"h": "p"}}, {"W": (p, p), "V": (p, m), "h": (p,)}),
    "a size of a number": (["h[t] = tanh(W @ h[t-1])"], {"states": {"h": 3}}, {"W": (3, 3)}),
    "leaky integrator": (
        [f"z[t] = {AFFINE}", "h[t] = (1 - alpha) * h[t-1] + alpha * tanh(z[t])"], {}, {"alpha": (), "z": VECTOR}),
    "a factor in front is a scalar": (["h[t] = a * h[t-1]"], {}, {"a": ()}),
    "a factor behind is a vector": (["h[t] = h[t-1] * u"], {}, {"u": VECTOR}),
    "a factor of a vector is one": (["h[t] = tanh(W @ h[t-1]) * sigmoid(u)"], {}, {"u": VECTOR}),
    "a divisor is a scalar": (["h[t] = h[t-1] / a"], {}, {"a": ()}),
    "what is added to a vector is one": (["h[t] = h[t-1] + tanh(b)"], {}, {"b": VECTOR}),
    "what a matrix multiplies is a vector": (["h[t] = W @ h[t-1] + W.T @ b"], {}, {"W": SQUARE, "b": VECTOR}),
    "numbers are broadcast": (["h[t] = 1 - 2 * h[t-1] + 0.5"], {}, {"h": VECTOR}),
    "peepholes": (
        ["i[t] = sigmoid(W_xi @ x[t] + W_hi @ h[t-1] + p_i * c[t-1] + b_i)", "c[t] = c[t-1] + i[t]",
         "h[t] = tanh(c[t])"],
        {"states": ["h", "c"], "shapes": {"p_i": "n"}}, {**GATES, "p_i": VECTOR}),
    "gates": (
        ["i[t] = sigmoid(W_xi @ x[t] + W_hi @ h[t-1] + b_i)", "c[t] = i[t] * c[t-1]", "h[t] = i[t] * tanh(c[t])"],
        {"states": ["h", "c"]}, GATES),
    "two sizes of state": (
        ["u[t] = tanh(A @ u[t-1] + B @ v[t-1])", "v[t] = sigmoid(C @ v[t-1] + D @ u[t])"],
        {"states": {"u": "n", "v": "p"}}, {"A": SQUARE, "B": (n, p), "C": (p, p), "D": (p, n)}),
    "concatenation": (["h[t] = tanh(W @ concat(h[t-1], x[t]) + b)"], {}, {"W": (n, n + m), "b": VECTOR}),
    "layer norm": (
        [f"z[t] = {AFFINE}", "u[t] = (z[t] - mean(z[t])) / sqrt(variance(z[t]) + 1e-5)", "h[t] = tanh(u[t] * g + b)"],
        {}, {"z": VECTOR, "u": VECTOR, "g": VECTOR, "b": VECTOR}),
    "delta rule": (
        ["k[t] = W_k @ x[t]", "v[t] = W_v @ x[t]", "S[t] = S[t-1] + beta * (v[t] - S[t-1] @ k[t]) @ k[t].T",
         "o[t] = S[t] @ (W_q @ x[t])"],
        {"states": {"S": ("p", "d")}, "output": "o"},
        {"S": (p, d), "k": (d,), "v": (p,), "o": (p,), "beta": (), "W_k": (d, m), "W_v": (p, m), "W_q": (d, m)}),
    "outer product state": (
        ["S[t] = S[t-1] + outer(v, x[t])"], {"states": {"S": ("p", "m")}}, {"S": (p, m), "v": (p,), "x": (m,)}),
    "matrix state by its name": (
        ["S[t] = A @ S[t-1] @ B + x[t] @ x[t].T"], {"states": ["S"]}, {"A": (m, m), "B": (m, m)}),
    "transposed products": (
        ["h[t] = (A @ B).T @ h[t-1] + (a * h[t-1]).T @ h[t-1] * u"], {"shapes": {"B": ("p", "n")}},
        {"A": (n, p), "a": (), "u": VECTOR}),
    "quadratic form": (["h[t] = (h[t-1].T @ W @ h[t-1]) * x[t]"], {}, {"W": SQUARE, "x": VECTOR}),
    "inner product": (["h[t] = inner(a, h[t-1]) * h[t-1]"], {}, {"a": VECTOR}),
    "diag": (["h[t] = diag(u) @ h[t-1] + diag(W)"], {}, {"u": VECTOR, "W": SQUARE}),
    "trace and norm": (["h[t] = trace(W) * h[t-1] + norm2(W @ h[t-1]) * h[t-1]"], {}, {"W": SQUARE}),
    "all scalar": (
        ["h[t] = tanh(w * h[t-1] + v * x[t] + b)"], {"states": {"h": ()}, "shapes": {"x": ()}},
        {"w": (), "v": (), "b": (), "h": (), "x": ()}),
    "backward in time": (["h[t] = tanh(W @ h[t+1] + V @ x[t])"], {"direction": -1}, {"W": SQUARE, "V": TALL}),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_ranks_and_sizes_are_found_out(name: str) -> None:
    equations, options, expected = TABLE[name]
    found = shapes(*equations, **options)
    assert {key: found[key] for key in expected} == expected


CLASHES = {
    "a sum": (["h[t] = tanh(W @ h[t-1]) + x[t]"], {"shapes": {"x": "p"}}, ("tanh(W @ h[t-1]) + x[t]", "(n)", "(p)")),
    "a product": (["h[t] = W @ h[t-1]"], {"shapes": {"W": ("n", "p")}}, ("W @ h[t-1]", "(n x p)", "(n)")),
    "an elementwise product": (["h[t] = h[t-1] * b"], {"shapes": {"b": "p"}}, ("h[t-1] * b", "(n)", "(p)")),
    "the left side": (["h[t] = W @ h[t-1]"], {"shapes": {"W": ("p", "n")}}, ("(n)", "(p)")),
    "a vector for a scalar": (["h[t] = norm2(h[t-1])"], {}, ("(n)", "scalar")),
    "a matrix for a vector": (["h[t] = W"], {}, ("(n)", "(? x ?)")),
    "two vectors": (["h[t] = h[t-1] @ x[t]"], {}, ("h[t-1] @ x[t]", "(n)", "u.T @ v")),
    "a scalar in a matrix product": (["h[t] = a @ h[t-1]"], {"shapes": {"a": ()}}, ("'a' is a scalar", "write *")),
    "softmax of a matrix": (["h[t] = softmax(W @ h[t-1].T)"], {"shapes": {"W": ("n", "p")}}, ("softmax",)),
    "max of a number": (["h[t] = max(3) * h[t-1]"], {}, ("max(3)", "scalar")),
    "a division by another size": (["h[t] = h[t-1] / x[t]"], {"shapes": {"x": "p"}}, ("h[t-1] / x[t]", "(n)", "(p)")),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASHES)
def test_shapes_that_do_not_fit_name_the_equation_and_both_shapes(name: str) -> None:
    equations, options, parts = CLASHES[name]
    with pytest.raises(ShapeError) as caught:
        RNN(Cell(equations, ["h"], **options))
    message = str(caught.value)
    assert equations[-1] in message
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("equation", "readings"),
    [
        ("h[t] = tanh(W_h @ h[t-1]) + a * b",
         ["a * b", "a a scalar and b a vector", "a a vector and b a scalar", "both vectors", "shapes={'a': ()}"]),
        ("h[t] = tanh(W_h @ h[t-1]) * (a * b)", ["a * b", "both vectors", "shapes={'a': 'n'}"]),
        ("h[t] = h[t-1] + sum(b) * h[t-1]", ["'b'", "a scalar or a vector", "shapes={'b': ()}", "shapes={'b': 'n'}"]),
        ("h[t] = trace(W) * h[t-1]", ["'W'", "(? x ?)", "shapes={'W': ('p', 'n')}"]),
    ],
)  # fmt: skip
def test_what_stays_open_is_an_error_that_shows_the_readings(equation: str, readings: list[str]) -> None:
    with pytest.raises(RankError) as caught:
        Cell([equation], ["h"])
    for reading in readings:
        assert reading in str(caught.value)


def test_shapes_settle_what_is_ambiguous() -> None:
    equation = "h[t] = tanh(W_h @ h[t-1]) + a * b"
    assert shapes(equation, shapes={"a": ()}) == shapes(equation, shapes={"a": (), "b": "n"})
    assert shapes(equation, shapes={"a": "n", "b": "n"})["a"] == VECTOR


@pytest.mark.parametrize("given_size", [0, -1, 2.5, "two words", True, "3x"])
def test_a_size_is_a_name_or_a_positive_integer(given_size: Any) -> None:
    with pytest.raises(SymbpttError, match="size"):
        Cell(["h[t] = W @ h[t-1]"], {"h": given_size})


# -- random expressions of known shapes ---------------------------------------------------------------

KNOWN = {"A": SQUARE, "B": TALL, "C": (m, n), "u": VECTOR, "v": VECTOR, "w": (m,), "a": (), "c": ()}


@st.composite
def expressions(draw: Any, shape: Any, depth: int = 3) -> str:
    """The text of an expression of a shape, in the names of KNOWN."""
    leaves = [name for name, known in KNOWN.items() if known == shape] or ["(C @ B)"]
    other = (draw(st.sampled_from([n, m])),)
    patterns: list[tuple[str, tuple[Any, ...]]] = [
        ("({} + {})", (shape, shape)), ("({} - {})", (shape, shape)), ("({} * {})", (shape, shape)),
        ("({} * {})", ((), shape)), ("(-{})", (shape,)), ("tanh({})", (shape,)), ("(({})**2)", (shape,)),
        ("({} / 2)", (shape,)), ("(1 - {})", (shape,)), ("(0.5 * {})", (shape,)),
    ]  # fmt: skip
    if shape == ():
        patterns += [("sum({})", (other,)), ("norm2({})", (other,)), ("max({})", (other,))]
        patterns += [("inner({}, {})", (other, other)), ("({}.T @ {})", (other, other))]
    elif len(shape) == 1:
        patterns += [("({} @ {})", (shape + other, other)), ("softmax({})", (shape,))]
    else:
        patterns += [("({} @ {})", (shape[:1] + other, other + shape[1:])), ("(({}).T)", (shape[::-1],))]
        patterns += [("({} @ {}.T)", (shape[:1], shape[1:])), ("outer({}, {})", (shape[:1], shape[1:]))]
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(leaves))
    pattern, parts = draw(st.sampled_from(patterns))
    return pattern.format(*(draw(expressions(part, depth - 1)) for part in parts))


@given(st.data())
def test_the_shapes_of_random_expressions_are_found_and_are_those_of_their_nodes(data: Any) -> None:
    shape = data.draw(st.sampled_from([(), VECTOR, (m,), SQUARE, TALL]))
    parsed = parse_equation(f"{'R' if len(shape) == 2 else 'r'}[t] = {data.draw(expressions(shape))}")
    found = infer([parsed], {}, KNOWN, {}, {})[str(parsed.name)]
    assert found == shape
    nodes = {
        name: A.scalar_parameter(name) if not known
        else A.Parameter(name, known[0], 1) if len(known) == 1 else A.MatrixParameter(name, *known)
        for name, known in KNOWN.items()
    }  # fmt: skip
    node = build(parsed, lambda name, lag: nodes[name])
    assert A.shape_of(node)[: len(shape)] == shape
    assert A.rank_of(node) == len(shape)


def test_every_function_of_the_language_is_listed() -> None:
    assert {"tanh", "sigma", "softmax", "norm2", "concat"} <= set(known_functions())
    assert "mine" in known_functions({"mine": None})
