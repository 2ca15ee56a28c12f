"""Closed forms and their proofs by induction: the moves, the edges, and what is no proof."""

from __future__ import annotations

from typing import Any

import pytest
from cells import CELLS

import symbptt.algebra as A
from symbptt import RNN
from symbptt.algebra import nodes as N
from symbptt.derive.closed import closed_joint, local_joint, one_step_jacobian
from symbptt.derive.generic import generic
from symbptt.derive.induction import adjoint_proof, constant_jacobian, induction, power_proof
from symbptt.derive.influence import influence_proof, recurrent_parameters
from symbptt.derive.ordered import (
    NoMatchError,
    absorbed,
    exchanged,
    joined,
    need_equal,
    normal,
    powers,
    pull_in,
    pulled_out,
    settled,
)
from symbptt.evaluate.claims import check_equality
from symbptt.evaluate.instance import Instance

n = A.size("n")
t, s, j, k = map(A.index, "tsjk")
J, h = A.Variable("J", n, n, 2), A.Variable("h", n, 1)
W = A.MatrixParameter("W", n, n)


def product(low: Any, high: Any, index: Any = j) -> Any:
    return N.OrderedProduct(J[index], index, low, high)


# -- moves ----------------------------------------------------------------------------------------------


def test_the_next_factor_joins_a_product_at_either_end_and_no_other_does():
    assert joined(A.matmul(J[t + 1], product(s, t))) == product(s, t + 1)
    assert joined(A.matmul(product(s, t), J[s - 1])) == product(s - 1, t)
    back = A.transpose(product(t + 2, s))
    assert joined(A.matmul(A.transpose(J[t + 1]), back)) == A.transpose(product(t + 1, s))
    for wrong in (A.matmul(product(s, t), J[t + 1]), A.matmul(J[t + 2], product(s, t)), A.matmul(J[t + 1], back)):
        assert joined(wrong) == wrong


def test_a_factor_raises_the_power_of_its_own_matrix_only():
    power = N.MatrixPower(W, s - t)
    assert joined(A.matmul(W, power)) == N.MatrixPower(W, s - t + 1)
    assert joined(A.matmul(W.T, power)) == A.matmul(W.T, power)


def test_products_of_one_matrix_are_powers_with_the_right_exponent_at_the_edges():
    constant = N.OrderedProduct(W, j, t + 1, s)
    assert powers(constant) == N.MatrixPower(W, s - t)
    at_one = powers(constant).xreplace({t: s})
    assert at_one == N.MatrixPower(W, 0)
    assert settled(at_one) == A.Identity(n)


def test_empty_sums_and_products_at_the_edges():
    assert settled(product(t + 1, t)) == A.Identity(n)
    assert settled(A.matmul(product(t + 1, t), h[t])) == h[t]
    assert A.is_zero(settled(N.MatrixTimeSum(h[s], s, t + 1, t)))
    assert settled(N.MatrixTimeSum(A.matmul(product(s + 1, t), h[s]), s, t, t)) == h[t]


def test_only_a_neighbouring_term_is_absorbed():
    total = N.MatrixTimeSum(A.matmul(product(s + 1, t), h[s]), s, 1, t - 1)
    assert absorbed(h[t], total) == N.MatrixTimeSum(A.matmul(product(s + 1, t), h[s]), s, 1, t)
    for wrong in (h[t - 1], h[t + 1], A.matmul(J[t], h[t]), A.negate(h[t])):
        with pytest.raises(NoMatchError):
            absorbed(wrong, total)


def test_what_depends_on_the_index_stays_where_it_is():
    total = N.MatrixTimeSum(h[s], s, 1, t)
    with pytest.raises(NoMatchError, match="depends on s"):
        pull_in(J[s], total)
    with pytest.raises(NoMatchError, match="depends on s"):
        pulled_out(N.MatrixTimeSum(A.matmul(J[s], h[s]), s, 1, t))
    with pytest.raises(NoMatchError, match="triangle"):
        exchanged(N.MatrixTimeSum(N.MatrixTimeSum(A.matmul(J[s], h[t]), s, 1, 4), t, 1, 4))


def test_the_normal_form_sees_order_and_bounds_but_not_the_names_of_indices():
    assert normal(product(s, t, j)) == normal(product(s, t, k))
    assert normal(A.matmul(J[t], product(s, t - 1))) == normal(product(s, t))
    for other in (product(s + 1, t), A.transpose(product(s, t)), A.matmul(product(s, t - 1), J[t])):
        assert normal(other) != normal(product(s, t))
    with pytest.raises(NoMatchError):
        need_equal(product(s, t), product(s, t + 1), "the product")


# -- proofs ---------------------------------------------------------------------------------------------

VECTORS = ["tanh", "linear", "lstm", "peephole", "gru", "gru before", "layer norm", "coupled", "concatenated"]


def network_of(name: str, **parts: Any) -> Any:
    return RNN(CELLS.get(name, name), **parts).network


@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("name", VECTORS)
def test_the_adjoint_is_proved_for_every_cell_and_every_line_holds_at_several_lengths(name, reduction):
    network = network_of(name, reduction=reduction)
    proof = adjoint_proof(network)
    assert proof.step[-1] == proof.formula == closed_joint(network, network.system.t)
    assert normal(proof.base[-1]) == normal(local_joint(generic(network), network.system.steps))
    start = proof.left.xreplace({proof.index: proof.start})
    for steps in (1, 2, 5):
        instance = Instance(network, seed=steps, steps=steps)
        for line in proof.base:
            assert check_equality(instance, start, line, {}), line
        for line in proof.step:
            ranges = {network.system.t: (1, steps - 1)}
            verdict = check_equality(instance, proof.left, line, ranges)
            assert verdict.ok, line
            assert verdict.checked == steps - 1
        assert check_equality(instance, proof.left, proof.formula, {network.system.t: (1, steps)})


@pytest.mark.parametrize("name", VECTORS)
def test_influence_is_proved_for_every_parameter(name):
    network = network_of(name)
    for key in recurrent_parameters(network):
        proof = influence_proof(network, key)
        start = proof.left.xreplace({proof.index: proof.start})
        for steps in (1, 2, 5) if key == recurrent_parameters(network)[0] else (3,):
            instance = Instance(network, seed=steps, steps=steps)
            for line in proof.base:
                assert check_equality(instance, start, line, {}), line
            for line in proof.step:
                verdict = check_equality(instance, proof.left, line, {network.system.t: (2, steps)})
                assert verdict.ok, (key, line)
                assert verdict.checked == steps - 1


@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_linear_network_is_solved_in_powers_of_the_transposed_matrix(reduction, steps):
    network = network_of("linear", reduction=reduction)
    proof, system = power_proof(network), network.system
    assert proof is not None
    back = A.transpose(system.parameters["W_h"])
    found = [p for p in walk(proof.formula) if isinstance(p, N.MatrixPower)]
    assert [p.args[0] for p in found] == [back]
    instance = Instance(network, seed=steps, steps=steps)
    assert check_equality(instance, proof.left, proof.formula, {system.t: (1, steps)}).checked == steps
    for line in (*proof.step, proof.formula):
        assert check_equality(instance, proof.left, line, {system.t: (1, steps - 1)}).ok


def walk(expr: Any) -> Any:
    yield expr
    for a in expr.args:
        yield from walk(a)


def test_powers_are_for_constant_jacobians_only():
    assert constant_jacobian(network_of("tanh")) is None
    assert constant_jacobian(network_of("lstm")) is None
    assert power_proof(network_of("gru")) is None


def test_a_scalar_linear_network_is_written_in_powers_of_its_weight():
    derivation = RNN("linear", 1, 1).derivation(sections=["closed"])
    assert derivation.verify().ok
    assert str(derivation["closed.powers"].result) == "sum(W_h**(s - t)*(h[s] - target[s]), s=t..T)"


def wrong_formulas() -> dict[str, Any]:
    """Formulas that are no solution of the adjoint recursion, each by one slip."""
    network = network_of("tanh")
    system, right = network.system, closed_joint(network, network.system.t)
    body, index = right.body, right.index
    untransposed = A.matmul(body.args[0].args[0], body.args[1])
    return {
        "no products": N.MatrixTimeSum(body.args[1], index, system.t, system.steps),
        "products not transposed": N.MatrixTimeSum(untransposed, index, system.t, system.steps),
        "one term too few": N.MatrixTimeSum(body, index, system.t + 1, system.steps),
        "one factor too few": right.xreplace({body.args[0].args[0].lower: system.t + 2}),
    }


@pytest.mark.parametrize("slip", wrong_formulas())
def test_a_wrong_formula_has_no_proof(slip):
    network = network_of("tanh")
    system = network.system
    jacobian = A.transpose(one_step_jacobian(network, system.following))
    with pytest.raises(NoMatchError):
        induction(
            A.derivative(system.L, system.at("h")),
            wrong_formulas()[slip],
            system.t,
            system.last,
            system.following,
            lambda when: local_joint(generic(network), when),
            lambda known: jacobian if known is None else A.matmul(jacobian, known),
        )
