"""Corrupted formulas are caught, and their mistakes named."""

from __future__ import annotations

import mutations
import pytest

from symbptt.reading.check import check_note
from symbptt.reading.extract import note_of

NOTE = r"""All vectors are columns; $W$, $U$ and $V$ are weight matrices.

$$a_t = W h_{t-1} + U x_t + b$$
$$h_t = \tanh(a_t)$$
$$o_t = V h_t$$
$$L = \sum_{t=1}^{T} \frac{1}{2} \|o_t - y_t\|^2$$

Let $\delta_t = \frac{\partial L}{\partial a_t}$ and $e_t = o_t - y_t$; then
$\delta_T = (V^\top e_T) \odot (1 - h_T^2)$. Let $J_t = \frac{\partial h_t}{\partial h_{t-1}}$, so that
$\frac{\partial h_t}{\partial h_{t-3}} = J_t J_{t-1} J_{t-2}$.

$$CLAIM$$
"""
D = r"\frac{\partial %s}{\partial %s}"
MISTAKES = [
    ("scalar-formula", D % ("h_t", "h_{t-1}") + r" = (1 - h_t^2) W",
     D % ("h_t", "h_{t-1}") + r" = \operatorname{diag}(1 - h_t^2) W"),
    ("transposed", D % ("L", "h_t") + r" = V^\top e_t + W \delta_{t+1}",
     D % ("L", "h_t") + r" = V^\top e_t + W^\top \delta_{t+1}"),
    ("missing-term", D % ("L", "h_t") + r" = W^\top \delta_{t+1}",
     D % ("L", "h_t") + r" = W^\top \delta_{t+1} + V^\top \frac{\partial L}{\partial o_t}"),
    ("missing-derivative", r"\delta_t = V^\top e_t + W^\top \delta_{t+1}",
     r"\delta_t = \left(V^\top e_t + W^\top \delta_{t+1}\right) \odot (1 - h_t^2)"),
    ("misplaced-derivative", r"\delta_T = (V^\top e_T) \odot (1 - h_{T-1}^2)",
     r"\delta_T = (V^\top e_T) \odot (1 - h_{T}^2)"),
    ("index-shift", D % ("L", "W") + r" = \sum_{t=1}^{T} \delta_t h_t^\top",
     D % ("L", "W") + r" = \sum_{t=1}^{T} \delta_t h_{t-1}^\top"),
    ("lost-sum", D % ("L", "U") + r" = \delta_T x_T^\top", D % ("L", "U") + r" = \sum_{t=1}^{T} \delta_{t} x_{t}^\top"),
    ("sign", D % ("L", "o_t") + r" = y_t - o_t", D % ("L", "o_t") + r" = o_t - y_t"),
    ("misplaced-derivative", D % ("h_t", "h_{t-1}") + r" = W \operatorname{diag}(1 - h_t^2)",
     D % ("h_t", "h_{t-1}") + r" = \operatorname{diag}(1 - h_t^2) W"),
    ("reversed-product",
     r"J_3 J_4 = \frac{\partial h_4}{\partial h_2}", r"J_4 J_3 = \frac{\partial h_4}{\partial h_2}"),
    ("inverted-factor", D % ("h_3", "h_1") + " = " + D % ("h_3", "h_2") + " " + D % ("h_1", "h_2"),
     D % ("h_3", "h_1") + " = " + D % ("h_3", "h_2") + " " + D % ("h_2", "h_1")),
]  # fmt: skip
"""Cause, a formula with that mistake, the right one."""

NUMBERS = r"""One unit: $h_t = w h_{t-1} + u x_t$, $L = \frac{1}{2} h_2^2$, with the numbers $w = 0.5$, $u = 2.0$,
$h_0 = 0$, $x_1 = 1.0$, $x_2 = 3.0$.

$$CLAIM$$
"""


def _last(text: str, file: str = "note.md"):
    return check_note(note_of(text, file)).claims[-1]


@pytest.mark.parametrize(("cause", "wrong", "right"), MISTAKES, ids=[f"{m[0]}-{i}" for i, m in enumerate(MISTAKES)])
def test_a_mistake_is_named_and_mended(cause: str, wrong: str, right: str) -> None:
    claim = _last(NOTE.replace("CLAIM", wrong))
    assert claim.verdict == "refuted"
    assert (claim.cause, "".join((claim.right or "").split())) == (cause, "".join(right.split()))
    assert _last(NOTE.replace("CLAIM", claim.right or "")).verdict == "holds"


def test_a_right_formula_has_no_cause() -> None:
    claim = _last(NOTE.replace("CLAIM", MISTAKES[1][2]))
    assert (claim.verdict, claim.cause, claim.right, claim.consequence_of) == ("holds", None, None, None)


@pytest.mark.parametrize(
    ("cause", "wrong", "right"),
    [
        ("arithmetic", r"h_1 = w h_0 + u x_1 = 3.0", r"h_1 = w h_0 + u x_1 = 2.0"),
        ("sign", r"h_1 = -2.0", r"h_1 = 2.0"),
        ("rounding", r"0.9^{50} \approx 0.00518", r"0.9^{50} \approx 0.00515"),
    ],
)
def test_a_wrong_figure_is_replaced(cause: str, wrong: str, right: str) -> None:
    claim = _last(NUMBERS.replace("CLAIM", wrong))
    assert (claim.verdict, claim.cause, claim.right) == ("refuted", cause, right)


def test_a_consequence_names_the_line_of_the_mistake() -> None:
    text = NUMBERS.replace("CLAIM", r"h_1 = w h_0 + u x_1 = 3.0$$" + "\n\n" + r"$$h_2 = w h_1 + u x_2 = 7.5")
    first, second = check_note(note_of(text, "note.md")).claims[-2:]
    assert (first.verdict, first.consequence_of) == ("refuted", None)
    assert (second.verdict, second.consequence_of) == ("refuted", first.line)


@pytest.mark.slow
def test_nearly_all_corruptions_are_caught() -> None:
    found = mutations.run([mutations.Source(note) for note in mutations.notes()])
    print("\n" + mutations.table(found))
    all_of = mutations.total(found)
    assert all_of.tried > 200
    assert all_of.caught >= 0.95 * all_of.tried
    assert all_of.named >= 0.85 * all_of.refuted
    assert all_of.right >= 0.9 * all_of.refuted
