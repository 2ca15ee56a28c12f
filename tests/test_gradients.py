"""Gradients as expressions, in each of their forms."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest
import sympy
from cells import BACKWARD, CELLS, LINEAR_ATTENTION, LSTM, by_size, own_sizes

from symbptt import RNN
from symbptt import algebra as A
from symbptt.algebra import rules
from symbptt.derive.closed import loss_index
from symbptt.derive.generic import Generic, generic
from symbptt.derive.links import links
from symbptt.errors import RefusedError, SizeError, UnknownNameError
from symbptt.evaluate.claims import check_equality, instances
from symbptt.evaluate.instance import Instance

ADJOINT = r"\frac{\partial L}{\partial h_t}"
SLOPE = r"(1 - h_t \odot h_t)"
SPAN = r"\frac{\partial h_s}{\partial h_{s-1}} \cdots \frac{\partial h_{t+1}}{\partial h_t}"
CLOSED = rf"\sum_{{s=t}}^{{T}} \left( {SPAN} \right)^\top \frac{{\partial l_s}}{{\partial h_s}}"


def relu(step: int) -> str:
    return rf"\mathrm{{ReLU}}'(z_{step})"


def miss(step: int) -> str:
    return rf"(h_{step} - \mathrm{{target}}_{step})"


AT_1 = (
    rf"h_1 - \mathrm{{target}}_1 + W_h \thinspace {relu(2)} {miss(2)} "
    rf"+ W_h \thinspace {relu(2)} W_h \thinspace {relu(3)} {miss(3)}"
)
AT_2 = rf"h_2 - \mathrm{{target}}_2 + W_h \thinspace {relu(3)} {miss(3)}"
VECTOR, SCALAR = RNN("tanh", readout="linear"), RNN("relu", 1, 1, steps=3)

GOLDEN = [
    (VECTOR, ("W_h",), rf"\sum_{{t=1}}^{{T}} \left( {SLOPE} \odot {ADJOINT} \right) h_{{t-1}}^\top"),
    (VECTOR, ("W_x",), rf"\sum_{{t=1}}^{{T}} \left( {SLOPE} \odot {ADJOINT} \right) x_t^\top"),
    (VECTOR, ("b_h",), rf"\sum_{{t=1}}^{{T}} {SLOPE} \odot {ADJOINT}"),
    (VECTOR, ("W_y",), r"\sum_{t=1}^{T} (y_t - \mathrm{target}_t) h_t^\top"),
    (VECTOR, ("b_y",), r"\sum_{t=1}^{T} (y_t - \mathrm{target}_t)"),
    (VECTOR, ("x",), rf"W_x^\top\left( {SLOPE} \odot {ADJOINT} \right)"),
    (VECTOR, ("h0",), rf"W_h^\top\left( {SLOPE} \odot {ADJOINT} \right)".replace("_t", "_1")),
    (VECTOR, ("h", 2), r"W_y^\top(y_2 - \mathrm{target}_2) + W_h^\top\left( (1 - h_3 \odot h_3) \odot "
                       r"\frac{\partial L}{\partial h_3} \right)"),
    (VECTOR, ("W_h", None, "closed"), rf"\sum_{{t=1}}^{{T}} \left( {SLOPE} \odot {CLOSED} \right) h_{{t-1}}^\top"),
    (VECTOR, ("h", "t", "closed"), CLOSED),
    (SCALAR, ("W_h",), rf"\sum_{{t=1}}^{{3}} \mathrm{{ReLU}}'(z_t) {ADJOINT} h_{{t-1}}"),
    (SCALAR, ("h", 1), rf"h_1 - \mathrm{{target}}_1 + W_h \thinspace {relu(2)} \frac{{\partial L}}{{\partial h_2}}"),
    (SCALAR, ("h", 3), r"h_3 - \mathrm{target}_3"),
    (SCALAR, ("h", 1, "closed"), r"\sum_{s=1}^{3} \left( \prod_{j=2}^{s} \frac{\partial h_j}{\partial h_{j-1}} \right) "
                                 r"\frac{\partial l_s}{\partial h_s}"),
    (SCALAR, ("h", 1, "unrolled"), AT_1),
    (SCALAR, ("W_h", None, "unrolled"), f"{relu(1)} ({AT_1}) h_0 + {relu(2)} ({AT_2}) h_1 + {relu(3)} {miss(3)} h_2"),
    (RNN("linear", 1, 1, steps=3, reduction="last"), ("h", 1, "unrolled"),
     r"W_h^2(h_3 - \mathrm{target}_3)"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "arguments", "expected"), GOLDEN)
def test_the_formulas_are_those_checked_by_hand(model: RNN, arguments: tuple[Any, ...], expected: str) -> None:
    assert sympy.latex(model.gradient(*arguments)) == expected


# -- the forms agree with what is measured, and so with each other ------------------------------------

MODELS = {
    "tanh": RNN("tanh", 2, 3, 2, "softmax", "cross_entropy", steps=3),
    "relu, mean": RNN("relu", 3, 2, 2, "linear", "mse", "mean", steps=4),
    "sigmoid, last": RNN("sigmoid", 2, 2, 3, "sigmoid", "binary_cross_entropy", "last", steps=3),
    "silu, no readout": RNN("silu", 2, 2, loss="squared_error", steps=3),
    "scalar": RNN("tanh", 1, 1, 1, "linear", steps=3),
    "scalar, last": RNN("softplus", 1, 1, reduction="last", steps=3),
    "one step": RNN("tanh", 2, 2, steps=1),
    "no input, no bias": RNN("tanh", 2, None, 2, "linear", bias=False, readout_bias=False, steps=3),
    **{
        f"{name}, {reduction}": RNN(cell, 2, 3, 2, "linear", reduction=reduction, steps=3, sizes=own_sizes(cell))
        for name, cell in CELLS.items()
        if name not in ("layer_norm", "scalar pair")
        for reduction in (("sum", "last") if name in ("lstm", "coupled", "gru") else ("mean",))
    },
}
OPEN = [MODELS["tanh"].replace(hidden="n", inputs="m", outputs="q", steps="T"), RNN(LSTM, reduction="mean")]


def _asked(model: RNN) -> list[tuple[Any, ...]]:
    system = model.system
    steps = range(1, int(system.steps) + 1)
    parameters = [(key,) for key in system.parameters]
    initial = [(f"{state}0",) for state in system.states]
    inputs = [(name, steps[-1]) for name in system.inputs]
    return [*parameters, *initial, *itertools.product(system.states, steps), *inputs]


def _left(model: RNN, wrt: str, at: Any = None) -> Any:
    system = model.system
    if wrt in system.parameters:
        return A.derivative(system.L, system.parameters[wrt])
    if wrt.endswith("0"):
        return A.derivative(system.L, system.at(wrt[:-1], system.start_of(wrt[:-1])))
    return A.derivative(system.L, system.at(wrt, at))


def _has_closed_form(model: RNN) -> bool:
    return not any(A.rank_of(model.system.at(state)) == 2 for state in model.system.states)


@pytest.mark.sample(4)
@pytest.mark.parametrize("form", ["recursive", "closed", "unrolled"])
@pytest.mark.parametrize("name", by_size(MODELS))
def test_every_form_has_the_measured_value(name: str, form: str) -> None:
    model = MODELS[name]
    if (form != "recursive" and not _has_closed_form(model)) or (form == "closed" and model.system.mixed):
        with pytest.raises(RefusedError, match="recursive"):
            model.gradient(next(iter(model.system.parameters)), form=form)
        return
    instance = Instance(model.network, seed=3)
    for asked in _asked(model):
        truth = instance.evaluate(_left(model, *asked))
        found = np.reshape(instance.evaluate(model.gradient(*asked, form=form)), np.shape(truth))
        np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-12, err_msg=str((asked, form)))


@pytest.mark.parametrize("form", ["recursive", "closed"])
@pytest.mark.parametrize("model", OPEN, ids=["tanh", "lstm"])
def test_every_form_holds_for_symbolic_sizes_and_steps(model: RNN, form: str) -> None:
    for key in (*model.system.parameters, *(f"{s}0" for s in model.system.states)):
        assert check_equality(instances(model.network), _left(model, key), model.gradient(key, form=form), {})


@pytest.mark.parametrize("name", ["tanh", "scalar", "lstm, sum", "coupled, last", "backward, mean"])
def test_unrolled_forms_have_no_derivative_sum_or_product_over_time_left(name: str) -> None:
    for asked in _asked(MODELS[name]):
        parts = list(sympy.preorder_traversal(MODELS[name].gradient(*asked, form="unrolled")))
        assert not [p for p in parts if isinstance(p, A.Gradient | A.Jacobian | A.ScalarDerivative)]
        assert not [p for p in parts if isinstance(p, A.nodes.Bound)]


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(("reduction", "readout"), [("sum", None), ("mean", "linear"), ("last", "sigmoid")])
def test_the_explicit_gradient_is_what_sympy_makes_of_the_unrolled_network(
    steps: int, reduction: str, readout: Any
) -> None:
    model = RNN("tanh", 1, 1, 1 if readout else None, readout, reduction=reduction, steps=steps)
    loss = model.unroll(nested=True).loss.doit()
    names = {s: sympy.Symbol(str(s).replace("[", "").replace("]", "")) for s in loss.atoms(A.ScalarAt)}
    plain = loss.xreplace(names)
    keys = [*model.system.parameters, "h0", *(("x", t) for t in range(1, steps + 1))]
    rng = np.random.default_rng(steps)
    for key in keys:
        asked = key if isinstance(key, tuple) else (key,)
        symbol = model.symbols[asked[0].rstrip("0")]
        by = names[symbol[0]] if asked == ("h0",) else names[symbol[asked[1]]] if len(asked) > 1 else symbol
        explicit = model.gradient(*asked, form="explicit").xreplace(names)
        difference = explicit - sympy.diff(plain, by)
        order = sorted(difference.free_symbols | {by}, key=str)
        value = sympy.lambdify(order, difference, "math")
        assert all(abs(value(*rng.normal(size=len(order)))) < 1e-12 for _ in range(3)), key


def test_the_explicit_gradient_is_plain_sympy_in_inputs_and_parameters_alone() -> None:
    model = RNN("tanh", 2, 2, steps=2)
    gradient = model.gradient("W_h", form="explicit")
    assert gradient.shape == (2, 2)
    leaves = {p.name for p in sympy.preorder_traversal(gradient) if isinstance(p, A.MatrixAt)}
    assert leaves == {"h", "x", "target"}
    assert not gradient.has(A.Gradient, A.nodes.Map)


@pytest.mark.parametrize(
    ("options", "size"),
    [({"hidden": 2, "inputs": 2, "steps": 6}, "6.32e+05"), ({"hidden": 1, "inputs": 1, "steps": 60}, "e+06")],
)
def test_an_explicit_gradient_that_nobody_could_read_is_refused_with_its_size(options: Any, size: str) -> None:
    with pytest.raises(RefusedError, match=r"operations, which nobody can read; use form='recursive'") as caught:
        RNN(**options).gradient("W_h", form="explicit")
    assert size in str(caught.value)


# -- what is asked wrongly ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "asked", "error", "message"),
    [
        (VECTOR, ("W_q",), UnknownNameError, "unknown name 'W_q'.*did you mean 'W_"),
        (VECTOR, ("L",), UnknownNameError, "known: .*W_h"),
        (VECTOR, ("target", 1), UnknownNameError, "unknown name 'target'"),
        (VECTOR, ("W_h", None, "closd"), UnknownNameError, "did you mean 'closed'"),
        (VECTOR, ("W_h", None, 3), UnknownNameError, "unknown form 3"),
        (SCALAR, ("h", 4), SizeError, "at=4: a step from 0 to 3 is needed"),
        (SCALAR, ("h", -1), SizeError, "a step from 0 to 3"),
        (SCALAR, ("h", 1.5), SizeError, "a step from 0 to 3"),
        (SCALAR, ("h", True), SizeError, "a step from 0 to 3"),
        (SCALAR, ("h", "two words"), SizeError, "a step from 0 to 3"),
        (SCALAR, ("x", 0), SizeError, "a step from 1 to 3"),
        (SCALAR, ("z", 0), SizeError, "a step from 1 to 3"),
        (VECTOR, ("h", 0.5), SizeError, "a step from 0 to T"),
        (VECTOR, ("h", A.size("T") + 1), SizeError, "a step from 0 to T"),
        (SCALAR, ("W_h", 2), SizeError, "W_h has no step"),
        (SCALAR, ("h0", 2), SizeError, "h0 has no step"),
        (RNN(BACKWARD, steps=3), ("h", 0), SizeError, "a step from 1 to 4"),
        (VECTOR, ("W_h", None, "unrolled"), SizeError, "needs a number of steps, not T; give steps=3"),
        (VECTOR, ("W_h", None, "explicit"), SizeError, "T is a symbol|n is a symbol"),
        (RNN(steps=3), ("W_h", None, "explicit"), SizeError, "n is a symbol"),
        (RNN(steps=61), ("W_h", None, "unrolled"), RefusedError, "use form='closed'"),
        (RNN(LINEAR_ATTENTION), ("S", 1, "closed"), RefusedError, "a state is a matrix; use form='recursive'"),
    ],
)
def test_what_cannot_be_given_is_answered_in_one_line(model: RNN, asked: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        model.gradient(*asked)
    assert "\n" not in str(caught.value)


def test_a_state_at_no_step_is_taken_at_a_generic_one() -> None:
    t = VECTOR.symbols["t"]
    assert VECTOR.gradient("h") == VECTOR.gradient("h", at=t) == VECTOR.gradient("h", at="t")
    assert VECTOR.gradient("h", at=2) == VECTOR.gradient("h").xreplace({t: sympy.Integer(2)})


def test_the_last_step_has_no_future() -> None:
    T = VECTOR.symbols["T"]
    expected = A.matmul(A.transpose(VECTOR.symbols["W_y"]), VECTOR.symbols["y"][T] - VECTOR.symbols["target"][T])
    assert VECTOR.gradient("h", at=T) == VECTOR.gradient("h", at="T") == expected


@pytest.mark.parametrize("name", ["s", "j"])
def test_the_indices_of_a_closed_form_are_not_names_of_the_cell(name: str) -> None:
    from symbptt import Cell

    model = RNN(Cell([f"{name}[t] = tanh(W @ {name}[t-1] + V @ x[t])"], [name]))
    indices = {part.index.name for part in sympy.preorder_traversal(model.gradient("W", form="closed"))
               if isinstance(part, A.nodes.Bound)}  # fmt: skip
    assert name not in indices
    assert loss_index(model.system).name in indices
    assert model.derivation().verify()


# -- the work does not grow with T --------------------------------------------------------------------


def _calls(action: Any) -> int:
    """How many Python functions of this package are called."""
    count = 0

    def seen(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        if event == "call" and "symbptt" in frame.f_code.co_filename:
            count += 1

    sys.setprofile(seen)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def _derive_all(steps: Any) -> None:
    for cached in (generic, links):
        cached.cache_clear()
    model = RNN("tanh", 4, 3, 2, "softmax", "cross_entropy", steps=steps)
    for key in (*model.system.parameters, "h0"):
        model.gradient(key)
        model.gradient(key, form="closed")


def test_deriving_takes_the_same_work_for_every_number_of_steps() -> None:
    _derive_all(7)  # fills the caches that do not depend on T
    work = [_calls(lambda: _derive_all(steps)) for steps in (10, 1_000, 100_000)]  # noqa: B023
    assert max(work) <= 1.02 * min(work), work


def test_no_rule_is_used_more_often_for_more_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Any] = []

    def counted(rule: Any) -> Any:
        return lambda *arguments: used.append(rule) or rule(*arguments)

    monkeypatch.setattr(rules, "VJP", {kind: counted(rule) for kind, rule in rules.VJP.items()})
    counts = []
    for steps in (10, 1_000, 100_000, "T"):
        used.clear()
        derived = Generic(RNN("tanh", 4, 3, 2, "softmax", "cross_entropy", steps=steps).system)
        assert derived.adjoints and derived.parameters and derived.local_results
        counts.append(len(used))
    assert counts[0] > 5
    assert len(set(counts)) == 1
