"""Notebooks run in a kernel: those that ship, those that are written, and pages of myst-nb."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symbptt import load

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NOTEBOOKS = sorted(DOCS.glob("*/notebooks/*.ipynb"))


def name(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.stem}"


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def code(path: Path) -> list[tuple[str, str]]:
    return [(c["id"], "".join(c["source"])) for c in read(path)["cells"] if c["cell_type"] == "code"]


@pytest.fixture
def execute(require, tmp_path, monkeypatch):
    """Run the text of a notebook in a kernel that has this package, and return the notebook with its outputs."""
    require("ipykernel")
    nbformat, nbclient = require("nbformat"), require("nbclient")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))

    def run(text):
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        resources = {"metadata": {"path": str(tmp_path)}}
        return nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()

    return run


def outputs(notebook, key):
    """What the cell of a key shows: mime type -> text, or the text that it prints."""
    (cell,) = [cell for cell in notebook.cells if cell.id == key]
    if any(output.output_type == "stream" for output in cell.outputs):
        return "".join(output.text for output in cell.outputs)  # one print may arrive in two pieces
    (output,) = cell.outputs
    return output.data


# -- those that ship ----------------------------------------------------------------------------------
def test_both_languages_have_the_same_notebooks():
    assert [p.name for p in NOTEBOOKS if p.parent.parent.name == "en"] == [
        p.name for p in NOTEBOOKS if p.parent.parent.name == "zh"
    ]
    assert len(NOTEBOOKS) == 6


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_stored_without_outputs(path, require):
    found = read(path)
    cells = [c for c in found["cells"] if c["cell_type"] == "code"]
    assert all(c["outputs"] == [] and c["execution_count"] is None and c["metadata"] == {} for c in cells)
    assert sorted(found["metadata"]) == ["kernelspec", "language_info"]
    assert path.read_text(encoding="utf-8") == json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    nbformat = require("nbformat")
    nbformat.validate(nbformat.reads(path.read_text(encoding="utf-8"), as_version=4))


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.parent.name == "zh"], ids=name)
def test_the_code_is_the_same_in_both_languages(path):
    english = code(DOCS / "en" / "notebooks" / path.name)
    assert [(k, text.replace('lang = "zh"', 'lang = "en"')) for k, text in code(path)] == english
    assert any('lang = "en"' in text for _, text in english)
    words = [c["id"] for c in read(path)["cells"] if c["cell_type"] == "markdown"]
    assert words == [
        c["id"] for c in read(DOCS / "en" / "notebooks" / path.name)["cells"] if c["cell_type"] == "markdown"
    ]


@pytest.mark.docs
@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.parent.name == "en"], ids=name)
def test_a_notebook_runs(path, execute, require):
    """The Chinese ones have the same code; the build of the site runs them too."""
    require("matplotlib")
    done = execute(path.read_text(encoding="utf-8"))
    shown = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert all(output.output_type != "stream" or output.name == "stdout" for output in shown)
    rich = [set(output.data) - {"text/plain"} for output in shown if output.output_type != "stream"]
    assert all(rich), "an object that shows itself as plain text alone"
    assert "✓ **" in outputs(done, "verify")["text/markdown"]


@pytest.mark.docs
def test_what_the_example_notebooks_find(execute):
    first = execute((DOCS / "en" / "notebooks" / "first-derivation.ipynb").read_text(encoding="utf-8"))
    assert outputs(first, "compute") == "W_h 130.0 130.0\nW_x 91.0 91.0\nb_h 91.0 91.0\n"
    assert outputs(first, "recursive")["text/latex"].startswith(r"$\displaystyle \sum_{t=1}^{T}")
    assert "The gradient decays" in outputs(first, "own-numbers")["text/markdown"]
    own = execute((DOCS / "en" / "notebooks" / "own-cell.ipynb").read_text(encoding="utf-8"))
    exact, difference = map(float, outputs(own, "compute").split())
    assert exact == pytest.approx(difference, rel=1e-6)
    cut = execute((DOCS / "zh" / "notebooks" / "stability-and-truncation.ipynb").read_text(encoding="utf-8"))
    window, segments = (list(map(float, line.split()[1:])) for line in outputs(cut, "compare-code").splitlines())
    assert window[0] == segments[0] != 0 and window[-1] == segments[-1] == 0


# -- those that are written ---------------------------------------------------------------------------
@pytest.mark.docs
@pytest.mark.parametrize("source", ["relu-explosion", "gru", "softmax-readout"])
def test_a_written_notebook_runs(source, execute):
    derivation = load(source).derivation(lang="zh")
    done = execute(derivation.to_notebook())
    assert outputs(done, "run-verify")["text/markdown"].startswith("✓ **")
    if derivation.results:
        lines = outputs(done, "run-compute").splitlines()
        assert [line.split()[0] for line in lines] == list(derivation.results)
        found = {line.split()[0]: float(line.split()[-1]) for line in lines}
        assert all(error <= 1e-3 * np.max(np.abs(derivation.results[key])) for key, error in found.items())
    else:
        assert "def bptt" in outputs(done, "run-source")


# -- myst-nb ------------------------------------------------------------------------------------------
CONF = """
project = "test"
extensions = ["myst_nb"]
nb_render_markdown_format = "myst"
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
myst_enable_extensions = ["dollarmath"]
"""
PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
---
# Page

```{code-cell}
from symbptt import LSTM, load
model = load("relu-explosion")
model
```

```{code-cell}
derivation = model.derivation(lang="zh")
derivation
```

```{code-cell}
derivation["backward.h.1"]
```

```{code-cell}
derivation.verify()
```

```{code-cell}
model.gradient("h", at=1)
```

```{code-cell}
LSTM()
```

```{code-cell}
model.unroll()
```
"""


@pytest.fixture(scope="module")
def page(require, tmp_path_factory):
    """The page of a small project, as HTML, and as pseudo XML."""
    for needed in ("sphinx", "myst_nb", "ipykernel"):
        require(needed)
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    source.mkdir()
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    (source / "index.md").write_text(PAGE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    for builder in ("html", "pseudoxml"):
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", builder, str(source), str(folder / builder)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    return tuple((folder / b / f"index.{b}").read_text(encoding="utf-8") for b in ("html", "pseudoxml"))


@pytest.mark.docs
def test_formulas_are_formulas_on_a_page_of_myst_nb(page):
    html, tree = page
    assert "$$" not in html and "<math_block" in tree
    visible = re.sub(r'<(div|span) class="[^"]*\bmath notranslate[^>]*>.*?</\1>', "", html, flags=re.S)
    assert "\\frac" not in visible and "\\begin" not in visible and "\\partial" not in visible
    blocks = load("relu-explosion").derivation().document().blocks
    assert tree.count("<math_block") > len([b for b in blocks if type(b).__name__ in ("Display", "Group")])


@pytest.mark.docs
def test_sections_fold_on_a_page_of_myst_nb(page):
    html, _ = page
    assert html.count("<details") == html.count("</details>") == 11
    first = html.index("<details")
    assert "<summary><strong>模型</strong></summary>" in html[first : html.index("</details>", first)]


@pytest.mark.docs
def test_tables_and_reports_are_there_on_a_page_of_myst_nb(page):
    html, tree = page
    assert tree.count("<table") >= 2 and "<strong>56 项检验全部通过</strong>" in html
