"""symbptt compare: dumps in, verdicts and exit codes out; what does not fit is one line, and nothing is written."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from symbptt import RNN, cli, load
from symbptt.api.dumps import open_sizes, template

SOURCE = "vector-tanh"
GRADS = load(SOURCE).lambdify()(**load(SOURCE).arguments())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def run(capsys, *arguments):
    """Return exit code, stdout and stderr."""
    code = cli.run(["compare", *arguments])
    done = capsys.readouterr()
    return code, done.out, done.err


def dump(name="dump.npz", **groups):
    """Write a dump: ``grads={"W_h": ...}``, and arrays of their own names."""
    arrays = {}
    for group, given in groups.items():
        arrays |= {f"{group}/{key}": v for key, v in given.items()} if isinstance(given, Mapping) else {group: given}
    np.savez(name, **arrays)
    return name


def numbers(n=3, m=2, steps=5, batch=4):
    """Return a network of these sizes in numbers, and its gradients."""
    rng = np.random.default_rng(0)
    params = {"W_h": rng.standard_normal((n, n)) / 2, "W_x": rng.standard_normal((n, m)), "b_h": np.zeros(n)}
    x, target = rng.standard_normal((steps, batch, m)), rng.standard_normal((steps, batch, n))
    return {"params": params, "x": x, "target": target}, RNN("tanh", n, m, steps="T").lambdify()(params, x, target)


# -- verdicts --------------------------------------------------------------------------------------------------
def test_right_gradients_at_the_numbers_of_the_source(capsys):
    code, out, err = run(capsys, SOURCE, dump(grads=GRADS.grads, adjoints=GRADS.adjoints, states=GRADS.states))
    assert (code, err) == (0, "") and out.startswith(f"all {len(GRADS.grads) + 3} arrays right")


def test_plain_names_are_gradients(capsys):
    grads = {key: value for key, value in GRADS.grads.items() if key not in ("x", "h0")}
    np.savez("dump.npz", **grads)
    assert run(capsys, SOURCE, "dump.npz")[0] == 0


def test_wrong_gradients_end_with_one_and_are_explained(capsys):
    code, out, _ = run(capsys, SOURCE, dump(grads={**GRADS.grads, "W_h": GRADS.grads["W_h"].T}), "--lang", "en")
    assert code == 1 and "W_h: it is transposed" in out
    code, out, _ = run(capsys, SOURCE, "dump.npz", "--lang", "zh")
    assert code == 1 and "转置" in out


def test_numbers_in_the_dump_stand_for_those_of_the_source(capsys):
    model = load(SOURCE)
    call = model.arguments()
    call["x"] = 2 * np.asarray(call["x"])
    grads = model.lambdify()(**call).grads
    assert run(capsys, SOURCE, dump(grads=grads, x=call["x"]))[0] == 0
    assert run(capsys, SOURCE, dump(grads=grads))[0] == 1


@pytest.mark.parametrize("source", ["tanh", "lstm"])
def test_the_sizes_of_a_cell_are_those_of_the_arrays(capsys, source):
    if source == "tanh":
        given, out = numbers()
    else:
        function = open_sizes(load("lstm")).lambdify()
        rng = np.random.default_rng(0)
        shapes = {"W_x": (3, 2), "W_h": (3, 3), "b_": (3,)}
        params = {key + gate: rng.standard_normal(shape) for key, shape in shapes.items() for gate in "ifco"}
        given = {"params": params, "x": rng.standard_normal((4, 2)), "target": rng.standard_normal((4, 3))}
        out = function(**given)
    assert run(capsys, source, dump(**given, grads=out.grads))[0] == 0


def test_initial_states_and_inputs_under_both_kinds_of_names(capsys):
    given, _ = numbers()
    h0 = np.full((4, 3), 0.3)
    grads = RNN("tanh", 3, 2, steps="T").lambdify()(**given, h0=h0).grads
    assert run(capsys, "tanh", dump(**given, grads=grads, h0=h0))[0] == 0
    assert run(capsys, "tanh", dump(**given, grads=grads, initial={"h": h0}))[0] == 0


def test_low_precision_and_truncation(capsys):
    given, out = numbers()
    low = {key: value.astype("float16").astype("float64") for key, value in out.grads.items()}
    assert run(capsys, "tanh", dump(**given, grads=low))[0] == 1
    assert run(capsys, "tanh", "dump.npz", "--dtype", "float16")[0] == 0
    cut = RNN("tanh", 3, 2, steps="T").lambdify("window:2")(**given).grads
    code, text, _ = run(capsys, "tanh", dump(**given, grads=cut))
    assert code == 1 and "goes back over 2 steps only" in text
    assert run(capsys, "tanh", "dump.npz", "--truncate", "window:2")[0] == 0


def test_every_output_and_its_suffix(capsys):
    dump(grads={"W_h": -GRADS.grads["W_h"]})
    code, out, _ = run(capsys, SOURCE, "dump.npz", "--to", "json")
    assert code == 1 and json.loads(out)["causes"][0]["causes"] == [{"name": "sign"}]
    for name in ("report.json", "report.html"):
        code, out, _ = run(capsys, SOURCE, "dump.npz", "-o", name)
        assert code == 1 and out == ""
    assert json.loads(Path("report.json").read_text("utf-8"))["ok"] is False
    assert Path("report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


# -- the file that dumps ---------------------------------------------------------------------------------------
def test_the_template_writes_a_dump_that_is_read(capsys):
    code, _, err = run(capsys, "tanh", "--template", "kernel.py")
    assert code == 0 and "wrote kernel.py" in err
    given, out = numbers()
    save = runpy.run_path("kernel.py")["save"]
    save("dump.npz", given["params"], out.grads, given["x"], given["target"], adjoints=out.adjoints, states=out.states)
    code, text, _ = run(capsys, "tanh", "dump.npz")
    assert code == 0 and text.startswith("all 8 arrays right")
    assert run(capsys, "tanh", "--template", "kernel.py")[0] == 2  # it is there already


def test_the_template_takes_tensors_also_of_bfloat16(capsys):
    class Tensor:
        def __init__(self, array, dtype):
            self.array, self.dtype = array, dtype

        detach = cpu = lambda self: self
        float = lambda self: Tensor(self.array.astype("float32"), "torch.float32")  # noqa: E731

        def __array__(self, dtype=None, copy=None):
            if "bfloat16" in str(self.dtype):
                raise TypeError("Got unsupported ScalarType BFloat16")
            return self.array

    Path("kernel.py").write_text(template(load("tanh")), encoding="utf-8")
    given, out = numbers()
    save = runpy.run_path("kernel.py")["save"]
    tensors = {key: Tensor(value, "torch.bfloat16") for key, value in out.grads.items()}
    save("dump.npz", given["params"], tensors, Tensor(given["x"], "torch.float64"), given["target"])
    assert run(capsys, "tanh", "dump.npz")[0] == 0


def test_the_template_names_everything_with_its_shape():
    text = template(open_sizes(load("lstm")))
    compile(text, "template", "exec")
    assert "W_hi (n, n)" in text and "c0 ([B], n)" in text and max(map(len, text.splitlines())) <= 120


# -- bad input -------------------------------------------------------------------------------------------------
def archive(**arrays):
    np.savez("bad.npz", **arrays)
    return "bad.npz"


def written(name, data):
    Path(name).write_bytes(data)
    return name


BAD = {
    "no such file": (lambda: "no.npz", "no.npz: No such file or directory"),
    "a directory": (lambda: ".", "it is a directory"),
    "a text": (lambda: written("a.npz", b"hello"), "a.npz: no archive of arrays"),
    "an empty file": (lambda: written("a.npz", b""), "a.npz: no archive of arrays"),
    "half a file": (
        lambda: written("a.npz", Path(archive(W_h=np.ones(99))).read_bytes()[:300]),
        "no archive of arrays",
    ),
    "one array": (lambda: np.save("a.npy", np.ones(2)) or "a.npy", "no archive of arrays"),
    "objects": (lambda: archive(W_h=np.array([{}], dtype=object)), "W_h holds Python objects, which are not read"),
    "words": (lambda: archive(W_h=np.array(["a"])), "holds no real numbers"),
    "nothing": (lambda: archive(), "no gradients in it; save them as grads/W_h"),
    "only numbers": (lambda: archive(x=np.ones((2, 2))), "no gradients in it"),
    "an unknown name": (lambda: archive(W_hh=np.ones(2)), "'W_hh' in the dump is nothing of the model; did you mean"),
    "an unknown gradient": (lambda: archive(**{"grads/W_hh": np.ones(2)}), "did you mean 'W_h'?"),
    "an unknown group": (lambda: archive(**{"grad/W_h": np.ones(2)}), "no group 'grad'; did you mean 'grads'?"),
    "an unknown parameter": (lambda: archive(**{"grads/W_h": 1.0, "params/W_z": 1.0}), "unknown parameter 'W_z'"),
    "a wrong shape": (lambda: archive(W_h=np.ones((3, 7))), "grads['W_h'] has shape (3, 7); expected (n, n) = (2, 2)"),
    "another shape of a parameter": (
        lambda: archive(**{"W_h": np.ones((2, 2)), "params/W_h": np.ones((2, 3))}),
        "params['W_h'] has shape (2, 3); expected (n, n) = (2, 2)",
    ),
    "another number of steps": (lambda: archive(W_h=np.ones((2, 2)), x=np.ones((7, 2))), "steps"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_dumps_are_one_line_and_nothing_is_written(capsys, case):
    make, text = BAD[case]
    code, out, err = run(capsys, SOURCE, make(), "-o", "report.html")
    assert (code, out) == (2, "") and text in err and err.count("\n") == 1 and "Traceback" not in err
    assert not Path("report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([SOURCE], "give DUMP.npz, or --template FILE"),
        ([SOURCE, "dump.npz", "--template", "t.py"], "give DUMP.npz, or --template FILE"),
        ([SOURCE, "dump.npz", "--dtype", "float31"], "unknown dtype 'float31'; did you mean 'float32'?"),
        ([SOURCE, "dump.npz", "--to", "pdf"], "unknown format 'pdf'"),
        ([SOURCE, "dump.npz", "-o", "dump.npz"], "dump.npz is the dump that is compared"),
        (["no-such-model", "dump.npz"], "no-such-model"),
        (["softmax-readout", "dump.npz"], "no params/W_h in it, and the model has no numbers of its own"),
        ([SOURCE, "dump.npz", "--truncate", "randomised:1/2"], "random truncation"),
    ],
)
def test_bad_arguments_are_one_line(capsys, arguments, text):
    dump(grads=GRADS.grads)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "") and text in err and err.count("\n") == 1
    assert np.load("dump.npz").files  # it is still there


def test_the_help_has_examples(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0 and "symbptt compare" in out and "--template" in out
