"""The JAX function: the numbers of the NumPy one, under jit, vmap, grad and a sharded batch; and its source.

A few cells are compiled; the long tables run step by step (``jax.disable_jit``), where compiling would take minutes.
"""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
from codegen_networks import CELLS, LOSSES, data, entries, network
from test_codegen import ACTIVATIONS_IN_SYMPY, ODD
from test_codegen_calls import WRONG

from symbptt import RNN, load
from symbptt.codegen import compile_for, compile_network
from symbptt.codegen.arguments import as_taken, call_arguments
from symbptt.errors import MissingToolError, RefusedError, SymbpttError, UnknownNameError, ValueInputError
from symbptt.evaluate.claims import instances
from symbptt.examples import examples
from symbptt.model import ACTIVATIONS, CATALOGUE, Cell, Loss

needs_jax = pytest.mark.oracle("jax")
EVERY = {**CELLS, **{name: name for name in CATALOGUE if name not in ACTIVATIONS}, "tanh": "tanh"}


@pytest.fixture
def jax(require):
    """JAX in float64, which is its setting for this test alone."""
    jax = require("jax")
    with wide(jax, True):
        yield jax


def wide(jax, on):
    """Whether JAX has float64, within a block."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(on)
    from jax.experimental import enable_x64

    return enable_x64(on)


def both(net):
    """The NumPy function and the JAX one."""
    return compile_network(net), compile_for("jax", net)


def assert_same(out, expected, tolerance=1e-10):
    """The same names, shapes and numbers, relative to the largest of an array."""
    assert float(out.loss) == pytest.approx(expected.loss, rel=tolerance)
    for part in ("grads", "states", "adjoints"):
        found, wanted = getattr(out, part), getattr(expected, part)
        assert list(found) == list(wanted), part
        for key, array in wanted.items():
            compare(found[key], array, tolerance, f"{part} {key}")
    several = isinstance(expected.outputs, dict)
    outputs = expected.outputs if several else {"y": expected.outputs}
    for key, array in outputs.items():
        compare(out.outputs[key] if several else out.outputs, array, tolerance, f"output {key}")


def compare(found, wanted, tolerance, name):
    assert np.shape(found) == np.shape(wanted), name
    scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale, err_msg=name)


def runs_backward(net):
    return any(scan.direction == -1 for scan in net.system.scans)


# -- the same numbers as NumPy ------------------------------------------------------------------------


@needs_jax
@pytest.mark.parametrize("place", range(len(EVERY)), ids=list(EVERY))
def test_every_cell_has_the_numbers_of_numpy(place, jax):
    given_cell = list(EVERY.values())[place]
    whole = network(given_cell, "n", "m", "q")
    for i, reduction in enumerate(("mean", "sum" if place % 2 or runs_backward(whole) else "last")):
        net = network(given_cell, "n", "m", "q", *LOSSES[(place + 3 * i) % len(LOSSES)], reduction)
        plain, fast = both(net)
        given = data(plain, 3, 2)
        with jax.disable_jit():
            assert_same(fast(**given), plain(**given))


@needs_jax
@pytest.mark.sample(2)
@pytest.mark.parametrize("place", range(len(ODD)), ids=list(ODD))
def test_odd_cells_have_the_numbers_of_numpy(place, jax):
    given_cell, options = list(ODD.values())[place]
    plain_options = {"readout": "linear", "loss_": "mse", "hidden": "n", "inputs": "m", "outputs": "q"}
    reduction = ("sum", "mean", "last")[place % 3]
    plain, fast = both(network(given_cell, **{**plain_options, **options, "reduction": reduction}))
    for B in (None, 2):
        given = data(plain, 3, B)
        with jax.disable_jit():
            assert_same(fast(**given), plain(**given))


@needs_jax
@pytest.mark.parametrize("name", [name for name, _ in examples()])
def test_every_worked_example_has_the_numbers_of_numpy(name, jax):
    """At its own numbers where it has any, else at random ones; masks, rows and several readouts are among them."""
    model = load(name)
    net = model.network
    if net.steps.is_Integer and net.steps > 12:
        net = net.of_any_length(sympy.Integer(4))
    plain, fast = both(net)
    (one,) = instances(net, 0, count=1)
    given = {**call_arguments(one.system, as_taken(one.system, one.data)), "steps": one.steps}
    with nullcontext() if name in ("two-readouts", "masked-sequences", "d2l-rows") else jax.disable_jit():
        assert_same(fast(**given), plain(**given))
        if net is model.network and model.values:
            assert_same(fast(**model.arguments()), plain(**model.arguments()))


@needs_jax
@pytest.mark.parametrize("name", ["tanh", "lstm", "both ways", "matrix memory"])
def test_compiled_code_has_the_numbers_of_numpy(name, jax):
    plain, fast = both(network(EVERY[name], "n", "m", "q"))
    given = data(plain, 5, 2)
    expected = plain(**given)
    assert_same(fast(**given), expected)
    single = {key: {k: np.float32(v) for k, v in value.items()} if isinstance(value, dict) else np.float32(value)
              for key, value in given.items()}  # fmt: skip
    out = fast(**single)
    assert {v.dtype for v in out.grads.values()} == {np.dtype(np.float32)}
    assert_same(out, expected, 1e-4)


@needs_jax
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
def test_scalar_models(reduction, jax):
    for inputs in (1, None):
        plain, fast = both(network("gelu", 1, inputs, 1, "linear", "mse", reduction))
        given = data(plain, 3, None)
        with jax.disable_jit():
            assert_same(fast(**given), plain(**given))
            wide = {**given, "params": {k: np.reshape(v, (1, 1)) for k, v in given["params"].items() if k[0] == "W"}}
            wide["params"] |= {k: np.reshape(v, 1) for k, v in given["params"].items() if k[0] != "W"}
            assert_same(fast(**wide), plain(**wide))


@needs_jax
@pytest.mark.parametrize("name", ACTIVATIONS_IN_SYMPY)
def test_activations_that_are_sympy_expressions(name, jax):
    plain, fast = both(network(ACTIVATIONS_IN_SYMPY[name], readout="linear", loss_="mse"))
    given = data(plain, 3, 2)
    with jax.disable_jit():
        assert_same(fast(**given), plain(**given))


@needs_jax
def test_what_arguments_may_be(jax):
    plain, fast = both(network("tanh"))
    given = data(plain, 4, 2)
    classes = np.random.default_rng(0).integers(0, 2, (4, 2))
    with jax.disable_jit():
        for h0 in (0.3, np.full(4, 0.3), None):
            arguments = {**given, "initial": None, "h0": h0, "target": classes}
            assert_same(fast(**arguments), plain(**arguments))
            assert_same(fast(**jax.tree_util.tree_map(jax.numpy.asarray, arguments)), plain(**arguments))
        whole = {key: np.ones(value.shape, dtype=int) for key, value in given["params"].items()}
        arguments = {"params": whole, "x": np.ones((4, 3), dtype=np.int8), "target": [0, 1, 0, 1]}
        assert_same(fast(**arguments), plain(**arguments))
        some = fast(**given, wrt=["h0", "W_h"])
        assert list(some.grads) == ["W_h", "h0"]
        nothing = fast(**given, wrt=())
        assert (float(nothing.loss), nothing.grads, nothing.adjoints) == (pytest.approx(plain(**given).loss), {}, {})


@needs_jax
def test_hessian_products_are_those_of_numpy(jax):
    plain, fast = both(network("gru", readout="linear", loss_="mse"))
    given = data(plain, 3, 2)
    direction = {"W_hh": np.ones((4, 4)), "b_y": np.arange(2.0)}
    with jax.disable_jit():
        found, expected = fast.hvp(v=direction, **given), plain.hvp(v=direction, **given)
    assert float(found.curvature) == pytest.approx(expected.curvature)
    for key, product in expected.products.items():
        compare(found.products[key], product, 1e-10, key)


@needs_jax
@pytest.mark.parametrize("name", ["lstm", "both ways", "matrix memory"])
def test_vector_jacobian_products_are_those_of_numpy(name, jax):
    plain, fast = both(network(EVERY[name], readout="linear", loss_="mse"))
    given = data(plain, 3, 2)
    del given["target"]
    rng = np.random.default_rng(1)
    ends = {
        "dy": rng.normal(size=(3, 2, 2)),
        "final": {s: rng.normal(size=v.shape) for s, v in given["initial"].items()},
    }
    with jax.disable_jit():
        assert_same(fast.vjp(**given, **ends), plain.vjp(**given, **ends))
        assert_same(fast.vjp(**given, final=ends["final"]), plain.vjp(**given, final=ends["final"]))
    with pytest.raises(ValueInputError, match=r"dy has shape \(3, 2, 5\)"):
        fast.vjp(**given, dy=np.ones((3, 2, 5)))


# -- under JAX's transformations ----------------------------------------------------------------------


@needs_jax
def test_it_can_be_jitted_mapped_and_differentiated(jax):
    plain, fast = both(network("gru_before", readout="sigmoid", loss_="binary_cross_entropy"))
    given = data(plain, 4, 2)
    expected = plain(**given)
    rest = {"x": given["x"], "target": given["target"], "initial": given["initial"]}
    assert_same(jax.jit(lambda params: fast(params, **rest))(given["params"]), in_order(expected))

    def loss(arrays):
        params = {key: arrays[key] for key in given["params"]}
        return fast(params, arrays["x"], given["target"], h0=arrays["h0"], wrt=()).loss

    for key, slope in jax.jit(jax.grad(loss))(entries(given)).items():
        compare(slope, expected.grads[key], 1e-10, key)

    seeds = [data(plain, 4, 2, seed=seed)["params"] for seed in range(3)]
    stacked = {key: np.stack([params[key] for params in seeds]) for key in seeds[0]}
    mapped = jax.vmap(lambda params: fast(params, **rest))(stacked)
    for i, params in enumerate(seeds):
        alone = plain(params, **rest)
        assert float(mapped.loss[i]) == pytest.approx(alone.loss)
        for key, slope in alone.grads.items():
            compare(mapped.grads[key][i], slope, 1e-10, key)


def in_order(out):
    """The result with its keys in the order of the alphabet, which JAX gives to all that it returns."""
    return replace(out, **{part: dict(sorted(getattr(out, part).items())) for part in ("grads", "states", "adjoints")})


@needs_jax
def test_a_list_may_hold_what_jax_traces(jax):
    plain, fast = both(network("tanh", 1, 1, None, None, "half_squared_error"))
    params = {"W_h": 0.5, "W_x": 1.0, "b_h": 0.1}
    slope = jax.grad(lambda w: fast({**params, "W_h": w}, [w, 1.0, 2 * w], [0.0, 0.0, 0.0], wrt=()).loss)(0.5)
    out = plain(params, [0.5, 1.0, 1.0], [0.0, 0.0, 0.0])
    assert float(slope) == pytest.approx(out.grads["W_h"] + out.grads["x"][0] + 2 * out.grads["x"][2])


@needs_jax
def test_traced_arguments_have_their_shapes_checked(jax):
    plain, fast = both(network("tanh"))
    given = data(plain, 4, 2)

    def loss(x, target):
        return fast(given["params"], x, target).loss

    for x, target, message in (
        (np.ones((4, 2, 5)), given["target"], "x has shape (4, 2, 5); expected (T, B, m) = (T, B, 3)"),
        (given["x"], given["target"][:3], "target has shape (3, 2, 2); expected"),
        (given["x"], np.ones((4, 2)), "class indices must be integers"),
    ):
        with pytest.raises(SymbpttError) as error:
            jax.eval_shape(loss, x, target)
        assert message in str(error.value)
        assert "\n" not in str(error.value)
    assert jax.eval_shape(loss, given["x"], given["target"]).shape == ()


@needs_jax
@pytest.mark.parametrize("message", WRONG)
def test_errors_are_those_of_numpy(message, jax):
    plain, fast = both(network("tanh"))
    with pytest.raises(SymbpttError) as error:
        fast(**WRONG[message](data(plain, 5, 2)))
    assert message in str(error.value)


@needs_jax
def test_values_of_jax_arrays_in_sight_are_checked(jax):
    plain, fast = both(network("tanh"))
    given = data(plain, 4, 2)
    for x, target, message in (
        (np.full((4, 2, 3), np.nan), given["target"], "x has a value that is not finite"),
        (given["x"], np.full((4, 2), 7), "target has the class index 7"),
        (given["x"], np.full((4, 2, 2), 0.4), "sums to 0.8"),
    ):
        with pytest.raises(ValueInputError, match=message):
            fast(given["params"], jax.numpy.asarray(x), jax.numpy.asarray(target))
    with pytest.raises(ValueInputError, match="must be real numbers, not complex128"):
        fast(given["params"], jax.numpy.asarray(given["x"] * 1j), given["target"])


@needs_jax
def test_wrong_values_out_of_sight_make_the_loss_nan(jax):
    plain, fast = both(network("relu"))
    given = data(plain, 4, None)
    loss = jax.jit(lambda x, target: fast(given["params"], x, target).loss)
    classes = np.array([0, 1, 1, 0])
    assert np.isfinite(loss(given["x"], classes))
    for wrong in (-1, 2):
        assert np.isnan(loss(given["x"], np.where(classes == 0, wrong, classes)))
    assert np.isnan(loss(np.full((4, 3), np.nan), classes))


# -- types and settings -------------------------------------------------------------------------------


@needs_jax
def test_types_follow_the_inputs_and_the_setting_of_jax(jax):
    plain, fast = both(network("tanh"))
    given = data(plain, 3, None)
    classes, some = np.array([0, 1, 0]), ["W_h"]
    singles = {key: np.float32(value) for key, value in given["params"].items()}
    assert fast(singles, np.float32(given["x"]), classes, wrt=some).grads["W_h"].dtype == np.float32
    assert fast(singles, given["x"], classes, wrt=some).grads["W_h"].dtype == np.float64
    short = {key: jax.numpy.asarray(value, "bfloat16") for key, value in singles.items()}
    assert fast(short, np.float32(given["x"]), classes, wrt=some).grads["W_h"].dtype == np.float32
    with wide(jax, False):
        for x in (given["x"], np.ones((3, 3), int), jax.numpy.ones((3, 3), int)):
            out = fast(given["params"], x, jax.numpy.asarray(classes), wrt=some)
            assert out.loss.dtype == out.grads["W_h"].dtype == np.float32


@needs_jax
def test_arrays_may_be_written_to_as_soon_as_the_call_has_returned(jax):
    """JAX computes in the background, and takes arrays of NumPy without copying them."""
    plain, fast = both(network("tanh", "n", "m", "q"))
    given = data(plain, 100, 32, sizes={"n": 128, "m": 64, "q": 64})
    given["params"] = {key: value / 8 for key, value in given["params"].items()}
    expected = plain(**given)
    fast(**given)
    for _ in range(3):
        arrays = {key: value.copy() for key, value in given["params"].items()}
        x, target = given["x"].copy(), given["target"].copy()
        out = fast(arrays, x, target, initial=given["initial"])
        for array in (*arrays.values(), x, target):
            array[:] = 0
        assert_same(out, expected)


@needs_jax
def test_results_are_jax_arrays(jax):
    plain, fast = both(network("tanh", 1, 1, 1, "linear", "mse"))
    with jax.disable_jit():
        out = fast(**data(plain, 3, None))
    arrays = [out.loss, *out.grads.values(), *out.states.values(), *out.adjoints.values(), out.outputs]
    assert all(isinstance(array, jax.Array) for array in arrays)
    assert out.loss.shape == out.grads["W_h"].shape == ()


# -- the extremes -------------------------------------------------------------------------------------


@needs_jax
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_large_and_zero_pre_activations(activation, jax):
    """The slopes at a kink are also those that JAX's own differentiation finds."""
    plain, fast = both(network(activation, 1, 1, None, None, "half_squared_error", steps=1))
    params = {"W_h": 1.0, "W_x": 1.0, "b_h": 0.0}
    with jax.disable_jit():
        for z in (-1e3, -30.0, 0.0, 30.0, 1e3):
            out = fast(params, [z], [0.5])
            assert_same(out, plain(params, [z], [0.5]))
            slope = jax.grad(lambda x: fast(params, x, [0.5], wrt=()).loss)(np.array([z]))
            assert float(slope[0]) == pytest.approx(float(out.grads["x"][0]), rel=1e-9, abs=1e-12)


@needs_jax
def test_extreme_logits(jax):
    plain, fast = both(network("linear", 2, 2, 2))
    eye, zero = np.eye(2), np.zeros(2)
    params = {"W_h": 0 * eye, "W_x": eye, "b_h": zero, "W_y": eye, "b_y": zero}
    one, other = both(network("linear", 1, 1, 1, "sigmoid", "binary_cross_entropy"))
    single = {"W_h": 0.0, "W_x": 1.0, "b_h": 0.0, "W_y": 1.0, "b_y": 0.0}
    with jax.disable_jit():
        for target in (0, 1):
            assert_same(fast(params, [[1e4, -1e4]], [target]), plain(params, [[1e4, -1e4]], [target]))
        for a in (1e4, -1e4, 1e3):
            for g in (0.0, 1.0):
                assert_same(other(single, [a], [g]), one(single, [a], [g]))


@needs_jax
def test_sizes_of_one(jax):
    for name in ("lstm", "matrix memory", "both ways"):
        plain, fast = both(network(EVERY[name], "n", "m", "q", "linear", "mse"))
        given = data(plain, 1, 1, sizes={"n": 1, "m": 1, "q": 1, "p": 1})
        with jax.disable_jit():
            assert_same(fast(**given), plain(**given))


# -- many devices -------------------------------------------------------------------------------------

SHARDED = """
import sys
import numpy as np
import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
sys.path.insert(0, sys.argv[1])
from codegen_networks import data, network
from symbptt.codegen import compile_for, compile_network

jax.config.update("jax_enable_x64", True)
net = network("lstm", "n", "m", "q")
plain, fast = compile_network(net), compile_for("jax", net)
given = data(plain, 5, 4)
expected = plain(given["params"], given["x"], given["target"])
mesh = Mesh(jax.devices(), ("batch",))
assert mesh.size == 2
params = jax.device_put(given["params"], NamedSharding(mesh, P()))
x, target = jax.device_put((given["x"], given["target"]), NamedSharding(mesh, P(None, "batch")))
out = fast(params, x, target)
assert out.grads["x"].sharding.spec == out.states["h"].sharding.spec == P(None, "batch")
for key, grad in expected.grads.items():
    np.testing.assert_allclose(out.grads[key], grad, rtol=1e-10, atol=1e-12)
if hasattr(jax.sharding, "AxisType"):
    explicit = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Explicit,))
    try:
        fast(params, jax.device_put(given["x"], NamedSharding(explicit, P(None, "batch"))), target)
    except ValueError as error:
        assert "x is spread over a mesh with axes of type Explicit" in str(error)
    else:
        raise AssertionError
text = jax.jit(lambda *a: fast(*a).grads["W_hi"]).lower(params, x, target).compile().as_text()
print("all-reduce" in text, "all-gather" in text, "all-to-all" in text)
"""


@needs_jax
def test_a_batch_over_two_devices_stays_there(require):
    """Nothing but the sums over the batch goes from one device to another."""
    require("jax")
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED, str(Path(__file__).parent)],
        env={**environment, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "PATH": ""},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "False", "False"], done.stderr


# -- the source ---------------------------------------------------------------------------------------

MODULES = {
    "no input": lambda: network("elu", inputs=None, reduction="last", readout="sigmoid", loss_="binary_cross_entropy"),
    "both ways": lambda: network(EVERY["both ways"], "n", "m", "q", "linear", "mse"),
    "elman": lambda: network("gelu", "n", "m", "q", reduction="mean"),
    "scalar": lambda: network("sigmoid", 1, 1, 1, "linear", "mse", "last"),
    "no recurrence": lambda: network(Cell(["h[t] = tanh(W @ x[t])"], ["h"]), "n", "m", "q", "linear", "mse"),
    "states alone": lambda: network("tanh", inputs=None, readout=None, loss_=Loss("norm2(h[t])")),
    "masked": lambda: network("relu", "n", "m", "q", mask=True),
    **{name: (lambda c=EVERY[name]: network(c, "n", "m", "q", "linear", "mse")) for name in ("lstm", "gru", "stacked")},
}


@needs_jax
@pytest.mark.sample(5)
@pytest.mark.parametrize("name", MODULES)
def test_the_source_is_a_module_of_its_own_that_checks_itself(name, tmp_path, require):
    require("jax")
    path = tmp_path / "generated.py"
    path.write_text(compile_for("jax", MODULES[name]()).source, encoding="utf-8")
    assert "symbptt" not in "".join(line for line in path.read_text("utf-8").splitlines() if "import" in line)
    done = subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 1e-10


@pytest.mark.parametrize("name", [name for name in MODULES if name != "stacked"])
def test_the_source_is_laid_out_as_ruff_does(name, tmp_path):
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff, "ruff comes with the extra test"
    path = tmp_path / "generated.py"
    path.write_text(compile_for("jax", MODULES[name]()).source, encoding="utf-8")
    for command in (["format", "--diff"], ["check"]):
        done = subprocess.run([ruff, *command, "--isolated", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def body_of(source, name):
    """The lines of a scan's body."""
    start = source.index(f"    def {name}(")
    return source[start : source.index("        return ", start)]


def test_only_what_waits_for_another_step_is_in_a_loop():
    source = compile_for("jax", network("tanh")).source
    assert "z_in = x @ W_x.T + b_h" in source.partition("def forward(")[0]
    assert "W_x" not in code_of(body_of(source, "forward") + body_of(source, "backward"))
    source = compile_for("jax", network(CELLS["matrix memory"])).source
    loop = body_of(source, "forward")
    assert "k = x @ W_k.T" in source.partition("def forward(")[0]
    assert "o = matvec(S, x @ W_q.T)" in source.partition("def forward(")[2].replace(loop, "")
    assert [line.split()[0] for line in code_of(loop).splitlines()[2:] if line.strip()] == ["S"]
    assert "lax.scan" not in compile_for("jax", MODULES["no recurrence"]()).source


def test_the_settings_of_jax_are_changed_by_the_program_alone():
    head, program = compile_for("jax", network("tanh")).source.split('if __name__ == "__main__":')
    assert "config" not in head
    assert "jax_enable_x64" in program


def code_of(text):
    return "\n".join(line.partition("#")[0] for line in text.splitlines())


def test_memory_is_linear_in_the_number_of_steps():
    bptt = compile_for("jax", network("tanh", "n", "m", readout=None, loss_="mse"))
    assert str(bptt.memory()) == "8*B*(T*(m + 6*n) + n)"  # with the gradient by the input
    assert str(bptt.memory(batch=False)) == "8*T*(m + 6*n) + 8*n"
    assert "of the arrays over all steps in float64: 8*B*(T*(m + 6*n) + n)" in bptt.source


def test_every_line_of_the_step_names_its_formula():
    source = compile_for("jax", network("tanh")).source
    for formula in (
        "# zₜ = W_h hₜ₋₁ + W_x xₜ + b_h",
        "# ∂L/∂hₜ = ∂lₜ/∂hₜ + W_hᵀ ∂L/∂zₜ₊₁",
        "# ∂L/∂zₜ = (1 − hₜ ⊙ hₜ) ⊙ ∂L/∂hₜ",
        "# ∂L/∂W_h = Σₜ₌₁ᵀ ∂L/∂zₜ hₜ₋₁ᵀ",
    ):
        assert formula in source


SHAPES = {"carry": ("n", "n"), "now": ("n", "m"), "forward": ("n",)}


def test_names_that_the_module_uses_itself():
    """A model may call its variables what the code is made of."""
    names = Cell(["jnp[t] = tanh(carry @ jnp[t-1] + now @ x[t] + forward)"], ["jnp"], shapes=SHAPES)
    source = compile_for("jax", network(names, "n", "m", "q", "linear", "mse")).source
    assert "jnp_ = jnp.tanh(" in source


# -- around it ----------------------------------------------------------------------------------------


def test_without_jax_there_is_the_source_and_one_clear_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    bptt = RNN("indrnn", 3, 2, readout="linear", loss="mse", outputs=2).lambdify(backend="jax")
    given = data(bptt, 3, None, sizes={"n": 3, "m": 2, "q": 2})
    assert "jax.lax.scan" in bptt.source
    with pytest.raises(MissingToolError, match=r'pip install "symbptt\[jax\]"'):
        bptt(**given)


def test_what_there_is_not():
    model = RNN("tanh", loss="mse")
    with pytest.raises(UnknownNameError, match="unknown backend 'jx'; did you mean 'jax'"):
        model.lambdify(backend="jx")
    with pytest.raises(RefusedError, match="truncated code is for the NumPy backend"):
        model.lambdify(truncate=3, backend="jax")


@needs_jax
def test_masks_of_random_truncation_are_refused(jax):
    plain, fast = both(network("tanh"))
    with pytest.raises(ValueInputError, match="which is for the NumPy backend"):
        fast(**data(plain, 3, None), masks=[1, 1, 1])


def test_it_can_be_pickled():
    bptt = compile_for("jax", network("tanh"))
    again = pickle.loads(pickle.dumps(bptt))
    assert again.source == bptt.source
    assert repr(again) == "<bptt of the cell 'tanh': W_h, W_x, b_h, W_y, b_y, x, h0>"
