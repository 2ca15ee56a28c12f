"""Values of derivatives at numeric instances: against central differences, and against everything that is derived."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from cells import BEYOND_ELMAN

from symbptt import algebra as A
from symbptt.algebra.nodes import Concat
from symbptt.algebra.scalar import to_scalar
from symbptt.derive.closed import check_closed, closed, closed_joint, joint
from symbptt.derive.forms import gradient
from symbptt.derive.generic import generic
from symbptt.derive.links import NoLinksError, links
from symbptt.derive.run import Run
from symbptt.errors import RefusedError, ValueInputError
from symbptt.evaluate import Claim, Injection, Instance, NoSuchStepError, check_equality, instances
from symbptt.evaluate.forward import Trace
from symbptt.model import ACTIVATIONS, Cell, Elman, Loss, Network, cell, loss, whole

LSTM = BEYOND_ELMAN["lstm"]
TWO = Cell(
    ["h[t] = tanh(W_h @ h[t-1] + V @ s[t-1] + W_x @ x[t])", "s[t] = tanh(U @ s[t-1] + R @ h[t-1] + b_s)"],
    states={"h": "n", "s": "p"},
    name="two",
)
CHAIN = Cell(
    [
        "h[t] = tanh(W_h @ h[t-1] + V @ s[t-1] + W_x @ x[t])",
        "u[t] = sigmoid(h[t])",
        "s[t] = tanh(U @ s[t-1] + R @ u[t] + b_s)",
    ],
    states={"h": "n", "s": "p"},
    output="s",
    name="chain",
)
BACK = Cell(
    ["z[t] = W_h @ h[t+1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"], states=["h"], direction=-1, name="backwards"
)
OUTSIDE = Cell(
    ["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "v[t] = sin(K @ h[t] + J @ x[t])"],
    states=["h"],
    output="v",
    shapes={"v": "p"},
    name="output outside the states",
)
INSIDE = Cell(
    ["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"],
    states=["h"],
    output="z",
    name="output before the state",
)
MATRIX = Cell(
    ["k[t] = W_k @ x[t]", "S[t] = lam * S[t-1] + outer(W_v @ x[t], k[t])", "r[t] = S[t] @ (W_q @ x[t])"],
    states={"S": ("p", "n")},
    output="r",
    name="matrix state",
)
PLAIN = ("linear", "half_squared_error", "sum")
TASKS = [
    (None, "half_squared_error", "sum"),
    (None, "mse", "last"),
    ("linear", "squared_error", "last"),
    ("linear", "mse", "mean"),
    ("sigmoid", "binary_cross_entropy", "last"),
    ("sigmoid", "half_squared_error", "sum"),
    ("softmax", "cross_entropy", "sum"),
    ("softmax", "cross_entropy", "mean"),
]


def network(given, task=PLAIN, sizes=("n", "m", "q"), steps="T", p=None):
    readout, name, reduction = task
    n, m, q = (whole(s, "size") for s in sizes)
    given = cell(given)
    others = [("p", whole(p, "size"))] if p and given in (TWO, CHAIN, OUTSIDE, MATRIX) else []
    rest = readout, loss(name, readout), reduction, whole(steps, "steps")
    return Network(given, n, m, q if readout else None, *rest, sizes=tuple(others))


def agree(places, left, right, ranges=None):
    verdict = check_equality(places, left, right, {} if ranges is None else ranges)
    assert verdict, f"{left} is not {right}: {verdict}"


# -- against differences ------------------------------------------------------------------------------


def by_differences(instance, key, of, step=1e-6):
    """d of / d key, one entry at a time, with real perturbations."""
    start = np.asarray(instance.base.values[key])
    columns = []
    for place in np.ndindex(start.shape):
        change = np.zeros(start.shape)
        change[place] = step
        ahead, behind = (of(instance.forward(Injection({key: sign * change}))) for sign in (1, -1))
        columns.append((np.asarray(ahead) - np.asarray(behind)) / (2 * step))
    return np.array(columns)


CELLS = [*(Elman(a) for a in ACTIVATIONS), TWO, CHAIN, BACK, OUTSIDE, INSIDE, MATRIX, BEYOND_ELMAN["lstm"]]
REST = [given for name, given in BEYOND_ELMAN.items() if name != "lstm"]


@pytest.mark.parametrize("given", [*CELLS, *REST], ids=lambda c: c.name)
def test_gradients_agree_with_central_differences(given):
    instance = Instance(network(given), seed=3)
    system = instance.system
    keys = [(k, None) for k in system.parameters] + [(e.name, 2) for e in system.stage("cell")]
    for name, step in keys:
        by = system.parameters[name] if step is None else system.at(name, step)
        value = instance.value(A.derivative(system.L, by))
        near = by_differences(instance, (name, step), lambda trace: trace.total)
        np.testing.assert_allclose(np.ravel(value), near, rtol=1e-6, atol=1e-8)


def test_jacobians_agree_with_central_differences():
    instance = Instance(network(LSTM), seed=1, steps=4)
    at = instance.system.at
    value = instance.value(A.derivative(at("h", 4), at("c", 2)))
    near = by_differences(instance, ("c", 2), lambda trace: trace.values["h", 4])
    np.testing.assert_allclose(value, near.T, rtol=1e-6, atol=1e-9)


def test_the_forward_pass_is_that_of_an_elman_network():
    instance = Instance(network("tanh", ("softmax", "cross_entropy", "mean")), seed=5)
    d = instance.data
    h, total = d["h0"], 0.0
    for x, target in zip(d["x"], d["target"], strict=True):
        h = np.tanh(d["W_h"] @ h + d["W_x"] @ x + d["b_h"])
        powers = np.exp(d["W_y"] @ h + d["b_y"])
        total -= target @ np.log(powers / powers.sum())
    assert instance.loss == pytest.approx(total / instance.steps, rel=1e-14)
    assert d["target"].sum(axis=1) == pytest.approx(1)


# -- against what is derived --------------------------------------------------------------------------


def check_generic(net, places, show):
    system, g = net.system, generic(net)
    t, end, last = system.t, system.end, system.reduction == "last"
    low, high = (1, end - 1) if system.direction == 1 else (2, end)
    for name in g.adjoints:
        agree(places, show(g.adjoint_of(name)), show(g.at_step(name, t)), {t: (low, high)})
        agree(places, show(g.adjoint_of(name, system.last)), show(g.at_step(name, system.last)))
    for name in g.local_terms:
        derived = A.add(*(term.expr for term in g.local_terms[name]))
        for right in (derived, g.local_results[name]):
            agree(places, show(g.local_of(name)), show(right), {t: (end if last else 1, end)})
    for key, symbol in system.parameters.items():
        agree(places, show(A.derivative(system.L, symbol)), show(g.parameter_sum(key)))
    for name in system.inputs:
        agree(places, show(A.derivative(system.L, system.at(name))), show(g.input_gradient(name)), [t])
    for name in system.states:
        agree(places, show(A.derivative(system.L, system.at(name, system.start))), show(g.initial_gradient(name)))


def check_jacobians(net, places, show):
    system, t = net.system, net.system.t
    try:
        for link in links(net):
            agree(places, show(link.symbol), show(link.jacobian), [t])
        check_closed(net)
    except (NoLinksError, RefusedError):
        return
    agree(places, A.derivative(system.L, joint(system, t)), closed_joint(net, t), [t])
    for name in system.states:
        agree(places, show(A.derivative(system.L, system.at(name))), show(closed(net, name, t)), [t])


def check_forms(net, places, show, forms):
    system = net.system
    initial = {f"{s}0": system.at(s, system.start) for s in system.states}
    for key, symbol in {**system.parameters, **initial}.items():
        for form in forms:
            try:
                found = gradient(net, key, form=form)
            except RefusedError:
                continue
            agree(places, show(A.derivative(system.L, symbol)), found)


def _same(expr):
    return expr


LAST = ("linear", "mse", "last")
WITH_LAST = [
    *((given, PLAIN) for given in CELLS),
    *(pytest.param(given, LAST, marks=pytest.mark.slow) for given in CELLS if given is not BACK),
    *(pytest.param(given, task, marks=pytest.mark.slow) for given in REST for task in (PLAIN, LAST)),
]


@pytest.mark.parametrize(
    ("given", "task"), WITH_LAST, ids=lambda part: part.name if isinstance(part, Cell) else part[-1]
)
def test_all_that_is_derived_agrees_with_the_forward_pass(given, task):
    net = network(given, task)
    places = instances(net)
    check_generic(net, places, _same)
    check_jacobians(net, places, _same)
    check_forms(net, places, _same, ("recursive", "closed"))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: "-".join(map(str, task)))
@pytest.mark.parametrize("given", [cell("tanh"), pytest.param(CHAIN, marks=pytest.mark.slow)], ids=lambda c: c.name)
def test_every_loss_readout_and_reduction(given, task):
    net = network(given, task)
    places = instances(net)
    check_generic(net, places, _same)
    check_jacobians(net, places, _same)
    check_forms(net, places, _same, ("recursive", "closed"))


@pytest.mark.parametrize("given", [cell("sigmoid"), CHAIN, BACK, OUTSIDE, INSIDE], ids=lambda c: c.name)
@pytest.mark.parametrize("reduction", ["sum", "last"])
def test_scalar_notation(given, reduction):
    reduction = "mean" if given is BACK and reduction == "last" else reduction  # "last" is for forward cells
    net = network(given, ("linear", "mse", reduction), sizes=(1, 1, 1), p=1)
    assert net.system.scalar
    check_generic(net, instances(net), to_scalar)
    check_jacobians(net, instances(net), to_scalar)
    check_forms(net, instances(net), to_scalar, ("recursive", "closed"))


@pytest.mark.parametrize("given", [cell("tanh"), CHAIN, BACK, OUTSIDE], ids=lambda c: c.name)
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("reduction", ["mean", "last"])
def test_all_forms_at_concrete_steps(given, steps, reduction):
    reduction = "sum" if given is BACK and reduction == "last" else reduction  # "last" is for forward cells
    net = network(given, ("linear", "mse", reduction), sizes=(2, 3, 1), steps=steps, p=2)
    check_forms(net, [Instance(net, seed=4)], _same, ("recursive", "closed", "unrolled"))


class Stored(Trace):
    """The numbers of a run of the derived equations."""

    def leaf(self, leaf):
        return self.known[leaf] if leaf in self.known else super().leaf(leaf)


@pytest.mark.parametrize("given", [cell("relu"), LSTM, BACK, MATRIX], ids=lambda c: c.name)
def test_the_derived_recursion_run_in_numbers(given):
    net = network(given, sizes=(2, 3, 2), steps=4, p=3)
    instance = Instance(net, seed=2)
    domain = Stored(net.system, instance.bindings, instance.given)
    domain.known = {}
    run = Run(generic(net), domain, domain.known)
    run.forward()
    run.backward()
    for key, value in run.gradients().items():
        measured = instance.value(A.derivative(net.system.L, net.system.parameters[key]))
        np.testing.assert_allclose(measured, value, rtol=1e-11, atol=1e-13)


# -- what the values mean -----------------------------------------------------------------------------


def test_immediate_and_total_derivatives_differ_where_a_state_reads_another():
    instance = Instance(network(CHAIN, (None, "half_squared_error", "sum")), seed=0, steps=3)
    at = instance.system.at
    total, immediate = (instance.value(A.derivative(at("s", 2), at("h", 1), m)) for m in (A.TOTAL, A.IMMEDIATE))
    assert not np.allclose(total, 0)
    np.testing.assert_array_equal(immediate, 0)  # h reaches s only within a step
    same = instance.value(A.derivative(at("s", 2), at("h", 2), A.IMMEDIATE))
    np.testing.assert_allclose(same, instance.value(A.derivative(at("s", 2), at("h", 2))))


def test_states_of_a_concat_are_independent():
    instance = Instance(network(CHAIN), seed=0, steps=3)
    both = joint(instance.system, sympy.Integer(2))
    assert isinstance(both, Concat)
    size = A.shape_of(both)[0].xreplace({A.size(k): v for k, v in instance.bindings.items()})
    np.testing.assert_array_equal(instance.value(A.derivative(both, both)), np.eye(int(size)))


def test_a_later_step_does_not_reach_an_earlier_one():
    instance = Instance(network("tanh"), steps=3)
    at = instance.system.at
    np.testing.assert_array_equal(instance.value(A.derivative(at("h", 1), at("h", 3))), 0)


def test_the_immediate_derivative_by_a_parameter_holds_the_states_before():
    instance = Instance(network("tanh", sizes=(1, 1, 1), steps=3), seed=8)
    base, W = instance.base.values, instance.system.parameters["W_h"]
    value = instance.value(A.derivative(instance.system.at("h", 3), W, A.IMMEDIATE))
    assert value.item() == pytest.approx((1 - base["h", 3].item() ** 2) * base["h", 2].item())


def test_kinks_are_kept_away_from_and_shown():
    net = network("relu")
    for seed in range(20):
        assert 1e-3 <= Instance(net, seed).margin < np.inf
    assert Instance(network("tanh")).margin == np.inf
    flat = network("relu", (None, "half_squared_error", "sum"), sizes=(1, 1, 1), steps=1)
    at_zero = Instance(flat, values={"W_h": 1, "W_x": 0, "b_h": 0, "x": [1], "target": [1]})
    assert at_zero.at_kink and at_zero.margin == 0


def test_a_function_that_is_not_defined_everywhere_gets_numbers_where_it_is():
    positive = Loss("sum(log({y}) + sqrt({y}))")
    n, m = whole("n", "hidden"), whole("m", "inputs")
    net = Network(cell("tanh"), n, m, None, None, positive, "sum", whole("T", "steps"))
    instance = Instance(net)
    assert all((instance.base.values["h", t] > 0).all() for t in range(1, instance.steps + 1))


def test_functions_without_a_numpy_form():
    u = sympy.Symbol("u")
    net = network(Elman(sympy.erf(u) + sympy.Abs(u) / 2))
    check_generic(net, instances(net, count=1), _same)


# -- given numbers ------------------------------------------------------------------------------------


def test_given_numbers_set_the_sizes():
    net = network("tanh", (None, "half_squared_error", "sum"))
    instance = Instance(net, values={"W_x": np.ones((5, 2)), "x": np.ones((6, 2))})
    assert instance.bindings == {"n": 5, "m": 2, "T": 6}
    assert not instance.data["h0"].any()


def test_class_indices_and_the_last_target_alone():
    net = network("tanh", ("softmax", "cross_entropy", "sum"), sizes=(2, 2, 3), steps=2)
    np.testing.assert_array_equal(Instance(net, values={"target": [2, 0]}).data["target"], [[0, 0, 1], [1, 0, 0]])
    last = network("tanh", ("linear", "mse", "last"), sizes=(2, 2, 3), steps=2)
    np.testing.assert_array_equal(Instance(last, values={"target": [1, 2, 3]}).base.values["target", 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"W": 1}, "'W' is no parameter"),
        ({"W_h": [[1, 2]]}, "W_h must have shape"),
        ({"target": [[0.5, 0.2, 0.2]] * 2}, "sum to 1"),
        ({"target": [3, 0]}, "from 0 to 2"),
        ({"b_h": ["a", "b"]}, "numbers are needed"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(values, text):
    net = network("tanh", ("softmax", "cross_entropy", "sum"), sizes=(2, 2, 3), steps=2)
    with pytest.raises(ValueInputError, match=text):
        Instance(net, values=values)


# -- claims -------------------------------------------------------------------------------------------


def test_a_wrong_claim_is_refuted_with_both_values():
    net = network("tanh")
    system, t = net.system, net.system.t
    g = generic(net)
    right = g.at_step("h", t)
    assert Claim(g.adjoint_of("h"), right, ((t, (1, system.steps - 1)),)).check(instances(net))
    verdict = Claim(g.adjoint_of("h"), 2 * right, ((t, (1, system.steps - 1)),)).check(instances(net))
    assert not verdict and verdict.where.endswith("t = 1")
    np.testing.assert_allclose(2 * verdict.left_value, verdict.right_value)


@pytest.mark.parametrize("wrong", [lambda W, D: W.T @ D, lambda W, D: D @ W.T, lambda W, D: W @ D, lambda W, D: W])
def test_a_wrong_jacobian_is_refuted(wrong):
    net = network("tanh")
    at, t = net.system.at, net.system.t
    slope = A.diag(1 - A.hadamard(at("h"), at("h")))
    claim = Claim(A.derivative(at("h"), at("h", t - 1)), wrong(net.system.parameters["W_h"], slope))
    assert not claim.check(instances(net))


def test_a_claim_of_two_indices():
    net = network("tanh")
    at, t, s = net.system.at, net.system.t, A.index("s")
    middle = A.matmul(A.derivative(at("h", s), at("h", s - 1)), A.derivative(at("h", s - 1), at("h", t)))
    ranges = ((t, (1, net.system.steps)), (s, (t + 1, net.system.steps)))
    verdict = Claim(A.derivative(at("h", s), at("h", t)), middle, ranges).check(instances(net))
    assert verdict and verdict.checked == 3 + 6


def test_a_claim_that_reads_a_step_that_does_not_exist():
    net = network("tanh")
    at, t = net.system.at, net.system.t
    verdict = check_equality(instances(net), at("h", t + 1), at("h", t + 1), [t])
    assert not verdict and "h[4] has no value" in verdict.reason
    with pytest.raises(NoSuchStepError):
        Instance(net, steps=3).evaluate(at("h"), t=9)


def test_a_claim_that_holds_nowhere_is_not_verified():
    net = network("tanh", steps=1)
    at, t = net.system.at, net.system.t
    verdict = check_equality(instances(net), at("h"), at("h"), {t: (1, net.system.steps - 1)})
    assert verdict.ok and verdict.checked == 0 and not verdict
