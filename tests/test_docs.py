"""Every page of the documentation runs: its Python, its commands and its model files; its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_blocks import pdf_commands, run_page, run_pdf_commands

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def pages_in(lang: str) -> list[Path]:
    """The pages of a language, without those that the build of the site makes."""
    folder = DOCS / lang
    return [page for page in sorted(folder.rglob("*.md")) if page.parent != folder / "examples"]


PAGES, CHINESE = pages_in("en"), pages_in("zh")  # tests/test_docs_languages.py compares their blocks
ALL = pytest.mark.parametrize("page", PAGES + CHINESE, ids=lambda page: str(page.relative_to(DOCS).with_suffix("")))
WITH_PDF = [page for page in PAGES if pdf_commands(page)]


def needs(page: Path) -> list[str]:
    """Return the packages that a page names in ``<!-- needs: jax -->``."""
    return re.findall(r"^<!-- needs: (\S+) -->$", page.read_text(encoding="utf-8"), flags=re.M)


def name(page: Path) -> str:
    return str(page.relative_to(DOCS / "en").with_suffix(""))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if not needs(page)], ids=name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.parametrize("page", [page for page in PAGES if needs(page)], ids=name)
def test_blocks_with_other_packages_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[[str], object]
) -> None:
    for module in needs(page):
        require(module)
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
        if not re.match(r"[a-z]+:", link):
            assert (page.parent / link).exists(), link


@pytest.mark.parametrize("pages", [PAGES, CHINESE], ids=["en", "zh"])
def test_every_page_is_in_the_contents(pages: list[Path]) -> None:
    index = next(page for page in pages if page.name == "index.md")
    listed = re.findall(r"\]\(([^)#]+)", index.read_text(encoding="utf-8"))
    assert [page for page in pages if page != index and page.relative_to(index.parent).as_posix() not in listed] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_of_examples_is_made_from_them(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python docs/example_pages.py`` makes it."""
    monkeypatch.syspath_prepend(str(DOCS))
    import example_pages

    assert (DOCS / lang / "examples.md").read_text(encoding="utf-8") == example_pages.index(lang)
    listed = re.findall(r"^\| `([\w-]+)` \|", example_pages.index(lang), flags=re.M)
    assert sorted(listed) == sorted(example_pages.example_names())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_picture_of_the_readme_is_of_what_is_written_now(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``python docs/make_images.py`` makes it again."""
    monkeypatch.syspath_prepend(str(DOCS))
    import make_images

    picture = (DOCS / "images" / lang / f"{make_images.NAME}.png").read_bytes()
    assert f"{make_images.DIGEST}\0{make_images.digest(lang)}".encode() in picture


def test_the_contents_of_the_site_have_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    from contents import CONTENTS

    listed = [page for _, pages in CONTENTS for page in pages if "*" not in page]
    assert sorted([*listed, "index"]) == sorted(map(name, PAGES))


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
    assert [n for n in names if not (ROOT / n.replace("NAME", "vector-tanh")).exists()] == []


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
