"""The Sphinx extension: the same derivation from both markups, verified, cached, the same bytes, in every builder."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.docs

CONF = """
project = "other"
extensions = ["myst_parser", "symbptt.sphinxext"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
html_theme = "basic"
html_copy_source = False
"""
RST = """
Page
====

.. symbptt:: {source}
{options}
"""
MYST = """
# Page

```{{symbptt}} {source}
{options}
```
"""


class Project:
    """A Sphinx project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"

    def build(self, pages: dict[str, str], conf: str = "", builder: str = "html", *arguments: str) -> int:
        """Write pages and build them with warnings as errors; return the exit code."""
        from sphinx.cmd.build import build_main

        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "conf.py").write_text(CONF + conf, encoding="utf-8")
        for name, text in pages.items():
            (source / name).write_text(text, encoding="utf-8")
        doctrees = self.folder / "doctrees"
        given = ["-W", "--keep-going", "-q", "-b", builder, "-d", str(doctrees), *arguments]
        return build_main([*given, str(source), str(self.out)])

    def page(self, name: str = "index", suffix: str = "html") -> str:
        return (self.out / f"{name}.{suffix}").read_text(encoding="utf-8")


@pytest.fixture
def project(require: Callable[[str], Any], tmp_path: Path) -> Project:
    require("sphinx"), require("myst_nb")
    return Project(tmp_path)


def rst(source: str = "", options: str = "") -> str:
    return RST.format(source=source, options="\n".join(f"   {line}" for line in options.splitlines()))


def myst(source: str = "", options: str = "") -> str:
    return MYST.format(source=source, options=options)


# -- what it writes ----------------------------------------------------------------------------------------------
def test_both_markups_write_the_same(project: Project) -> None:
    options = ":detail: brief\n:lang: zh"
    pages = {"index.rst": rst("gru", options) + "\n.. toctree::\n\n   other", "other.md": myst("gru", options)}
    assert project.build(pages) == 0
    one, two = (re.findall(r'<div class="symbptt">.*</figure>', project.page(n), re.S) for n in ("index", "other"))
    assert one == two and one[0].count("<figure") > 4 and "展开或收起" in one[0]


def test_every_option_of_a_derivation_counts(project: Project) -> None:
    plain = ":detail: full"
    changed = [
        ":lang: zh", ":sections: recursion, parameters", ":detail: results", ":notation: d2l", ":symbolic:",
        ":values: W_h=0.5; b_h=1", ":truncate: window:2", ":digits: 6\n:values: W_h=1/3", ":fold: sections",
        ":headings:",
        ":numbered:", ":stability:", ":steps: 2", ":layout: rows\n:symbolic:",
    ]  # fmt: skip
    pages = {f"p{i}.rst": rst("relu-explosion", options) for i, options in enumerate([plain, *changed])}
    names = "\n   ".join(f"p{i}" for i in range(len(pages)))
    assert project.build({"index.rst": f"Index\n=====\n\n.. toctree::\n\n   {names}\n", **pages}) == 0
    written = [re.sub(r"p\d+", "", project.page(name.removesuffix(".rst")).split("<h1>")[1]) for name in pages]
    assert len(set(written)) == len(written)


def test_the_lines_are_marked_and_can_be_copied(project: Project) -> None:
    assert project.build({"index.rst": rst("relu-explosion")}) == 0
    page = project.page()
    assert page.count('class="verified"') > 20 and 'class="refuted"' not in page
    assert page.count("data-copy") >= 2 * page.count("<figure") > 60
    assert "symbptt.css" in page and (project.out / "_static" / "symbptt.js").exists()


def test_a_model_file_beside_the_page_and_toml_in_the_page(project: Project) -> None:
    toml = 'cell = "gru"\nhidden = 2\n'
    (project.folder / "source").mkdir()
    (project.folder / "source" / "own.toml").write_text(toml, encoding="utf-8")
    inside = "Page\n====\n\n.. symbptt::\n   :detail: results\n\n   " + toml.replace("\n", "\n   ")
    pages = {"index.rst": inside + "\n\n.. toctree::\n\n   file\n", "file.rst": rst("own.toml", ":detail: results")}
    assert project.build(pages) == 0
    one, two = (re.findall(r"data-tex=.*", project.page(name)) for name in ("index", "file"))
    assert one == two != []


def test_a_page_is_made_again_when_its_model_file_changes(project: Project) -> None:
    (project.folder / "source").mkdir()
    own = project.folder / "source" / "own.toml"
    own.write_text('cell = "tanh"\n', encoding="utf-8")
    pages = {"index.rst": rst("own.toml", ":detail: results")}
    assert project.build(pages) == 0 and "sigmoid" not in project.page()
    own.write_text('cell = "gru"\n', encoding="utf-8")
    assert project.build(pages) == 0 and "W_{hz}" in project.page()


def test_steps_are_numbered_and_can_be_referred_to(project: Project) -> None:
    text = rst("relu-explosion", ":numbered:\n:name: relu") + "\n\nSee :eq:`relu:parameter.W_h`.\n"
    assert project.build({"index.rst": text}) == 0
    page = project.page()
    numbers = re.findall(r'<span class="eqno">\((\d+)\)', page)
    assert numbers == [str(i) for i in range(1, len(numbers) + 1)] and len(numbers) > 20
    link = re.search(r'<a class="reference internal" href="#(equation-[\w-]+)">\((\d+)\)</a>', page)
    assert link is not None and f'id="{link[1]}"' in page
    assert project.build({"index.rst": text}, "", "latex") == 0
    tex = project.page("other", "tex")
    assert "\\label{equation:index:relu:parameter.W_h}" in tex and "\\eqref{equation:index:relu:parameter.W_h}" in tex


def test_sections_can_be_sections_of_the_page(project: Project) -> None:
    text = rst("gru", ":headings:\n:detail: brief") + "\n.. contents::\n"
    assert project.build({"index.rst": text}) == 0
    assert re.search(r'<section id="gru-recursion">\s*<h2>', project.page())


def test_what_is_folded(project: Project) -> None:
    pages = {"index.rst": rst("relu-explosion", ":fold: steps")}
    assert project.build(pages) == 0
    folds = re.findall(r"<details([^>]*)>", project.page())
    assert all(("open" in fold) == ("level-2" in fold) for fold in folds) and any("level-3" in fold for fold in folds)


# -- gradients, code, pictures -----------------------------------------------------------------------------------
def test_a_gradient_between_words(project: Project) -> None:
    text = (
        "Page\n====\n\nOne :symbptt-gradient:`tanh W_h` and :symbptt-gradient:`tanh h form=closed` and"
        " :symbptt-gradient:`relu-explosion h at=1 form=unrolled`.\n"
    )
    assert project.build({"index.rst": text}, "html_math_renderer = 'mathjax'\n") == 0
    page = project.page()
    assert r"\frac{\partial L}{\partial W_h} = \sum_{t=1}^{T}" in page
    assert r"\cdots" in page and r"\frac{\partial L}{\partial h_1}" in page


@pytest.mark.parametrize("text", ["tanh", "tanh W_hh", "tanh W_h form=shut", "tanh h at=x=1 colour=red", "nothing W_h"])
def test_a_gradient_that_there_is_not_is_an_error(project: Project, text: str, capsys: Any) -> None:
    assert project.build({"index.rst": f"Page\n====\n\n:symbptt-gradient:`{text}`\n"}) != 0
    assert re.search(r"index\.rst:\d+: ERROR: symbptt: ", capsys.readouterr().err)


def test_the_generated_code_is_that_of_the_function(project: Project) -> None:
    from symbptt import RNN

    text = "Page\n====\n\n.. symbptt-code:: tanh\n   :truncate: 3\n"
    assert project.build({"index.rst": text}, "", "text") == 0
    source = RNN("tanh").lambdify(truncate=3).source
    shown = project.page("index", "txt")
    assert all(line.strip() in shown for line in source.splitlines())


def test_pictures(project: Project) -> None:
    text = "Page\n====\n\n.. symbptt-graph:: lstm\n\n.. symbptt-plot:: power-iteration\n   :kind: spectrum\n"
    assert project.build({"index.rst": text}) == 0
    page = project.page()
    assert "<svg" in page
    (name,) = re.findall(r'<img src="(_images/symbptt-\w+\.svg)" alt="Eigenvalues and the unit circle"', page)
    assert (project.out / name).read_text(encoding="utf-8").startswith("<?xml")
    assert project.build({"index.rst": text}, "", "latex") == 0
    tex = project.page("other", "tex")
    (pdf,) = re.findall(r"\\sphinxincludegraphics\{\{(symbptt-\w+)\}\.pdf\}", tex)
    assert (project.out / f"{pdf}.pdf").read_bytes().startswith(b"%PDF") and "\\begin{tikzpicture}" in tex


# -- errors ------------------------------------------------------------------------------------------------------
FAULTS = {
    "did you mean 'gru'?": ("gruu", ""),
    "unknown language 'fr'": ("gru", ":lang: fr"),
    "did you mean 'results'?": ("gru", ":detail: result"),
    "unknown fold 'most'": ("gru", ":fold: most"),
    "the model has no such name": ("gru", ":values: W_zz=1"),
    "write NAME=VALUE": ("gru", ":values: 3"),
    "takes an example, a cell or a model file, or TOML": ("", ""),
    "cannot be read": ("missing.toml", ""),
}


@pytest.mark.parametrize("message", FAULTS)
def test_bad_input_is_one_line_with_its_place(project: Project, message: str, capsys: Any) -> None:
    assert project.build({"index.rst": rst(*FAULTS[message])}) != 0
    errors = capsys.readouterr().err
    assert message in errors and re.search(r"index\.rst:5: ERROR", errors) and "Traceback" not in errors


def test_a_line_that_fails_its_verification_stops_the_build(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from dataclasses import replace

    from symbptt.evaluate.report import Report

    right = Report.failures.fget
    monkeypatch.setattr(
        Report, "failures", property(lambda self: (replace(self.checks[3], ok=False, detail="0 and 1"),))
    )
    assert project.build({"index.rst": rst("gru", ":detail: results")}) != 0
    assert re.search(r"index\.rst:\d+: symbptt: gru: failed verification: step \S+: 0 and 1", capsys.readouterr().err)
    monkeypatch.setattr(Report, "failures", property(right))
    assert project.build({"index.rst": rst("gru", ":detail: results")}) == 0


# -- builds ------------------------------------------------------------------------------------------------------
def test_what_was_made_once_is_not_made_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from symbptt.sphinxext.request import Request

    pages = {"index.rst": rst("gru", ":detail: brief")}
    assert project.build(pages) == 0
    first = project.page()
    monkeypatch.setattr(Request, "derivation", lambda self: pytest.fail("derived again"))
    assert project.build(pages, "", "html", "-E", "-a") == 0
    assert project.page() == first


def test_a_parallel_build_writes_the_same_bytes(project: Project, tmp_path: Path) -> None:
    pages = {
        f"p{i}.rst": rst(name, ":detail: brief") for i, name in enumerate(["gru", "lstm", "tanh", "relu", "mgu", "gru"])
    }
    names = "\n   ".join(name.removesuffix(".rst") for name in pages)
    pages["index.rst"] = f"Index\n=====\n\n.. toctree::\n\n   {names}\n"
    assert project.build(pages) == 0
    other = Project(tmp_path / "other")
    other.folder.mkdir()
    assert other.build(pages, "", "html", "-j", "2") == 0
    for name in pages:
        assert project.page(name.removesuffix(".rst")) == other.page(name.removesuffix(".rst")), name


@pytest.mark.parametrize(
    ("conf", "begin"),
    [
        ("html_math_renderer = 'mathjax'\n", r"\["),
        ("extensions.append('sphinxcontrib.katex')\nhtml_math_renderer = 'katex'\n", r"\["),
        ("", "<math "),
    ],
    ids=["mathjax", "katex", "mathml"],
)
def test_every_math_renderer(project: Project, conf: str, begin: str, require: Callable[[str], Any]) -> None:
    if "katex" in conf:
        require("sphinxcontrib.katex")
    assert project.build({"index.rst": rst("relu-explosion", ":numbered:")}, conf) == 0
    page = project.page()
    formulas = re.findall(r'<div class="math[^>]*>(.*?)</div>', page, re.S)
    assert len(formulas) > 40 and all(begin in formula for formula in formulas)
    assert page.count('<span class="verified"') + page.count('<mtext class="verified"') > 20


@pytest.mark.parametrize(("builder", "suffix"), [("text", "txt"), ("man", "1"), ("latex", "tex"), ("texinfo", "texi")])
def test_every_builder(project: Project, builder: str, suffix: str) -> None:
    text = rst("relu-explosion", ":fold: steps\n:lang: zh") + "\n\n.. symbptt-plot:: relu-explosion\n"
    assert project.build({"index.rst": text}, "", builder) == 0
    (found,) = project.out.rglob(f"*.{suffix}") if builder != "latex" else [project.out / "other.tex"]
    written = found.read_text(encoding="utf-8")
    assert (
        "递推" in written and "<" not in re.sub(r"[<>] ?\d|<span|\\textless", "", written)[:0] and len(written) > 3000
    )


def test_long_formulas_are_broken_to_the_width_of_the_latex_page(project: Project) -> None:
    pages = {"index.rst": rst("lstm", ":sections: local, recursion")}
    assert project.build(pages, "symbptt_latex_width = 30\n", "latex") == 0
    narrow = project.page("other", "tex").count("\\qquad {}")
    assert project.build(pages, "symbptt_latex_width = 60\n", "latex", "-E") == 0
    assert narrow > project.page("other", "tex").count("\\qquad {}")


@pytest.mark.parametrize("builder", ["html", "latex"])
def test_an_empty_project_builds_the_blocks_of_the_guide(project: Project, builder: str) -> None:
    text = (ROOT / "docs" / "en" / "howto" / "sphinx.md").read_text(encoding="utf-8")
    in_rst = re.findall(r"^```rst\n(.*?)^```$", text, flags=re.S | re.M)
    in_myst = re.findall(r"^````markdown\n(.*?)^````$", text, flags=re.S | re.M)
    assert len(in_rst) >= 5 and in_myst
    pages = {"index.rst": "\n".join(["Page\n====\n", *in_rst, ".. toctree::\n\n   other\n"])}
    assert project.build(pages | {"other.md": "# Page\n\n" + "\n".join(in_myst)}, "", builder) == 0


def test_the_latex_of_sphinx_compiles_with_nothing_in_the_margin(
    project: Project, require: Callable[[str], Any]
) -> None:
    latexmk, _ = require("latexmk"), require("xelatex")
    text = rst("lstm", ":numbered:") + "\n.. symbptt-graph:: lstm\n\n.. symbptt-plot:: power-iteration\n"
    conf = "latex_engine = 'xelatex'\nlatex_elements = {'fontpkg': ''}\n"
    assert project.build({"index.rst": text}, conf, "latex") == 0
    command = [latexmk, "-xelatex", "-interaction=nonstopmode", "-halt-on-error", "other.tex"]
    done = subprocess.run(command, cwd=project.out, capture_output=True)
    log = project.page("other", "log")
    assert done.returncode == 0, log[-2000:]
    assert re.findall(r"Overfull \\hbox \((\d+)", log) == [] and "undefined" not in log
