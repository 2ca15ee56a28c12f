"""README.md and README.zh.md: everything in them runs, and they say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_blocks import blocks, pdf_commands, run_page, run_pdf_commands

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
BOTH = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["en", "zh"])


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.S | re.M)


def targets(page: Path) -> list[str]:
    """Links and images, pages under their English names; without the links from one language to the other."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return sorted(
        re.sub(r"^docs/(images/)?zh/", r"docs/\1en/", t) for t in found if t not in ("README.md", "README.zh.md")
    )


@pytest.mark.slow
@BOTH
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_page(page, tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.tex
@BOTH
def test_pdf_commands_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pdf_commands(page)
    run_pdf_commands(page, tmp_path, monkeypatch)


def test_same_headings() -> None:
    levels = [re.findall(r"^(#+) ", prose(page), flags=re.M) for page in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]


def test_same_blocks() -> None:
    found = [[(b.language, b.text, b.comment) for b in blocks(text_of(page))] for page in (ENGLISH, CHINESE)]
    assert found[0] == found[1]


def test_same_links_and_images() -> None:
    assert targets(ENGLISH) == targets(CHINESE)
    assert "(README.zh.md)" in prose(ENGLISH)
    assert "(README.md)" in prose(CHINESE)


def test_same_tables() -> None:
    """Row for row the same code in the first column."""
    rows = [re.findall(r"^\| (`[^|]*`) \|", prose(page), flags=re.M) for page in (ENGLISH, CHINESE)]
    assert rows[0] == rows[1] != []


@BOTH
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", link):
            assert (ROOT / link.partition("#")[0]).exists(), link


@BOTH
def test_image_is_small_enough(page: Path) -> None:
    for image in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", prose(page)):
        assert (ROOT / image).stat().st_size < 300_000, image


@BOTH
def test_command_table_is_complete(page: Path) -> None:
    """The table of commands names every command that there is."""
    from symbptt.cli import app

    listed = re.findall(r"^\| `symbptt ([a-z]+)", prose(page), flags=re.M)
    assert sorted(listed) == sorted(app.commands)


def test_each_readme_leads_to_pages_in_its_language() -> None:
    """Where there is no page in Chinese, the English one is better than none."""
    assert not re.search(r"\]\(docs/zh/", prose(ENGLISH))
    english = re.findall(r"\]\((docs/en/[^)]+)\)", prose(CHINESE))
    assert [link for link in english if (ROOT / link.replace("docs/en/", "docs/zh/")).exists()] == []
