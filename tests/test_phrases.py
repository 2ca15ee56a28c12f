"""The phrase catalogues: the same keys and placeholders everywhere, all of them used, none missing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest
from derivation_examples import some_catalogue_models, special_derivations

import symbptt.render.document
from symbptt.errors import UnknownNameError
from symbptt.reading.messages import MESSAGES
from symbptt.render.document import Writer
from symbptt.render.phrases import catalogue, languages, placeholders

RENDER = Path(symbptt.render.document.__file__).parent


class Recorder(dict[str, str]):
    """A catalogue that remembers what was asked of it."""

    used: ClassVar[set[str]] = set()

    def __getitem__(self, key: str) -> str:
        Recorder.used.add(key)
        return super().__getitem__(key)


def test_there_is_chinese_and_english():
    assert {"en", "zh"} <= set(languages())
    with pytest.raises(UnknownNameError, match="zh"):
        catalogue("zhh")


def test_keys_and_placeholders_are_the_same_in_all_languages():
    english = {key: placeholders(phrase) for key, phrase in catalogue("en").items()}
    for lang in languages():
        assert {key: placeholders(phrase) for key, phrase in catalogue(lang).items()} == english, lang


@pytest.mark.parametrize("lang", languages())
def test_formulas_in_phrases_are_the_same_in_all_languages(lang):
    for key, phrase in catalogue("en").items():
        assert re.findall(r"\$[^$]*\$", phrase) == re.findall(r"\$[^$]*\$", catalogue(lang)[key]), key


def test_phrases_of_a_language_are_in_it():
    han = re.compile("[\u4e00-\u9fff]")
    same = {"space", "result.line", "unrolled.step", "given.values", "cell.lstm", "cell.gru", "cell.indrnn"}
    same |= {"initialisation.scheme_xavier"}
    for key, phrase in catalogue("zh").items():
        assert not han.search(catalogue("en")[key]), key
        assert han.search(phrase) or key in same or not re.search("[A-Za-z]{3}", re.sub(r"\{\w+\}", "", phrase)), key


@pytest.mark.slow
def test_every_rule_has_a_phrase_and_every_placeholder_a_fact():
    for name, derivation in special_derivations():
        writer = Writer(derivation)
        for step in derivation.steps:
            rule = "result.line" if step.rule == "result" else step.rule
            facts = {**dict(step.facts), **writer._extra_facts(step)}
            assert placeholders(catalogue(derivation.lang)[rule]) <= set(facts), (name, step.key)


@pytest.mark.slow
def test_no_placeholder_is_left_in_a_document():
    for name, derivation in special_derivations():
        assert not re.search(r"(?<!_)\{[a-z_]+\}", derivation.to_text()), name


@pytest.mark.slow
def test_no_phrase_is_unused(monkeypatch):
    monkeypatch.setattr(symbptt.render.document, "catalogue", lambda lang: Recorder(catalogue(lang)))
    Recorder.used = set()
    for _, derivation in special_derivations():
        symbptt.render.document.document(derivation)  # anew: a derivation makes its own document once
    for model in some_catalogue_models():
        model.derivation().document()
    unused = set(catalogue("en")) - Recorder.used - set(MESSAGES)
    assert {key for key in unused if not any(pattern.fullmatch(key) for pattern in named_in_source())} == set()


def named_in_source() -> list[re.Pattern[str]]:
    """The keys that the writers of single formats ask for by name, with f-strings as patterns."""
    source = "".join(path.read_text(encoding="utf-8") for path in RENDER.rglob("*.py") if path.stem != "document")
    named = re.findall(r"""f?["']((?:check|notes|ui|train|compare)\.[\w{}-]+)["']""", source)
    return [re.compile(re.sub(r"\{\w+\}", r"\\w+", re.sub(r"\.", r"\.", key, count=1))) for key in named]
