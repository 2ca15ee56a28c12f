"""The fast style of generated code computes what the readable one does, with every pass and without any of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from codegen_networks import CELLS, data, network

from symbptt import RNN, Bidirectional
from symbptt.codegen.bptt import compile_network
from symbptt.codegen.fast.run import fast_source
from symbptt.codegen.passes.pipeline import FAST, FAST_SINGLE
from symbptt.errors import ValueInputError
from symbptt.model import Cell, one_example

LOSSES = (("softmax", "cross_entropy"), (None, "mse"), ("sigmoid", "binary_cross_entropy"))


def compiled(cell: Any, number: int = 0, reduction: str = "sum") -> Any:
    readout, loss = LOSSES[number % len(LOSSES)]
    return compile_network(
        network(cell, readout=readout, loss_=loss, outputs=2 if readout else None, reduction=reduction)
    )


def readable(bptt: Any, given: dict[str, Any]) -> Any:
    """Return the result of the readable module, the one that people see."""
    call, params = bptt._reader.read(
        given["params"], given.get("x"), given.get("target"), None, None, given.get("initial"), given.get("steps"), None
    )
    return bptt._result(call, bptt._function(params, **call.arguments, wrt=bptt.gradients), bptt.gradients)


def assert_same(found: Any, expected: Any, tolerance: float = 1e-10) -> None:
    assert found.loss == pytest.approx(expected.loss, rel=tolerance)
    for part in ("grads", "states", "adjoints"):
        mine, theirs = getattr(found, part), getattr(expected, part)
        assert set(mine) == set(theirs)
        for key in theirs:
            assert np.shape(mine[key]) == np.shape(theirs[key]), (part, key)
            scale = max(1.0, float(np.abs(theirs[key]).max(initial=0.0)))
            assert np.abs(mine[key] - theirs[key]).max(initial=0.0) <= tolerance * scale, (part, key)
    assert np.abs(found.outputs - expected.outputs).max() <= tolerance


@pytest.mark.sample(4)
@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("name", CELLS)
def test_both_styles_give_the_same_result(name: str, batch: int | None) -> None:
    number = list(CELLS).index(name)
    kinds = ("sum", "mean", "last") if CELLS[name].direction == 1 else ("sum", "mean")
    bptt = compiled(CELLS[name], number, kinds[number // 2 % len(kinds)])
    given = data(bptt, 4, batch, seed=number)
    assert_same(bptt(**given), readable(bptt, given))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("number", range(len(LOSSES)))
@pytest.mark.parametrize("name", [*CELLS, "lstm in both directions"])
def test_every_cell_with_every_loss(name: str, number: int, batch: int | None) -> None:
    bptt = compiled(CELLS.get(name) or Bidirectional("lstm"), number)
    given = data(bptt, 3, batch, seed=number)
    assert_same(bptt(**given), readable(bptt, given), 1e-9)


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("reduction", ["sum", "mean", "last", "one step"])
@pytest.mark.parametrize("number", range(len(LOSSES)))
def test_a_call_gives_the_same_each_time(number: int, reduction: str, batch: int | None) -> None:
    bptt = compiled("tanh", number, "last" if reduction == "one step" else reduction)
    given = data(bptt, 4, batch)
    given["h0"] = given.pop("initial")["h"]
    if reduction == "one step":
        given["target"] = given["target"][-1]
    first = bptt(**given)
    for _ in range(2):
        assert_same(bptt(**given), first, 0.0)


@pytest.mark.sample(2)
@pytest.mark.sample(7)
@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("number", range(len(LOSSES)))
@pytest.mark.parametrize("name", CELLS)
def test_later_calls_do_not_touch_a_result(name: str, number: int, batch: int | None) -> None:
    """Arrays are used again by calls of the same sizes, but none that were handed out."""
    bptt = compiled(CELLS[name], number)
    given, other = (data(bptt, 4, batch, seed=seed) for seed in (1, 2))
    first = bptt(**given)
    bptt(**other)
    bptt(**other, wrt=())
    assert_same(first, readable(bptt, given))


@pytest.mark.parametrize("batch", [None, 3])
def test_a_model_may_use_the_names_of_the_style(batch: int | None) -> None:
    vectors = ("each", "fresh", "kept", "arrays", "sizes", "every", "blocks", "size", "add", "tanh_", "softmax_into")
    text = f"h[t] = tanh(steps_0 @ h[t-1] + ones @ x[t] + {' + '.join(vectors)})"
    shapes = {"steps_0": ("n", "n"), "ones": ("n", "m")}
    bptt = compiled(Cell([text], ["h"], name="names of the fast style", shapes=shapes))
    for seed in (1, 2):
        given = data(bptt, 4, batch, seed=seed)
        assert_same(bptt(**given), readable(bptt, given))


@pytest.mark.parametrize(("batch", "most", "long"), [(None, 8, 3000), (3, 2, 400_000)])
def test_arrays_of_few_and_small_sizes_are_kept(batch: int | None, most: int, long: int) -> None:
    bptt = compiled("lstm")
    function = bptt._fast.function(batch is None)[0].__globals__
    for steps in range(1, 20):
        bptt(**data(bptt, steps, batch))
        assert any(sizes[0] == steps for sizes in function["KEPT"]) and len(function["KEPT"]) <= most
    _, *sizes = list(function["KEPT"])[-1]
    assert function["borrowed"](20, *sizes)[1] and not function["borrowed"](long, *sizes)[1]


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("missing", [None, *range(len(FAST_SINGLE))])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_every_pass_can_be_switched_off(cell: str, missing: int | None, single: bool) -> None:
    every = FAST_SINGLE if single else FAST
    passes = () if missing is None else tuple(p for i, p in enumerate(every) if i != missing)
    bptt = compiled(cell)
    given = data(bptt, 4, None if single else 3)
    _, function, flat = fast_source(one_example(bptt.network), single, passes)
    assert flat == single
    starts = [given["initial"][state] for state in bptt.network.system.states]
    loss, grads, *_ = function(given["params"], given["x"], given["target"], *starts, bptt.gradients, np.dtype(float))
    expected = readable(bptt, given)
    assert loss == pytest.approx(expected.loss)
    for key, value in expected.grads.items():
        np.testing.assert_allclose(grads[key], value, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("reduction", ["sum", "mean", "last"])
@pytest.mark.parametrize("batch", [None, 1, 3])
def test_class_indices_stand_for_distributions(batch: int | None, reduction: str, classes: bool) -> None:
    bptt = compiled("tanh", 0, reduction)
    given = data(bptt, 5, batch)
    if classes:
        given["target"] = np.argmax(given["target"], -1)
    assert_same(bptt(**given), readable(bptt, given))


def usual(batch: int | None = None, classes: bool = True) -> tuple[Any, dict[str, Any]]:
    """Return a function that was called before, and arguments of the kind that it remembers."""
    bptt = compiled("tanh")
    given = data(bptt, 5, batch)
    given.pop("initial")
    if classes:
        given["target"] = np.argmax(given["target"], -1)
    bptt(**given)
    return bptt, given


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("classes", [True, False])
def test_a_call_of_known_shapes_gives_the_same_again(batch: int | None, classes: bool) -> None:
    bptt, given = usual(batch, classes)
    assert bptt._recall.signature(given["params"], given["x"], given["target"], None, None) in bptt._recall._known
    assert_same(bptt(**given), readable(bptt, given))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda given: given["params"]["W_h"].__setitem__((0, 1), np.nan), r"params\['W_h'\].*nan at \[0, 1\]"),
        (lambda given: given["x"].__setitem__((1, 1), np.inf), r"x has a value that is not finite, inf at \[1, 1\]"),
        (lambda given: given["target"].__setitem__(2, 7), "class index 7; there are 2 classes"),
        (lambda given: given["target"].__setitem__(2, -1), "class index -1"),
        (lambda given: given.update(target=given["target"][:-1]), "target"),
        (lambda given: given["params"].pop("b_h"), "b_h missing"),
        (lambda given: given["params"].update(q=np.zeros(3)), "unknown parameter 'q'"),
        (lambda given: given.update(h0=np.zeros(9)), "h0"),
        (lambda given: given.update(c0=np.zeros(4)), "'c' is no state"),
    ],
)
def test_known_shapes_do_not_hide_bad_numbers(spoil: Any, message: str) -> None:
    bptt, given = usual()
    spoil(given)
    with pytest.raises(Exception, match=message) as caught:
        bptt(**given)
    assert isinstance(caught.value, ValueInputError) or "no state" in message or "unknown" in message


def test_numbers_whose_sum_overflows_are_no_mistake() -> None:
    bptt, given = usual()
    given["params"]["b_y"] = np.array([1e308, 1e308])
    assert np.isfinite(bptt(**given).loss)


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("cell", ["tanh", "lstm"])
def test_inputs_are_never_modified(cell: str, batch: int | None) -> None:
    bptt = compiled(cell)
    given = data(bptt, 4, batch)
    arrays = [*given["params"].values(), given["x"], given["target"], *given["initial"].values()]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.setflags(write=False)
    bptt(**given)
    assert all((a == b).all() for a, b in zip(arrays, before, strict=True))


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize(
    "laid", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2], lambda a: a[::-1][::-1]]
)
def test_the_layout_of_arrays_does_not_matter(laid: Any, batch: int | None) -> None:
    bptt = compiled("lstm")
    given = data(bptt, 4, batch)
    expected = bptt(**given)
    given["params"] = {key: laid(value) for key, value in given["params"].items()}
    given |= {"x": laid(given["x"]), "target": laid(given["target"])}
    assert_same(bptt(**given), expected)


def test_threads_do_not_disturb_each_other() -> None:
    bptt = compiled("lstm")
    every = [data(bptt, 30, batch, seed=seed) for seed in range(3) for batch in (None, 3)]
    expected = [bptt(**given) for given in every]
    wrong: list[Any] = []

    def work(index: int) -> None:
        for _ in range(20):
            if bptt(**every[index]).loss != expected[index].loss:
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(every))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru", "relu"])
def test_extreme_numbers_raise_no_warning(cell: str, batch: int | None) -> None:
    bptt = compiled(cell)
    given = data(bptt, 3, batch)
    given["params"]["W_y"] = given["params"]["W_y"] * 1e4
    given["x"] = given["x"] * 1e3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = bptt(**given)
    assert np.isfinite(out.loss)
    assert all(np.isfinite(grad).all() for grad in out.grads.values())
    assert_same(out, readable(bptt, given), 1e-8)


@pytest.mark.parametrize("batch", [None, 1, 2])
def test_the_smallest_sizes_are_nothing_special(batch: int | None) -> None:
    bptt = RNN("lstm", "n", "m", "q", readout="softmax", loss="cross_entropy").lambdify()
    given = data(bptt, 1, batch, sizes={"n": 1, "m": 1, "q": 2})
    assert_same(bptt(**given), readable(bptt, given))


def test_relu_at_zero_has_the_slope_zero() -> None:
    bptt = compiled("relu")
    given = data(bptt, 2, None)
    given["params"] = {key: np.zeros_like(value) for key, value in given["params"].items()}
    given["params"]["W_y"] += 1.0
    given["initial"] = {"h": np.zeros(4)}
    assert not bptt(**given).adjoints["z"].any()


def test_whole_numbers_are_taken_for_floats() -> None:
    bptt = RNN("tanh", 2, 1, 2, readout="softmax", loss="cross_entropy").lambdify()
    params = {"W_h": [[1, 0], [0, 1]], "W_x": [[1], [2]], "b_h": [0, 0], "W_y": [[1, 0], [0, 1]], "b_y": [0, 0]}
    out = bptt(params, x=[[1], [2]], target=[0, 1])
    assert out.grads["W_h"].dtype == np.float64 and out.states["h"].dtype == np.float64


@pytest.mark.parametrize("batch", [None, 3])
def test_single_precision_stays_single(batch: int | None) -> None:
    bptt = compiled("lstm")
    given = data(bptt, 4, batch)
    expected = bptt(**given)
    narrow = {key: value.astype(np.float32) for key, value in given["params"].items()}
    out = bptt(
        narrow, x=given["x"].astype(np.float32), target=given["target"].astype(np.float32), initial=given["initial"]
    )
    assert {grad.dtype for grad in out.grads.values()} == {np.dtype(np.float32)}
    assert_same(out, expected, 1e-4)


@pytest.mark.parametrize("wrt", [(), ("W_h",), ("x", "h0"), ("b_i", "W_xc")])
def test_only_what_is_asked_for_is_returned(wrt: tuple[str, ...]) -> None:
    bptt = compiled("lstm")
    given = data(bptt, 4, 3)
    if "W_h" in wrt:
        wrt = ("W_hi",)
    out, every = bptt(**given, wrt=wrt), bptt(**given)
    assert tuple(out.grads) == tuple(key for key in bptt.gradients if key in wrt)
    for key in wrt:
        np.testing.assert_allclose(out.grads[key], every.grads[key])


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("name", ["tanh", "lstm", "gru", "stacked", "matrix memory", "reductions", "both ways"])
def test_the_text_is_laid_out_as_ruff_does(name: str, batch: bool, tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff, "ruff comes with the extra test"
    path = tmp_path / "generated.py"
    path.write_text(compiled(CELLS.get(name, name)).fast_source(batch), encoding="utf-8")
    for command in (["check"], ["format", "--check", "--line-length", "88"]):
        done = subprocess.run([ruff, *command, "--isolated", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
