"""What generated code takes and returns: shapes, types, errors; and its source as a module of its own."""

from __future__ import annotations

import inspect
import pickle
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codegen_networks import CELLS, data, network

from symbptt import RNN
from symbptt.codegen import compile_network
from symbptt.errors import SizeError, SymbpttError, UnknownNameError, ValueInputError
from symbptt.model import ACTIVATIONS, Cell, Loss


def rnn(**options):
    bptt = compile_network(network("tanh", **options))
    return bptt, data(bptt, 5, 2)


# -- shapes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("B", "lead"), [(None, ()), (1, (1,)), (3, (3,))])
def test_shapes(B, lead):
    bptt = compile_network(network("tanh"))
    given = data(bptt, 5, B)
    out = bptt(**given)
    assert isinstance(out.loss, float)
    assert {k: v.shape for k, v in out.grads.items()} == {
        **{k: v.shape for k, v in given["params"].items()},
        "x": (5, *lead, 3),
        "h0": (*lead, 4),
    }
    assert out.states["h"].shape == (6, *lead, 4)
    assert out.outputs.shape == (5, *lead, 2)
    assert {k: v.shape for k, v in out.adjoints.items()} == {"z": (5, *lead, 4), "h": (5, *lead, 4)}
    np.testing.assert_array_equal(out.states["h"][0], given["initial"]["h"])


def test_batch_rows_are_summed():
    bptt, given = rnn()
    whole = bptt(**given)
    rows = [
        bptt(given["params"], given["x"][:, b], given["target"][:, b], h0=given["initial"]["h"][b]) for b in range(2)
    ]
    assert whole.loss == pytest.approx(sum(row.loss for row in rows))
    np.testing.assert_allclose(whole.grads["W_h"], sum(row.grads["W_h"] for row in rows))
    np.testing.assert_allclose(whole.grads["x"], np.stack([row.grads["x"] for row in rows], 1))
    np.testing.assert_allclose(whole.states["h"], np.stack([row.states["h"] for row in rows], 1))


def test_a_broadcast_initial_state_gets_a_gradient_of_its_own_shape():
    bptt, given = rnn()
    x, target, params = given["x"], given["target"], given["params"]
    every = bptt(params, x, target, h0=np.full((2, 4), 0.3)).grads["h0"]
    np.testing.assert_allclose(bptt(params, x, target, h0=np.full(4, 0.3)).grads["h0"], every.sum(0))
    scalar = bptt(params, x, target, h0=0.3).grads["h0"]
    assert np.shape(scalar) == ()
    assert float(scalar) == pytest.approx(every.sum())


def test_initial_states_are_zero_by_default():
    bptt, given = rnn()
    out = bptt(given["params"], given["x"], given["target"])
    zero = bptt(given["params"], given["x"], given["target"], h0=np.zeros((2, 4)))
    assert out.loss == zero.loss
    np.testing.assert_array_equal(out.grads["h0"], zero.grads["h0"])
    assert bptt(given["params"], given["x"][:, 0], given["target"][:, 0]).grads["h0"].shape == (4,)


def test_a_scalar_model_takes_floats_and_gives_floats():
    bptt = compile_network(network("relu", 1, 1, 1, "linear", "half_squared_error"))
    params = {"W_h": 1.5, "W_x": 1, "b_h": 0.0, "W_y": np.float64(2.0), "b_y": 0}
    out = bptt(params, [1.0, 1.0, 1.0], [0.0, 0.0, 1.0], h0=0.5)
    assert all(type(grad) is float for key, grad in out.grads.items() if key != "x")
    assert out.grads["x"].shape == out.outputs.shape == (3,)
    assert out.states["h"].shape == (4,)
    wide = {key: np.full((1, 1) if key[0] == "W" else (1,), value) for key, value in params.items()}
    for x, target in (([[1.0]] * 3, [[0.0], [0.0], [1.0]]), ([[[1.0]]] * 3, [[[0.0]], [[0.0]], [[1.0]]])):
        again = bptt(wide, x, target, h0=[0.5])
        assert again.grads["W_h"].shape == (1, 1)
        assert float(again.grads["W_h"][0, 0]) == pytest.approx(out.grads["W_h"])
        assert again.grads["x"].shape == again.outputs.shape == np.shape(x)
        assert again.grads["h0"].shape == (1,)


def test_with_last_the_target_may_be_that_of_the_last_step():
    for readout, criterion in (("softmax", "cross_entropy"), ("linear", "mse")):
        bptt = compile_network(network("tanh", readout=readout, loss_=criterion, reduction="last"))
        for B in (None, 3):
            given = data(bptt, 5, B)
            out, short = bptt(**given), bptt(**{**given, "target": given["target"][-1]})
            assert out.loss == short.loss
            assert out.outputs.shape[0] == 5
            np.testing.assert_array_equal(out.grads["W_x"], short.grads["W_x"])


def test_class_indices_are_distributions_at_one_entry():
    for reduction in ("sum", "last"):
        bptt = compile_network(network("tanh", reduction=reduction))
        for B in (None, 3):
            given = data(bptt, 5, B)
            classes = np.random.default_rng(0).integers(0, 2, given["x"].shape[:-1])
            out = bptt(given["params"], given["x"], classes)
            same = bptt(given["params"], given["x"], np.eye(2)[classes])
            assert out.loss == same.loss
            np.testing.assert_array_equal(out.grads["b_y"], same.grads["b_y"])
    assert bptt(given["params"], given["x"], classes[-1]).loss == out.loss


def test_without_an_input_the_steps_come_from_the_target_or_from_steps():
    bptt = compile_network(network("tanh", inputs=None))
    given = data(bptt, 5, None)
    del given["steps"]
    assert "x" not in bptt(**given).grads
    last = compile_network(network("tanh", inputs=None, reduction="last"))
    with pytest.raises(ValueInputError, match="steps"):
        last(given["params"], target=1)
    assert last(given["params"], target=1, steps=4).outputs.shape == (4, 2)
    assert last(given["params"], target=[1, 0, 1], steps=4, h0=np.zeros((3, 4))).outputs.shape == (4, 3, 2)
    silent = compile_network(network("tanh", inputs=None, readout=None, loss_=Loss("norm2(h[t])")))
    params = {k: given["params"][k] for k in ("W_h", "b_h")}
    assert silent(params, steps=3, h0=np.ones((2, 4))).states["h"].shape == (4, 2, 4)


def test_wrt_limits_what_is_returned():
    bptt, given = rnn()
    full = bptt(**given)
    some = bptt(**given, wrt=["h0", "W_h"])
    assert list(some.grads) == ["W_h", "h0"]
    np.testing.assert_array_equal(some.grads["W_h"], full.grads["W_h"])
    assert list(bptt(**given, wrt="b_y").grads) == ["b_y"]
    nothing = bptt(**given, wrt=())
    assert (nothing.loss, nothing.grads, nothing.adjoints) == (full.loss, {}, {})
    np.testing.assert_array_equal(nothing.states["h"], full.states["h"])


def test_states_by_name():
    bptt = compile_network(network(CELLS["lstm"]))
    given = data(bptt, 3, 2)
    initial = given.pop("initial")
    by_name = bptt(**given, initial=initial)
    assert by_name.loss == bptt(**given, h0=initial["h"], c0=initial["c"]).loss
    assert by_name.loss == bptt(**given, initial={"h0": initial["h"]}, c0=initial["c"]).loss
    assert set(by_name.adjoints) == {"i", "f", "o", "g", "c", "h"}
    memory = compile_network(network(CELLS["matrix memory"], readout=None, loss_="mse"))
    given = data(memory, 3, 2)
    assert memory(**given).grads["S0"].shape == (2, 5, 4)


# -- types --------------------------------------------------------------------------------------------


def test_inputs_are_not_modified_and_need_not_be_contiguous():
    bptt, given = rnn()
    twisted = {k: np.asfortranarray(np.repeat(v, 2, axis=-1))[..., ::2] for k, v in given["params"].items()}
    x = np.asfortranarray(given["x"][::-1])[::-1]
    kept = {k: v.copy() for k, v in twisted.items()}, x.copy(), given["target"].copy()
    for array in (*twisted.values(), x, given["target"]):
        array.flags.writeable = False
    out = bptt(twisted, x, given["target"], h0=given["initial"]["h"])
    for key, value in kept[0].items():
        np.testing.assert_array_equal(twisted[key], value)
    np.testing.assert_array_equal(x, kept[1])
    np.testing.assert_allclose(out.grads["W_h"], bptt(**given).grads["W_h"], rtol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_single_precision_stays_single(activation):
    bptt = compile_network(network(activation))
    given = data(bptt, 4, 2)
    params = {k: v.astype(np.float32) for k, v in given["params"].items()}
    out = bptt(params, given["x"].astype(np.float32), [[0, 1]] * 4)
    arrays = {**out.grads, **out.states, **out.adjoints, "outputs": out.outputs}
    assert {k: v.dtype for k, v in arrays.items()} == dict.fromkeys(arrays, np.dtype(np.float32))


def test_integers_become_floats():
    bptt, given = rnn()
    params = {k: np.ones(v.shape, dtype=int) for k, v in given["params"].items()}
    assert bptt(params, np.ones((5, 3), dtype=np.int8), [0] * 5).grads["x"].dtype == np.float64


# -- errors -------------------------------------------------------------------------------------------


def change(given, **values):
    return {**given, **values}


def drop(params, key):
    return {k: v for k, v in params.items() if k != key}


def spoiled(array, value):
    copy = np.array(array)
    copy.flat[1] = value
    return copy


WRONG = {
    "unknown parameter 'W_hh'; did you mean 'W_h'?": lambda g: change(g, params={**g["params"], "W_hh": 1}),
    "params: b_h missing; the model has W_h, W_x, b_h, W_y, b_y": lambda g: change(g, params=drop(g["params"], "b_h")),
    "params must map keys to arrays": lambda g: change(g, params=3),
    "params['W_x'] has shape (4, 2); expected (n, m) = (4, 3)": lambda g: change(
        g, params={**g["params"], "W_x": np.ones((4, 2))}
    ),
    "params['W_h'] has a value that is not finite, nan at [0, 1]": lambda g: change(
        g, params={**g["params"], "W_h": spoiled(g["params"]["W_h"], np.nan)}
    ),
    "params['b_h'] is not an array of numbers": lambda g: change(g, params={**g["params"], "b_h": [[1], [1, 2]]}),
    "params['b_h'] must be real numbers, not complex128": lambda g: change(g, params={**g["params"], "b_h": [1j] * 4}),
    "x is missing: the model reads x at each step": lambda g: change(g, x=None),
    "x has shape (5,); expected (T, m) = (T, 3) or (T, B, m) = (T, B, 3)": lambda g: change(g, x=np.ones(5)),
    "x has shape (5, 2, 4); expected (T, B, m) = (T, B, 3)": lambda g: change(g, x=np.ones((5, 2, 4))),
    "x has no steps": lambda g: change(g, x=np.ones((0, 2, 3))),
    "x has an empty batch": lambda g: change(g, x=np.ones((5, 0, 3))),
    "x has a value that is not finite, inf at [0, 0, 1]": lambda g: change(g, x=spoiled(g["x"], np.inf)),
    "unknown input 'u'": lambda g: change(g, x={"u": g["x"]}),
    "target is missing; expected class indices (T, B) = (5, 2) or (T, B, q) = (5, 2, 2)": lambda g: change(
        g, target=None
    ),
    "target has shape (4, 2, 2); expected": lambda g: change(g, target=g["target"][:4]),
    "target has shape (5, 3, 2); expected": lambda g: change(g, target=np.full((5, 3, 2), 0.5)),
    "class indices must be integers": lambda g: change(g, target=np.ones((5, 2))),
    "target has the class index 7; there are 2 classes, from 0": lambda g: change(g, target=np.full((5, 2), 7)),
    "target has the class index -1": lambda g: change(g, target=np.full((5, 2), -1)),
    "target has a distribution that sums to 0.8, not 1": lambda g: change(g, target=np.full((5, 2, 2), 0.4)),
    "target has the negative entry -0.5": lambda g: change(g, target=np.array([[[-0.5, 1.5]] * 2] * 5)),
    "h0 has shape (3,); expected (n,) = (4,) or (B, n) = (B, 4), or a scalar": lambda g: change(
        g, initial={"h": np.ones(3)}
    ),
    "h0 has a batch of 3, but x has 2": lambda g: change(g, initial={"h": np.ones((3, 4))}),
    "h0 has an axis of batch, but x has none": lambda g: change(g, x=g["x"][:, 0], target=g["target"][:, 0]),
    "initial: 'c' is no state of the model": lambda g: change(g, c0=1.0),
    "h is given twice": lambda g: change(g, h0=1.0),
    "wrt: unknown name 'W_g'": lambda g: change(g, wrt=["W_g"]),
    "x has 5 steps, but the model has 4": lambda g: change(g, steps=4),
}


@pytest.mark.parametrize("message", WRONG)
def test_errors_say_what_is_wrong_in_one_line(message):
    bptt, given = rnn()
    with pytest.raises(SymbpttError) as error:
        bptt(**WRONG[message](given))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_more_errors():
    bptt, given = rnn(steps=4)
    with pytest.raises(ValueInputError, match="x has 5 steps, but the model has 4"):
        bptt(**given)
    with pytest.raises(SizeError, match="positive integer"):
        bptt(**given, steps=0)
    unit = compile_network(network("tanh", readout="sigmoid", loss_="binary_cross_entropy"))
    with pytest.raises(ValueInputError, match="from 0 to 1"):
        unit(given["params"], given["x"], np.full((5, 2, 2), 1.5))
    silent = compile_network(network("tanh", readout=None, loss_=Loss("norm2(h[t])")))
    params = {k: given["params"][k] for k in ("W_h", "W_x", "b_h")}
    with pytest.raises(ValueInputError, match="no target"):
        silent(params, given["x"], given["target"])
    mute = compile_network(network("tanh", inputs=None))
    with pytest.raises(ValueInputError, match="no input"):
        mute(drop(given["params"], "W_x"), given["x"], given["target"])


def test_symbolic_sizes_are_taken_from_the_arrays_and_must_agree():
    bptt = compile_network(network("tanh", "n", "m", "q"))
    given = data(bptt, 5, 2, sizes={"n": 6, "m": 2, "q": 3})
    assert bptt(**given).grads["W_y"].shape == (3, 6)
    with pytest.raises(ValueInputError, match=r"params\['W_h'\] has shape \(6, 5\); expected \(n, n\) = \(6, 6\)"):
        bptt(**change(given, params={**given["params"], "W_h": np.ones((6, 5))}))


def test_several_inputs_are_given_by_name():
    two = Cell(["h[t] = tanh(W @ h[t-1] + A @ x[t] + C @ u[t])"], ["h"], shapes={"x": ("m",), "u": ("k",)})
    bptt = compile_network(network(two, readout="linear", loss_="mse"))
    params = {"W": np.eye(4), "A": np.ones((4, 3)), "C": np.ones((4, 2)), "W_y": np.ones((2, 4)), "b_y": np.zeros(2)}
    x = {"x": np.ones((5, 3)), "u": np.ones((5, 2))}
    out = bptt(params, x, np.zeros((5, 2)))
    assert (out.grads["x"].shape, out.grads["u"].shape) == ((5, 3), (5, 2))
    with pytest.raises(ValueInputError, match="has inputs x, u"):
        bptt(params, x["x"], np.zeros((5, 2)))
    with pytest.raises(UnknownNameError, match="unknown input 'v'"):
        bptt(params, {**x, "v": 1}, np.zeros((5, 2)))
    with pytest.raises(ValueInputError, match="u has 4 steps, but x has 5"):
        bptt(params, {**x, "u": np.ones((4, 2))}, np.zeros((5, 2)))


# -- the source ---------------------------------------------------------------------------------------

NETWORKS = {
    "elman": lambda: network("gelu", reduction="mean"),
    "scalar": lambda: network("sigmoid", 1, 1, 1, "linear", "mse", "last"),
    "no input": lambda: network("elu", inputs=None, reduction="last", readout="sigmoid", loss_="binary_cross_entropy"),
    **{name: (lambda c=given: network(c, "n", "m", "q", "linear", "mse")) for name, given in CELLS.items()},
}


AT_ONCE = ("elman", "scalar", "no input", "lstm", "bidirectional", "delta_rule")


@pytest.mark.parametrize("name", [n if n in AT_ONCE else pytest.param(n, marks=pytest.mark.slow) for n in NETWORKS])
def test_the_source_is_a_module_of_its_own_that_checks_itself(name, tmp_path):
    path = tmp_path / "generated.py"
    path.write_text(compile_network(NETWORKS[name]()).source, encoding="utf-8")
    assert "symbptt" not in "".join(line for line in path.read_text("utf-8").splitlines() if "import" in line)
    done = subprocess.run([sys.executable, "-I", "-W", "error", str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 1e-6


def test_the_source_can_be_imported_without_symbptt(tmp_path):
    bptt = compile_network(network("tanh"))
    (tmp_path / "generated.py").write_text(bptt.source, encoding="utf-8")
    code = (
        "import sys, numpy as np, generated\n"
        "params = {'W_h': np.eye(2), 'W_x': np.ones((2, 1)), 'b_h': [0, 0], 'W_y': np.eye(2), 'b_y': [0, 0]}\n"
        "out = generated.bptt(params, np.ones((3, 1)), np.array([0, 1, 0]))\n"
        "print(out.loss, out.grads['x'].shape, out.states['h'].shape, 'sympy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stdout.split(" ", 1)[1].strip() == "(3, 1) (4, 2) False", done.stderr


@pytest.mark.parametrize("name", ["elman", "scalar", "no input", "lstm", "gru", "matrix memory"])
def test_the_source_is_laid_out_as_ruff_does(name, tmp_path):
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff, "ruff comes with the extra test"
    path = tmp_path / "generated.py"
    path.write_text(compile_network(NETWORKS[name]()).source, encoding="utf-8")
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run([ruff, *command, "--isolated", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_the_source_is_the_same_from_run_to_run(tmp_path):
    code = (
        "from symbptt.codegen import emit\nfrom symbptt.model import *\n"
        "net = Network(cell('tanh'), whole('n', ''), whole('m', ''), whole('q', ''), 'softmax', "
        "loss('cross_entropy', 'softmax'), 'mean', whole('T', ''))\n"
        "import hashlib; print(hashlib.sha256(emit(net).source.encode()).hexdigest())"
    )
    root = Path(__file__).resolve().parents[1]
    seen = set()
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root), "PATH": ""}
        seen.add(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout)
    assert len(seen) == 1
    assert len(seen.pop()) > 60


def test_every_line_of_the_step_names_its_formula():
    source = compile_network(network("tanh")).source
    for formula in (
        "# zₜ = W_h hₜ₋₁ + W_x xₜ + b_h",
        "# ∂L/∂hₜ = ∂lₜ/∂hₜ + W_hᵀ ∂L/∂zₜ₊₁",
        "# ∂L/∂zₜ = (1 − hₜ ⊙ hₜ) ⊙ ∂L/∂hₜ",
        "# ∂L/∂W_h = Σₜ₌₁ᵀ ∂L/∂zₜ hₜ₋₁ᵀ",
        "# ∂lₜ/∂aₜ = yₜ − targetₜ",
    ):
        assert formula in source


def test_the_source_does_not_depend_on_sizes_and_steps():
    assert compile_network(network("tanh", steps=7)).source == compile_network(network("tanh", "n", "m", "q")).source


def test_tracebacks_and_inspect_find_the_source():
    bptt = compile_network(network("tanh"))
    text = inspect.getsource(bptt._function)
    assert text.startswith("def bptt(")
    assert text in bptt.source


def test_it_can_be_pickled():
    bptt, given = rnn()
    again = pickle.loads(pickle.dumps(bptt))
    assert again(**given).loss == bptt(**given).loss
    assert repr(again) == "<bptt of the cell 'tanh': W_h, W_x, b_h, W_y, b_y, x, h0>"


def _peak(call: Any) -> int:
    """Return the bytes that a call allocates at most; arrays that an earlier call of its sizes left do not count."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.sample(3)
@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_memory_grows_with_the_number_of_steps_as_the_formula_says(cell: str, batch: int | None) -> None:
    sizes = {"n": 16, "m": 12, "q": 10}
    bptt = RNN(cell, "n", "m", "q", readout="softmax", loss="cross_entropy").lambdify()
    bptt(**data(bptt, 2, batch, sizes=sizes))  # generated, and imported
    peaks, said = [], []
    for steps in (4_000 // (batch or 1), 16_000 // (batch or 1)):
        given = data(bptt, steps, batch, sizes=sizes)
        given.pop("initial")
        given["target"] = np.argmax(given["target"], -1)
        peaks.append(_peak(lambda given=given: bptt(**given)))
        values = {**sizes, "T": steps, "B": batch or 1}
        formula = bptt.memory(batch is not None)
        said.append(float(formula.subs({s: values[str(s)] for s in formula.free_symbols})))
    # With one sequence NumPy copies operands that lie beside others before it multiplies them.
    copies = 0.06 if batch else 0.4
    assert 0.94 < (peaks[1] - peaks[0]) / (said[1] - said[0]) < 1 + copies
    assert str(bptt._function.__doc__).count("in bytes") == 1
