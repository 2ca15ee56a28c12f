"""The benchmarks run, at sizes at which they measure nothing, and all that they time computes the same."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("by_hand", "cases", "frameworks", "gradients", "implementations", "memory", "others", "passes")
SIZES = [("tanh", None), ("tanh", 3), ("lstm", 3), ("gru", 3)]
each_size = pytest.mark.parametrize(("cell", "batch"), SIZES)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of ``benchmarks``, which are not installed with the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return SimpleNamespace(**{name: importlib.import_module(f"benchmarks.{name}") for name in NAMES})


def agree(bench, cell, batch, chosen):
    case = bench.cases.Case(cell, 5, 4, batch, 1)
    chosen = [one for one in chosen if one.takes(case)]
    runs, reads = bench.gradients.prepared(case, chosen)
    return bench.gradients.compare(case, runs, reads)


@each_size
def test_everything_in_numpy_gives_the_same_gradients(bench, cell, batch):
    chosen = [one for one in bench.implementations.IMPLEMENTATIONS if one.needs is None]
    assert len(chosen) == 5
    assert all(sums["W_y"] != 0 for sums in agree(bench, cell, batch, chosen))


@pytest.mark.oracle
@pytest.mark.parametrize("framework", ["torch", "jax", "autograd"])
@each_size
def test_every_framework_gives_the_same_gradients(bench, cell, batch, framework, require):
    module = require(framework)
    mine = bench.implementations.IMPLEMENTATIONS[1]
    chosen = [mine, *(one for one in bench.implementations.IMPLEMENTATIONS if one.needs == framework)]
    assert len(chosen) > 1
    if framework == "jax":
        with module.enable_x64(True):
            agree(bench, cell, batch, chosen)
    else:
        agree(bench, cell, batch, chosen)


def test_the_loops_for_numba_are_right_as_python(bench, monkeypatch):
    monkeypatch.setattr(bench.frameworks, "_compiled", lambda: importlib.import_module("benchmarks.loops").tanh_loops)
    agree(bench, "tanh", None, [bench.implementations.IMPLEMENTATIONS[1], bench.implementations.IMPLEMENTATIONS[-1]])


def test_a_wrong_gradient_is_found_before_anything_is_timed(bench, monkeypatch):
    right = bench.by_hand.lstm

    def wrong(p, x, target):
        loss, (dWx, dWh, *others) = right(p, x, target)
        return loss, (dWx, dWh.T.reshape(dWh.shape), *others)

    monkeypatch.setattr(bench.by_hand, "lstm", wrong)
    with pytest.raises(bench.gradients.UnequalError, match=r"by hand, with care differs by .* in W_h"):
        agree(bench, "lstm", 3, bench.implementations.IMPLEMENTATIONS[:4])


def test_a_gradient_that_changes_while_it_is_timed_is_found(bench, monkeypatch):
    right, calls = bench.by_hand.gru, []

    def later(p, x, target):
        calls.append(1)
        loss, grads = right(p, x, target)
        return loss, tuple(part * 2 for part in grads) if len(calls) > 4 else grads

    monkeypatch.setattr(bench.by_hand, "gru", later)
    with pytest.raises(bench.gradients.UnequalError, match="while it was timed"):
        bench.gradients.measured(bench.cases.Case("gru", 5, 4, 3, 1), 3, bench.implementations.IMPLEMENTATIONS[:4])


@pytest.fixture
def column(bench):
    chosen = [one for one in bench.implementations.IMPLEMENTATIONS if one.needs is None]
    return bench.gradients.measured(bench.cases.Case("tanh", 5, 4, None, 1), 2, chosen)


def test_a_column_has_times_and_ratios_to_the_products(bench, column):
    rows = column["rows"]
    assert rows[bench.implementations.PRODUCTS]["ratio"]["median"] == 1.0
    for row in rows.values():
        assert 0 < row["seconds"]["low"] <= row["seconds"]["median"] <= row["seconds"]["high"]
    json.dumps(column)


def test_what_is_not_installed_is_shown_as_such(bench, column, monkeypatch):
    monkeypatch.setattr("benchmarks.implementations.has", lambda module: module != "torch")
    line = next(line for line in bench.gradients.text([column]).splitlines() if line.startswith("torch.nn"))
    assert line.endswith("not installed")


@pytest.mark.parametrize(
    ("n", "cell", "against", "limit"),
    [(16, "tanh", "the products", 11.0), (64, "tanh", "torch.nn, autograd", 0.25), (128, "lstm", "the products", 1.45)],
)
def test_targets_are_those_that_were_promised(bench, n, cell, against, limit):
    spread = {"ratio": {"low": 1.9, "median": 2.0}, "lambdify": {"low": 0.9, "median": 1.1}}
    rows = {one.name: spread for one in bench.implementations.IMPLEMENTATIONS}
    found = bench.gradients.targets({"case": "a", "cell": cell, "n": n, "rows": rows})
    (target,) = [target for target in found if target["against"] == against]
    assert target["limit"] == limit
    assert target["value"] == (2.0 if against == "the products" else 1.1)


def test_a_target_is_met_or_level_or_not(bench):
    def verdict(low, median):
        spread = {"ratio": {"low": 1.0, "median": 1.0}, "lambdify": {"low": low, "median": median}}
        rows = {one.name: spread for one in bench.implementations.IMPLEMENTATIONS}
        found = bench.gradients.targets({"case": "a", "cell": "gru", "n": 128, "rows": rows})
        return {target["verdict"] for target in found if target["against"] != "the products"}

    assert verdict(0.8, 0.9) == {"met"}
    assert verdict(0.9, 1.04) == {"level"}
    assert verdict(0.9, 1.06) == {"NOT MET"}
    assert verdict(1.1, 1.2) == {"NOT MET"}


@pytest.mark.sample(2)
@each_size
def test_the_code_computes_the_same_with_each_pass_left_out(bench, cell, batch):
    case = bench.cases.Case(cell, 5, 4, batch, 1)
    rows = bench.passes.measured(case, 1)["rows"]
    assert not rows["without hoist"]["same"]
    assert not rows["no pass"]["same"]


@pytest.mark.sample(2)
@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_memory_is_linear_in_the_number_of_steps_and_near_the_formula(bench, cell, batch):
    steps = (400, 800, 1600) if batch else (800, 1600, 3200)  # so long that nothing is kept
    found = bench.memory.measured(cell, steps, 16, batch)
    assert found["bytes_per_step"][0] == pytest.approx(found["bytes_per_step"][1], rel=0.05)
    assert 1 <= found["bytes"][-1] / found["by_formula"][-1] < (1.1 if batch else 1.4)  # blocks, and what NumPy copies


def test_other_ways_are_tried_until_they_take_too_long(bench):
    found = bench.others.measured((2, 3, 4), enough=-1.0)
    assert [one is None for one in found["sympy.diff, unrolled"]] == [False, True, True]


def test_a_step_that_would_take_minutes_by_a_square_law_is_left_out(bench):
    assert bench.others._is_too_long(2.98, 10, enough=3.0)
    assert not bench.others._is_too_long(0.03, 10, enough=3.0)


def test_sympy_and_this_package_derive_the_same_scalar_gradient(bench):
    import sympy

    from symbptt import RNN

    loss, (w, _, _) = bench.others._unrolled(3, sympy.Symbol, sympy.tanh, sympy.S.Zero)
    numbers = {"w": 0.7, "u": -0.4, "b": 0.1, "x0": 1.0, "x1": -0.5, "x2": 0.3, "d0": 0.2, "d1": 0.1, "d2": -0.6}
    right = float(sympy.diff(loss, w).subs(numbers))
    given = {"W_h": 0.7, "W_x": -0.4, "b_h": 0.1}
    out = RNN("tanh", 1, 1, steps=3).lambdify()(given, x=[1.0, -0.5, 0.3], target=[0.2, 0.1, -0.6])
    np.testing.assert_allclose(out.grads["W_h"], right, rtol=1e-12)


def test_the_command_says_which_benchmarks_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown benchmark 'speed'; there are gradients, passes, memory, derivation" in done.stderr


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_tables_of_the_documentation_are_those_that_were_measured(lang, monkeypatch):
    """``python docs/benchmark_tables.py`` writes them again."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    tables = importlib.import_module("benchmark_tables")
    page = (ROOT / "docs" / lang / "explanation" / "speed.md").read_text(encoding="utf-8")
    found = tables.tables(json.loads(tables.DATA.read_text(encoding="utf-8")), lang)
    assert tables.written(page, found) == page
    assert page.count("\n| --- |") == 2


def test_the_documentation_names_every_row_of_the_table(bench, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    tables = importlib.import_module("benchmark_tables")
    assert list(tables.ROWS) == [one.name for one in bench.implementations.IMPLEMENTATIONS]


@pytest.mark.slow
def test_the_command_measures_and_writes_what_it_measured(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "gradients", "memory", "--quick", "--only", "n=16"]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "found.json")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(r"against the products +[\d.]+ of at most 11.0 +(met|level|NOT MET)", done.stdout)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["gradients"]["columns"][0]["case"] == "n=16 T=50 B=1"
    assert found["memory"][0]["cell"] == "tanh"
