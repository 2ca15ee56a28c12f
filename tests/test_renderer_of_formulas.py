"""Formulas that a page writes itself: docutils converts them, and an index under an accented letter is put right."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.docs


def written(tex: str) -> str:
    from docutils import nodes

    from symbptt.sphinxext import renderer

    return re.sub(r">\s+<", "><", renderer.mathml(nodes.math(tex, tex)))


HAT = '<mover accent="true"><mi>y</mi><mo stretchy="false">ˆ</mo></mover>'


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\hat{y}_t", f"<msub>{HAT}<mi>t</mi></msub>"),
        (r"\hat{y}_t^\top", f"<msubsup>{HAT}<mi>t</mi><mi>⊤</mi></msubsup>"),
        (r"\frac{1}{\hat{y}_t}", f"<mfrac><mn>1</mn><msub>{HAT}<mi>t</mi></msub></mfrac>"),
    ],
)
def test_an_index_stands_beside_a_letter_with_an_accent(tex: str, expected: str) -> None:
    assert expected in written(tex)
    assert "munderover" not in written(tex)


def test_limits_stay_where_they_belong() -> None:
    assert "<munderover>" in written(r"\sum_{t=1}^{T} \hat{y}_t")
    assert f"<msub>{HAT}<mi>t</mi></msub>" in written(r"\sum_{t=1}^{T} \hat{y}_t")


def test_what_only_html_has_a_name_for() -> None:
    assert "<msub>" in written(r"a\;b \quad \hat{y}_t \, \text{ for } x")
