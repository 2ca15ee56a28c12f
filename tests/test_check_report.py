"""Reports about notes: the words, text, JSON; nothing that was found is left out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import report_examples as examples

from symbptt.reading.messages import MESSAGES
from symbptt.reading.note import Note
from symbptt.reading.report import CAUSES, LINTS, VERDICTS, Counterexample, Report, joined
from symbptt.render.notes_json import as_data, to_json
from symbptt.render.notes_text import shortened, to_text
from symbptt.render.notes_words import both, counterexample_text, number, plain, worded
from symbptt.render.phrases import catalogue, placeholders
from symbptt.render.text import width

LANGUAGES = ("en", "zh")
ROOT = Path(__file__).parents[1]
ALL = joined([examples.english(), examples.chinese(), examples.notebook()])
REPORTS = {
    "all": ALL,
    "english": examples.english(),
    "chinese": examples.chinese(),
    "notebook": examples.notebook(),
    "causes": examples.of_every_cause(),
    "empty": Report((Note("empty.md", ""),)),
}


def test_the_examples_have_everything():
    assert all(ALL.counts[verdict] for verdict in VERDICTS)
    assert {claim.cause for claim in REPORTS["causes"].claims} == set(CAUSES)


# -- words -----------------------------------------------------------------------------------------------------
def test_every_message_has_a_phrase_with_its_placeholders_and_every_phrase_is_a_message():
    phrases = {k: v for k, v in catalogue("en").items() if re.match(r"check\.[a-z-]+\.", k)}
    assert {k: placeholders(v) for k, v in phrases.items()} == {k: set(v) for k, v in MESSAGES.items()}


def test_messages_that_the_reading_makes_are_in_the_table():
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "symbptt" / "reading").rglob("*.py"))
    named = set(re.findall(r"""["'](check\.[a-z-]+\.[\w-]+)["']""", source))
    assert named <= set(MESSAGES)
    assert {f"check.lint.{kind}" for kind in LINTS} <= set(MESSAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_message_is_worded_with_all_that_it_holds(lang):
    for message in examples.every_message():
        text = plain(worded(message, lang))
        assert text and "{" not in text.replace("{t", ""), message.key
        assert text.count("$") % 2 == 0
        assert text.count("h_t") >= sum(value == examples.Math("h_t") for _, value in message.values), message.key


def test_numbers_that_differ_look_different():
    left, right = both(Counterexample("a", "b", "=", (1.0, 0.12345678), (1.0, 0.12345679)), "en")
    assert left != right
    assert number(0.1 + 0.2) == "0.3" and number(-1e-9) == "-1e-09" and number(float("nan")) == "nan"
    assert number(((1.0,) * 9,) * 9).count("...") == 5


def test_a_counterexample_without_an_instance_has_no_empty_brackets():
    assert counterexample_text(Counterexample("a", "b", "=", 1.0, 2.0), "zh") == "左边 = 1.0，右边 = 2.0"


# -- text ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", REPORTS)
def test_the_counts_of_every_verdict_come_first(name, lang):
    report = REPORTS[name]
    first, second = to_text(report, lang).splitlines()[:2]
    assert re.findall(r"\d+", first) == [str(report.formulas), str(report.read)] or report.formulas == 1
    words = [catalogue(lang)[f"check.verdict.{verdict}"] for verdict in VERDICTS]
    assert re.findall(r"\d+", second) == [*map(str, report.counts.values()), str(len(report.lints))]
    assert all(f"{word} " in second for word in words)


def test_what_text_says_about_a_refuted_claim():
    text = to_text(examples.english())
    block = text[text.index("bptt.md:8:1: refuted") :].split("bptt.md:11")[0]
    assert "left = 13.0, right = 12.0 at the note's own numbers, T = 3, t = 2" in block
    assert "likely cause: a path is lost" in block
    assert r"right: \frac{\partial L}{\partial h_1} = f'(z_1) + W_h \frac{\partial L}{\partial h_2} = 13.0" in block
    assert "follows from line 8" in text and "condition: if everything in it is a number" in text


def test_what_is_fine_is_listed_only_on_demand():
    short, long = (to_text(ALL, everything=everything) for everything in (False, True))
    for claim in ALL.claims:
        line = f":{claim.line}:{claim.column}: {claim.verdict}  "
        assert line in long
        assert (line in short) == (claim.verdict in ("refuted", "conditional", "unchecked", "unread"))
    assert "another derivative" in short


def test_findings_come_in_the_order_of_the_files_and_lines():
    places = re.findall(r"^(\S+?):(?:cell (\d+):)?(\d+):(\d+): ", to_text(ALL, everything=True), re.M)
    files = [n.file for n in ALL.notes]
    keys = [(files.index(f), int(cell or 0), int(line), int(column)) for f, cell, line, column in places]
    assert keys == sorted(keys) and len(keys) == len(ALL.claims) + len(ALL.lints)
    assert "book.ipynb:cell 3:3:1: refuted" in to_text(ALL)


def test_lines_fit_a_terminal_and_columns_are_aligned_in_chinese():
    for line in to_text(ALL, "zh").splitlines():
        assert width(line) <= 92 or "正确的公式" in line or re.match(r"\S+:\d+:\d+: ", line), line
    table = [line for line in to_text(examples.english(), "zh").splitlines() if re.match(r"    [hW]_\w  ", line)]
    assert len({width(re.match(r"(.*?)[\u4e00-\u9fff]", line)[1]) for line in table}) == 1 and len(table) == 2


def test_long_formulas_are_shortened_in_the_middle_and_stay_on_one_line():
    assert shortened("a" * 500).count(" ... ") == 1 and len(shortened("a" * 500)) <= 100
    assert shortened("a\n= b\n\n= c") == "a = b = c"


def test_colour_is_only_put_on_words():
    painted = to_text(ALL, paint=lambda text, verdict: f"<{verdict}>{text}</>")
    assert "<refuted>refuted</>" in painted and "<lint>another derivative</>" in painted
    assert re.sub(r"</?[\w-]*>", "", painted).count("refuted") >= to_text(ALL).count("refuted")


def test_silence_is_not_taken_for_approval():
    assert "There are no formulas in it." in to_text(REPORTS["empty"])
    some = Report(claims=tuple(c for c in ALL.claims if c.verdict in ("holds", "unread", "unchecked")), formulas=3)
    assert "Nothing is refuted, but 2 could not be judged." in to_text(some)
    assert "Nothing is refuted" not in to_text(ALL)


# -- JSON ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs" / "schemas" / "check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", REPORTS)
def test_json_fits_its_schema(name, lang, validator):
    validator.validate(json.loads(to_json(REPORTS[name], lang)))


@pytest.mark.parametrize("spoil", [{"version": 2}, {"claims": [{}]}, {"counts": {"holds": 1}}, {"extra": 1}])
def test_the_schema_refuses_what_it_should(spoil, validator):
    assert not validator.is_valid({**as_data(ALL, "en"), **spoil})


def test_the_schema_knows_every_word(validator):
    defs = validator.schema["$defs"]
    assert defs["claim"]["properties"]["verdict"]["enum"] == list(VERDICTS)
    assert defs["claim"]["properties"]["cause"]["enum"] == [None, *CAUSES]
    assert defs["lint"]["properties"]["kind"]["enum"] == list(LINTS)


def test_what_json_says():
    data = json.loads(to_json(ALL, "zh"))
    assert data["counts"]["refuted"] == 6 and data["formulas"] == 15 and data["read"] == 14 and data["ok"] is False
    claim = data["claims"][2]
    assert {k: claim[k] for k in ("file", "line", "column", "end_line", "cause", "cell", "condition")} == {
        "file": "bptt.md", "line": 8, "column": 1, "end_line": 8, "cause": "lost-sum", "cell": None, "condition": None,
    }  # fmt: skip
    assert claim["reason"].endswith("不相等") and claim["end_column"] == 1 + len(claim["latex"])
    assert claim["counterexample"]["left_value"] == 13.0 and claim["counterexample"]["indices"] == {"t": 2}
    assert [c["cell"] for c in data["claims"] if c["file"] == "book.ipynb"] == [1, 3, 3]
    assert data["lints"][0]["kind"] == "other-derivative" and data["models"][0]["values"][0]["value"] == "2.0"


def test_numbers_that_json_does_not_have_are_words():
    example = Counterexample("a", "b", "=", float("inf"), float("nan"))
    (claim,) = [c for c in examples.english().claims if c.cause == "arithmetic"]
    report = Report(claims=(replace(claim, counterexample=example),))
    assert json.loads(to_json(report))["claims"][0]["counterexample"]["left_value"] == "inf"
    assert "NaN" not in to_json(report)
