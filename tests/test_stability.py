"""Stability: Jacobian products, bounds, distances, in documents and as data, against complex steps and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from cells import CELLS, own_sizes
from derivation_examples import linear_network, stability_models, with_numbers

from symbptt import RNN, Cell, load
from symbptt import algebra as A
from symbptt.algebra.leaves import Literal
from symbptt.derive.closed import joint
from symbptt.derive.derivation import TOPICS
from symbptt.derive.stability.common import recurrent
from symbptt.derive.stability.distances import at_distance, share_at
from symbptt.derive.stability.factors import NoBoundError, factors
from symbptt.derive.steps import BOUND, MEASURED, TABLE, Line
from symbptt.errors import RefusedError, ValueInputError
from symbptt.evaluate.claims import instances
from symbptt.evaluate.given import given_instance
from symbptt.evaluate.instance import Instance
from symbptt.evaluate.measured import check_bound, check_measured, check_table
from symbptt.evaluate.report import verify_derivation
from symbptt.model import ACTIVATIONS, supremum

VECTOR = RNN("tanh", 3, 2, 2, "linear", reduction="mean", steps=5)
MODELS = {
    "tanh": with_numbers(VECTOR, 0.5),
    "last": with_numbers(VECTOR.replace(cell="sigmoid", reduction="last")),
    "scalar": with_numbers(RNN("softplus", 1, 1, steps=4), 0.5),
    "lstm": with_numbers(RNN("lstm", 2, 1, steps=3)),
    "backward": with_numbers(
        RNN(CELLS["backward"], 2, 2, steps=4, sizes=dict.fromkeys(own_sizes(CELLS["backward"]), 2))
    ),
}


def at_numbers(model: RNN) -> Instance:
    """The instance at the numbers of a model, whose derivatives are complex steps."""
    numbers = model.derivation(sections=["given"]).derived.numbers
    return given_instance(numbers)


# -- data against complex steps -----------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_jacobian_products_and_their_norms_are_those_of_complex_steps(name):
    model = MODELS[name]
    data, instance, system = model.stability().data, at_numbers(model), model.system
    order = [int(system.start), *(range(1, 99) if system.direction == 1 else range(98, 0, -1))]
    order = [order[0], *(t for t in order[1:] if t <= data.steps)]
    for i, start in enumerate(order):
        for end in order[i + 1 :]:
            true = instance.evaluate(
                A.derivative(joint(system, sympy.Integer(end)), joint(system, sympy.Integer(start)))
            )
            np.testing.assert_allclose(data.jacobian(end, start), true, rtol=1e-10, atol=1e-14)
            assert data.norms[end, start] == pytest.approx(np.linalg.norm(true, 2), rel=1e-10)
            assert data.norms[start, end] == 0
    assert all(data.norms[t, t] == pytest.approx(1) for t in order)


@pytest.mark.parametrize("name", MODELS)
def test_gradient_norms_are_those_of_complex_steps(name):
    model = MODELS[name]
    data, instance, system = model.stability().data, at_numbers(model), model.system
    steps = [t for t in range(len(data.gradient_norms)) if t in data.run.order]
    for t in steps:
        parts = [instance.evaluate(A.derivative(system.L, system.at(s, sympy.Integer(t)))) for s in system.states]
        if not model.network.cell.state_names[1:]:
            assert data.gradient_norms[t] == pytest.approx(np.linalg.norm(parts[0]), rel=1e-9)


@pytest.mark.parametrize("name", ["tanh", "last", "scalar", "backward"])
def test_the_parts_of_all_distances_add_up_to_the_gradient(name):
    model = MODELS[name]
    instance, system = at_numbers(model), model.system
    (key,) = recurrent(model.network)
    whole = instance.evaluate(A.derivative(system.L, system.parameters[key]))
    parts = [instance.evaluate(at_distance(model.network, key, sympy.Integer(k))) for k in range(int(system.steps))]
    np.testing.assert_allclose(sum(np.reshape(p, np.shape(whole)) for p in parts), whole, rtol=1e-10)
    data = model.stability().data
    np.testing.assert_allclose(data.distances[key], [np.linalg.norm(np.ravel(p)) for p in parts], rtol=1e-9)
    shares = [instance.evaluate(share_at(model.network, key), t=t) for t in range(1, int(system.steps) + 1)]
    np.testing.assert_allclose(sum(np.reshape(s, np.shape(whole)) for s in shares), whole, rtol=1e-10)
    np.testing.assert_allclose(data.shares[key], [np.linalg.norm(np.ravel(s)) for s in shares], rtol=1e-9)


# -- bounds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_bound_of_an_elman_cell_is_the_largest_slope_times_the_largest_singular_value(name):
    network = RNN(name).network
    W = network.system.parameters["W_h"]
    assert factors(network).bound == A.product(supremum(name), A.SingularValue(W, 1))
    report = RNN(name).derivation(sections=["products", "bounds"]).verify()
    assert report.ok, report.failures
    assert report.counts[BOUND] >= 3


def test_a_skip_connection_adds_one_to_the_bound():
    network = stability_models()["stability, residual"].network
    W = network.system.parameters["W_h"]
    assert factors(network).bound == A.add(1, A.SingularValue(W, 1))


def test_a_slope_without_bound_and_several_states_are_said_to_have_none():
    with pytest.raises(NoBoundError) as caught:
        factors(stability_models()["stability, unbounded"].network)
    assert caught.value.function.name == "exp'"
    with pytest.raises(NoBoundError):
        factors(RNN("lstm").network)
    assert "unbounded" in stability_models()["stability, unbounded"].derivation().to_text()
    assert MODELS["lstm"].stability().data.bounds.factor is None


def test_no_norm_is_above_its_bound_and_a_contraction_is_recognised():
    for name in ("tanh", "last", "scalar"):
        data = MODELS[name].stability().data
        for end in range(data.steps + 1):
            for start in range(end):
                assert data.norms[end, start] <= data.bounds.over(end - start) * (1 + 1e-12)
    small = MODELS["tanh"].replace(values={**MODELS["tanh"].values, "W_h": np.eye(3).tolist()}).stability().data
    assert small.bounds.factor == 1 and not small.bounds.vanishes
    assert (
        MODELS["tanh"]
        .replace(values={**MODELS["tanh"].values, "W_h": (np.eye(3) / 2).tolist()})
        .stability()
        .data.bounds.vanishes
    )


def test_an_inequality_the_wrong_way_round_is_refuted():
    derivation = RNN("sigmoid").derivation(sections=["bounds"])
    step = derivation["bounds.step"]
    wrong = replace(step, chain=(*step.chain[:-1], Line("≤", A.product(sympy.Rational(1, 400), A.SingularValue(
        derivation.derived.network.system.parameters["W_h"], 1)))))  # fmt: skip
    ok, detail = check_bound(
        instances(derivation.derived.network), wrong, {derivation.derived.network.system.t: (1, 3)}
    )
    assert not ok and "does not hold" in detail


# -- documents ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_every_line_on_stability_is_proved(name):
    report = MODELS[name].stability().verify()
    assert report.ok, report.failures
    assert report.counts[TABLE] >= 2 and report.counts[BOUND] >= 1


@pytest.mark.parametrize("kind", [MEASURED, TABLE])
def test_a_wrong_figure_is_named(kind):
    derivation = linear_network([[2, 1], [0, 1]], [1, 0]).derivation()
    found = [s for s in derivation.steps if s.kind == kind]
    for step in found:
        if kind == TABLE:
            facts = dict(step.facts)
            *rows, (index, *cells) = facts["rows"]
            spoiled = replace(
                step, facts=tuple({**facts, "rows": (*rows, (index, *cells[:-1], Literal("12345")))}.items())
            )
            assert not check_table(at_numbers(linear_network([[2, 1], [0, 1]], [1, 0])), spoiled, 4)[0]
        else:
            last = step.chain[-1]
            spoiled = replace(step, chain=(*step.chain[:-1], replace(last, expr=A.product(2, last.expr), sign="=")))
            ok, _ = check_measured(at_numbers(linear_network([[2, 1], [0, 1]], [1, 0])), spoiled, 4)
            assert not ok or A.is_zero(last.expr) or last.sign in "<>", step.key
    assert len(found) > 2


def test_a_spoiled_step_fails_the_whole_report():
    derivation = linear_network([[2, 1], [1, 2]], [1, 0]).derivation()
    sections = derivation.derived.worksheet.sections
    spoil = lambda s: replace(s, chain=(Line("=", sympy.Integer(7)),)) if s.key == "spectrum.radius_W_h" else s  # noqa: E731
    changed = tuple(replace(section, steps=tuple(map(spoil, section.steps))) for section in sections)
    derived = replace(derivation.derived, worksheet=replace(derivation.derived.worksheet, sections=changed))
    assert [check.key for check in verify_derivation(derived).failures] == ["spectrum.radius_W_h"]


def test_stability_needs_jacobian_matrices_and_its_data_numbers():
    matrix_state = Cell(["S[t] = 1/2 * S[t-1] + (W_k @ x[t]) @ (W_v @ x[t]).T", "h[t] = tanh(S[t] @ (W_q @ x[t]))"],
                        states={"S": ("p", "k")}, output="h", name="fast weights")  # fmt: skip
    with pytest.raises(RefusedError, match="no Jacobian products to study: a state is a matrix"):
        RNN(matrix_state).stability()
    with pytest.raises(ValueInputError, match="numbers are needed"):
        _ = RNN("tanh").stability().data
    assert RNN("tanh", steps=1).stability().verify().ok


def test_the_topics_are_not_in_a_full_derivation_but_can_be_asked_for():
    full = {section.key for section in MODELS["tanh"].derivation().sections}
    assert not full & set(TOPICS)
    assert [s.key for s in MODELS["tanh"].derivation(sections=["bounds", "products"]).sections] == [
        "products",
        "bounds",
    ]


def test_large_matrices_are_never_printed_and_worked_lines_with_them_are_refused():
    model = load("gradient-norms")
    text = model.derivation(sections=["given", "spectrum"]).to_text()
    assert "too many numbers to print for W_h, W_x, and xₜ" in text and "seed 0" in text
    assert max(map(len, text.splitlines())) < 100
    with pytest.raises(RefusedError, match="W_h has 20 x 20 entries"):
        model.derivation(detail="numbers")


# -- worked examples ----------------------------------------------------------------------------------


def test_the_sigmoid_bound_is_attained_over_a_hundred_steps():
    model = load("sigmoid-vanishing")
    data = model.stability().data
    assert data.norms[100, 0] == pytest.approx(0.25**100, rel=1e-12)
    assert data.bounds.over(100) == pytest.approx(6.223015277861142e-61, rel=1e-12)
    assert all(np.all(v == 0) for key, v in data.run.values.items() if key[0] == "z")
    assert "6.223×10⁻⁶¹" in model.stability().to_text()


def test_the_distance_zero_part_remains_when_the_products_vanish():
    data = load("sigmoid-vanishing").stability().data
    assert data.distances["W_h"][0] == pytest.approx(1 / 16)
    assert data.distances["W_h"][99] < 1e-59


def test_the_random_experiment_has_its_sizes_and_its_numbers_again():
    model = load("gradient-norms")
    data = model.stability().data
    assert data.norms.shape == (101, 101) and data.gradient_norms.shape == (101,) and data.shares["W_h"].shape == (100,)
    assert np.std(model.values["W_h"]) == pytest.approx(1, abs=0.1)
    assert load("gradient-norms").values == model.values
    assert model.replace(steps=50).values["x"] == model.values["x"][:50]
    assert model.replace(random={**model.random, "seed": 1}).values["W_h"] != model.values["W_h"]
