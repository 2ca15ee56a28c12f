"""The base installs beside what the extra ``latex`` would break, and reads LaTeX there; the extra works where it is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.install

READS = r"""
from symbptt.reading.notation import parse
from symbptt.reading.plain import latex2sympy, plain
print(latex2sympy.missing() or "latex2sympy2 is used")
print(plain(parse(r"\frac{x}{2} + 0.25 \tanh(w h_{t-1})")))
"""
READ = "x/2 + tanh(h_{t-1}*w)/4\n"


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd="/", env=environment)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result


def fresh(folder: Path, *packages: str) -> Path:
    """Return the Python of a new environment with these packages, installed in one go."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages)
    return python


def test_the_base_installs_beside_hydra(tmp_path):
    python = fresh(tmp_path, str(ROOT), "hydra-core>=1.3")
    assert run(python, "-m", "pip", "check").stdout.strip() == "No broken requirements found."
    result = run(python, "-c", "import hydra" + READS)
    assert result.stdout == "latex2sympy2 is not installed\n" + READ
    assert result.stderr.count("SymbpttWarning") == 1


def test_beside_antlr_4_11_sympys_own_parser_works_and_so_does_ours(tmp_path):
    python = fresh(tmp_path, str(ROOT), "antlr4-python3-runtime==4.11.*")
    assert run(python, "-m", "pip", "check").stdout.strip() == "No broken requirements found."
    sympys = "from sympy.parsing.latex import parse_latex\nprint(parse_latex(r'\\frac{x}{2} + y'))"
    for code in (sympys + READS, READS + sympys):  # neither gets in the way of the other
        assert sorted(run(python, "-c", code).stdout.splitlines()) == sorted(
            ["x/2 + y", "latex2sympy2 is not installed", READ.strip()]
        )


def test_the_extra_is_used_where_it_is_installed(tmp_path):
    python = fresh(tmp_path, f"{ROOT}[latex]")
    assert run(python, "-m", "pip", "check").stdout.strip() == "No broken requirements found."
    result = run(python, "-W", "error", "-c", READS)
    assert (result.stdout, result.stderr) == ("latex2sympy2 is used\n" + READ, "")


def test_the_extra_beside_another_antlr_is_not_used(tmp_path):
    """pip lets a later install break it; what is then there cannot be imported, and is not tried."""
    python = fresh(tmp_path, f"{ROOT}[latex]")
    run(python, "-m", "pip", "install", "-q", "antlr4-python3-runtime==4.11.*", check=False)
    result = run(python, "-c", READS)
    assert result.stdout.splitlines()[0].startswith("antlr4-python3-runtime 4.7.2 is needed and 4.11")
    assert result.stdout.splitlines()[1] == READ.strip() and result.stderr.count("SymbpttWarning") == 1
