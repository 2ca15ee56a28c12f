"""The command line: every command, every kind of bad input, files that are written whole or not at all."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from symbptt import cli
from symbptt.cli import documents
from symbptt.examples import example_names


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty directory, in this process: ``run("derive", "tanh") -> (code, out, err)``."""
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: str) -> Result:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = cli.run(list(arguments))
            out.flush()
            err.flush()
        return Result(code, out.buffer.getvalue().decode("utf-8"), err.buffer.getvalue().decode("utf-8"))

    return command


def program(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "symbptt", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, env={**os.environ, **settings})


# -- each command -------------------------------------------------------------------------------------


def test_examples_are_one_line_each(run):
    code, out, err = run("examples", "--lang", "en")
    lines = out.splitlines()
    assert code == 0 and not err
    assert [line.split("  ")[0] for line in lines] == list(example_names())
    assert all(line.count("  ") == 1 for line in lines)


def test_the_language_comes_from_the_locale(run, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "梯度加倍" in run("examples").out
    monkeypatch.setenv("LC_MESSAGES", "de_DE.UTF-8")
    assert "doubles" in run("examples").out
    monkeypatch.setenv("LC_ALL", "zh_TW")
    assert "梯度加倍" in run("examples").out


def test_without_a_command_there_is_help(run):
    code, out, err = run()
    assert code == 0 and out.startswith("Usage: symbptt") and not err


@pytest.mark.parametrize("command", [[], *([name] for name in cli.app.commands)])
def test_help_is_short_and_has_an_example(run, command):
    code, out, err = run(*command, "--help")
    assert code == 0 and not err
    assert len(out.splitlines()) < 50 and max(map(len, out.splitlines())) <= 80
    assert f"symbptt {' '.join(command)}".strip() in out.split("Options:")[0].split("\n", 1)[1] or command == [
        "examples"
    ]


def test_derive_is_markdown_where_there_is_no_terminal(run):
    code, out, err = run("derive", "relu-explosion")
    assert code == 0 and not err
    assert out.startswith("# Exploding gradients") and "$$" in out
    one_line = re.sub(r"\s*\\\\\s*&", " ", out)
    assert r"W_h h_1 + W_x x_2 + b = 2.0 \cdot 2.0 + 2.0 \cdot 1.0 + 0.0 = 4.0 + 2.0 = 6.0" in one_line
    for result in ("= 84.5", "= 52.0", "= 26.0", "= 13.0", "= 130.0", "= 91.0"):
        assert result in one_line


def test_derive_is_text_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert documents._format(None, None) == "text"
    assert documents._format("html", None) == "html"
    assert documents._format(None, "a.TEX") == "latex"


def test_derive_in_chinese_text(run):
    code, out, _ = run("derive", "relu-explosion", "--lang", "zh", "--to", "text")
    assert code == 0 and "梯度爆炸" in out and "$" not in out and "L = (1/2) (y − h₃)²" in out


QUICK = ("text", "zh"), ("markdown", "en")
WAYS = [(kind, lang) for kind in cli.FORMATS if kind != "pdf" for lang in ("en", "zh")]


@pytest.mark.sample(5)
@pytest.mark.parametrize(
    ("kind", "lang"), [pytest.param(*way, marks=() if way in QUICK else pytest.mark.slow) for way in WAYS]
)
@pytest.mark.parametrize("name", example_names())
def test_every_example_in_every_format(run, name, kind, lang):
    code, out, err = run("derive", name, "--to", kind, "--lang", lang, "--no-check")
    assert code == 0 and out.endswith("\n") and not err
    if kind in ("json", "notebook"):
        json.loads(out)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json", "html", "notebook"])
def test_output_is_the_same_from_run_to_run(tmp_path, kind):
    runs = [program("derive", "relu-explosion", "--to", kind, cwd=tmp_path, PYTHONHASHSEED=seed) for seed in "12"]
    assert runs[0].stdout == runs[1].stdout != b""


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [(".md", "# "), (".tex", "% "), (".html", "<!DOCTYPE html>"), (".json", "{"), (".ipynb", "{"), (".out", "# ")],
)
def test_the_suffix_of_the_file_says_the_format(run, tmp_path, suffix, begins):
    code, out, err = run("derive", "relu-explosion", "-o", f"a{suffix}", "--no-check")
    assert (code, out, err) == (0, "", "")
    assert (tmp_path / f"a{suffix}").read_text("utf-8").startswith(begins)


def test_a_latex_document_or_a_fragment(run):
    fragment = run("derive", "relu-explosion", "--to", "latex", "--no-check").out
    document = run("derive", "relu-explosion", "--to", "latex", "--document", "--no-check").out
    assert "\\documentclass" not in fragment and "\\documentclass" in document


@pytest.mark.tex
def test_pdf(run, tmp_path, require):
    require("ctex")
    assert run("derive", "relu-explosion", "--lang", "zh", "-o", "a.pdf").code == 0
    assert run("derive", "relu-explosion", "--to", "pdf").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a.pdf", "relu-explosion.pdf"}
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_settings_of_derive(run):
    out = run("derive", "relu-explosion", "--set", "W_h=0.50", "--set", "x=1,2.5,1/2,1", "--section", "forward").out
    assert "0.50" in out and "2.5" in out and "h_4" in out and "h_5" not in out
    assert "W_{hh}" in run("derive", "relu-explosion", "--notation", "hh", "--detail", "results").out
    assert "U h_{t-1}" in run("derive", "relu-explosion", "--notation", '{"W_h": "U"}', "--section", "model").out
    symbolic = run("derive", "relu-explosion", "--symbolic", "--steps", "5", "--detail", "results").out
    assert "h_5" in symbolic and "2.0" not in symbolic
    assert "1.143553" in run("derive", "tanh-last-step", "--digits", "7", "--section", "results").out


def test_sizes_make_a_cell_of_the_catalogue_scalar(run):
    values = [f"--set={s}" for s in ("W_h=0.5", "W_x=1", "b_h=0", "x=1,0", "target=0,1")]
    code, out, err = run("derive", "linear", "--hidden", "1", "--inputs", "1", *values, "--detail", "numbers")
    assert code == 0 and not err and "h_2" in out and "h_3" not in out


def test_a_failed_check_is_exit_code_1_and_writes_nothing(run, tmp_path, monkeypatch):
    from symbptt.api import Derivation
    from symbptt.evaluate.report import Check, Report

    failed = Report((Check("recursion.h", "equality", False, "line 1: 1 is not 2"),))
    monkeypatch.setattr(Derivation, "verify", lambda self, seed=0: failed)
    code, out, err = run("derive", "relu-explosion", "-o", "a.md")
    assert code == 1 and not out and "recursion.h" in err and not list(tmp_path.iterdir())


def test_unroll_is_aligned(run):
    code, out, _ = run("unroll", "relu-explosion")
    lines = out.splitlines()
    assert code == 0 and lines[0] == "z₁ = W_h h₀ + W_x x₁ + b" and lines[-1] == "L  = (1/2) (y − h₃)²"
    assert len({line.index("=") for line in lines}) == 1


def test_unroll_nested_and_in_other_formats(run):
    nested = run("unroll", "relu-explosion", "--nested").out
    assert "h₂ = ReLU(W_h ReLU(W_h h₀ + W_x x₁ + b) + W_x x₂ + b)" in nested and "z" not in nested
    assert "y₂ = softmax(" in run("unroll", "vector-tanh", "--nested").out
    latex = run("unroll", "tanh", "--steps", "2", "--to", "latex").out
    assert latex.startswith("\\begin{aligned}") and "z_2 &= W_h h_1" in latex
    python = run("unroll", "tanh", "--steps", "2", "--to", "python").out
    compile(python, "unrolled", "exec")


def test_gradient(run):
    assert run("gradient", "softmax-readout", "--wrt", "W_h").out == (
        "∂L/∂W_h = Σₜ₌₁ᵀ ((1 − hₜ ⊙ hₜ) ⊙ ∂L/∂hₜ) hₜ₋₁ᵀ\n"
    )
    latex = run("gradient", "relu-explosion", "--wrt", "h", "--at", "2", "--form", "unrolled", "--to", "latex").out
    assert latex.startswith(r"\frac{\partial L}{\partial h_2} = ") and latex.endswith("(h_3 - y)\n")
    python = run("gradient", "relu-explosion", "--wrt", "h0", "--form", "explicit", "--to", "python").out
    compile(python, "gradient", "exec")


@pytest.mark.parametrize("wrt", ["W_h", "W_y", "b_h", "h", "h0", "x", "y", "a"])
def test_gradient_by_every_kind_of_name(run, wrt):
    code, out, err = run("gradient", "vector-tanh", "--wrt", wrt)
    assert code == 0 and out.startswith("∂L/∂") and not err


VERIFIED_QUICKLY = ("relu-explosion", "two-methods")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in VERIFIED_QUICKLY else pytest.mark.slow) for name in example_names()]
)
def test_verify(run, name):
    code, out, err = run("verify", name)
    assert code == 0 and not err
    assert out.startswith("✓") and "✗" not in out and "all checks hold" in out.splitlines()[-1]


def test_every_command_has_its_place_in_the_help():
    from symbptt.cli.app import ORDER

    assert sorted(ORDER) == sorted(cli.app.commands)


def test_verify_fails_with_exit_code_1(run, monkeypatch):
    from symbptt.api import RNN
    from symbptt.evaluate.report import Check, Report

    monkeypatch.setattr(RNN, "verify", lambda self, seed=0: Report((Check("a", "equality", False, "no"),)))
    code, out, _ = run("verify", "relu-explosion")
    assert code == 1 and out.startswith("✗ a")


def test_codegen_writes_a_module(run, tmp_path):
    assert run("codegen", "relu-explosion", "-o", "bptt.py").code == 0
    checked = subprocess.run([sys.executable, "bptt.py"], cwd=tmp_path, capture_output=True, text=True)
    assert checked.returncode == 0 and "largest error" in checked.stdout
    assert (tmp_path / "bptt.py").read_text("utf-8") == run("codegen", "relu-explosion").out


def test_codegen_writes_jax_where_there_is_none(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    code, out, _ = run("codegen", "lstm", "--backend", "jax")
    assert code == 0 and "jax.lax.scan(" in out
    assert run("codegen", "lstm", "--backend", "torch").err.startswith("symbptt: unknown backend 'torch'")
    assert (
        "truncated code is for the NumPy backend" in run("codegen", "lstm", "--backend", "jax", "--truncate", "3").err
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", [*example_names(), "gelu"])
def test_new_writes_a_file_that_can_be_used(run, tmp_path, name, lang):
    code, out, err = run("new", "my.toml", "--from", name, "--lang", lang)
    assert code == 0 and not out and err.startswith("symbptt: wrote my.toml")
    assert (tmp_path / "my.toml").read_text("utf-8").startswith("# ")
    assert run("unroll", "my.toml", "--steps", "2").out == run("unroll", name, "--steps", "2").out
    again = run("new", "my.toml")
    assert again.code == 2 and again.err.count("\n") == 1


def test_new_to_stdout(run, tmp_path):
    assert 'cell = "tanh"' in run("new", "-").out and not list(tmp_path.iterdir())


# -- bad input ----------------------------------------------------------------------------------------

OWN = """hidden = 2
inputs = 2
{more}
[cell]
equations = {equations}
states = ["h"]
"""


def own(*equations: str, more: str = "") -> str:
    return OWN.format(equations=json.dumps(equations), more=more)


BAD_COMMANDS: dict[str, tuple[str, ...]] = {
    "unknown command: did you mean 'derive'": ("derrive", "tanh"),
    "Missing argument 'SOURCE'": ("derive",),
    "--stesp": ("derive", "tanh", "--stesp", "3"),
    "did you mean 'relu-explosion'": ("derive", "relu-explosoin"),
    "did you mean 'tanh'": ("derive", "tahn"),
    "cannot be read": ("derive", "missing.toml"),
    "did you mean 'pytorch'": ("derive", "relu-explosion", "--notation", "pytorhc"),
    "not valid JSON": ("derive", "relu-explosion", "--notation", "{W_h: U}"),
    "is not known in a name": ("derive", "relu-explosion", "--notation", r'{"W_h": "\\input{x}"}'),
    "unknown notation 'hhh'": ("derive", "relu-explosion", "--notation", '{"notation": "hhh"}'),
    "unknown language 'fr'": ("derive", "relu-explosion", "--lang", "fr"),
    "did you mean 'markdown'": ("derive", "relu-explosion", "--to", "markdwon"),
    "did you mean 'results'": ("derive", "relu-explosion", "--detail", "result"),
    "did you mean 'forward'": ("derive", "relu-explosion", "--section", "forwards"),
    "from 1 to 20": ("derive", "relu-explosion", "--digits", "0"),
    "is not a valid integer": ("derive", "relu-explosion", "--digits", "four"),
    "did you mean 'W_h'": ("derive", "relu-explosion", "--set", "W_hh=2"),
    "to differentiate by; did you mean 'W_h'": ("gradient", "relu-explosion", "--wrt", "W_hh"),
    "did you mean 'closed'": ("gradient", "relu-explosion", "--wrt", "W_h", "--form", "close"),
    "leave --at out": ("gradient", "relu-explosion", "--wrt", "W_h", "--at", "2"),
    "a step from 0 to 3": ("gradient", "relu-explosion", "--wrt", "h", "--at", "9"),
    "needs a time step": ("gradient", "relu-explosion", "--wrt", "h", "--form", "explicit"),
    "needs a number of steps": ("gradient", "softmax-readout", "--wrt", "W_h", "--form", "unrolled"),
    "nobody can read; use": ("gradient", "vector-tanh", "--wrt", "W_h", "--form", "explicit", "--steps", "4"),
    "nobody can read --nested": ("unroll", "tanh", "--steps", "1000", "--nested"),
    "give --steps": ("unroll", "tanh"),
    "--steps must be a positive integer, not '0'": ("derive", "tanh", "--steps", "0"),
    "--steps must be a positive integer, not '-2'": ("derive", "tanh", "--steps", "-2"),
    "--steps must be a positive integer, not '2.5'": ("derive", "tanh", "--steps", "2.5"),
    "x is given for 3 steps only": ("derive", "relu-explosion", "--steps", "5"),
    "'two', which is not a finite number": ("derive", "relu-explosion", "--set", "W_h=two"),
    "'nan', which is not a finite number": ("derive", "relu-explosion", "--set", "W_h=nan"),
    "'inf', which is not a finite number": ("verify", "relu-explosion", "--set", "x=1,inf,1"),
    "'NaN', which is not a finite number": ("verify", "relu-explosion", "--set", "x=[1, NaN, 1]"),
    "rows of different lengths": ("derive", "vector-tanh", "--set", "W_h=[[1, 2], [3]]"),
    "write NAME=VALUE": ("derive", "relu-explosion", "--set", "W_h"),
    "has shape (3,)": ("derive", "vector-tanh", "--set", "b_h=1,2,3"),
    "class 2 at step 2 is out of range": ("derive", "vector-tanh", "--set", "target=0,2"),
    "sums to 1.1": ("derive", "vector-tanh", "--set", "target=[[0.5, 0.6], [1, 0]]"),
    "a value is missing for W_x": (
        "derive", "tanh", "--hidden", "1", "--inputs", "1", "--steps", "2", "--set", "W_h=2.0",
    ),
    "numbers need concrete sizes": (
        "derive", "tanh", "--steps", "2", *(f"--set={v}" for v in ("W_h=2.0", "W_x=1", "b_h=0", "x=1,1", "target=1")),
    ),
    "needs values": ("derive", "tanh", "--steps", "2", "--detail", "numbers"),
    "nothing to print in 'truncation'": ("derive", "relu-explosion", "--section", "truncation"),
    "nothing to print in 'given', 'forward'": (
        "derive", "tanh", "--section", "given", "--section", "forward",
    ),
    "No such file or directory": ("derive", "relu-explosion", "-o", "no/such/place.md"),
    "it is a directory": ("derive", "relu-explosion", "-o", "."),
    "not written to the terminal": ("derive", "relu-explosion", "--to", "pdf", "-o", "-", "--no-check"),
    "cannot write no/my.toml": ("new", "no/my.toml"),
    "cannot write no/bptt.py": ("codegen", "relu-explosion", "-o", "no/bptt.py"),
}  # fmt: skip
"""What the message says -> the command."""

BAD_FILES: dict[str, str] = {
    ":1: unknown cell 'tahn'; did you mean 'tanh'?": 'cell = "tahn"',
    ":2: unknown loss 'mes'": 'cell = "tanh"\nloss = "mes"',
    ":1: unknown key 'hiden'; did you mean 'hidden'?": 'hiden = 2\ncell = "tanh"',
    ":2: hidden must be a positive integer": 'cell = "tanh"\nhidden = -1',
    ":2: not valid TOML": 'cell = "tanh"\nhidden = ',
    "cell is missing": "hidden = 2",
    "needs readout='softmax'": 'cell = "tanh"\nhidden = 1\ninputs = 1\nloss = "cross_entropy"',
    ":4: values.W_h has nan, which is not a finite number": 'cell = "tanh"\nhidden = 1\n[values]\nW_h = [nan]',
    ":6: value for 'W_hh': the model has no such name; did you mean 'W_h'?": (
        'cell = "tanh"\nhidden = 1\ninputs = 1\n[values]\nW_h = 1\nW_hh = 2'
    ),
    ":6: value for 'W_h' has shape (2,)": (
        'cell = "linear"\nhidden = 2\ninputs = 2\nsteps = 1\n[values]\nW_h = [1, 2]\nW_x = [[1, 0], [0, 1]]\n'
        "b_h = [0, 0]\nx = [[1, 1]]\ntarget = [[1, 1]]"
    ),
    "shapes do not fit": own("z[t] = W @ h[t-1]", "h[t] = tanh(z[t] + h[t-1])") + 'shapes = {W = ["p", "n"]}',
    ":5: the rank of 'u' is ambiguous": own("h[t] = tanh(h[t-1]) * sum(u)"),
    "'a * b' is ambiguous": own("h[t] = softmax(a * b) * h[t-1]"),
    "the function 'tahn' is not known": own("h[t] = tahn(W @ h[t-1])"),
    "uses z[t] before it is defined": own("h[t] = tanh(z[t])", "z[t] = W @ h[t-1]"),
    "refers to h[t+1]": own("h[t] = tanh(W @ h[t+1])"),
    "two equations for 'h'": own("h[t] = tanh(W @ h[t-1])", "h[t] = h[t-1]"),
    "form a cycle": own("z[t] = W @ h[t-1] + a1[t]", "a1[t] = tanh(z[t])", "h[t] = z[t]"),
    "is no state": own("z[t] = W @ h[t-1]", "h[t] = tanh(z[t] + z[t-1])"),
    "the attribute .real": own("h[t] = W.real @ h[t-1]"),
    "keyword arguments": own("h[t] = tanh(z=h[t-1])"),
    "'__import__' is not known": own("h[t] = __import__(h[t-1])"),
    "function 'f'": own("h[t] = f(W @ h[t-1])") + 'functions = {f = "u * v"}',
    "'open' is not known": own("h[t] = f(W @ h[t-1])") + "functions = {f = \"open('evil', 'w')\"}",
    "unknown notation 'hhh'": 'cell = "tanh"\nnotation = "hhh"',
    "is not known in a name": "cell = \"tanh\"\n[notation]\nW_h = '\\write{x}'",
}
"""What the message says -> the model file."""


def assert_refused(result: Result, message: str, tmp_path: Path, before: list[Path]) -> None:
    assert result.code == 2 and not result.out
    assert result.err.startswith("symbptt: ") and result.err.count("\n") == 1 and "Traceback" not in result.err
    assert message.partition(": did")[0] in result.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("message", BAD_COMMANDS)
def test_bad_input_is_one_line(run, tmp_path, message):
    arguments = BAD_COMMANDS[message]
    message = message.removeprefix("unknown command: ")
    assert_refused(run(*arguments), message, tmp_path, [])


@pytest.mark.parametrize("message", BAD_FILES)
def test_a_bad_model_file_is_one_line(run, tmp_path, message):
    path = tmp_path / "my.toml"
    path.write_text(BAD_FILES[message], "utf-8")
    result = run("derive", "my.toml", "-o", "out.md")
    assert_refused(result, message, tmp_path, [path])
    assert result.err.startswith("symbptt: my.toml:")


def test_not_even_bytes(run, tmp_path):
    (tmp_path / "my.toml").write_bytes(b'cell = "\xff"')
    assert "not UTF-8" in run("derive", "my.toml").err
    (tmp_path / "bom.toml").write_bytes('\ufeffcell = "tanh"\r\nsteps = 2\r\n'.encode())
    assert run("unroll", "bom.toml").code == 0


# -- files --------------------------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(run, tmp_path, monkeypatch):
    target = tmp_path / "a.md"
    target.write_text("precious", "utf-8")

    def broken(self):
        raise OSError(28, "No space left on device")

    from symbptt.api import Derivation

    monkeypatch.setattr(Derivation, "to_markdown", broken)
    code, _, err = run("derive", "relu-explosion", "-o", "a.md", "--no-check")
    assert code == 2 and "No space left" in err and err.count("\n") == 1
    assert target.read_text("utf-8") == "precious" and list(tmp_path.iterdir()) == [target]


def test_a_file_that_is_replaced_keeps_its_permissions_and_its_link(run, tmp_path):
    target = tmp_path / "real.md"
    target.write_text("old", "utf-8")
    target.chmod(0o640)
    (tmp_path / "link.md").symlink_to(target)
    assert run("derive", "relu-explosion", "-o", "link.md", "--no-check").code == 0
    assert (tmp_path / "link.md").is_symlink() and target.read_text("utf-8").startswith("# ")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_write_protected_file_stays(run, tmp_path, monkeypatch):
    target = tmp_path / "a.md"
    target.write_text("old", "utf-8")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    result = run("derive", "relu-explosion", "-o", "a.md", "--no-check")
    assert result.code == 2 and "write-protected" in result.err and target.read_text("utf-8") == "old"


def test_a_device_can_be_written(run, tmp_path):
    assert run("codegen", "tanh", "-o", os.devnull).code == 0
    assert not list(tmp_path.iterdir())


def test_a_dash_is_stdout(run):
    assert run("codegen", "tanh", "-o", "-").out == run("codegen", "tanh").out


# -- the program --------------------------------------------------------------------------------------


def test_output_is_utf_8_in_any_locale(tmp_path):
    done = program("unroll", "relu-explosion", cwd=tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "z₁ = W_h h₀" in done.stdout.decode("utf-8")
    done = program("derive", "梯度", cwd=tmp_path, LC_ALL="C.UTF-8", PYTHONIOENCODING="ascii")
    assert done.returncode == 2 and done.stderr.decode("utf-8").startswith(
        "symbptt: no example, cell or file is called '梯度'"
    )


@pytest.mark.skipif(os.name != "posix", reason="uses a POSIX pipe")
def test_a_broken_pipe_is_quiet(tmp_path):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "symbptt", "unroll", "tanh", "--steps", "50"]
    done = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.returncode == 0 and done.stderr == b""


def completions(tmp_path: Path, words: str) -> list[str]:
    """What bash would offer, from a process in which SymPy cannot be imported."""
    code = "import sys; sys.modules['sympy'] = sys.modules['numpy'] = None; from symbptt.cli import main; main()"
    settings = {"_SYMBPTT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, env={**os.environ, **settings}
    )
    return [line.partition(",")[2] for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("symbptt ver", {"verify"}),
        ("symbptt derive rel", {"relu-explosion", "relu"}),
        ("symbptt derive tanh --notation py", {"pytorch"}),
        ("symbptt derive tanh --section re", {"recursion", "results"}),
        ("symbptt derive tanh --detail b", {"brief"}),
        ("symbptt derive tanh --to note", {"notebook"}),
        ("symbptt gradient tanh --form un", {"unrolled"}),
        ("symbptt gradient tanh --wrt W_", {"W_h", "W_x", "W_y"}),
        ("symbptt new my.toml --from cust", {"custom-cell"}),
    ],
)
def test_completion_without_sympy(tmp_path, words, expected):
    assert expected <= set(completions(tmp_path, words))


def test_completion_offers_files(tmp_path):
    code = "bash_complete"
    done = program("derive", cwd=tmp_path, _SYMBPTT_COMPLETE=code, COMP_WORDS="symbptt derive my", COMP_CWORD="2")
    assert b"file," in done.stdout


def test_the_script_for_bash(tmp_path):
    done = program(cwd=tmp_path, _SYMBPTT_COMPLETE="bash_source")
    assert b"complete -o nosort -F" in done.stdout or b"at least version" in done.stderr


def test_the_words_for_completion_are_the_real_ones():
    from symbptt.codegen import BACKENDS
    from symbptt.derive.derivation import DETAILS, SECTIONS
    from symbptt.derive.forms import FORMS
    from symbptt.model import CATALOGUE, LAYOUTS, NOTATIONS
    from symbptt.render.phrases import languages

    real = {"cell": CATALOGUE, "detail": DETAILS, "form": FORMS, "notation": NOTATIONS, "section": SECTIONS}
    for kind, words in {**real, "backend": BACKENDS, "language": languages(), "layout": LAYOUTS}.items():
        assert sorted(cli.CHOICES[kind]) == sorted(words), kind


def test_version_and_help_need_no_sympy(tmp_path):
    code = "import sys; sys.modules['sympy'] = sys.modules['numpy'] = None; from symbptt.cli import main; main()"
    for arguments in (["--version"], ["--help"], ["derive", "--help"], ["examples"], ["new", "-"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True)
        assert done.returncode == 0 and done.stdout and not done.stderr, arguments
