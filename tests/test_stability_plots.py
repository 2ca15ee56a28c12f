"""Plots of stability: written, with content, in both languages; and what is refused."""

from __future__ import annotations

import itertools
import sys

import pytest
from derivation_examples import linear_network, stability_models

from symbptt import load
from symbptt.errors import MissingToolError, OutputError, RefusedError, UnknownNameError
from symbptt.render.plots import KINDS

MODEL = linear_network([[2, 1], [0, 1]], [1, 0], steps=6)


@pytest.fixture(autouse=True)
def matplotlib(require):
    return require("matplotlib")


@pytest.mark.parametrize("kind", KINDS)
def test_a_plot_has_labels_and_data(kind, tmp_path):
    figure = MODEL.stability().plot(kind, tmp_path / "plot.svg")
    axes = figure.axes[0]
    assert axes.get_title() and axes.get_xlabel() and axes.get_ylabel()
    assert axes.lines or axes.images
    text = (tmp_path / "plot.svg").read_text("utf-8")
    assert text.startswith("<?xml") and len(text) > 5000


def test_the_numbers_in_the_plots_are_the_data():
    derivation = MODEL.stability()
    norm, product, bound = derivation.plot("norms").axes[0].lines
    assert (product.get_ydata() <= bound.get_ydata() * (1 + 1e-12)).all()
    assert list(norm.get_ydata()) == list(derivation.data.gradient_norms)
    assert (bound.get_ydata() >= norm.get_ydata() * (1 - 1e-12)).all()
    angles = derivation.plot("power").axes[0].lines[0].get_ydata()
    assert angles[0] == pytest.approx(45) and angles[-1] < 1
    points = derivation.plot("spectrum").axes[0].lines[1]
    assert sorted(points.get_xdata()) == [1, 2]
    image = derivation.plot("heatmap").axes[0].images[0].get_array()
    assert image[6, 0] == derivation.data.norms[6, 0] and image.mask[0, 6]


def test_the_same_plot_has_the_same_bytes(tmp_path):
    for name in ("a.svg", "b.svg"):
        MODEL.stability("zh").plot("all", tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def lightness_of(colour):
    red, green, blue = colour[:3]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_plots_can_be_read_in_grey(matplotlib):
    """Lines differ in more than their colour, and the lightness of the map only grows."""
    from symbptt.render.plotting import COLOURS

    for name in ("norms", "power", "spectrum"):
        lines = [e for e in MODEL.stability().plot(name).axes[0].lines if not e.get_label().startswith("_")]
        looks = [(line.get_linestyle(), line.get_marker(), line.get_markersize()) for line in lines]
        assert len(looks) == len(set(looks)) > 1, name
    shades = [lightness_of(matplotlib.colormaps[COLOURS](k / 63)) for k in range(64)]
    assert all(a < b for a, b in itertools.pairwise(shades))


def test_text_in_svg_needs_no_font_and_no_date(tmp_path):
    MODEL.stability("zh").plot("all", tmp_path / "plot.svg")
    text = (tmp_path / "plot.svg").read_text("utf-8")
    assert "<text" not in text and "dc:date" not in text


def test_labels_follow_the_notation():
    figure = MODEL.stability(notation={"h": "s"}).plot("norms")
    assert r"\partial s_t" in figure.axes[0].get_legend().get_texts()[0].get_text()


def test_without_a_chinese_font_the_labels_are_english_and_that_is_said(monkeypatch):
    import symbptt.render.plotting

    monkeypatch.setattr(symbptt.render.plotting, "CJK_FONTS", ("no such font",))
    with pytest.warns(UserWarning, match="no font with Chinese characters"):
        figure = MODEL.stability("zh").plot("norms")
    assert figure.axes[0].get_xlabel() == "step $t$"


def test_a_plot_leaves_the_settings_of_matplotlib_alone(matplotlib):
    before = dict(matplotlib.rcParams)
    MODEL.stability().plot("all")
    assert dict(matplotlib.rcParams) == before


def test_what_cannot_be_drawn_is_refused(tmp_path):
    derivation = MODEL.stability()
    with pytest.raises(UnknownNameError, match="did you mean 'norms'"):
        derivation.plot("norm")
    with pytest.raises(OutputError, match=r"\.svg, \.png, \.pdf"):
        derivation.plot("norms", tmp_path / "plot.txt")
    with pytest.raises(RefusedError, match="no single dominant eigenvector"):
        stability_models()["stability, turning"].stability().plot("power")
    assert len(stability_models()["stability, turning"].stability().plot("all").axes) == 4  # three plots, a colour bar
    assert len(load("sigmoid-vanishing").stability().plot("all").axes) == 4


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingToolError, match=r'pip install "symbptt\[plot\]"'):
        MODEL.stability().plot()
