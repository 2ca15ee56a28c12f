"""The unrolled graph: edges are those of the equations, gradients go back along them, pictures are whole."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections import defaultdict
from typing import Any
from xml.etree import ElementTree

import pytest
import sympy
from cells import CELLS, MIXED

from symbptt import RNN, Cell, load
from symbptt.algebra import MatrixAt, ScalarAt
from symbptt.derive.graph import CUT, FLOW, GAP, GIVEN, INITIAL, INPUT, NONE, OUTPUT, RANDOM, STATE, TOTAL, shown_steps
from symbptt.errors import RefusedError, SizeError, UnknownNameError
from symbptt.examples import example_names
from symbptt.model.truncation import Randomised, Segments, Window
from symbptt.render.graph_parts import FORWARD, Rectangle
from symbptt.render.graph_parts import GRADIENT as DASHED
from symbptt.render.svg_math import Glyphs

SVG = "{http://www.w3.org/2000/svg}"
LANGUAGES = ("en", "zh")
TRUNCATIONS = [None, Window(1), Window(3), Segments(3), Randomised("0.8"), Randomised("p", shared=False)]


def cell_model(name: str, **changes: Any) -> RNN:
    several = name in ("stacked", "bidirectional", "scalar pair")
    more = {"hidden": 1, "inputs": 1} if name == "scalar pair" else {}
    return RNN(CELLS[name], **{**more, "reduction": "sum", **({} if several else {"readout": "linear"}), **changes})


MODELS = {
    **{name: lambda name=name: load(name) for name in example_names()},
    **{f"cell {name}": lambda name=name: cell_model(name) for name in CELLS},
    **{f"cell {name} of three steps": lambda name=name: cell_model(name, steps=3) for name in CELLS},
    "mean of masked losses": lambda: RNN("gru", steps=4, reduction="mean", mask=True, readout="softmax", notation="hh"),
    "two readouts and a mask": lambda: RNN(
        "tanh", steps=3, readout={"y": "softmax", "v": "linear"}, loss={"y": "cross_entropy", "v": "mse"}, mask=True
    ),
    "goodfellow": lambda: RNN("tanh", steps=2, readout="softmax", loss="cross_entropy", notation="goodfellow"),
    "one step": lambda: RNN("lstm", steps=1),
}  # fmt: skip
EVERY = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name.endswith("three steps") else ()) for name in MODELS]
)


QUICK = ("relu-explosion", "lstm", "stacked-lstm", "bidirectional", "two-readouts")
BOTH = [
    (name, lang, pytest.mark.slow if "three" in name or (lang == "zh" and name not in QUICK) else ())
    for name in MODELS
    for lang in LANGUAGES
]
"""Models with languages; most in the second language, and the unrolled cells, are among the slow tests."""


# -- the graph against the equations ------------------------------------------------------------------


def contracted(model: RNN, steps: int, drawn: set[str]) -> set[tuple[tuple[str, int], tuple[str, int]]]:
    """The edges between drawn variables in the equations of all steps, with everything else passed through."""
    found = model.unroll(steps)
    reads = {(str(left.name), int(left.when)): leaves(right) for left, right in found.equations}
    if model.system.reduction == "last":
        reads["l", steps] = leaves(found.loss)
    edges = set()
    for target in reads:
        if target[0] in drawn:
            waiting, seen = list(reads[target]), set()
            while waiting:
                source = waiting.pop()
                if source in seen:
                    continue
                seen.add(source)
                if source[0] in drawn:
                    edges.add((source, target))
                else:
                    waiting += reads[source]
    return edges


def leaves(expr: Any) -> set[tuple[str, int]]:
    parts = sympy.preorder_traversal(expr)
    return {(str(p.name), int(p.when)) for p in parts if isinstance(p, MatrixAt | ScalarAt)}


def small(name: str) -> tuple[RNN, int]:
    model = MODELS[name]()
    steps = model.system.steps
    return model.replace(values={}, random={}), int(steps) if steps.is_Integer and steps <= 6 else 4


@EVERY
def test_edges_are_the_dependencies_of_the_equations(name):
    model, steps = small(name)
    graph = model.graph(steps).unrolled
    drawn = {((e.source.name, int(e.source.step)), (e.target.name, int(e.target.step))) for e in graph.edges
             if e.target.name != "L"}  # fmt: skip
    expected = contracted(model, steps, set(graph.kinds))
    if graph.only_last_counts:  # what no loss reads is not drawn
        expected = {(s, t) for s, t in expected if graph.kinds[t[0]] != OUTPUT or t[1] == steps}
    assert drawn == expected
    totals = [e.source for e in graph.edges if e.target.name == "L"]
    assert [(v.name, v.step) for v in totals] == (
        [] if graph.only_last_counts else [("l", k + 1) for k in range(steps)]
    )


@EVERY
def test_gradients_go_back_along_every_edge_but_to_what_is_given(name):
    model, steps = small(name)
    graph = model.graph(steps).unrolled
    ahead = defaultdict(set)
    for edge in graph.edges:
        ahead[edge.source].add(edge.target)
    for edge in graph.edges:
        leads = {edge.target}
        while more := {b for a in leads for b in ahead[a]} - leads:
            leads |= more
        flows = edge.source.kind not in (INPUT, GIVEN) and any(v.kind == TOTAL for v in leads)
        assert edge.gradient == (FLOW if flows else NONE), edge


BACKWARD = "backward"


@pytest.mark.parametrize("steps", [5, 6, 10, 23])
@pytest.mark.parametrize("how", [Window(1), Window(2), Window(4), Segments(1), Segments(2), Segments(4)], ids=str)
@pytest.mark.parametrize(
    ("name", "reduction"),
    [("lstm", "sum"), ("lstm", "last"), ("indrnn", "sum"), ("indrnn", "last"), (BACKWARD, "sum")],
)
def test_cuts_are_where_losses_no_longer_reach(name, how, reduction, steps):
    """Every recurrent edge between shown steps, by the definition of the truncation for each pair of steps."""
    graph = RNN(CELLS[name], steps=steps, reduction=reduction).graph(truncate=how).unrolled
    back = name == BACKWARD
    losses = [steps] if reduction == "last" or isinstance(how, Window) else range(1, steps + 1)
    checked = 0
    for edge in graph.edges:
        if not edge.is_recurrent or GAP in (edge.source.kind, edge.target.kind):
            continue
        old, new = (steps + 1 - int(v.step) if back else int(v.step) for v in (edge.source, edge.target))
        at_new = [s for s in losses if how.reaches(s, new)]
        expected = FLOW if any(how.reaches(s, max(old, 1)) for s in at_new) else CUT if at_new else NONE
        assert edge.gradient == expected, edge
        checked += 1
    assert checked


def test_of_the_last_loss_alone_or_of_all():
    model = RNN("tanh", steps=5)
    for how, count in ((None, 5), (Segments(2), 5), (Window(2), 0)):
        graph = model.graph(truncate=how).unrolled
        assert sum(e.gradient == FLOW for e in graph.edges if e.target.kind == TOTAL) == count
    window = model.graph(truncate=2).unrolled
    assert {v.step for v in window.reached} == {4, 5}
    assert not any(e.gradient == CUT for e in model.graph(truncate=5).unrolled.edges)


def test_random_truncation_leaves_the_initial_state_alone():
    graph = RNN("lstm", steps=4).graph(truncate="randomised:0.9").unrolled
    for edge in graph.edges:
        if edge.is_recurrent:
            assert edge.gradient == (FLOW if edge.source.kind == INITIAL else RANDOM)


def test_nothing_comes_through_a_hidden_end_of_a_segment():
    graph = RNN("tanh", steps=40, reduction="last").graph(truncate=Segments(10)).unrolled
    assert [str(c) for c in graph.columns] == ["1", "None", "10", "11", "None", "30", "31", "None", "40"]
    flows = {e.gradient for e in graph.edges if e.is_recurrent and e.target.column <= 5}
    assert flows == {NONE}
    assert [e.gradient for e in graph.edges if e.is_recurrent and e.target.column > 5] == [CUT, FLOW, FLOW]


def test_parameters_stand_on_the_arrows_that_they_act_on():
    found = {
        (e.source.name, e.target.name): e.parameters
        for e in RNN("lstm", steps=2, readout="linear").graph().unrolled.edges
        if e.target.column == 0
    }
    assert found["x", "c"] == ("W_xi", "W_xf", "W_xc") and found["x", "h"] == ("W_xo",)
    assert found["h", "c"] == ("W_hi", "W_hf", "W_hc") and found["c", "h"] == () and found["h", "y"] == ("W_y",)
    own = Cell(["h[t] = h[t-1] + alpha * tanh(W @ concat(h[t-1], x[t]) + b)"], ["h"], shapes={"alpha": ()})
    assert {e.parameters for e in RNN(own, steps=1).graph().unrolled.edges if e.target.name == "h"} == {("W",)}


# -- which steps are shown ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "how", "shown"),
    [
        (6, None, "1 2 3 4 5 6"),
        (7, None, "1 2 - 6 7"),
        (100, None, "1 2 - 99 100"),
        ("T", None, "1 2 - T-1 T"),
        (10, Window(3), "1 - 7 8 9 10"),
        (100, Window(20), "1 - 80 81 82 - 99 100"),
        ("T", Window(2), "1 - T-2 T-1 T"),
        ("T", Window(1), "1 - T-1 T"),
        (10, Segments(3), "1 2 3 4 - 9 10"),
        (7, Segments(6), "1 - 6 7"),
    ],
)
def test_shown_steps(steps, how, shown):
    system = RNN("tanh", steps=steps).system
    assert " ".join("-" if s is None else str(s).replace(" ", "") for s in shown_steps(system, how)) == shown


def test_values_say_how_many_steps_there_are():
    model = RNN("tanh", 1, 1, values={"x": [1, 0, 1], "W_h": 0.5})
    assert len(model.graph().unrolled.columns) == 3 and len(model.graph(2).unrolled.columns) == 2
    assert None in model.replace(values={"W_h": 0.5}).graph().unrolled.columns


def test_a_cell_that_runs_backward_is_shown_from_left_to_right():
    model = RNN(CELLS[BACKWARD], steps=10)
    assert shown_steps(model.system, Window(3)) == (1, 2, 3, 4, None, 10)
    graph = model.graph().unrolled
    assert [v.column for v in graph.vertices if v.kind == INITIAL] == [len(graph.columns)]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(SizeError, match="needs a number of steps"):
        RNN("tanh").graph(truncate="segments:3")
    with pytest.raises(SizeError, match="tau must be from 1 to T = 3"):
        RNN("tanh", steps=3).graph(truncate=4)
    with pytest.raises(RefusedError, match="forward and backward"):
        RNN(CELLS["bidirectional"]).graph(truncate=1)
    with pytest.raises(UnknownNameError, match="language"):
        RNN("tanh").graph(lang="fr")
    with pytest.raises(UnknownNameError, match="notation"):
        RNN("tanh").graph(notation="fancy").to_svg()


# -- the layout ---------------------------------------------------------------------------------------


def pictures() -> list[Any]:
    cases = [pytest.param(name, lang, None, id=f"{name}-{lang}", marks=marks) for name, lang, marks in BOTH]
    for how, name in itertools.product(TRUNCATIONS[1:], ("truncation-regular", "lstm", "vector-tanh", "cell backward")):
        if isinstance(how, Randomised) or name != "vector-tanh":
            cases.append(pytest.param(name, "zh", how, id=f"{name}-{how}"))
    return cases


def drawn(name: str, lang: str, how: Any) -> Any:
    model = MODELS[name]()
    tall = how is not None and not (model.system.steps.is_Integer and model.system.steps > 3)
    return model.graph(8 if tall else None, lang=lang, truncate=how)


@pytest.mark.sample(4)
@pytest.mark.parametrize(("name", "lang", "how"), pictures())
def test_nothing_overlaps_and_all_is_inside(name, lang, how):
    picture = drawn(name, lang, how).picture
    legend = [
        Rectangle(e.x + e.text.width / 2 - 22.0, e.y - 4.5, e.text.width + 44.0, e.text.height) for e in picture.legend
    ]
    boxes = [(n.vertex, n.box) for n in picture.nodes] + [(e.item, e.box) for e in picture.labels]
    boxes += [(e.words, box) for e, box in zip(picture.legend, legend, strict=True)]
    for (a, one), (b, other) in itertools.combinations(boxes, 2):
        assert not one.meets(other), (a, b)
    for what, box in boxes:
        left, top, right, bottom = box.corners()
        assert left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height, what
    for node in picture.nodes:
        assert node.text.width <= node.box.width and node.text.height <= node.box.height, node.vertex
    for label in picture.labels:
        assert label.text.width <= label.box.width and label.text.height <= label.box.height
    for line in picture.lines:
        for share in range(21):
            x, y = line.at(share / 20)
            assert 0 <= x <= picture.width and 0 <= y <= picture.height
            assert not any(n.box.holds((x, y), -0.5) for n in picture.nodes), line.edge


@pytest.mark.sample(4)
@EVERY
def test_every_symbol_of_the_shown_steps_is_there(name):
    model = MODELS[name]()
    system, graph = model.system, model.graph()
    last = system.reduction == "last"
    items = {n.item for n in graph.picture.nodes}
    layout_math = {n.vertex: n.item for n in graph.picture.nodes}
    shown = {(v.name, v.step) for v in layout_math}
    assert len(items) == len(layout_math) - len([v for v in layout_math if v.kind == GAP]) + any(
        v.kind == GAP for v in layout_math
    )
    readouts = [n for n in system.predictions if n not in system.states]
    for step in graph.unrolled.columns:
        if step is None:
            continue
        for wanted in (*system.states, *system.inputs):
            assert (wanted, step) in shown
        if not last or step == system.steps:
            for wanted in (*readouts, *system.targets, "l"):
                assert (wanted, step) in shown
    for state in system.states:
        assert (state, system.start_of(state)) in shown


@pytest.mark.sample(4)
@EVERY
def test_every_line_is_an_edge_or_the_way_back(name):
    graph = MODELS[name]().graph()
    lines = graph.picture.lines
    assert [line.edge for line in lines if line.style == FORWARD] == list(graph.unrolled.edges)
    assert [line.edge for line in lines if line.style == DASHED] == [
        e for e in graph.unrolled.edges if e.gradient == FLOW
    ]


def test_the_derivatives_of_states_are_named_where_the_gradient_arrives():
    from symbptt.algebra.plain import to_plain

    def named(graph):
        return [to_plain(e.item) for e in graph.picture.labels if e.style == DASHED]

    scalar, vector = named(load("relu-explosion").graph()), named(load("vector-tanh").graph())
    assert {"∂L/∂h₀", "∂L/∂h₁", "∂L/∂h₂", "∂L/∂h₃", "∂h₃/∂h₂"} <= set(scalar)
    assert any("ᵀ" in text or "⊤" in text for text in vector)
    window = named(load("truncation-regular").graph(truncate=3))
    assert {"∂ℓ₈", "∂ℓ₉", "∂ℓ₁₀"} & {text.partition("/")[0] for text in window} == {"∂ℓ₁₀"}
    assert len([text for text in named(load("lstm").graph()) if "∂c" in text]) == 3
    assert any("H" in text for text in named(load("d2l-rows").graph()))


# -- SVG ----------------------------------------------------------------------------------------------


@pytest.mark.sample(4)
@pytest.mark.parametrize(("name", "lang"), [pytest.param(name, lang, marks=marks) for name, lang, marks in BOTH])
def test_svg_is_well_formed_and_stands_alone(name, lang):
    graph = MODELS[name]().graph(lang=lang)
    text = graph.to_svg()
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg" and root.get("role") == "img" and root.get("lang") == lang
    assert [float(x) for x in root.get("viewBox", "").split()] == [0, 0, graph.picture.width, graph.picture.height]
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and desc is not None and title.text and desc.text
    assert bool(re.search("[\u4e00-\u9fff]", desc.text)) == (lang == "zh")
    assert (root.get("aria-labelledby") or "").split() == [title.get("id"), desc.get("id")]
    assert not re.search(r"<script|href|url\(|@import|@font-face|<!--", text)
    assert all(c.startswith("sbg") for e in root.iter() for c in (e.get("class") or "").split())
    assert text == MODELS[name]().graph(lang=lang)._repr_svg_()
    glyphs = ["".join(span.text or "" for span in e) for e in root.iter(f"{SVG}text")]
    boxes = [e.text for e in (*graph.picture.nodes, *graph.picture.labels, *graph.picture.legend)]
    wanted = ["".join(p.text for p in box.parts if isinstance(p, Glyphs)) for box in boxes]
    assert sorted(glyphs) == sorted(wanted)


def test_pictures_on_one_page_have_ids_of_their_own():
    """Only pictures that are the same have the same ids."""
    svgs = {MODELS[name]().graph(lang=lang).to_svg() for name in example_names() for lang in LANGUAGES}
    ids = [name for svg in svgs for name in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids)) == 2 * len(svgs)


def test_forward_and_gradient_differ_in_more_than_colour():
    text = load("truncation-randomised").graph(truncate="randomised:0.8").to_svg()
    dashes = {
        (m[1], (re.search(r'dasharray="([^"]+)"', m[0]) or [None, ""])[1])
        for m in re.finditer(r'<path class="sbg-(forward|gradient)"[^>]*>', text)
    }
    assert dashes == {("forward", ""), ("gradient", "6 3.5"), ("gradient", "1.5 3.5")}


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_colours_stand_out_from_the_paper_in_light_and_dark():
    from symbptt.render.graph_svg import _DARK, _LIGHT

    for colours in (_LIGHT, _DARK):
        for name in ("ink", "forward", "gradient"):
            for ground in ("paper", "state", "given", "band", "frame"):
                high, low = sorted((lightness(colours[name]), lightness(colours[ground])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


def test_a_page_can_choose_light_or_dark():
    style = RNN("tanh").graph().to_svg().split("<style>")[1].split("</style>")[0]
    assert "prefers-color-scheme:dark" in style and "[data-theme=dark] .sbg{" in style


WIDTHS = """<script>addEventListener("load", () => {
  const found = [...document.querySelectorAll("svg")].map(svg => {
    const box = svg.viewBox.baseVal
    return Math.min(...[...svg.querySelectorAll("text, path, rect, polygon")].map(e => {
      const b = e.getBBox()
      return Math.min(b.x, b.y, box.width - b.x - b.width, box.height - b.y - b.height)
    }))
  })
  document.body.textContent = JSON.stringify(found)
})</script>"""


@pytest.mark.browser
def test_in_a_browser_nothing_leaves_the_picture(require, tmp_path):
    svgs = [MODELS[name]().graph(lang=lang).to_svg() for name in example_names() for lang in LANGUAGES]
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8>{WIDTHS}<body>{''.join(svgs)}", encoding="utf-8")
    command = [require("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    (body,) = re.findall(r"<body>(.*?)</body>", done.stdout, re.S)
    found = json.loads(body)
    assert len(found) == len(svgs) and all(least >= 0 for least in found)


# -- TikZ ---------------------------------------------------------------------------------------------


def test_tikz_has_the_same_places():
    graph = load("stacked-lstm").graph()
    text = graph.to_tikz()
    for node in graph.picture.nodes:
        assert f"at ({node.box.x:g},{node.box.y:g})" in text
    first = text.splitlines()[0]
    assert first == "% Needs \\usepackage{tikz} and \\usetikzlibrary{arrows.meta}."
    assert "\\documentclass" not in text and text == load("stacked-lstm").graph().to_tikz()
    assert "ctex" in load("lstm").graph(lang="zh").to_tikz().splitlines()[0]


@pytest.mark.tex
def test_tikz_compiles(require):
    from symbptt.render.pdf import compiled

    require("ctex")
    fragments = [drawn(*case.values).to_tikz() for case in pictures()[::3]]
    head = "\\documentclass{article}\\usepackage[UTF8,fontset=fandol,scheme=plain]{ctex}\\usepackage{amsmath,tikz}"
    head += "\\usetikzlibrary{arrows.meta}\\usepackage[paperwidth=140cm,paperheight=60cm,margin=1cm]{geometry}"
    body = "\n\n".join(fragments)
    assert compiled(f"{head}\\begin{{document}}{body}\\end{{document}}").startswith(b"%PDF")


@pytest.mark.tex
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_document_has_one_page_as_large_as_the_picture(require, tmp_path, lang):
    require("ctex")
    graph = load("truncation-regular").graph(lang=lang, truncate=3)
    pdf = graph.to_pdf(tmp_path / "a.pdf").read_bytes()
    assert pdf == graph.to_pdf(tmp_path / "b.pdf").read_bytes()
    done = subprocess.run(["pdfinfo", str(tmp_path / "a.pdf")], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Pages:\s+1\n", done)
    wide, high = map(float, re.search(r"Page size:\s+([\d.]+) x ([\d.]+)", done).groups())
    scale = 0.72 * 72 / 72.27
    assert wide == pytest.approx(graph.picture.width * scale, abs=1) and high == pytest.approx(
        graph.picture.height * scale, abs=1
    )


# -- the command --------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    from symbptt import cli

    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        code = cli.run(["graph", *arguments])
        return (code, *capfd.readouterr())

    return command


def test_the_command_writes_what_the_suffix_says(run, tmp_path):
    assert run("lstm", "--lang", "zh", "-o", "a.svg") == (0, "", "")
    assert (tmp_path / "a.svg").read_text("utf-8") == load("lstm").graph(lang="zh").to_svg()
    assert run("lstm", "--lang", "en", "-o", "a.tex", "--notation", "hh")[0] == 0
    assert (tmp_path / "a.tex").read_text("utf-8") == load("lstm").graph(notation="hh").to_tikz()
    code, out, err = run("tanh", "--lang", "en", "--steps", "3", "--truncate", "2", "--to", "tikz", "--document")
    assert (code, err) == (0, "") and out == RNN("tanh", steps=3).graph(truncate=2).to_tikz(document=True)
    assert run("relu-explosion", "--lang", "en", "--set", "x=1,1,1,1")[1].count("<tspan") > 10


def test_the_command_refuses_in_one_line_and_leaves_nothing(run, tmp_path):
    for arguments, said in (
        (("tanh", "--truncate", "segments:3"), "needs a number of steps"),
        (("lstm", "--truncate", "9"), "tau must be from 1 to T = 2"),
        (("bidirectional", "--truncate", "1"), "forward and backward"),
        (("lstm", "--to", "png"), "unknown format 'png'"),
        (("lstm", "--to", "pdf", "-o", "-"), "give -o FILE.pdf"),
        (("lstm", "--notation", "d2m"), "did you mean"),
    ):
        output = () if "-o" in arguments else ("-o", "a.svg")
        code, out, err = run(*arguments, *output)
        assert code == 2 and not out and said in err and err.count("\n") == 1, arguments
    assert not list(tmp_path.iterdir())


@pytest.mark.tex
def test_the_command_writes_pdf(run, tmp_path, require):
    require("ctex")
    code, _, err = run("relu-explosion", "--lang", "zh", "--to", "pdf")
    assert code == 0 and "relu-explosion-graph.pdf" in err
    assert (tmp_path / "relu-explosion-graph.pdf").read_bytes().startswith(b"%PDF")


def test_cells_that_run_both_ways_have_arrows_against_each_other():
    assert set(CELLS) >= MIXED
    picture = load("bidirectional").graph().picture
    ways = {
        line.edge.source.name: line.points[-1][0] > line.points[0][0]
        for line in picture.lines
        if line.style == FORWARD and line.edge.source.kind == line.edge.target.kind == STATE and line.edge.is_recurrent
    }
    assert ways == {"forward.h": True, "backward.h": False}
