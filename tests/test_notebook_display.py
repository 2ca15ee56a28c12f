"""What objects show in notebooks: Markdown with words, or one formula, and never anything that hides a better form."""

from __future__ import annotations

import inspect
import pickle
import re
from dataclasses import replace

import pytest
import sympy
from derivation_examples import COUPLED, FAST_WEIGHTS, relu_explosion, special_models

from symbptt import LSTM, RNN, Bidirectional, Derivation, Stack, load
from symbptt.api.shown import Report, shown_report
from symbptt.derive import steps
from symbptt.evaluate.report import Check
from symbptt.evaluate.report import Report as Checked
from symbptt.model import CATALOGUE
from symbptt.render.folding import LONG, to_folded_markdown
from symbptt.render.html import to_html


@pytest.fixture(scope="module")
def derivation() -> Derivation:
    return load("relu-explosion").derivation()


def formulas(text: str) -> list[str]:
    """The displayed formulas of a page; every ``$$`` stands on a line of its own, with blank lines around the pair."""
    found = re.findall(r"(?:\A|\n\n)\$\$\n(.*?)\n\$\$(?=\n\n|\n?\Z)", text, flags=re.S)
    assert text.count("$$") == 2 * len(found)
    return found


# -- derivations, sections, steps ---------------------------------------------------------------------
def test_a_long_derivation_folds_every_section(derivation):
    shown = derivation._repr_markdown_()
    titles = [derivation.document().blocks[0].words[0], *re.findall(r"<strong>(.*?)</strong>", shown)]
    words = [block.words[0] for block in derivation.document().blocks if getattr(block, "level", 3) < 3]
    assert titles == words
    assert shown.count("<details") == shown.count("</details>") == len(derivation.sections)
    assert re.findall(r"<details open>\n<summary><strong>(.*?)</strong>", shown) == ["Results"]


def test_there_are_blank_lines_around_what_is_folded(derivation):
    shown = derivation._repr_markdown_()
    assert re.search(r"</summary>(?!\n\n)|(?<!\n\n)</details>|(?<!\n\n)<details", shown) is None
    assert formulas(shown) == formulas(derivation.to_markdown())


def test_a_short_derivation_does_not_fold():
    short = load("relu-explosion").derivation(detail="results")
    assert len(short.document().blocks) <= LONG
    assert "<details" not in short._repr_markdown_()


def test_headings_stand_below_those_of_the_notebook(derivation):
    assert derivation._repr_markdown_().startswith("### Exploding gradients in a ReLU network\n")
    assert re.findall(r"^#{1,2} ", derivation._repr_markdown_(), flags=re.M) == []
    assert "##### Step $t = 3$" in derivation._repr_markdown_()


def test_markdown_for_files_folds_when_it_is_asked_to(derivation):
    assert "<details" not in derivation.to_markdown()
    folded = derivation.to_markdown(fold=True)
    assert folded.startswith("# Exploding") and folded.count("<details") == len(derivation.sections)
    assert folded == to_folded_markdown(derivation.document())


def test_nothing_outranks_the_markdown_of_a_derivation(derivation):
    """VS Code takes LaTeX before Markdown, and HTML comes first everywhere."""
    for shown in (derivation.steps[0], derivation.sections[0], derivation.verify(), relu_explosion()):
        names = {name for name, _ in inspect.getmembers(type(shown)) if name.startswith("_repr_")}
        assert names == {"_repr_markdown_"}
    assert derivation._repr_latex_() == derivation.to_latex()


@pytest.mark.docs
def test_a_derivation_sends_markdown_alone(derivation, require, monkeypatch):
    require("IPython")
    sent = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: sent.append((data, raw)))
    derivation._ipython_display_()
    assert sent == [({"text/markdown": derivation._repr_markdown_(), "text/plain": repr(derivation)}, True)]


def test_a_step_shows_its_reason_and_its_line(derivation):
    shown = derivation["backward.h.1"]._repr_markdown_()
    assert shown.startswith("By the chain rule, for $h_1$:\n\n$$\n")
    assert formulas(shown)[0].endswith(r"= 2.0 \cdot 26.0 = 52.0")


def test_a_step_is_shown_in_the_language_and_the_notation_of_its_derivation():
    other = load("relu-explosion").derivation(lang="zh", notation={"h": "s"})
    shown = other["backward.h.1"]._repr_markdown_()
    assert r"\partial s_1" in shown and "链式法则" in shown


def test_a_section_is_found_by_its_key_and_is_never_folded(derivation):
    section = derivation["results"]
    assert section is derivation.sections[-1]
    assert section._repr_markdown_().startswith("#### Results\n")
    long = load("truncation-regular").derivation()["truncation"]
    assert len(formulas(long._repr_markdown_())) > 8 and "<details" not in long._repr_markdown_()


@pytest.mark.slow
def test_every_step_of_every_kind_shows_itself():
    for name, model in special_models().items():
        made = model.derivation()
        for step in made.steps:
            assert step._repr_markdown_().strip(), (name, step.key)
            formulas(step._repr_markdown_())


def test_steps_are_the_data_that_they_are_made_from(derivation):
    raw = tuple(derivation.derived.worksheet.walk())
    assert derivation.steps == raw and raw == derivation.steps
    assert derivation.sections == derivation.derived.worksheet.sections
    assert set(derivation.steps) == set(raw)
    assert [repr(s) for s in derivation.steps] == [repr(s) for s in raw]
    assert all(isinstance(s, steps.Step) for s in derivation.steps)
    assert derivation.steps[0] != derivation.steps[1]
    assert replace(derivation.steps[0], key="other")._repr_markdown_() is None


def test_a_key_that_is_not_there_is_named_with_the_one_that_was_meant(derivation):
    with pytest.raises(ValueError, match=r"no step or section 'recursion\.g'; did you mean 'recursion\."):
        derivation["recursion.g"]


def test_the_repr_of_a_derivation_is_one_short_line(derivation):
    assert repr(derivation) == "<Derivation 'Exploding gradients in a ReLU network': 11 sections, 57 steps, en>"
    assert repr(load("power-iteration").stability("zh")).startswith("<StabilityDerivation '线性循环网络中的幂迭代': ")


def test_html_has_the_bound_steps_too(derivation):
    assert "52.0" in to_html(derivation.document())


# -- models, cells, unrolled networks, paths ----------------------------------------------------------
def test_a_model_shows_its_equations_and_its_shapes():
    shown = RNN("tanh", hidden=4, inputs=3, outputs=2, readout="softmax", loss="cross_entropy")._repr_markdown_()
    (equations,) = formulas(shown)
    assert equations.count("\\\\") == 5 and r"z_t &= W_h h_{t-1} + W_x x_t + b_h" in equations
    assert "| $W_y$ | $2 \\times 4$ | weight matrix |" in shown
    assert "Numbers" not in shown


def test_a_model_with_numbers_says_what_is_given():
    shown = load("relu-explosion").show("zh").markdown
    assert "**ReLU 循环网络中的梯度爆炸**" in shown
    assert "已给定数值： $W_h$、 $W_x$、 $b$、 $x_t$、 $y$ 和 $h_0$。" in shown
    assert str(load("relu-explosion").show("zh")) == shown


@pytest.mark.slow
def test_every_special_model_shows_itself_in_both_languages():
    for model in special_models().values():
        for lang in ("en", "zh"):
            assert formulas(model.show(lang).markdown)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_cell_shows_its_equations(name):
    cell = RNN(name).network.cell
    shown = cell._repr_latex_()
    assert shown.startswith("$\\displaystyle ") and shown.endswith("$") and shown.count("$") == 2
    assert len(re.split(r"\\\\\n", shown)) == len(cell.equations)


def test_cells_of_several_states_show_themselves():
    for cell in (FAST_WEIGHTS, COUPLED, Stack([LSTM(), LSTM()]), Bidirectional(LSTM())):
        assert len(re.split(r"\\\\\n", cell._repr_latex_())) == len(cell.equations)


def test_an_unrolled_network_is_shown_in_the_notation_of_its_model():
    model = load("relu-explosion")
    assert model.unroll()._repr_latex_().endswith("L &= \\frac{1}{2} (y - h_3)^2\n\\end{aligned}$")
    assert model.unroll().substitute({})._repr_latex_() == model.unroll()._repr_latex_()


def test_of_many_equations_the_first_and_the_last_are_shown():
    shown = RNN("linear", 1, 1, steps=100).unroll()._repr_latex_()
    assert shown.count("\\\\\n") == 60 and shown.count("\\vdots") == 1
    assert "h_1 &=" in shown and "h_{100} &=" in shown and "h_{50} &=" not in shown


def test_paths_show_each_chain_and_their_sum():
    shown = RNN("linear", 1, 1, steps=3).paths()._repr_latex_()
    rows = shown.split("\\\\\n")
    assert len(rows) == 4 and rows[3].startswith("\\frac{\\partial L}{\\partial h_1} &=")
    assert "\\vdots" in RNN("linear", 1, 1, steps=9).paths(elide=True)._repr_latex_()
    assert load("relu-explosion").paths()._repr_latex_().count("\\partial L}{\\partial h_1}") == 1


# -- SymPy --------------------------------------------------------------------------------------------
def test_a_gradient_is_shown_as_sympy_shows_its_own_in_the_order_of_its_factors():
    model = load("relu-explosion")
    inside = r"W_h \thinspace \mathrm{ReLU}'(z_2) \frac{\partial L}{\partial h_2}"
    gradient = model.gradient("h", at=1)
    assert gradient._repr_latex_() == f"$\\displaystyle {inside}$"
    assert sympy.sqrt(gradient)._repr_latex_() == f"$\\displaystyle \\sqrt{{{inside}}}$"
    assert (sympy.Symbol("a") * 2 + gradient)._repr_latex_() == f"$\\displaystyle 2 a + {inside}$"
    assert inside in sympy.Matrix([gradient])._repr_latex_()
    assert inside in sympy.Eq(sympy.Symbol("q"), gradient)._repr_latex_()


def test_a_sum_with_a_matrix_of_sympy_shows_both():
    model = RNN("tanh")
    n = model.symbols["n"]
    shown = (model.gradient("W_h") + sympy.MatrixSymbol("A", n, n))._repr_latex_()
    assert shown.startswith(r"$\displaystyle \sum_{t=1}^{T}") and shown.endswith("+ A$")


# -- reports ------------------------------------------------------------------------------------------
FAILED = Check("recursion.h", "equality", False, "line 2 | `x` differs")


@pytest.mark.slow
def test_a_report_without_failures_is_one_line(derivation):
    counts = "definition 3, equality 16, convention 1, given 1, worked 34, observation 1"
    assert derivation.verify()._repr_markdown_() == f"✓ **All 56 checks hold**: {counts}."
    whole = load("relu-explosion").verify(lang="zh")
    assert whole._repr_markdown_().startswith("✓ **") and "生成的函数" in whole._repr_markdown_()


def test_a_report_shows_what_failed_and_where():
    report = shown_report(Checked((FAILED, Check("model.z", "definition", True))), "en")
    lines = report._repr_markdown_().splitlines()
    assert lines[0] == "✗ **1 of 2 checks failed.**"
    assert lines[4] == "| `recursion.h` | equality | `line 2 ∣ 'x' differs` |"
    assert lines[-1] == "Checked: equality 1, definition 1."


def test_a_report_of_many_failures_says_how_many_are_left_out():
    report = shown_report(Checked((FAILED,) * 25), "zh")
    assert report._repr_markdown_().count("`recursion.h`") == 20 and "另有 5 项" in report._repr_markdown_()


def test_a_report_keeps_its_language_and_is_equal_to_the_plain_one():
    plain = Checked((FAILED,))
    report = shown_report(plain, "zh")
    assert report == plain and plain == report and hash(report) == hash(plain) and repr(report) == repr(plain)
    assert isinstance(report + plain, Report) and (report + plain).lang == "zh"
    assert load("relu-explosion").derivation("zh").verify().lang == "zh"
    assert pickle.loads(pickle.dumps(report)).lang == "zh"


# -- plots --------------------------------------------------------------------------------------------
def test_a_plot_shows_itself_whatever_the_backend(require):
    require("matplotlib")
    first, second = (load("power-iteration").stability("zh").plot("norms")._repr_png_() for _ in range(2))
    assert first.startswith(b"\x89PNG") and first == second
