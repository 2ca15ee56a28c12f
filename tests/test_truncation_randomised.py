"""Random truncation: unbiased and of the printed variance, by going over all masks and by drawing them."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
from cells import CELLS, MIXED
from derivation_examples import with_numbers
from sympy import Rational

from symbptt import RNN, Randomised, load
from symbptt import algebra as A
from symbptt.algebra.random import CovarianceOf, Expectation, Held, MatrixExpectation, MatrixHeld, MatrixVarianceOf
from symbptt.algebra.random import VarianceOf as Var
from symbptt.codegen.verify import verify_function
from symbptt.derive.steps import IDENTITY, VALUE, Line, Section, Worksheet
from symbptt.derive.truncation.expectation import by_independence, by_linearity, by_probability, by_unity
from symbptt.errors import RefusedError, SizeError, ValueInputError
from symbptt.evaluate.report import verify_derivation

HOW = [Randomised("0.5"), Randomised("0.5", shared=False), Randomised(["1/2", "0.8", "1"]),
       Randomised(["1/2", "0.8", "1"], shared=False)]  # fmt: skip
W, X, TARGET = Fraction(3, 4), [Fraction(1), Fraction(-1, 2), Fraction(2), Fraction(1, 3)], Fraction(1, 2)
LINEAR = RNN("linear", 1, 1, steps=4, bias=False, values={
    "W_h": "3/4", "W_x": 1, "x": ["1", "-1/2", "2", "1/3"], "target": ["1/2"] * 4, "h0": 0,
})  # fmt: skip
"""A linear network in fractions, so that means and variances over all masks are exact."""


def estimate(how: Randomised, masks: dict[Any, int]) -> Fraction:
    """The random gradient by W_h by hand: every pair of a loss and a use with the product of its factors."""
    h = [Fraction(0)]
    for x in X:
        h.append(W * h[-1] + x)
    total = Fraction(0)
    for s in range(1, 5):
        delta = h[s] - TARGET
        for k in range(s, 0, -1):
            total += delta * h[k - 1]
            if k > 1:
                p = how.probability(k)
                delta *= W * masks[None if how.shared else s, k] / Fraction(int(p.p), int(p.q))
    return total


def moments(how: Randomised) -> tuple[Fraction, Fraction]:
    """Mean and variance over all masks."""
    keys = [(loss, k) for loss in ([None] if how.shared else range(1, 5)) for k in range(2, 5)]
    keys = [(s, k) for s, k in keys if s is None or k <= s]
    first = second = Fraction(0)
    for choice in product((0, 1), repeat=len(keys)):
        odds = Fraction(1)
        for (_, k), on in zip(keys, choice, strict=True):
            p = how.probability(k)
            odds *= Fraction(int(p.p), int(p.q)) if on else 1 - Fraction(int(p.p), int(p.q))
        value = estimate(how, dict(zip(keys, choice, strict=True)))
        first, second = first + odds * value, second + odds * value**2
    return first, second - first**2


# -- mean and variance --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOW, ids=str)
def test_the_mean_over_all_masks_is_the_exact_gradient(how: Randomised) -> None:
    exact = estimate(Randomised(1), {(None, k): 1 for k in range(2, 5)})
    assert moments(how)[0] == exact


@pytest.mark.parametrize("how", HOW, ids=str)
def test_the_closed_form_of_the_variance_is_the_variance_over_all_masks(how: Randomised) -> None:
    derivation = LINEAR.derivation(sections=["truncated"], truncate=how, digits=12)
    shown = derivation[f"truncated.{how.mode}.W_h"].result
    assert float(shown.value) == pytest.approx(float(moments(how)[1]), rel=1e-9)
    assert derivation.verify().ok


def test_shared_masks_add_covariances() -> None:
    shared, independent = (moments(how)[1] for how in HOW[:2])
    assert shared != independent and moments(Randomised(1))[1] == 0


@pytest.mark.parametrize("how", ["randomised:0.8", "randomised:0.8:independent", "randomised:1"])
def test_drawn_masks_agree_within_their_confidence_interval(how: str) -> None:
    model = load("truncation-randomised")
    given = {key: np.array(value, dtype=float) for key, value in model.values.items()}
    params = {key: float(given[key]) for key in model.system.parameters}
    bptt, rng, draws = model.lambdify(how), np.random.default_rng(2), 3000
    found = np.array([bptt(params, given["x"], given["target"], rng=rng).grads["W_h"] for _ in range(draws)])
    exact = model.lambdify()(params, given["x"], given["target"]).grads["W_h"]
    if how == "randomised:1":
        np.testing.assert_allclose(found, exact)
        return
    shown = model.derivation(truncate=how, sections=["truncated"], digits=8).steps
    variance = next(float(step.result.value) for step in shown if step.rule == "truncated.variance")
    assert abs(found.mean() - exact) < 3.3 * np.sqrt(variance / draws)
    fourth = ((found - exact) ** 4).mean()
    assert abs(found.var() - variance) < 3.3 * np.sqrt((fourth - variance**2) / draws)


def test_the_variance_stays_bounded_just_where_the_squared_jacobian_is_below_p() -> None:
    def variance(J: float, p: float, n: int, shared: bool) -> float:
        d = np.arange(n + 1)
        excess, g = 1 / p**d - 1, J**d
        own = (excess * g**2).sum()
        return own + (2 * (np.triu(np.outer(excess * g, g), 1)).sum() if shared else 0)

    for shared in (True, False):
        assert variance(0.8, 0.9, 400, shared) == pytest.approx(variance(0.8, 0.9, 200, shared), rel=1e-6)
        assert variance(0.8, 0.6, 200, shared) > 1e3 * variance(0.8, 0.6, 50, shared)
    steps = {step.key: step for step in LINEAR.derivation(truncate=Randomised("0.9")).steps}
    p, J, n = Rational(9, 10), Rational(8, 10), 12
    line = steps["truncation.randomised:shared.bounded"]
    numbers = {A.Probability(): p, A.scalar_parameter("J"): J, A.index("n"): sympy.Integer(n)}
    total, limit = (float(k.expr.xreplace(numbers).doit()) for k in line.chain)
    assert total == pytest.approx(variance(0.8, 0.9, n, False)) and limit > total


# -- one estimator ------------------------------------------------------------------------------------


def test_shared_masks_cut_the_sequence_into_segments() -> None:
    """With p = 1/2 and a cut before step 3, each loss is scaled by 2 for each step that it goes back."""
    rng = np.random.default_rng(0)
    params = {"W_h": rng.normal(size=(2, 2)), "W_x": rng.normal(size=(2, 2)), "b_h": rng.normal(size=2)}
    x, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    model = RNN("tanh")
    found = model.lambdify("randomised:0.5")(params, x, target, masks=[1, 1, 0, 1, 1])
    states = model.lambdify()(params, x, target).states["h"]
    for first, last in ((1, 2), (3, 5)):
        total = np.zeros(2)
        for t in range(last, first - 1, -1):
            total = states[t] - target[t - 1] + (2 * total if t < last else 0)
            np.testing.assert_allclose(found.adjoints["h"][t - 1], total, rtol=1e-12)
            total = params["W_h"].T @ ((1 - states[t] ** 2) * total)


@pytest.mark.parametrize("name", ["gru", "coupled"])
@pytest.mark.parametrize("how", HOW[:2], ids=str)
def test_the_generated_code_of_other_cells_is_what_gated_complex_steps_measure(name: str, how: Randomised) -> None:
    report = verify_function(RNN(CELLS[name]).network, 0, how)
    assert report.ok and report.checks, report.failures


def test_masks_can_be_given_drawn_with_a_seed_and_are_checked() -> None:
    model = RNN("linear", 1, None, bias=False)
    bptt = model.lambdify(Randomised(0.5))
    one, two = (bptt({"W_h": 0.5}, target=[1.0, 2.0, 3.0], h0=1.0, rng=3).grads["W_h"] for _ in range(2))
    assert one == two
    with pytest.raises(ValueInputError, match=r"masks has shape \(2,\)"):
        bptt({"W_h": 0.5}, target=[1.0, 2.0, 3.0], masks=[1, 0])
    with pytest.raises(ValueInputError, match="0 or 1"):
        bptt({"W_h": 0.5}, target=[1.0, 2.0, 3.0], masks=[1, 0, 0.5])
    with pytest.raises(ValueInputError, match="random truncation"):
        model.lambdify()({"W_h": 0.5}, target=[1.0], masks=[1])


# -- what is printed ----------------------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("model", "how"),
    [
        (RNN("tanh", 1, 1), "randomised:p"),
        (RNN("tanh", 1, 1, steps=5, reduction="mean"), "randomised:0.9,0.8,0.7,1/2"),
        (RNN("tanh", 1, 1, steps=4, reduction="last"), "randomised:0.5:independent"),
        (RNN("tanh"), "randomised:0.9:independent"),
        (RNN("tanh", 5, 2, steps=6, reduction="last"), "randomised:0.9"),
        (RNN(CELLS["delta_rule"], steps=3), "randomised:0.6"),
        (RNN(CELLS["backward"], steps=3), "randomised:0.6"),
    ],
    ids=str,
)
def test_every_line_on_random_truncation_is_proved(model: RNN, how: str) -> None:
    report = model.derivation(sections=["truncation"], truncate=how).verify()
    assert report.ok, [(check.key, check.detail) for check in report.failures]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "how"),
    [
        (name, ("randomised:0.8", "randomised:0.8:independent")[place % 2])
        for place, name in enumerate(name for name in CELLS if name not in MIXED)
    ],
)
def test_every_line_on_random_truncation_of_any_cell_is_proved(name: str, how: str) -> None:
    report = RNN(CELLS[name], steps=4).derivation(sections=["truncation"], truncate=how).verify()
    assert report.ok, [(check.key, check.detail) for check in report.failures]


@pytest.mark.sample(5)
@pytest.mark.parametrize("how", ["shared", "independent"])
@pytest.mark.parametrize(
    "key", ["estimator.h", "weights.h", "one", "unbiased.h", "covariance", "variance.h", "variance.W_h"]
)
def test_a_corrupted_line_is_refuted(how: str, key: str) -> None:
    derived = load("truncation-randomised").derivation().derived
    step = derived.worksheet[f"truncation.randomised:{how}.{key}"]
    bad = replace(step, chain=(*step.chain[:-1], Line("=", A.add(step.chain[-1].expr, Rational(1, 100)))))
    sheet = Worksheet((Section("truncation", (bad,)),))
    assert not verify_derivation(replace(derived, worksheet=sheet)).ok


def test_a_wrong_identity_is_refuted() -> None:
    derived = load("truncation-randomised").derivation().derived
    step = derived.worksheet["truncation.randomised:shared.bounded"]
    assert step.kind == IDENTITY
    for place, sign in ((0, "="), (1, "≤")):
        lines = list(step.chain)
        lines[place] = Line(sign, A.product(Rational(1, 2), lines[place].expr))
        sheet = Worksheet((Section("truncation", (replace(step, chain=tuple(lines)),)),))
        assert not verify_derivation(replace(derived, worksheet=sheet)).ok


def test_the_example_compares_shared_masks_with_masks_for_each_loss() -> None:
    values = [step for step in load("truncation-randomised").derivation().steps if step.kind == VALUE]
    variances = [float(step.result.value) for step in values if step.rule == "truncated.variance"]
    assert len(variances) == 4 and variances[0] > variances[1] > 0


def test_numbers_of_a_vector_network_are_proved() -> None:
    model = with_numbers(RNN("tanh", 2, 1, steps=4), 0.5)
    derivation = model.derivation(sections=["truncated"], truncate=["randomised:0.5", "randomised:0.9:independent"])
    report = derivation.verify()
    assert report.ok and report.counts == {VALUE: 9}, report.failures


# -- the rules of expectation -------------------------------------------------------------------------

t, s, j = map(A.index, "tsj")


def test_expectations_are_worked_out_by_linearity_independence_and_probability() -> None:
    g = A.Variable("g")
    product_of = A.time_product(A.divide(A.Mask(j), A.Probability()), j, t + 1, s)
    linear = by_linearity(A.time_sum(A.product(product_of, g[s]), s, t, 9))
    assert linear == A.time_sum(A.product(A.expectation(product_of), g[s]), s, t, 9)
    parted = by_independence(A.expectation(product_of))
    assert parted == A.time_product(A.divide(A.expectation(A.Mask(j)), A.Probability()), j, t + 1, s)
    assert by_unity(by_probability(parted)) == 1
    assert by_probability(A.expectation(A.Mask(t)), varies=True) == A.Probability(t)


def test_factors_that_share_a_mask_are_not_taken_for_independent() -> None:
    with pytest.raises(TypeError, match="not independent"):
        by_independence(A.expectation(A.time_product(A.Mask(t), j, 1, s)))


# -- the language -------------------------------------------------------------------------------------

h = A.Variable("h", 3, 1)
NODES = [A.Mask(t), A.Mask(t, s), A.Probability(), A.Probability(t), Held(A.Mask(t)), MatrixHeld(h[t]),
         Expectation(A.Mask(t)), MatrixExpectation(h[t]), Var(A.Mask(t)), MatrixVarianceOf(h[t]),
         CovarianceOf(A.Mask(t), A.Mask(s))]  # fmt: skip


@pytest.mark.parametrize("node", NODES, ids=str)
def test_nodes_are_good_citizens_of_sympy(node: Any) -> None:
    assert node.func(*node.args) == node == pickle.loads(pickle.dumps(node))
    assert node.xreplace({t: s}).xreplace({s: t}) == node.xreplace({s: t})
    assert sympy.latex(node) and sympy.pretty(node) and sympy.srepr(node)


def test_nothing_passes_through_a_stopped_gradient() -> None:
    assert A.pullback(A.add(A.held(h[t]), h[t]), h[s], h[t]) == h[s]
    assert str(A.held(h[t])) == "sg(h[t])"


# -- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0, -0.1, 1.2, "0", "nan", "2/1", None, [0.5, 0], []])
def test_a_probability_outside_its_range_is_refused(p: Any) -> None:
    with pytest.raises(ValueInputError, match="probab"):
        Randomised(p)


def test_there_is_a_probability_for_each_step_from_the_second_on() -> None:
    with pytest.raises(SizeError, match="needed: 3"):
        RNN("tanh", steps=4).derivation(truncate=Randomised([0.5, 0.5]))
    with pytest.raises(SizeError, match="T - 1"):
        RNN("linear", 1, None, bias=False).lambdify(Randomised([0.5, 0.5]))


def test_code_needs_numbers() -> None:
    with pytest.raises(RefusedError, match="numbers"):
        RNN("tanh").lambdify("randomised:p")
