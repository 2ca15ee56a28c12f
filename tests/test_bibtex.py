"""Literature: a table that fits the catalogue, BibTeX that is well formed, citations in documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from symbptt import RNN, Bidirectional, Stack, Window, load
from symbptt.derive.derivation import SECTIONS
from symbptt.examples import example_names
from symbptt.model import CATALOGUE
from symbptt.render.bibtex import bibliography, sources, to_bibtex

ROOT = Path(__file__).resolve().parents[1]
ENTRIES, USES = bibliography()["entry"], bibliography()["uses"]
REQUIRED = {
    "article": {"author", "title", "journal", "volume", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "misc": {"author", "title"},
}


def test_every_entry_has_what_its_type_requires_and_its_year():
    for key, entry in ENTRIES.items():
        assert REQUIRED[entry["type"]] <= set(entry), key
        assert key == "symbptt" or key.endswith(str(entry["year"])), key


def test_the_table_fits_the_catalogue_and_the_sections():
    assert set(USES["cell"]) - {"elman"} <= set(CATALOGUE) and set(USES["section"]) <= set(SECTIONS)
    named = {*USES["every"], *(key for table in list(USES.values())[1:] for keys in table.values() for key in keys)}
    assert named | {"symbptt"} == set(ENTRIES)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_cell_of_the_catalogue_has_a_source(name):
    assert len(sources(RNN(name).derivation(detail="results"))) > 2


def test_what_a_derivation_shows_decides():
    assert sources(RNN("tanh").derivation(truncate=Window(3)))[-1] == "williams1990"
    assert "williams1990" not in sources(RNN("tanh").derivation())
    assert {"graves2013", "hochreiter1997"} <= set(sources(RNN(Stack(["lstm", "tanh"])).derivation(detail="results")))
    both = sources(RNN(Bidirectional("tanh")).derivation(detail="results"))
    assert "schuster1997" in both and "graves2013" not in both
    assert {"bengio1994", "pascanu2013"} <= set(load("power-iteration").stability().sources)


def test_bibtex_is_ascii_balanced_and_the_same_every_time():
    text = to_bibtex(tuple(ENTRIES))
    assert text.isascii() and text == to_bibtex(tuple(ENTRIES))
    assert text.count("{") == text.count("}")
    assert re.findall(r"^@\w+\{([\w]+),$", text, flags=re.M) == list(ENTRIES)


def test_the_entry_of_the_package_says_what_the_citation_file_says():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    entry = to_bibtex(("symbptt",))
    title, version, name = (re.search(rf'{key}: "?([^"\n]+)', citation)[1] for key in ("title", "\nversion", "- name"))
    assert f"title = {{{title}}}" in entry and f"Version {version}" in entry and f"{{{{{name}}}}}" in entry


def test_a_document_refers_to_the_literature_and_lists_it():
    derivation = RNN("lstm").derivation(detail="results")
    whole = derivation.to_latex(document=True, cite=True)
    cited = re.search(r"\\cite\{([^}]*)\}", whole)[1].split(",")
    assert tuple(cited) == derivation.sources == tuple(re.findall(r"\\bibitem\{(\w+)\}", whole))
    fragment = derivation.to_latex(cite=True)
    assert "\\cite{" in fragment and "thebibliography" not in fragment
    assert "\\cite" not in derivation.to_latex(document=True)


def test_every_example_has_sources():
    for name in example_names():
        assert load(name).derivation(values={}, detail="results").to_bibtex().startswith("@misc{symbptt,")
