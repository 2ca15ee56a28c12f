"""Checked notes as a page: every claim marked in place, nothing of a note executed, nothing loaded."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import report_examples as examples

from symbptt.reading.note import CodeBlock, Formula, Note, Passage
from symbptt.reading.report import VERDICTS, Claim, Report, joined, message
from symbptt.render.notes_html import to_fragment, to_html
from symbptt.render.notes_math import math_of
from symbptt.render.phrases import catalogue

ALL = joined([examples.english(), examples.chinese(), examples.notebook()])
PAGES = {lang: to_html(ALL, lang) for lang in ("en", "zh")}
LANGUAGES = tuple(PAGES)
MATHML = "{http://www.w3.org/1998/Math/MathML}"


def tree(html: str) -> ElementTree.Element:
    bare = re.sub(r"(?s)<(style|script)>.*?</\1>", "", html.removeprefix("<!DOCTYPE html>\n"))
    return ElementTree.fromstring(bare)


def classed(root: ElementTree.Element, tag: str, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter(tag) if name in e.get("class", "").split()]


def text(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_claim_is_marked_once_in_order_with_a_word_and_a_sign(lang):
    root = tree(PAGES[lang])
    marks = classed(root, "details", "claim")
    assert [m.get("id") for m in marks] == [f"c{i}" for i in range(1, len(ALL.claims) + 1)]
    for mark, claim in zip(marks, ALL.claims, strict=True):
        assert claim.verdict in mark.get("class").split() and mark[0].tag == "summary"
        word = catalogue(lang)[f"check.verdict.{claim.verdict}"]
        assert mark[0].get("title") == word and text(classed(mark[0], "span", "unseen")[0]).startswith(word)
        assert text(classed(mark[0], "span", "sign")[0])
        assert list(mark[0].iter(f"{MATHML}math")) or claim.verdict == "unread"


def test_details_say_all_that_was_found():
    root = tree(PAGES["en"])
    refuted = root.find(".//details[@id='c3']")
    said = text(refuted[1])
    for part in ("bptt.md:8:1", "= 13.0", "= 12.0", "the note's own numbers", "likely cause: a path is lost"):
        assert part in said
    assert r"\frac{\partial L}{\partial h_1} = f'(z_1)" in said
    links = {a.get("class"): a.get("href") for a in refuted.iter("a")}
    assert links == {"next": "#c5"}
    five = [a.get("href") for a in root.find(".//details[@id='c5']").iter("a")]
    assert five == ["#c3", "#c3", "#c10"]  # the consequence, the one before, the one after


@pytest.mark.parametrize("lang", LANGUAGES)
def test_counts_come_first_and_are_switches(lang):
    root = tree(PAGES[lang])
    labels = classed(root.find("body/header"), "label", "count")
    assert [label.get("class").split()[1] for label in labels] == list(VERDICTS)
    assert [int(label.findtext("strong")) for label in labels] == list(ALL.counts.values())
    for label in labels:
        assert label.find("input").get("id") == f"show-{label.get('class').split()[1]}"
        assert f"#show-{label.get('class').split()[1]}:not(:checked)" in PAGES[lang]


def test_links_lead_somewhere():
    root = tree(PAGES["zh"])
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))
    assert {a.get("href")[1:] for a in root.iter("a")} <= set(names)


def test_what_a_note_says_is_escaped():
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    latex = rf"\text{{{evil}}} = \oops{{<b>}}"
    note = Note(f"{evil}.md", f"{evil} ${latex}$", (Formula(latex, len(evil) + 2),), (Passage("text", 0, 200),))
    claim = Claim(note.file, 1, 1, len(evil) + 2, len(evil) + 2 + len(latex), latex, "refuted",
                  message("check.reason.unread", what=evil), right=evil)  # fmt: skip
    html = to_html(Report((note,), (claim,), formulas=1))
    assert "<img" not in html and html.count("<script>") == 1 and "alert(" not in html.split("<script>")[1]
    assert evil in text(tree(html).find("body/main"))
    assert "<script>" not in to_fragment(Report((note,), (claim,)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_loads_nothing(lang):
    page = PAGES[lang]
    assert not re.search(r"\b(?:src|url\(|@import|<link|fetch\(|XMLHttp)", page)
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) <= {"http://www.w3.org/1998/Math/MathML"}
    assert to_html(ALL, lang) == page


def test_no_word_of_a_note_is_lost_and_its_delimiters_are_left_out():
    article = classed(tree(PAGES["en"]), "article", "text")[0]
    for why in classed(article, "div", "why"):
        why.clear()
    said = text(article)
    for words in ("Backpropagation through time", "The gradient", "weights", "cannot be read", "h = tanh(z)", "more."):
        assert words in said
    assert "$" not in said.replace("$formula$", "") and "\\(" not in said and "##" not in said


def test_a_formula_with_several_claims_shows_each():
    root = tree(PAGES["en"])
    section = classed(root, "section", "note")[1]
    assert len(classed(section, "details", "claim")) == 3


def test_a_formula_without_a_claim_is_a_formula_all_the_same():
    note = Note("n.md", "see $h_t$ there", (Formula("h_t", 5),), (Passage("text", 0, 15),))
    html = to_html(Report((note,)))
    article = classed(tree(html), "article", "text")[0]
    assert text(article) == "see ht there" and len(list(article.iter(f"{MATHML}math"))) == 1


def test_what_stands_outside_passages_is_shown():
    source = "\\section{A}\n\\begin{align*}\na &= b\n\\end{align*}\n\\bye\n```\ncode\n```\n"
    note = Note(
        "n.tex",
        source,
        (Formula("\na &= b\n", source.index("\na &"), True, "align"),),
        code=(CodeBlock("", "code\n", source.index("code")),),
    )
    said = text(classed(tree(to_html(Report((note,)))), "article", "text")[0])
    assert "bye" in said and "begin" not in said and "a=b" in said.replace(" ", "") and "code" in said


def test_code_cells_stand_between_the_cells_of_text():
    note = Note("b.ipynb", "one\n\ntwo\n\n", passages=(Passage("text", 0, 3), Passage("text", 5, 8)),
                code=(CodeBlock("python", "x = 1", 5),), cells=((0, 1), (5, 3)))  # fmt: skip
    assert text(classed(tree(to_html(Report((note,)))), "article", "text")[0]) == "one x = 1 two"


def test_lints_stand_where_they_belong():
    root = tree(PAGES["en"])
    (heading,) = [e for e in classed(root, "div", "head") if "The gradient" in text(e)]
    (lint,) = classed(heading, "details", "lint")
    assert lint.get("id") == "l1" and "the text names" in text(lint)


# -- formulas --------------------------------------------------------------------------------------------------
FORMULAS = {
    r"h_t^\top W'": "ht⊤W′",
    r"\hat{y}_t \approx \tilde y": "y^t≈y~",
    r"\frac{\partial^2 L}{\partial h^2}": "∂2L∂h2",
    r"\partial L/\partial h": "∂L/∂h",
    r"\sum_{t=1}^{T} x_t": "∑t=1Txt",
    r"\max_i a_i": "maxiai",
    r"\underbrace{a}_{b}": "a⏟b",
    r"\overbrace{a}^{b}": "a⏞b",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "(abcd)",
    r"\begin{bmatrix} a \end{bmatrix}": "[a]",
    r"f = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}": "f={1x>00otherwise",
    r"\left\| J \right\| \le \gamma": "‖J‖≤γ",
    r"\sqrt[3]{x}": "x3",
    r"\nabla_W L": "∇WL",
    r"a \simeq b": "a≃b",
    r"a \implies b \iff c": "a⟹b⟺c",
    r"\mathbb{R}^n": "ℝn",
    r"\mathbf{W}": "𝐖",
    r"\mathcal{L}": "ℒ",
    r"a \big|_{b}": "a|b",
    r"\boxed{x}": "x",
    r"a, \quad b": "a,b",
    r"\|x\|_2": "‖x‖2",
    r"\lfloor x \rfloor": "⌊x⌋",
    r"\langle a, b \rangle": "⟨a,b⟩",
    r"1 \cdots 2 \ldots 3": "1⋯2…3",
    r"a \stackrel{?}{=} b": "a=b",
    r"x \xrightarrow{f} y": "x→fy",
    r"\frac{d}{dx} \left( x^2 \right)": "ddx(x2)",
    r"-a + b - c": "−a+b−c",
    r"a \odot b \circ c": "a⊙b∘c",
    r"\int_0^1 x": "∫01x",
    r"\lim_{t \to \infty} a_t": "limt→∞at",
    r"\delta L / \delta h": "δL/δh",
    r"\frac{\hat{\partial} L}{\partial W}": "∂^L∂W",
    r"12.5\% + 5!": "12.5%+5!",
    r"a &= b \quad \text{(why)} \\ &= \mathbf{1}": "a=b(why)=1",
}
"""LaTeX -> the characters of its MathML."""


def test_a_chain_over_several_lines_is_written_over_several_lines():
    root = ElementTree.fromstring(math_of(r"\begin{aligned} a &= b \\ &= c \end{aligned}", display=True))
    assert len(list(root.iter(f"{MATHML}mtr"))) == 2
    assert not list(ElementTree.fromstring(math_of("a = b = c", display=True)).iter(f"{MATHML}mtr"))


@pytest.mark.parametrize("latex", FORMULAS)
def test_a_formula_is_mathml(latex):
    for display in (False, True):
        root = ElementTree.fromstring(math_of(latex, display=display))
        assert root.tag == f"{MATHML}math" and (root.get("display") == "block") == display
        assert re.sub(r"[\s\u2061\u2062\u00a0]", "", "".join(root.itertext())) == FORMULAS[latex]


def test_every_node_of_the_notation_can_be_written():
    from symbptt.reading.notation import tree as nodes
    from symbptt.render.notes_math import _WRITERS

    kinds = {kind for kind in vars(nodes).values() if isinstance(kind, type) and issubclass(kind, nodes.Tree)}
    assert set(_WRITERS) == kinds - {nodes.Tree}


def test_macros_of_the_note_are_known():
    assert "<mi>W</mi>" in math_of(r"\W x", {"W": (0, None, "W")})
    assert math_of(r"\W x").startswith("<code")


def test_a_long_chain_on_its_own_lines_is_broken():
    chain = " = ".join(f"a_{{{i}}} b_{{{i}}} c_{{{i}}} d" for i in range(9))
    assert "mtable" in math_of(chain, display=True) and "mtable" not in math_of(chain)
    assert "mtable" not in math_of("a = b = c", display=True)


# -- in a browser ----------------------------------------------------------------------------------------------
PROBE = """<!DOCTYPE html><meta charset="utf-8"/><body><pre id="found"></pre><script>
const PAGE = %s, found = [], jobs = [];
function probe(frame, width) {
  const w = frame.contentWindow, d = w.document;
  const all = [...d.querySelectorAll("details.claim")];
  const inline = all.find((c) => !c.classList.contains("display"));
  const beside = inline.getBoundingClientRect().height;
  all.forEach((c) => { c.open = true; });
  const overflow = d.documentElement.scrollWidth - d.documentElement.clientWidth;
  const sign = d.querySelector("details.refuted .sign");
  const before = sign.getClientRects().length;
  d.getElementById("show-refuted").click();
  const after = sign.getClientRects().length;
  all.forEach((c) => { c.open = false; });
  d.dispatchEvent(new w.KeyboardEvent("keydown", {key: "n", bubbles: true}));
  const opened = all.filter((c) => c.open).map((c) => c.id);
  return {width, overflow, beside, before, after, opened, focus: d.activeElement.tagName};
}
for (const width of [1280, 390]) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width: ${width}px; height: 800px; border: 0`;
  jobs.push(new Promise((done) => { frame.onload = () => setTimeout(() => done(probe(frame, width)), 200); }));
  frame.srcdoc = PAGE;
  document.body.append(frame);
}
Promise.all(jobs).then((all) => { document.getElementById("found").textContent = JSON.stringify(all); });
</script></body>"""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000", "--dump-dom"]


@pytest.mark.browser
@pytest.mark.parametrize("lang", LANGUAGES)
def test_in_a_browser(lang: str, require: Callable[[str], Any], tmp_path: Path) -> None:
    wrapper = tmp_path / "probe.html"
    wrapper.write_text(PROBE % json.dumps(PAGES[lang]).replace("</", "<\\/"), encoding="utf-8")
    command = [require("chromium"), *FLAGS, "--window-size=1300,900", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, wrapper.as_uri()], capture_output=True, text=True, timeout=120, encoding="utf-8")
    pre = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert pre and pre[1], done.stderr[-2000:]
    for seen in json.loads(unescape(pre[1])):
        assert seen["overflow"] <= 0, seen
        assert seen["beside"] < 40  # a mark within a line does not break it
        assert (seen["before"], seen["after"]) == (1, 0)  # a count is a switch
        assert seen["opened"] == ["c3"] and seen["focus"] == "SUMMARY"  # the key n leads to what is refuted
