"""The HTML page: one well-formed file, nothing to load, all text escaped, a source behind every display."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from symbptt import RNN, Loss
from symbptt.algebra.layout import Ident, Number, Script, row
from symbptt.render.blocks import Display, Document, Group, Heading, Math, Paragraph, displays
from symbptt.render.html import to_html
from symbptt.render.markdown import display_tex, group_tex

MATHML = "{http://www.w3.org/1998/Math/MathML}"
VOID = {"meta", "br", "hr", "img", "link", "input"}
CASES = [("relu", "zh"), ("relu", "en"), ("softmax", "zh"), ("softmax", "en"), ("numbers", "en")]


@cache
def model(name: str) -> RNN:
    if name == "relu":
        loss = Loss("1/2*norm2(target[t]-h[t])")
        ones = {"W_h": "2.0", "W_x": "2.0", "b_h": "0.0", "x": ["1.0"] * 3, "target": "1.0", "h0": "0.0"}
        return RNN("relu", 1, 1, loss=loss, reduction="last", steps=3, values=ones, notation={"target": "y"})
    if name == "softmax":
        return RNN("tanh", readout="softmax", loss="cross_entropy")
    square = [["0.5", "-0.3"], ["0.2", "0.8"]]
    values = {"W_h": square, "W_x": square, "b_h": ["0.0", "0.1"], "W_y": square, "b_y": ["0.0", "0.0"]}
    values |= {"x": [["1.0", "0.5"], ["0.2", "-1.0"]], "target": [0, 1], "h0": ["0.0", "0.0"]}
    return RNN("tanh", 2, 2, 2, readout="softmax", loss="cross_entropy", steps=2, values=values)


@cache
def document(name: str, lang: str) -> Document:
    return model(name).derivation(lang=lang).document()


@cache
def page(name: str, lang: str) -> str:
    return to_html(document(name, lang))


def bare(html: str) -> str:
    """Leave out the style and the script, which are not XML."""
    return re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.S)


def tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(bare(html).replace("<!DOCTYPE html>", ""))


class Tags(HTMLParser):
    """Reads a page as a browser does and fails where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    parser.close()
    assert not parser.open
    return parser.seen


# -- the file ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_the_page_is_well_formed(name: str, lang: str) -> None:
    html = page(name, lang)
    assert html.startswith("<!DOCTYPE html>\n") and html.endswith("</html>\n")
    assert tags(html)
    root = tree(html)
    assert root.tag == "html" and root.get("lang") == lang
    assert root.findtext("head/title")
    names = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_the_page_loads_nothing(name: str, lang: str) -> None:
    html = page(name, lang)
    outside = html.replace('xmlns="http://www.w3.org/1998/Math/MathML"', "")
    assert not re.search(r"https?:|//\w|@import|url\(|\bfetch\b|\bimport\b", outside)
    for tag, attributes in tags(html):
        assert tag not in {"link", "img", "iframe", "object", "embed", "base"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_the_same_document_gives_the_same_bytes() -> None:
    again = model("softmax").derivation(lang="zh").to_html()
    assert again == page("softmax", "zh")


# -- what is in it -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "lang"), CASES)
def test_every_display_has_mathml_and_its_source(name: str, lang: str) -> None:
    blocks = [b for b in document(name, lang).blocks if displays(b)]
    figures = list(tree(page(name, lang)).iter("figure"))
    assert len(figures) == len(blocks)
    for block, figure in zip(blocks, figures, strict=True):
        tex = group_tex(block) if isinstance(block, Group) else display_tex(block)
        found = next(attributes for tag, attributes in tags(ElementTree.tostring(figure, "unicode")))
        assert found["data-tex"] == tex
        (math,) = figure.find("div").iter(f"{MATHML}math")
        assert math.get("display") == "block" and len(math) == 1
        assert [b.get("data-copy") for b in figure.iter("button")] == ["tex", "mathml"]
        assert figure.find("div[@class='tools']").get("hidden") is not None


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_sections_and_steps_fold_and_are_linked(name: str, lang: str) -> None:
    root = tree(page(name, lang))
    headings = [b for b in document(name, lang).blocks if isinstance(b, Heading) and b.level > 1]
    folds = list(root.iter("details"))
    assert len(folds) == len(headings)
    for fold, heading in zip(folds, headings, strict=True):
        assert fold.get("open") is not None
        assert fold[0].tag == "summary" and fold[0][0].tag == f"h{heading.level}"
    links = [a.get("href") for a in root.find("body/nav").iter("a")]
    assert links == [f"#{fold.get('id')}" for fold in folds if fold.get("class") == "level-2"]


def test_words_are_escaped() -> None:
    evil = '<script>alert("1")</script> & $$'
    html = model("relu").replace(title={"en": evil}).derivation().to_html()
    assert html.count("<script>") == 1 and "alert(" not in html.split("<main>")[1]
    root = tree(html)
    assert root.findtext("head/title") == evil
    assert root.findtext("body/header/h1") == evil


def test_source_code_keeps_its_line_breaks_and_quotes() -> None:
    display = Display('"><script>', Ident('"<&'), (("=", Ident("a")), ("=", row(*map(Number, "1" * 70)))))
    html = to_html(Document("en", "t", (Heading(1, ("t",)), display)))
    ((_, attributes),) = [seen for seen in tags(html) if seen[0] == "figure"]
    assert attributes["data-tex"] == display_tex(display) and "\n" in display_tex(display)
    assert "&#10;" in html


# -- displays ----------------------------------------------------------------------------------------------------
def chain(key: str, count: int = 1, verified: bool | None = None, reason: tuple[Any, ...] = ()) -> Display:
    lines = tuple(("=" if i else "≈", Number("1" * 40)) for i in range(count))
    return Display(key, Script(Ident("h"), Number("1")), lines, reason, verified)


def small(*blocks: Any) -> str:
    return to_html(Document("en", "A title", (Heading(1, ("A title",)), *blocks)))


def table_of(html: str) -> list[list[str]]:
    rows = tree(html).iter(f"{MATHML}mtr")
    return [["".join(cell.itertext()) for cell in cells] for cells in rows]


def test_only_what_was_verified_is_marked() -> None:
    html = small(chain("a", verified=True), chain("b"), chain("c", verified=False))
    marks = [[span.get("class") for span in f.iter("span")] for f in tree(html).iter("figure")]
    assert marks == [["verified"], [], ["refuted"]]
    assert 'title="checked"' in html and "<footer>" not in html
    assert "<footer>" in small(chain("a", verified=True), chain("b"))
    assert "✓" not in bare(small(chain("b")))


def test_a_long_chain_is_aligned_at_its_signs() -> None:
    reason = ("because ", Math(Ident("z")), " is large")
    ones = "1" * 40
    rows = table_of(small(chain("a", 3, True, reason)))
    assert rows == [
        ["h1", "≈", ones],
        ["", "=", ones],
        ["", "=", f"{ones}(because\u00a0z\u00a0is large)✓"],
    ]


def test_a_group_is_one_table_and_a_short_chain_is_none() -> None:
    html = small(Group((chain("a", 1, True), chain("b", 2))))
    assert [cells[0] for cells in table_of(html)] == ["h1", "h1", ""]
    assert table_of(html)[0][3] == "✓"
    assert not table_of(small(chain("a", reason=("why",)), Group((chain("b"),))))


# -- in a browser ------------------------------------------------------------------------------------------------
PROBE = """<!DOCTYPE html><meta charset="utf-8"/><body><pre id="found"></pre><script>
const PAGES = %s, WIDTHS = [1100, 390], found = [], jobs = [];
function probe(frame, name, width) {
  const w = frame.contentWindow, d = w.document, copied = [];
  Object.defineProperty(w.navigator, "clipboard", {value: {writeText: async (text) => { copied.push(text); }}});
  const figure = d.querySelector("mtable.aligned").closest("figure");
  figure.querySelectorAll("button").forEach((button) => button.click());
  const visible = [...d.querySelectorAll("button")].every((b) => b.getClientRects().length);
  const overflow = d.documentElement.scrollWidth - d.documentElement.clientWidth;
  const [left, sign] = figure.querySelectorAll("mtr:first-child > mtd");
  const gap = sign.getBoundingClientRect().left - left.firstElementChild.getBoundingClientRect().right;
  const fold = d.querySelector("details");
  fold.open = false;
  w.dispatchEvent(new Event("beforeprint"));
  return new Promise((done) => setTimeout(() => done({name, width, inner: w.innerWidth, overflow, visible, copied, gap,
    printed: fold.open, tex: figure.dataset.tex, text: d.body.innerText}), 50));
}
for (const [name, html] of Object.entries(PAGES)) for (const width of WIDTHS) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width: ${width}px; height: 800px; border: 0`;
  jobs.push(new Promise((done) => { frame.onload = () => done(probe(frame, name, width)); }));
  frame.srcdoc = html;
  document.body.append(frame);
}
Promise.all(jobs).then((all) => { document.getElementById("found").textContent = JSON.stringify(all); });
</script></body>"""

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--virtual-time-budget=20000", "--dump-dom", "--window-size=1200,900"]


def in_browser(chromium: str, folder: Path, pages: dict[str, str]) -> list[dict[str, Any]]:
    """Load pages at both widths and tell what a reader would meet."""
    wrapper = folder / "probe.html"
    wrapper.write_text(PROBE % json.dumps(pages).replace("</", "<\\/"), encoding="utf-8")
    command = [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", wrapper.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8")
    pre = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.S)
    assert pre and pre[1], done.stderr[-2000:]
    return list(json.loads(unescape(pre[1])))


@pytest.mark.browser
def test_in_a_browser_at_desktop_and_phone_width(require: Callable[[str], Any], tmp_path: Path) -> None:
    pages = {f"{name}-{lang}": page(name, lang) for name, lang in CASES}
    found = in_browser(require("chromium"), tmp_path, pages)
    assert len(found) == 2 * len(CASES)
    for seen in found:
        assert seen["inner"] == seen["width"]
        assert seen["overflow"] <= 0, seen["name"]
        assert "$$" not in seen["text"] and "\\frac" not in seen["text"] and len(seen["text"]) > 500
        assert seen["visible"] and seen["printed"]
        assert abs(seen["gap"]) < 3  # the left sides end where the signs begin
        tex, mathml = seen["copied"]
        assert tex == seen["tex"]
        assert ElementTree.fromstring(mathml).tag == f"{MATHML}math"


def test_paragraphs_carry_formulas() -> None:
    html = small(Paragraph(("where ", Math(Ident("h")), " < 1")))
    (paragraph,) = tree(html).iter("p")
    assert "".join(paragraph.itertext()) == "where h < 1"
    assert paragraph[0].tag == f"{MATHML}math" and paragraph[0].get("display") is None
