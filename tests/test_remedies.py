"""Remedies: clipping, initialisation, and before and after; every line is tried, and a wrong one is refuted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from symbptt import RNN, load
from symbptt import algebra as A
from symbptt.algebra.leaves import Literal
from symbptt.derive.remedies import Remedies
from symbptt.derive.remedies.clipping import clip
from symbptt.derive.steps import IDENTITY, Line, Step
from symbptt.errors import UnknownNameError, ValueInputError
from symbptt.evaluate.free import check_free
from symbptt.evaluate.report import verify_derivation
from symbptt.model.schemes import SCHEMES, initial_matrix

n, m = A.size("n"), A.size("m")
W, u, v = A.Parameter("W", n, m), A.Parameter("u", m, 1), A.Parameter("v", n, 1)
sigma, c = A.scalar_parameter("sigma"), A.scalar_parameter("c")


def table(name: str, section: str, key: str) -> list[list[Any]]:
    step = load(name).derivation(sections=[section])[key]
    return [[float(cell.value) if isinstance(cell, Literal) else cell for cell in row] for row in step_rows(step)]


def step_rows(step: Step) -> Any:
    return dict(step.facts)["rows"]


# -- clipping -------------------------------------------------------------------------------------------


def test_clipping_by_norm_keeps_the_direction_and_by_value_does_not():
    gradient = np.array([130.0, 91.0, 91.0])
    by_norm, by_value = clip("norm", gradient, 5.0), clip("value", gradient, 5.0)
    np.testing.assert_allclose(by_norm / np.linalg.norm(by_norm), gradient / np.linalg.norm(gradient))
    assert np.linalg.norm(by_norm) == pytest.approx(5)
    assert abs(by_value @ gradient) < np.linalg.norm(by_value) * np.linalg.norm(gradient) * 0.99
    assert clip("norm", gradient, 500.0) is not None and (clip("norm", gradient, 500.0) == gradient).all()


def test_the_example_shows_the_gradient_of_the_notes_and_what_clipping_does_to_a_step():
    rows = table("clipping", "clipping", "clipping.table")
    norms, cosines, losses = zip(*(row[1:] for row in rows), strict=True)
    assert norms[0] == pytest.approx(np.sqrt(130**2 + 91**2 + 91**2), rel=1e-3)
    assert norms[1] == 5 and norms[2] == pytest.approx(np.sqrt(75), rel=1e-3)
    assert cosines[:2] == (1, 1) and cosines[2] < 0.99
    assert losses[0] > 84.5 > max(losses[1:])


# -- identities over any numbers ------------------------------------------------------------------------


def claim(left: Any, right: Any, *facts: tuple[str, Any], sign: str = "=") -> tuple[bool, str]:
    return check_free(Step("a", "a", IDENTITY, left, (Line(sign, right),), facts), seed=0)


def test_the_expected_squared_norm_counts_rows_forward_and_columns_backward():
    random = (("free", (W, u, v, sigma)), ("laws", ((W, sigma),)))
    variance = A.power(sigma, 2)
    forward, backward = (A.expectation(A.squared_norm(A.matmul(*f))) for f in ((W, u), (W.T, v)))
    assert claim(forward, A.product(n, variance, A.squared_norm(u)), *random)[0]
    assert claim(backward, A.product(m, variance, A.squared_norm(v)), *random)[0]
    assert not claim(forward, A.product(m, variance, A.squared_norm(u)), *random)[0]
    assert not claim(backward, A.product(m, sigma, A.squared_norm(v)), *random)[0]


def test_a_relu_passes_half_of_the_expected_square():
    random = (("free", (W, u, sigma)), ("laws", ((W, sigma),)))
    passed = A.expectation(A.squared_norm(A.apply("relu", A.matmul(W, u))))
    whole = A.product(n, A.power(sigma, 2), A.squared_norm(u))
    assert claim(passed, A.divide(whole, 2), *random)[0] and not claim(passed, whole, *random)[0]


def test_what_holds_only_under_an_assumption_is_tried_only_there():
    g = A.Parameter("g", n, 1)
    scaled = A.Norm(A.product(A.divide(c, A.Norm(g)), g))
    assert claim(A.Norm(A.Clipped(g, c)), A.Norm(g), ("free", (g, c)), sign="≤")[0]
    assert not claim(A.Norm(A.Clipped(g, c)), A.Norm(g), ("free", (g, c)))[0]
    assert claim(A.Norm(A.Clipped(g, c)), A.Norm(g), ("free", (g, c)), ("assume", (A.Norm(g), "<", c)))[0]
    assert claim(scaled, c, ("free", (g, c)))[0]
    assert not claim(scaled, c, ("free", (g, c)), ("assume", (c, "<", A.product(-1, c))))[0]  # never tried


# -- the schemes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [name for name, deviation in SCHEMES.items() if deviation])
def test_a_scheme_has_the_standard_deviation_that_it_says(scheme):
    drawn = initial_matrix(scheme, 200, 300, seed=3)
    assert drawn.std() == pytest.approx(SCHEMES[scheme](200, 300), rel=0.01)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_an_orthogonal_matrix_keeps_norms(shape):
    q = initial_matrix("orthogonal", *shape)
    gram = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-12)


# -- verification and settings --------------------------------------------------------------------------


REST = ("initialisation", "gates", "residual")


@pytest.mark.parametrize("name", ["clipping", *(pytest.param(n, marks=pytest.mark.slow) for n in REST)])
def test_a_wrong_number_in_a_table_is_refuted(name):
    section = {"gates": "comparison", "residual": "comparison"}.get(name, name)
    derived = load(name).derivation(sections=[section]).derived
    (part,) = derived.worksheet.sections
    step = next(s for s in part.steps if s.kind == "table")
    rows = [list(row) for row in step_rows(step)]
    rows[0][-1] = Literal(f"{1.1 * float(rows[0][-1].value):.4g}")
    facts = {**dict(step.facts), "rows": tuple(map(tuple, rows))}
    wrong = replace(step, facts=tuple(facts.items()))
    steps = tuple(wrong if s is step else s for s in part.steps)
    broken = replace(derived, worksheet=replace(derived.worksheet, sections=(replace(part, steps=steps),)))
    assert verify_derivation(derived).ok
    assert [check.key for check in verify_derivation(broken).failures] == [step.key]


def test_what_is_compared_with_is_the_model_with_the_changes_undone():
    shown = table("residual", "comparison", "comparison.ratio")[0]
    plain, residual = (RNN(cell, **same()).lambdify() for cell in ("tanh", "residual"))
    arguments = {"W_h": 0.5, "W_x": 1.0}, [1.0, 0.5, -1.0], 0.5
    for bptt, ratio in zip((plain, residual), shown, strict=True):
        adjoints = bptt(*arguments).adjoints["h"]
        assert abs(adjoints[0] / adjoints[-1]) == pytest.approx(ratio, rel=1e-3)


@pytest.mark.parametrize(
    "name, changed",
    [("gates", ["[-1.0; -1.0; -1.0; -1.0]", "[3.0; 3.0; 3.0; 3.0]"]), ("residual", ["tanh(zₜ)", "hₜ₋₁ + tanh(zₜ)"])],
)
def test_a_comparison_says_what_was_changed(name, changed):
    text = load(name).derivation(sections=["comparison"], lang="en").to_text()
    (remark,) = re.findall(r"Before the change, .*?\.\n\n", text, re.DOTALL)
    assert all(side in " ".join(remark.replace("\u2212", "-").split()) for side in changed)


def same() -> dict[str, Any]:
    loss = load("residual").network.loss
    return {"hidden": 1, "inputs": 1, "steps": 3, "loss": loss, "reduction": "last", "bias": False}


@pytest.mark.parametrize("name, value", [("clip", 0.0), ("clip", -1.0), ("rate", 0.0)])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(ValueInputError, match=f"{name} must be greater than 0"):
        Remedies(**{name: value})


def test_an_unknown_setting_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'clip'"):
        RNN("tanh", remedies={"clipp": 1.0})
