"""The measured tables in the documentation, made from ``docs/benchmarks.json``.

``python -m benchmarks --json docs/benchmarks.json`` measures, and ``python docs/benchmark_tables.py`` writes the tables
into ``explanation/speed.md`` of both languages, between ``<!-- measured: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE / "benchmarks.json"

ROWS = {
    "the products alone (np.dot)": ("the products alone", "只算矩阵乘积"),
    "symbptt, lambdify()": ("**symbptt, `lambdify()`**", "**symbptt，`lambdify()`**"),
    "symbptt, bptt.source": ("symbptt, `bptt.source`", "symbptt，`bptt.source`"),
    "NumPy by hand, with care": ("NumPy by hand, with care", "精心手写的 NumPy"),
    "NumPy, outer products per step": ("NumPy, outer products per step", "NumPy，逐步累加外积"),
    "torch.nn, autograd": ("`torch.nn` and its autograd", "`torch.nn` 及其自动微分"),
    "JAX, lax.scan as one writes it": ("JAX, `lax.scan` as one writes it", "JAX，照常写的 `lax.scan`"),
    "JAX, products hoisted by hand": ("JAX, products hoisted by hand", "JAX，手工把乘积移出循环"),
    "HIPS autograd": ("HIPS autograd", "autograd（HIPS）"),
    "numba, plain loops": ("numba, plain loops", "numba，普通循环"),
}
"""Name in the benchmarks -> what the pages call it, in English and in Chinese."""

WORDS = {
    "en": {
        "sizes": "n, T, B",
        "machine": "Measured on {processor}, with Python {python}, {versions} and {blas}.",
        "comma": ", ",
        "pass": "Time without it, of the time with all passes",
        "all": "with all passes",
        "none": "with no pass",
    },
    "zh": {
        "sizes": "n、T、B",
        "machine": "测量环境：{processor}，Python {python}，{versions}，{blas}。",
        "comma": "、",
        "pass": "去掉它之后的时间，与全部使用时之比",
        "all": "全部使用",
        "none": "全部去掉",
    },
}
SHOWN = ("numpy", "torch", "jax", "autograd", "numba")


def tables(data: dict[str, Any], lang: str) -> dict[str, str]:
    """Return the tables of a language by name."""
    return {"machine": _machine(data, lang), "gradients": _gradients(data, lang), "passes": _passes(data, lang)}


def _machine(data: dict[str, Any], lang: str) -> str:
    about, words = data["machine"], WORDS[lang]
    versions = words["comma"].join(f"{name} {about['versions'][name]}" for name in SHOWN if name in about["versions"])
    processor, blas = about["processor"], about["blas"]
    if lang == "zh":
        processor = processor.replace(", ", "，").replace("cores", "个核心")
        blas = re.sub(" with kernels for (.*)", r"（\1 内核）", blas)
    return words["machine"].format(processor=processor, python=about["python"], versions=versions, blas=blas)


def _gradients(data: dict[str, Any], lang: str) -> str:
    columns = data["gradients"]["columns"]
    lines = [[WORDS[lang]["sizes"], *(_head(column["case"]) for column in columns)], ["---"] * (1 + len(columns))]
    for name, shown in ROWS.items():
        spreads = [column["rows"].get(name) for column in columns]
        if any(spreads):
            first = name.startswith("the products")
            cells = ["" if s is None else _time(s["seconds"]) if first else _ratio(s["ratio"]) for s in spreads]
            lines.append([shown[lang == "zh"], *cells])
    return _markdown(lines)


def _passes(data: dict[str, Any], lang: str) -> str:
    columns, words = data["passes"], WORDS[lang]
    lines = [[words["pass"], *(_head(column["case"]) for column in columns)], ["---"] * (1 + len(columns))]
    for name in dict.fromkeys(name for column in columns for name in column["rows"]):
        label = {"all passes": words["all"], "no pass": words["none"]}.get(name, f"`{name.removeprefix('without ')}`")
        cells = []
        for column in columns:
            row = column["rows"].get(name)
            same = row is None or row["same"]
            cells.append("" if same else _time(row["seconds"]) if name == "all passes" else _ratio(row["ratio"]))
        lines.append([label, *cells])
    return _markdown(lines)


def _head(case: str) -> str:
    """Write "LSTM n=128 T=100 B=32" as "LSTM 128, 100, 32"."""
    kind = case.split()[0] + " " if not case.startswith("n=") else ""
    return kind + ", ".join(re.findall(r"=(\d+)", case))


def _time(spread: dict[str, float]) -> str:
    value = spread["median"]
    return f"{value * 1e6:.0f} µs" if value < 1e-3 else f"{value * 1e3:.3g} ms"


def _ratio(spread: dict[str, float]) -> str:
    value = spread["median"]
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cell or '–' for cell in line)} |" for line in lines)


def written(page: str, found: dict[str, str]) -> str:
    """Return a page with its tables written again."""
    for name, text in found.items():
        pattern = rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)"
        page, count = re.subn(pattern, lambda m, text=text: f"{m[1]}{text}\n\n{m[2]}", page, flags=re.S)  # type: ignore[misc]
        assert count == 1, name
    return page


def main() -> None:
    """Write the tables into the pages."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    for lang in WORDS:
        page = HERE / lang / "explanation" / "speed.md"
        page.write_text(written(page.read_text(encoding="utf-8"), tables(data, lang)), encoding="utf-8")


if __name__ == "__main__":
    main()
