"""Path expansion beside the recursion: the chains, the proof that both agree, and what both cost."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from cells import BACKWARD, COUPLED, DELTA_RULE, GRU_BEFORE, LSTM, PEEPHOLE, own_sizes
from derivation_examples import two_methods
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer

from symbptt import RNN, Loss, load
from symbptt import algebra as A
from symbptt.derive.derivation import Derived
from symbptt.derive.generic import generic
from symbptt.derive.methods import METHODS, chain, costs, pair, pairs, paths
from symbptt.derive.methods.cost import Counted, Tally, carried_out, lengths_for, polynomial
from symbptt.derive.steps import Line, Step
from symbptt.errors import RefusedError, SizeError
from symbptt.evaluate.claims import check_equality, instances
from symbptt.evaluate.methods import Expander, same_sum
from symbptt.evaluate.report import verify_derivation

SQUARE = Loss("1/2 * norm2(h[t])")
LINEAR = RNN("linear", 1, 1, bias=False, loss=SQUARE, steps=10)


@functools.cache
def example() -> Any:
    return load("two-methods").derivation()


# -- the example --------------------------------------------------------------------------------------


def test_the_figures_of_the_example() -> None:
    derivation = example()
    assert derivation["cost.pairs"].result == 55
    assert derivation["cost.links"].result == 165
    rows = dict(derivation["cost.table"].facts)["rows"]
    assert [row[2] for row in rows] == [165, 45, 9]
    assert [str(row[1]) for row in rows] == ["(T**3 - T)/6", "(T**2 - T)/2", "T - 1"]
    assert [round(float(row[-1].value)) for row in rows] == [3, 2, 1]
    assert str(derivation["methods.values"].result) == str(derivation["result.backward.h.1"].result) == "349525"
    assert [str(derivation[f"methods.value.{s}"].result) for s in (1, 2, 9, 10)] == ["1", "4", "65536", "262144"]


def test_the_chains_of_the_example_are_its_own_and_not_elided_where_they_are_few() -> None:
    derivation = example()
    found = [step.key for step in derivation.steps if step.key.startswith("methods.chain")]
    assert found == [f"methods.chain.{s}" for s in (1, 2, 9, 10)]
    assert dict(derivation["methods.elided"].facts)["count"] == 6
    assert str(derivation["methods.chain.10"].result) == "W_h**9*h[10]"
    short = LINEAR.replace(steps=6).derivation(sections=["methods"])
    assert [s.key for s in short.steps if "chain" in s.key] == [f"methods.chain.{s}" for s in range(1, 7)]


def test_the_words_say_what_the_count_of_chains_overlooks() -> None:
    for lang, words in (("en", ("often stated", "third power", "55", "165")), ("zh", ("三次方", "平方", "55", "165"))):
        text = " ".join(load("two-methods").derivation(lang=lang).to_text().split())
        assert all(word in text for word in words), lang


def test_every_line_of_it_is_proved_with_all_ten_steps() -> None:
    report = example().verify()
    assert report.ok, report.failures
    kinds = {check.key: check.kind for check in report.checks}
    assert kinds["methods.proof"] == "proof" and kinds["cost.pairs"] == "count" and kinds["cost.table"] == "table"
    assert {"methods.proof", "cost.pairs", "cost.links"} <= set(report.verdicts)


# -- the chains are right -----------------------------------------------------------------------------

MODELS = {
    "tanh": RNN("tanh", steps=4),
    "mean": RNN("tanh", readout="softmax", loss="cross_entropy", reduction="mean", steps=5),
    "last": RNN("tanh", readout="linear", reduction="last", steps=4),
    "gru": RNN(GRU_BEFORE, steps=4),
    "lstm": RNN(LSTM, steps=4),
    "peephole": RNN(PEEPHOLE, reduction="mean", steps=3),
    "coupled": RNN(COUPLED, readout="linear", steps=4),
    "backward": RNN(BACKWARD, steps=4),
    "scalar lstm": RNN(LSTM, 1, 1, steps=4),
    "one step": RNN("tanh", steps=1),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_chain_is_the_derivative_of_its_loss_by_complex_steps(name: str) -> None:
    network = MODELS[name].network
    found = instances(network, count=2)
    for at in range(1, int(network.steps) + 1):
        for one in paths(network, at=at):
            for right in (one.product, one.filled):
                assert check_equality(found, one.share, right, {}), (at, one.loss)


@pytest.mark.parametrize("name", MODELS)
def test_their_sum_is_the_gradient(name: str) -> None:
    network = MODELS[name].network
    for at in range(1, int(network.steps) + 1):
        listed = paths(network, at=at)
        state = listed.chains[0].share.by
        assert check_equality(instances(network, count=2), A.derivative(network.system.L, state), listed.total, {})


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", ["tanh", "lstm", "mean", "backward", "coupled"])
@pytest.mark.parametrize("steps", ["T", 3, 9])
def test_both_sections_are_proved_whatever_the_number_of_steps(name: str, steps: Any) -> None:
    derivation = MODELS[name].replace(steps=steps).derivation(sections=["methods", "cost"])
    report = derivation.verify()
    assert report.ok, report.failures
    assert [section.key for section in derivation.sections] == ["methods", "cost"]


def test_a_symbol_for_either_step_stands_for_all() -> None:
    network = RNN("linear", 1, 1, loss=SQUARE).network
    s, t = A.index("s"), A.index("t")
    one = chain(network, s, t)
    assert str(one.filled) == "W_h**(s - t)*h[s]"
    found = instances(network)
    assert check_equality(found, one.share, one.filled, {t: (1, network.steps), s: (t, network.steps)})


def test_a_dead_relu_has_chains_of_zeros() -> None:
    assert RNN("relu", 1, 1, steps=4).derivation(sections=["methods", "cost"]).verify()


# -- the proof ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [LINEAR, RNN("tanh", 1, 1), RNN("tanh"), RNN(LSTM), MODELS["mean"], RNN(BACKWARD)])
def test_both_methods_multiply_out_to_the_same_sum(model: RNN) -> None:
    found = pairs(model.network)
    assert {int(p.steps) for p in found} == set(range(1, 7))
    assert all(same_sum(p.nested, p.chains) for p in found)


def test_the_sums_differ_once_a_chain_is_wrong() -> None:
    found = pair(RNN("tanh").network, 4)
    terms = found.chains.args
    assert len(terms) == 4
    for k, term in enumerate(terms):
        spoiled = [*terms[:k], term + term, *terms[k + 1 :]]
        assert not same_sum(found.nested, A.add(*spoiled))
        assert not same_sum(found.nested, A.add(*terms[:k], *terms[k + 1 :]))
    last = terms[-1].args
    swapped = A.matmul(last[1], last[0], *last[2:])
    assert not same_sum(found.nested, A.add(*terms[:-1], swapped))


def test_matrices_do_not_commute_when_they_are_multiplied_out() -> None:
    B, W, h = A.Parameter("B", 2, 2), A.Parameter("W", 2, 2), A.Variable("h", 2, 1)[A.index("t")]
    one = Expander()
    assert one.expanded(A.matmul(W, B, h)) != one.expanded(A.matmul(B, W, h))
    assert one.expanded(A.matmul(A.transpose(A.matmul(W, B)), h)) == one.expanded(A.matmul(B.T, W.T, h))
    x, y = A.Variable("x")[1], A.Variable("y")[1]
    assert one.expanded(A.product(x, y)) == one.expanded(A.product(y, x))


# -- corrupted lines are found ------------------------------------------------------------------------


def corrupted(derived: Derived, key: str, **changes: Any) -> Derived:
    sections = tuple(
        replace(s, steps=tuple(replace(step, **changes) if step.key == key else step for step in s.steps))
        for s in derived.worksheet.sections
    )
    return replace(derived, worksheet=replace(derived.worksheet, sections=sections))


def failures(key: str, **changes: Any) -> list[str]:
    report = verify_derivation(corrupted(example().derived, key, **changes))
    return [check.key for check in report.failures]


def facts_with(step: Step, **changes: Any) -> tuple[tuple[str, Any], ...]:
    return tuple({**dict(step.facts), **changes}.items())


def test_a_wrong_power_in_a_late_chain_is_found() -> None:
    step = example()["methods.chain.9"]
    wrong = step.result.xreplace({Integer(8): Integer(7)})
    assert wrong != step.result
    assert failures("methods.chain.9", chain=(*step.chain[:-1], Line("=", wrong))) == ["methods.chain.9"]


def test_a_wrong_pair_in_the_proof_is_found() -> None:
    step = example()["methods.proof"]
    known = dict(step.facts)["pairs"]
    for place in (2, 5, len(known) - 1):
        steps, nested, chains = known[place]
        spoiled = (*known[:place], (steps, nested, A.add(*chains.args[:-1])), *known[place + 1 :])
        assert failures("methods.proof", facts=facts_with(step, pairs=spoiled)) == ["methods.proof"]


def test_a_true_equality_of_something_else_is_no_proof() -> None:
    step = example()["methods.filled"]
    half = tuple(Line("=", A.add(*line.expr.args[:1])) for line in step.chain)
    assert failures("methods.filled", chain=half) == ["methods.filled"]


@pytest.mark.parametrize(("key", "wrong"), [("cost.pairs", 45), ("cost.links", 220)])
def test_a_wrong_count_is_found(key: str, wrong: int) -> None:
    step = example()[key]
    assert failures(key, chain=(*step.chain[:-1], Line("=", Integer(wrong)))) == [key]


@pytest.mark.parametrize(("row", "column", "value"), [(0, 2, 55), (1, 3, 191), (2, 1, A.size("T")), (0, -1, "2.00")])
def test_a_wrong_cell_of_the_table_is_found(row: int, column: int, value: Any) -> None:
    step = example()["cost.table"]
    rows = [list(cells) for cells in dict(step.facts)["rows"]]
    rows[row][column] = A.Literal(value) if isinstance(value, str) else sympy.sympify(value)
    changed = tuple(map(tuple, rows))
    assert failures("cost.table", facts=facts_with(step, rows=changed)) == ["cost.table"]


# -- what is counted ----------------------------------------------------------------------------------


def enumerated(steps: int, last: bool) -> Iterator[tuple[int, int]]:
    for s in [steps] if last else range(1, steps + 1):
        for t in range(1, s + 1):
            yield s, t


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(1, 24), size=st.integers(1, 3), last=st.booleans())
def test_the_counts_are_those_of_an_enumeration(steps: int, size: int, last: bool) -> None:
    found = {method: carried_out(method, steps, size, last) for method in METHODS}
    known = list(enumerated(steps, last))
    assert found["independent"] == size**2 * sum(s - t for s, t in known)
    assert found["shared"] == size**2 * sum(s != t for s, t in known)
    assert found["recursion"] == size**2 * (steps - 1)


@settings(max_examples=15, deadline=None)
@given(steps=st.integers(1, 12), size=st.integers(1, 3), data=st.data())
def test_all_methods_give_the_same_sums(steps: int, size: int, data: Any) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    links, locals_ = rng.normal(size=(steps, size, size)), rng.normal(size=(steps, size))
    wanted, *others = (np.array(method(links, locals_, range(steps))) for method in METHODS.values())
    for found in others:
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


@settings(max_examples=12, deadline=None)
@given(steps=st.integers(1, 12), last=st.booleans())
def test_the_number_of_chains_is_that_of_the_pairs(steps: int, last: bool) -> None:
    model = LINEAR.replace(steps=steps, reduction="last" if last else "sum")
    assert paths(model.network, elide=True).pairs == len(list(enumerated(steps, last)))
    derivation = model.derivation(sections=["cost"])
    assert derivation["cost.pairs"].result == len(list(enumerated(steps, last)))
    assert derivation["cost.links"].result == sum(s - t for s, t in enumerated(steps, last))


def test_a_formula_is_only_given_where_it_reproduces_all_counts() -> None:
    cubes = {t: t**3 for t in range(1, 7)}
    assert polynomial({**cubes, 40: 40**3}) is not None
    assert polynomial({**cubes, 40: 40**3 + 1}) is None


def test_of_a_vector_state_the_products_of_all_entries_are_counted() -> None:
    assert [row.counts[0] for row in costs(RNN("linear", 3, 1, steps=10).network).rows] == [9 * n for n in (165, 45, 9)]
    joint = costs(RNN(LSTM, 2, 1, steps=5).network)
    assert (joint.size, joint.whole, joint.lengths) == (4, True, (5, 20, 40))
    symbolic = costs(RNN("tanh").network)
    assert not symbolic.whole
    assert symbolic.rows[0].counts[0] == 165


def test_a_long_network_is_counted_by_formula() -> None:
    found = costs(LINEAR.replace(steps=1000).network)
    assert found.later == 1000 and 1000 not in found.lengths
    assert [row.at(1000) for row in found.rows] == [(1000**3 - 1000) // 6, 1000 * 999 // 2, 999]
    assert all(max(lengths_for(steps, 1)) ** 3 / 6 <= 310_000 for steps in (1, 7, 40, 100, 10**6))


class Known:
    """Leaves that were given or computed, as arrays of numbers that count; no other operand has a meaning."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.values: dict[Any, Any] = {}

    def leaf(self, leaf: Any) -> Any:
        if leaf not in self.values:
            self.values[leaf] = np.array([Counted(1, self.tally)]).reshape((1,) * A.rank_of(leaf))
        return self.values[leaf]


def test_the_derived_lines_themselves_take_as_many_multiplications() -> None:
    """The recursion and the chains as they are derived for the linear network, evaluated in numbers that count."""
    network, tally = LINEAR.network, Tally()
    g, domain = generic(network), Known(tally)
    for t in range(10, 0, -1):
        line = g.fill_local(g.at_step("h", Integer(t)))
        domain.values[g.adjoint_of("h", Integer(t))] = A.evaluate(line, domain)
    assert tally.multiplications == 9
    tally = Tally()
    for s, t in enumerated(10, last=False):
        A.evaluate(chain(network, Integer(s), Integer(t), written=10).product, Known(tally))
    assert tally.multiplications == 165


# -- what is refused ----------------------------------------------------------------------------------


def test_a_listing_that_nobody_reads_is_refused_with_the_count_and_the_elided_form() -> None:
    model = LINEAR.replace(steps=1000)
    with pytest.raises(RefusedError, match=r"1000 chains .* 500500 .* elide=True"):
        model.paths(at=1)
    elided = model.paths(at=1, elide=True)
    assert [int(one.loss) for one in elided] == [1, 2, 999, 1000]
    assert (elided.left_out, elided.pairs, len(elided)) == (996, 500500, 4)
    assert len(model.paths(at=950)) == 51


def test_there_are_no_chains_where_there_are_no_jacobians() -> None:
    model = RNN(DELTA_RULE, sizes=own_sizes(DELTA_RULE), steps=3)
    with pytest.raises(RefusedError, match="a state is a matrix"):
        model.paths()
    with pytest.raises(RefusedError, match="nothing to print in 'methods', 'cost'"):
        model.derivation(sections=["methods", "cost"])


@pytest.mark.parametrize("at", [0, 5, True, "h", 1.5])
def test_a_step_outside_the_network_is_refused(at: Any) -> None:
    with pytest.raises(SizeError, match="a step from 1 to 4"):
        RNN("tanh", steps=4).paths(at=at)


def test_a_symbolic_number_of_steps_is_refused() -> None:
    with pytest.raises(SizeError, match="steps=10"):
        RNN("tanh").paths()


@pytest.mark.slow
def test_every_listing_is_proved() -> None:
    for name, model in two_methods().items():
        assert model.derivation().verify(), name
