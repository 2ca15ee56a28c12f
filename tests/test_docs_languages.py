"""The Chinese pages of the documentation say what the English ones say, and can be read by who reads no English.

Their blocks are compared with those of the English pages, byte for byte, and are not run a second time.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_blocks import blocks

ROOT = Path(__file__).resolve().parents[1]
ENGLISH, CHINESE = ROOT / "docs" / "en", ROOT / "docs" / "zh"


def pages_in(folder: Path) -> list[str]:
    """The pages that are written by hand; those of the examples are made from the examples."""
    found = [page.relative_to(folder) for page in folder.rglob("*.md") if page.parent != folder / "examples"]
    return sorted(page.as_posix() for page in found if page.as_posix() != "examples.md")


BOTH = pages_in(CHINESE)
each_page = pytest.mark.parametrize("page", BOTH)
each_chinese_text = pytest.mark.parametrize("text", ["README.zh.md", *(f"docs/zh/{page}" for page in BOTH)])

CHARACTER = r"[\u4e00-\u9fff]"
FULL_WIDTH = r"[\u3000-\u303f\uff00-\uffef“”‘’…—\u4e00-\u9fff]"


def prose(path: Path) -> str:
    """The text without its fenced blocks and comments."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"^<!--.*-->$", "", text, flags=re.M)


def both(page: str) -> tuple[str, str]:
    return prose(ENGLISH / page), prose(CHINESE / page)


def headings(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^(#+) (.+)$", text, flags=re.M)


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table; a bar that belongs to a cell has a backslash."""
    lines = re.findall(r"^\| .*\|$", text, flags=re.M)
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]


def code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text.replace("\n", " "))


def formulas(text: str) -> list[str]:
    """The formulas within lines; a line may end in one."""
    text = re.sub(r"`[^`]*`", "", re.sub(r"^\$\$.*?^\$\$$", "", text, flags=re.S | re.M))
    return [" ".join(found.split()) for found in re.findall(r"\$([^$]+)\$", text)]


def words(text: str) -> str:
    """What is left to read: no code, no formulas, no addresses of links, no titles of books, no bars of tables."""
    text = re.sub(r"^\$\$.*?^\$\$$|^\([\w-]+\)=$|`[^`]*`|\$[^$\n]*\$", " ", text, flags=re.S | re.M)
    return re.sub(r"\]\([^)]*\)|(?<!\*)\*[^*\n]+\*(?!\*)|\|", " ", text)


def test_every_page_is_there_in_both_languages() -> None:
    assert pages_in(ENGLISH) == BOTH != []


@each_page
def test_same_headings(page: str) -> None:
    """In order the same levels, and the same code in them."""
    found = [[(level, code(heading)) for level, heading in headings(text)] for text in both(page)]
    assert found[0] == found[1]


@each_page
def test_same_blocks(page: str) -> None:
    found = [
        [(b.language, b.text, b.comment) for b in blocks((folder / page).read_text(encoding="utf-8"))]
        for folder in (ENGLISH, CHINESE)
    ]
    assert found[0] == found[1]


@each_page
def test_same_tables(page: str) -> None:
    """Row for row as many cells, and the same code and formulas in the first."""
    found = [[(len(row), code(row[0]), formulas(row[0])) for row in rows(text)] for text in both(page)]
    assert found[0] == found[1]


@each_page
def test_same_links_and_images(page: str) -> None:
    """A picture with words in it is there in each language, in a folder of its own."""
    found = [sorted(re.findall(r"\]\(([^)\s]+)\)", text.replace("images/zh/", "images/en/"))) for text in both(page)]
    assert found[0] == found[1]


@each_page
def test_same_formulas(page: str) -> None:
    displayed = [re.findall(r"^\$\$\n(.*?)\n\$\$$", text, flags=re.S | re.M) for text in both(page)]
    assert displayed[0] == displayed[1]
    within = [sorted(formulas(text)) for text in both(page)]
    assert within[0] == within[1]


@each_page
def test_same_names(page: str) -> None:
    """Every name, option and key that one page mentions is on the other as well."""
    found = [set(code(text)) for text in both(page)]
    assert found[0] == found[1]


@each_page
def test_a_target_stands_before_the_heading_that_has_this_anchor_in_english(page: str) -> None:
    """So that a link leads to the same section in both languages, although the headings differ."""
    english, chinese = both(page)
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for _, heading in headings(english)]
    for target, heading in re.findall(r"^\(([\w-]+)\)=\n(?=#+ (.+)$)", chinese, flags=re.M):
        assert anchors.index(target) == [words for _, words in headings(chinese)].index(heading)
    assert len(re.findall(r"^\([\w-]+\)=$", chinese, flags=re.M)) == len(
        re.findall(r"^\([\w-]+\)=\n#", chinese, flags=re.M)
    )


@each_page
def test_nothing_is_left_in_english(page: str) -> None:
    """Every paragraph with words in it has Chinese ones, and no run of English words goes without a translation."""
    _, chinese = both(page)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*- |\d+\. |\|)", chinese):
        if headings(paragraph) or re.match(r"\| *-", paragraph):
            continue
        text = words(paragraph)
        assert re.search(CHARACTER, text) or not re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text), paragraph
        untranslated = re.sub(r"[\x20-\x7e]+（", "", text)  # a message of the program, with its meaning in brackets
        assert not re.search(r"(?:\b[A-Za-z']+,? ){4}[A-Za-z']+", untranslated), paragraph


@each_chinese_text
def test_punctuation_is_full_width(text: str) -> None:
    found = re.findall(
        rf".*{CHARACTER}[ ]?[,;:?!](?:\s|$|{CHARACTER}).*|.*{CHARACTER}[()].*", words(prose(ROOT / text))
    )
    assert found == []


@each_chinese_text
def test_formulas_are_told_apart_by_a_renderer(text: str) -> None:
    """GitHub lets a formula begin behind a space, and not behind a full-width comma."""
    page = re.sub(r"^\$\$.*?^\$\$$|`[^`]*`", "", prose(ROOT / text), flags=re.S | re.M)
    assert [f for f in re.findall(r"(.?)\$[^$\n]+\$", page) if re.match(FULL_WIDTH, f)] == []
