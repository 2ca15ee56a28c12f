"""The Python of notes: nothing runs unless asked for, what runs is held by limits, gradients are judged."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from symbptt import check_notes, cli
from symbptt.errors import UnknownNameError, ValueInputError
from symbptt.reading.code import run as runner
from symbptt.reading.code.given import read_names, specs
from symbptt.reading.code.run import Limits, run_notes
from symbptt.reading.extract import note_of
from symbptt.reading.report import CODE_VERDICTS
from symbptt.render.notes_json import as_data
from symbptt.render.notes_text import to_text

ROOT = Path(__file__).parents[1]
SHORT = Limits(seconds=2, waiting=6.0)
POSIX = pytest.mark.skipif(os.name != "posix", reason="resource limits are those of POSIX")

GOOD = """
import numpy as np

n, m, T = 3, 2, 4
W_h = 0.5 * np.random.randn(n, n)
W_x = 0.5 * np.random.randn(n, m)
xs = np.random.randn(T, m)

def loss_and_grads(W_h, W_x, xs):
    hs = [np.zeros(n)]
    for x in xs:
        hs.append(np.tanh(W_h @ hs[-1] + W_x @ x))
    loss = 0.5 * sum(h @ h for h in hs)
    dW_h, dW_x, dh = np.zeros_like(W_h), np.zeros_like(W_x), np.zeros(n)
    for t in range(len(xs), 0, -1):
        dz = (hs[t] + dh) * (1 - hs[t] ** 2)
        dW_h += np.outer(dz, hs[t - 1])
        dW_x += np.outer(dz, xs[t - 1])
        dh = W_h.T @ dz
    return loss, dW_h, dW_x
"""
CELL = """
import numpy as np

class Unit:
    def __init__(self, inputs, hidden):
        self.W_x = np.random.randn(inputs, hidden)
        self.W_h = np.random.randn(hidden, hidden)
        self.b_h = np.zeros(hidden)

    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(x @ self.W_x + h_prev @ self.W_h + self.b_h)
        return self.h

    def backward(self, grad_h):
        grad_z = grad_h * (1 - self.h ** 2)
        grad_h_prev = grad_z @ self.W_h.T
        grad_W_x = self.x.T @ grad_z
        grad_W_h = self.h_prev.T @ grad_z
        grad_b_h = grad_z.sum(axis=0)
        return grad_h_prev, grad_W_x, grad_W_h, grad_b_h
"""
ARGUMENTS = {"inputs": 2, "hidden": 3, "x": "(4,2)", "h_prev": "(4,3)"}


def note(*blocks, language="python", name="n.md"):
    fences = "\n\nthen\n\n".join(f"```{language}\n{textwrap.dedent(b).strip()}\n```" for b in blocks)
    return note_of(f"# A note\n\n{fences}\n", name, "markdown")


def one(*blocks, function="f", arguments=None, limits=runner.LIMITS, sizes=None, language="python"):
    ((check,),) = run_notes(
        [note(*blocks, language=language)], read_names([function]), specs(arguments or {}), sizes, limits
    )
    return check


def verdicts(check):
    return {g.name: g.verdict for g in check.gradients}


def said(check, lang="en"):
    from symbptt.render.gradients import code_lines

    return "\n".join(code_lines(check, lang)).replace("\n    ", " ")  # as wide as it gets


# -- nothing runs without being asked --------------------------------------------------------------------------
def test_nothing_runs_without_the_option(monkeypatch, tmp_path):
    witness = tmp_path / "witness"
    text = f"$a = b$\n\n```python\nopen({str(witness)!r}, 'w').write('ran')\nraise SystemExit(3)\ndef f(): pass\n```\n"

    def never(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", never)
    report = check_notes(text)
    assert report.data.code == () and not witness.exists() and json.loads(report.to_json())["code"] == []
    (tmp_path / "n.md").write_text(text, "utf-8")
    assert cli.run(["check", str(tmp_path / "n.md")]) == 0 and not witness.exists()


def test_other_languages_are_not_run():
    with pytest.raises(UnknownNameError, match="there is no Python block"):
        one("def f(): pass", language="julia")


def test_it_runs_in_another_process_with_an_empty_environment(monkeypatch):
    monkeypatch.setenv("SECRET_OF_MINE", "1")
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    check = one(
        "import os, sys\nprint(os.getpid(), sorted(os.environ), sys.flags.isolated, os.listdir('.'))\ndef f(): pass"
    )
    assert (
        str(os.getpid()) != check.output.split()[0] and "SECRET" not in check.output and "STARTUP" not in check.output
    )
    assert check.output.rstrip().endswith("1 []")


# -- limits ----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_an_endless_loop_is_ended():
    start = time.monotonic()
    check = one("while True: pass", "def f(): pass", limits=SHORT)
    assert check.verdict == "unchecked" and check.reason.key == "check.code.time" and time.monotonic() - start < 20
    assert "longer than" in said(check)


@pytest.mark.slow
def test_sleeping_is_ended_too():
    check = one("import time\ntime.sleep(100)\ndef f(): pass", limits=Limits(seconds=5, waiting=2.0))
    assert check.reason.key == "check.code.time" and dict(check.reason.values)["seconds"] == 2


@POSIX
def test_a_memory_bomb_of_10_gigabytes_is_refused():
    check = one("def f(w=1.0):\n    block = bytearray(10 * 1024**3)\n    return w, {'w': 1.0}")
    assert check.verdict == "unchecked" and "MemoryError" in said(check)
    check = one("import numpy as np\na = np.ones(10 * 1024**3 // 8)\ndef f(w=1.0): return w, {'w': 1.0}")
    assert verdicts(check) == {"w": "right"} and "MemoryError" in said(check)


@POSIX
@pytest.mark.parametrize(
    "code",
    ["os.fork()", "os.system('echo x')", "subprocess.run(['true'])", "os.posix_spawn('/bin/true', ['true'], {})",
     "os.execv('/bin/true', ['true'])", "multiprocessing.Process(target=print).start()", "os.kill(os.getppid(), 9)"],
)  # fmt: skip
def test_no_other_process_is_started(code):
    check = one(f"import os, subprocess, multiprocessing\n{code}\ndef f(w=1.0): return w * w, {{'w': 2 * w}}")
    assert "PermissionError: a note's code may not start processes" in said(check) and verdicts(check) == {"w": "right"}


def test_no_network():
    check = one("import socket\nsocket.create_connection(('127.0.0.1', 9))\ndef f(w=1.0): return w * w, {'w': 2 * w}")
    assert "may not use the network" in said(check)


@pytest.mark.slow
def test_files_outside_its_own_folder_are_not_changed(tmp_path):
    there, new = tmp_path / "there.txt", tmp_path / "new.txt"
    there.write_text("as it was")
    for code in (f"open({str(new)!r}, 'w')", f"open({str(there)!r}, 'a')", f"import os; os.remove({str(there)!r})",
                 f"import os; os.open({str(new)!r}, os.O_CREAT | os.O_WRONLY)", f"import os; os.mkdir({str(new)!r})",
                 f"import shutil; shutil.rmtree({str(tmp_path)!r})",
                 f"import os; os.rename({str(there)!r}, {str(new)!r})"):  # fmt: skip
        check = one(code, "def f(w=1.0): return w * w, {'w': 2 * w}")
        assert "own folder only" in said(check), code
        assert there.read_text() == "as it was" and not new.exists()


@POSIX
def test_its_own_files_are_limited_and_gone_afterwards():
    code = "import os\nprint(os.getcwd())\nwith open('a', 'wb') as f:\n    f.write(b'x' * 100_000_000)\ndef f(): pass"
    check = one(code)
    assert not Path(check.output.split()[0]).exists() and "File too large" in said(check)


def test_100_megabytes_of_output_are_cut():
    check = one("for i in range(100):\n    print('x' * 1_000_000)\ndef f(w=1.0): return w * w, {'w': 2 * w}")
    assert len(check.output) <= runner.LIMITS.output + 3 and check.output.endswith("...") and check.verdict == "right"


@pytest.mark.parametrize("code", ["import os\nos._exit(3)", "import ctypes\nctypes.string_at(0)"])
def test_a_process_that_dies_is_reported(code):
    check = one(code, "def f(): pass")
    assert check.verdict == "unchecked" and check.reason.key == "check.code.died"


def test_a_forged_exit_does_not_end_it():
    check = one("print('before')\nraise SystemExit(0)\ndef f(w=1.0): return w * w, {'w': 3 * w}")
    assert check.verdict == "wrong"


@pytest.mark.slow
def test_without_the_module_resource_the_time_still_holds(monkeypatch):
    program = runner._program
    monkeypatch.setattr(runner, "_program", lambda: "import sys; sys.modules['resource'] = None; " + program())
    assert one(GOOD, function="loss_and_grads").verdict == "right"
    assert one("while True: pass", limits=Limits(waiting=3.0)).reason.key == "check.code.time"


# -- right and wrong -------------------------------------------------------------------------------------------
def test_a_right_backward_pass():
    check = one(GOOD, function="loss_and_grads")
    assert check.verdict == "right" and verdicts(check) == {"W_h": "right", "W_x": "right"} and not check.remarks
    assert check.line == 11  # of the def in the note


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("dh = W_h.T @ dz", "dh = W_h @ dz"), (" * (1 - hs[t] ** 2)", ""), ("(hs[t] + dh)", "hs[t]"),
     ("np.outer(dz, hs[t - 1])", "np.outer(hs[t - 1], dz)"), ("hs[t - 1])", "hs[t])")],
    ids=["transposed", "no f'", "lost path", "outer", "off by one"],
)  # fmt: skip
def test_a_wrong_backward_pass(right, wrong):
    assert right in GOOD
    assert one(GOOD.replace(right, wrong), function="loss_and_grads").verdict == "wrong"


def test_what_is_recognised_is_said():
    check = one(GOOD.replace("return loss, dW_h, dW_x", "return loss, dW_h.T, -dW_x"), function="loss_and_grads")
    assert {g.name: g.causes for g in check.gradients} == {"W_h": ("transposed",), "W_x": ("sign",)}


@pytest.mark.parametrize(
    "end",
    ["return loss, {'W_h': dW_h, 'W_x': dW_x}", "return loss, {'dW_h': dW_h, 'dW_x': dW_x}",
     "return loss, (dW_h, dW_x)",
     "grads = dict(W_h=dW_h, W_x=dW_x)\n    return loss, grads", "return dW_h, dW_x, loss",
     "dLdW_h, W_x_grad = dW_h, dW_x\n    return loss, dLdW_h, W_x_grad",
     "return loss, dW_h / 1, np.clip(dW_x, -99, 99), hs[-1]"],
)  # fmt: skip
def test_ways_to_return_gradients(end):
    check = one(GOOD.replace("return loss, dW_h, dW_x", end), function="loss_and_grads")
    assert verdicts(check) == {"W_h": "right", "W_x": "right"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("params = {'W': np.ones(3)}\ndef f(params):\n  W = params['W']\n  return W @ W, {'W': 2 * W}", ["W"]),
        ("ws = [np.ones(3), np.ones(2)]\ndef f(ws):\n  return ws[0].sum() + ws[1].sum(), [np.ones(3), np.ones(2)]",
         ["[0]", "[1]"]),
        ("W = np.ones(3)\ndef f():\n  dW = 2 * W\n  return W @ W, dW", ["W"]),
        ("p = {'W': np.ones(3)}\ndef f():\n  dW = 2 * p['W']\n  return p['W'] @ p['W'], dW", ["W"]),
    ],
)  # fmt: skip
def test_parameters_in_a_mapping_a_list_and_in_the_module(code, names):
    assert verdicts(one(f"import numpy as np\n{code}")) == dict.fromkeys(names, "right")


def test_a_function_that_changes_what_it_is_given():
    code = """
    import numpy as np
    W = np.ones(3)
    m = np.zeros(3)
    k = 0.0
    def f(x):
      global W, k
      dW = x + m
      loss = float((x + m) @ W) + k
      m[:] += 1
      W -= 0.1 * dW
      k += 1
      return loss, dW
    """
    assert verdicts(one(code, arguments={"x": "(3,)"})) == {"W": "right"}


def test_random_masks_are_the_same_at_every_call():
    code = """
    import numpy as np
    W = np.ones(9)
    def f():
      mask = np.random.rand(9) < 0.5
      dW = mask * 1.0
      return (W * mask).sum(), dW
    """
    assert verdicts(one(code)) == {"W": "right"}


def test_a_pair_of_methods():
    check = one(CELL, function="Unit.backward", arguments=ARGUMENTS)
    assert verdicts(check) == dict.fromkeys(("W_x", "W_h", "b_h", "h_prev"), "right")
    same = one(CELL, function="Unit.forward:Unit.backward", arguments=ARGUMENTS)
    assert verdicts(same) == verdicts(check)


def test_a_pair_with_mistakes():
    lost = CELL.replace("grad_h_prev = grad_z @", "grad_h_prev = grad_h @").replace("grad_z.sum(axis=0)", "grad_z")
    check = one(lost, function="Unit.backward", arguments=ARGUMENTS)
    assert verdicts(check) == {"W_x": "right", "W_h": "right", "b_h": "wrong", "h_prev": "wrong"}
    (bias,) = [g for g in check.gradients if g.name == "b_h"]
    assert bias.causes == ("shape",) and (bias.shape, bias.found) == ((3,), (4, 3)) and "(4, 3)" in said(check)


def test_an_object_of_the_note_is_taken():
    code = CELL + "\nunit = Unit(2, 3)\nx, h_prev = np.random.randn(4, 2), np.random.randn(4, 3)\n"
    assert one(code, function="Unit.backward").verdict == one(code, function="unit.backward").verdict == "right"


def test_functions_in_the_style_of_courses():
    code = """
    import numpy as np
    def step_forward(x, prev_h, Wx, Wh, b):
        next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
        return next_h, (x, prev_h, Wx, Wh, next_h)
    def step_backward(dnext_h, cache):
        x, prev_h, Wx, Wh, next_h = cache
        dz = dnext_h * (1 - next_h ** 2)
        dx, dprev_h, dWx, dWh, db = dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)
        return dx, dprev_h, dWx, dWh, db
    """
    shapes = {"x": "(4,2)", "prev_h": "(4,3)", "Wx": "(2,3)", "Wh": "(n,n)", "b": "(n,)"}
    check = one(code, function="step_backward", arguments=shapes, sizes={"n": 3.0})
    assert verdicts(check) == dict.fromkeys(("x", "prev_h", "Wx", "Wh", "b"), "right")


def test_a_loss_and_a_function_that_returns_gradients_alone():
    code = """
    import numpy as np
    class Net:
        def __init__(self, n=3):
            self.U = np.random.randn(n)
        def calculate_loss(self, x):
            return 0.5 * (self.U @ x) ** 2
        def bptt(self, x):
            dLdU = (self.U @ x) * x
            return [dLdU]
    """
    assert verdicts(one(code, function="Net.calculate_loss:Net.bptt", arguments={"x": "(3,)"})) == {"U": "right"}
    assert "name a pair" in said(one(code, function="Net.bptt", arguments={"x": "(3,)"}))


def test_gradients_kept_on_the_object():
    code = CELL.replace(
        "return grad_h_prev, grad_W_x, grad_W_h, grad_b_h",
        "self.dW_x, self.dW_h = grad_W_x, -grad_W_h\n        return grad_h_prev",
    )
    check = one(code, function="Unit.backward", arguments=ARGUMENTS)
    assert verdicts(check) == {"h_prev": "right", "W_x": "right", "W_h": "wrong"}


# -- blocks ----------------------------------------------------------------------------------------------------
def test_sessions_and_magics_are_read():
    code = ">>> w = 2.0\n>>> def f(w):\n...     return w * w, {'w': 2 * w}\n...\n>>> f(w)\n(4.0, ...)"
    assert verdicts(one(code)) == {"w": "right"}
    assert verdicts(one("%matplotlib inline\n!pip install x\ndef f(w=1.0):\n    return w * w, {'w': 2 * w}")) == {
        "w": "right"
    }


def test_what_fails_stops_its_block_but_not_the_definitions():
    check = one("x = undefined\ny = 3\ndef f(w=1.0):\n    return w * w, {'w': 2 * w}", "print('y' in globals())")
    assert check.verdict == "right" and check.output == "False\n"
    assert "line 4: NameError: name 'undefined' is not defined" in said(check)


def test_blocks_that_are_cut_off_or_do_not_compile_are_reported_with_their_lines():
    check = one(GOOD, "def g(x)\n  return 1\n\ny = 1", "for i in range(3):\n    print(f'{i", function="loss_and_grads")
    assert check.verdict == "right"
    assert "does not compile (line" in said(check) and "cut off in line 38 (" in said(check)


def test_a_function_in_a_block_that_is_cut_off_gets_one_clear_line():
    check = one(CELL + "\nprint(f'{np.linalg.norm(grad", function="Unit.backward", arguments=ARGUMENTS)
    assert check.verdict == "unchecked" and "\n" not in said(check)
    assert (
        said(check)
        .strip()
        .startswith(
            "Unit.backward cannot be run: the Python block with it, which begins in line 4, is cut off in line 25 ("
        )
    )


def test_the_notes_of_a_notebook_are_called_by_their_cells():
    cells = [{"cell_type": "markdown", "source": "Let $a = b$."}, {"cell_type": "code", "source": "x = y"},
             {"cell_type": "code", "source": "def f(w=1.0):\n    return w * w, {'w': 2 * w}"}]  # fmt: skip
    found = note_of(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), "n.ipynb", "notebook")
    ((check,),) = run_notes([found], ["f"])
    assert check.verdict == "right" and "line 1 of code cell 1: NameError" in said(check)


# -- messages --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "arguments", "text"),
    [
        ("def f(x, y): return 1", {"x": 1.0}, "f needs y, which the note does not give"),
        ("def f(x): return 1", {"x": "z"}, "the note has no variable z"),
        ("def f(x): return 1", {"x": "(k,2)"}, "the size k is not known"),
        ("def f(w=1.0): return w", {}, "does not return the loss and gradients, but float"),
        ("def f(w=1.0): pass", {}, "but None"),
        ("def f(w=1.0): return w, 3.0", {}, "nothing that is called after an array"),
        ("def f(w=1.0): return 1 / 0", {}, "stops with an error in line 4: ZeroDivisionError"),
        ("def f(w=1.0): return float('nan'), {'w': w}", {}, "f: f gives the loss nan"),
        ("def f(w=1.0): raise SystemExit", {}, "SystemExit"),
        ("def f(w=1.0): return f(w)", {}, "RecursionError"),
    ],
)
def test_what_is_missing_is_said_in_one_line(code, arguments, text):
    check = one(code, arguments=arguments)
    assert check.verdict == "unchecked" and text in said(check) and "\n" not in said(check)


def test_an_unknown_function_is_bad_input():
    with pytest.raises(UnknownNameError, match=r"--run-code los: not in the Python blocks of n\.md; did you mean"):
        one("def loss(): pass", function="los")


@pytest.mark.parametrize("name", ["", "f()", "a.b.c", "f:g:h", "import os", "1"])
def test_what_cannot_be_a_function_is_refused(name):
    with pytest.raises(ValueInputError, match="--run-code"):
        read_names([name])


@pytest.mark.parametrize("value", ["(0,3)", "(99999,99999)", "1 + 1", "{}", '"a"', "true", "[" * 100_000, "f(2)"])
def test_what_cannot_be_an_argument_is_refused(value):
    with pytest.raises(ValueInputError, match="--with x=") as caught:
        specs({"x": value})
    assert "\n" not in str(caught.value)


def test_several_notes_are_each_searched():
    found = run_notes(
        [note(GOOD, name="a.md"), note("def f(w=1.0): return w * w, {'w': w}", name="b.md")], ["f", "loss_and_grads"]
    )
    assert [[(c.file, c.name, c.verdict) for c in checks] for checks in found] == [
        [("a.md", "loss_and_grads", "right")], [("b.md", "f", "wrong")],
    ]  # fmt: skip


# -- the command and the formats -------------------------------------------------------------------------------
@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, code in (("good.md", GOOD), ("wrong.md", GOOD.replace("W_h.T @ dz", "W_h @ dz"))):
        Path(name).write_text(f"Let $2 + 2 = 4$.\n\n```python\n{code}\n```\n", "utf-8")


@pytest.mark.parametrize(("file", "code"), [("good.md", 0), ("wrong.md", 1)])
def test_the_exit_code_says_whether_a_gradient_is_wrong(here, file, code, capsys):
    assert cli.run(["check", file, "--run-code", "loss_and_grads", "--lang", "en"]) == code
    out = capsys.readouterr().out
    assert f"{file}:12: loss_and_grads: gradients {'wrong' if code else 'right'}\n    W_h (3, 3): " in out


def test_bad_options_are_one_line_each(here, capsys):
    for options in (
        ["--run-code", "f("],
        ["--run-code", "nothing"],
        ["--with", "x=1"],
        ["--run-code", "f", "--with", "x"],
    ):
        assert cli.run(["check", "good.md", *options]) == 2
        out, err = capsys.readouterr()
        assert not out and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_format_has_it(here, lang):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs/schemas/check.schema.json").read_text("utf-8"))
    report = check_notes("wrong.md", lang=lang, run_code=["loss_and_grads"])
    data = json.loads(report.to_json())
    jsonschema.Draft202012Validator(schema).validate(data)
    assert not report.ok and data["ok"] is False and data["code"][0]["verdict"] == "wrong"
    assert schema["$defs"]["code"]["properties"]["verdict"]["enum"] == list(CODE_VERDICTS)
    assert data["code"][0]["gradients"][0]["parameter"] == "W_h" and data["code"][0]["gradients"][0]["entry"]
    page, text = report.to_html(), report.to_text()
    for shown in (page, text):
        assert "loss_and_grads" in shown and data["code"][0]["gradients"][0]["text"][:20] in shown.replace(
            "\n    ", " "
        )
    assert 'class="model code"' in page and check_notes("good.md", run_code="loss_and_grads").ok


def test_what_the_code_prints_is_escaped_in_the_page():
    text = "```python\nprint('<script>alert(1)</script>\\x1b[31m')\ndef f(w=1.0): return w * w, {'w': 2 * w}\n```\n"
    report = check_notes(text, kind="markdown", run_code=["f"])
    assert "&lt;script&gt;alert(1)" in report.to_html() and "<script>alert" not in report.to_html()
    assert "\x1b" not in report.to_html() + to_text(report.data) + json.dumps(as_data(report.data, "en"))
