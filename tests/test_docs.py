"""Every page of the documentation runs: its Python, its commands and its model files; its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_blocks import pdf_commands, run_page, run_pdf_commands

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs" / "en").glob("*.md"))
CHINESE = sorted((ROOT / "docs" / "zh").glob("*.md"))  # tests/test_docs_languages.py compares their blocks
ALL = pytest.mark.parametrize("page", PAGES + CHINESE, ids=lambda page: f"{page.parent.name}-{page.stem}")
WITH_PDF = [page for page in PAGES if pdf_commands(page)]
NOT_YET = ROOT / "docs" / "zh" / "examples.md"  # made from the worked examples themselves


def name(page: Path) -> str:
    return page.stem


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.tex
@pytest.mark.parametrize("page", WITH_PDF, ids=name)
def test_pdf_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_pdf_commands(page, tmp_path, monkeypatch)


@ALL
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text):
        if not re.match(r"[a-z]+:", link) and page.parent / link != NOT_YET:
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("pages", [PAGES, CHINESE], ids=["en", "zh"])
def test_every_page_is_in_the_contents(pages: list[Path]) -> None:
    index = (pages[0].parent / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in pages if page.name != "index.md" and f"({page.name})" not in index] == []


def test_the_page_of_examples_has_all_of_them() -> None:
    from symbptt.examples import example_names

    listed = re.findall(r"^\| `([\w-]+)` \|", text_of("docs/en/examples.md"), flags=re.M)
    assert sorted(listed) == sorted(example_names())


def test_every_kind_of_step_is_described_with_its_test() -> None:
    from symbptt.derive.steps import KINDS

    rows = re.findall(r"^\| `(\w+)` \|.*\|.*\|$", text_of("docs/en/verification.md"), flags=re.M)
    assert sorted(set(rows) & {*KINDS}) == sorted(KINDS)


def test_every_section_and_every_cell_is_described() -> None:
    from symbptt.derive.derivation import SECTIONS
    from symbptt.model import CATALOGUE

    assert [key for key in SECTIONS if f"`{key}`" not in text_of("docs/en/python-api.md")] == []
    assert [name for name in CATALOGUE if f"`{name}`" not in text_of("docs/en/cells.md")] == []


@ALL
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link, place in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", text):
        target = (page.parent / link if link else page).read_text(encoding="utf-8")
        assert place in anchors(target), f"{page.name}: {link}#{place}"


def anchors(text: str) -> list[str]:
    """The anchors of the headings of a page, as GitHub makes them, and its targets ``(name)=`` for Sphinx."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    slugs = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, flags=re.M)]
    return slugs + re.findall(r"^\(([\w-]+)\)=$", text, flags=re.M)


def test_the_version_is_the_same_everywhere() -> None:
    from symbptt import __version__

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in project
    assert f"\nversion: {__version__}\n" in citation
    assert f"[{__version__}]" in text_of("CHANGELOG.md") or "[Unreleased]" in text_of("CHANGELOG.md")


def test_the_citation_has_what_the_format_requires() -> None:
    keys = re.findall(r"^([\w-]+):", text_of("CITATION.cff"), flags=re.M)
    assert {"cff-version", "message", "title", "authors", "license", "version"} <= set(keys)
    assert len(keys) == len(set(keys))


def test_every_file_that_contributing_names_is_there() -> None:
    names = re.findall(r"`((?:symbptt|tests|docs|\.ci)/[\w./-]+)`", text_of("CONTRIBUTING.md"))
    optional = {"symbptt/sphinxext.py"}
    assert [n for n in names if n not in optional and not (ROOT / n.replace("NAME", "vector-tanh")).exists()] == []


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
