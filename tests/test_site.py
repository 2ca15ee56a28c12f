"""The built site: every page in a browser at two widths, off line, with the keyboard, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docs, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "zh")
WIDTHS = (1280, 390)
SEEN = r"""() => {
  const copy = document.body.cloneNode(true);
  copy.querySelectorAll("pre, code, script, style").forEach((e) => e.remove());
  const text = copy.textContent;
  const page = document.documentElement;
  return {
    raw: (text.match(/\$\$|\\frac|\\partial|\\begin|\{symbptt|:::/) || [null])[0],
    long: text.length,
    overflow: page.scrollWidth - page.clientWidth,
    unset: document.querySelectorAll("merror, .problematic, .system-message").length,
  };
}"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], Any]) -> Path:
    """The site, built by the one command that builds it."""
    require("sphinx"), require("myst_nb")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, str(ROOT / "docs" / "build.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


@pytest.fixture(scope="session")
def singles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The single-file page of every worked example in both languages."""
    from symbptt import load
    from symbptt.examples import example_names

    folder = tmp_path_factory.mktemp("singles")
    for name in example_names():
        for lang in LANGUAGES:
            (folder / f"{name}-{lang}.html").write_text(load(name).derivation(lang=lang).to_html(), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def browser(require: Callable[[str], Any]) -> Iterator[Any]:
    sync_api = require("playwright.sync_api")
    with sync_api.sync_playwright() as started:
        made = started.chromium.launch(executable_path=require("chromium"), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab without a network, which keeps what went wrong in ``page.wrong``."""
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900}, offline=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.wrong = []
    tab.on("console", lambda m: tab.wrong.append(m.text) if m.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: tab.wrong.append(str(error)))
    tab.on("requestfailed", lambda request: tab.wrong.append(request.url))
    tab.on("request", lambda r: tab.wrong.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    yield tab
    context.close()


def check_every(page: Any, files: list[Path]) -> None:
    """Open pages at both widths; collect all that is wrong before failing."""
    found = []
    for file in files:
        page.goto(file.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            seen = page.evaluate(SEEN)
            wrong = [
                *page.wrong,
                *([seen["raw"]] if seen["raw"] else []),
                *(["overflow"] if seen["overflow"] > 0 else []),
            ]
            if wrong or seen["unset"] or seen["long"] < 100:
                found.append((file.name, width, wrong, seen))
            page.wrong.clear()
    assert found == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_at_desktop_and_phone_width(site: Path, page: Any, lang: str) -> None:
    files = sorted((site / lang).rglob("*.html"))
    assert len(files) > 45
    check_every(page, [file for file in files if "_static" not in file.parts])


def test_the_single_page_of_every_example(singles: Path, page: Any) -> None:
    check_every(page, sorted(singles.glob("*.html")))


def test_the_first_page_leads_to_both_languages(site: Path, page: Any) -> None:
    for name, lang in (("English", "en"), ("中文", "zh")):
        page.goto((site / "index.html").as_uri())
        page.get_by_role("link", name=name).click()
        assert page.url == (site / lang / "index.html").as_uri()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)[^>]*\bsrc="([^"]*)"', text)
        loaded += re.findall(r'<link[^>]*\brel="(?:stylesheet|preload|icon)[^>]*\bhref="([^"]*)"', text)
        assert [url for url in loaded if re.match(r"(https?:)?//", url)] == [], file


def test_a_reader_stays_on_the_page_when_the_language_changes(site: Path, page: Any) -> None:
    pages = [{f.relative_to(site / lang) for f in (site / lang).rglob("*.html")} for lang in LANGUAGES]
    assert pages[0] == pages[1]
    for name in ("tutorial", "examples/lstm", "reference/api"):
        page.goto((site / "en" / f"{name}.html").as_uri())
        page.locator(".language-switch a").press("Enter")
        assert page.url == (site / "zh" / f"{name}.html").as_uri()
        page.locator(".language-switch a").click()
        assert page.url == (site / "en" / f"{name}.html").as_uri()
    page.set_viewport_size({"width": WIDTHS[1], "height": 900})
    page.locator(".language-switch a").wait_for()  # visible, once a long page is there


def test_folds_open_by_mouse_and_by_keyboard(site: Path, page: Any) -> None:
    page.goto((site / "en" / "examples" / "relu-explosion.html").as_uri())
    fold = page.locator("details.level-3").first
    assert fold.get_attribute("open") is None
    fold.locator("summary").click()
    assert fold.get_attribute("open") is not None
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.get_attribute("open") is None


def test_formulas_are_copied_by_mouse_and_by_keyboard(site: Path, page: Any) -> None:
    page.goto((site / "zh" / "examples" / "relu-explosion.html").as_uri())
    figure = page.locator("figure.display").first
    source = figure.get_attribute("data-tex")
    figure.hover()
    figure.locator("button[data-copy=tex]").click()
    assert page.evaluate("navigator.clipboard.readText()") == source
    figure.locator("button[data-copy=mathml]").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('<math'))")


def test_the_keyboard_alone_reaches_what_is_to_be_reached(site: Path, page: Any) -> None:
    page.goto((site / "en" / "examples" / "relu-explosion.html").as_uri())
    reached = set()
    for _ in range(140):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("""() => { const e = document.activeElement;
            return e.closest(".language-switch") ? "language" : e.matches("summary") ? "fold"
                : e.matches("[data-copy]") ? "copy" : e.matches("input") ? "search" : e.tagName }""")
        )
    assert {"language", "fold", "copy", "search", "A"} <= reached


def test_a_long_formula_scrolls_in_its_own_box(site: Path, page: Any) -> None:
    page.set_viewport_size({"width": WIDTHS[1], "height": 900})
    page.goto((site / "en" / "examples" / "lstm.html").as_uri())
    wide = page.evaluate("""() => [...document.querySelectorAll(".formula")]
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && !e.closest("details:not([open])"))
        .map((e) => e.tabIndex)""")
    assert wide and set(wide) == {0}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_search_finds_pages_without_a_network(site: Path, page: Any, lang: str) -> None:
    word = {"en": "peephole", "zh": "通过时间反向传播"}[lang]
    page.goto((site / lang / "search.html").as_uri() + f"?q={word}")
    page.wait_for_selector("ul.search li")
    assert page.locator("ul.search li").count() > 0 and page.wrong == []
