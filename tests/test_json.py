"""JSON: all of a derivation, as the published schema says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sympy
from derivation_examples import (
    MY_LSTM,
    relu_explosion,
    rewritten,
    special_derivations,
    special_models,
)
from sympy.core.symbol import Str
from sympy.functions.elementary.piecewise import ExprCondPair

import symbptt.algebra
from symbptt import RNN, load

SCHEMAS = Path(__file__).parents[1] / "docs" / "schemas"
SCHEMA = json.loads((SCHEMAS / "derivation.schema.json").read_text(encoding="utf-8"))
jsonschema = pytest.importorskip("jsonschema")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def steps(data):
    stack = [step for section in data["sections"] for step in section["steps"]]
    while stack:
        step = stack.pop(0)
        stack = step["substeps"] + stack
        yield step


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.slow
def test_every_derivation_fits_the_schema_and_is_complete():
    for name, derivation in special_derivations():
        data = json.loads(derivation.to_json())
        VALIDATOR.validate(data)
        found = list(steps(data))
        assert [step["key"] for step in found] == [step.key for step in derivation.steps], name
        assert [len(step["chain"]) for step in found] == [len(step.chain) for step in derivation.steps], name


@pytest.mark.parametrize("name", ["residual", "gates"])
def test_a_network_among_the_facts_is_written_as_data(name):
    text = load(name).derivation().to_json()
    VALIDATOR.validate(json.loads(text))
    assert " object at 0x" not in text


@pytest.mark.parametrize("spoil", [{"version": 2}, {"language": 1}, {"sections": [{}]}, {"extra": 1}])
def test_the_schema_refuses_what_it_should(spoil):
    data = json.loads(relu_explosion().derivation(sections=["model"]).to_json())
    VALIDATOR.validate(data)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**data, **spoil})


def test_what_a_step_says():
    data = json.loads(relu_explosion().derivation(lang="zh").to_json())
    by_key = {step["key"]: step for step in steps(data)}
    step = by_key["numbers.W_h"]
    assert (step["rule"], step["kind"], step["verified"]) == ("numbers.parameter", "worked", None)
    assert step["phrase"]["markdown"] == "对 $W_h$，把各时间步的贡献相加："
    assert step["left"]["latex"] == r"\frac{\partial L}{\partial W_h}"
    assert step["chain"][-1] | {"srepr": ""} == {
        "sign": "=", "latex": "130.0", "text": "130.0", "language": "130.0", "srepr": "", "braces": [],
    }  # fmt: skip
    assert data["network"]["sizes"] == {"hidden": 1, "inputs": 1, "outputs": None, "steps": 3}
    assert data["title"] == "ReLU 网络的梯度爆炸"


def test_shapes_ranges_and_braces():
    data = json.loads(special_models()["softmax"].derivation().to_json())
    step = next(step for step in steps(data) if step["key"] == "recursion.h")
    assert step["shape"] == ["n", "1"] and step["range"] == ["1", "T - 1"]
    assert [brace["key"] for brace in step["chain"][0]["braces"]] == ["brace.local", "brace.next"]
    assert r"\underbrace" in step["chain"][0]["latex"] and "underbrace" not in step["chain"][0]["text"]


def test_the_language_keeps_canonical_names_in_every_notation():
    derivation = RNN(MY_LSTM).derivation()
    plain, other = (json.loads(rewritten(derivation, "en", n).to_json()) for n in ("textbook", {"W_hf": "U_f"}))
    pairs = list(zip(steps(plain), steps(other), strict=True))
    assert any(a["chain"] != b["chain"] for a, b in pairs)
    for a, b in pairs:
        assert [line["language"] for line in a["chain"]] == [line["language"] for line in b["chain"]]


def test_expressions_can_be_made_again():
    names = {**vars(sympy), **vars(symbptt.algebra), **vars(symbptt.algebra.nodes), **vars(symbptt.algebra.leaves)}
    names |= {"Str": Str, "ExprCondPair": ExprCondPair} | vars(symbptt.algebra.functions)
    derivation = special_models()["vector"].derivation()
    data = {step["key"]: step for step in steps(json.loads(derivation.to_json()))}
    for step in derivation.steps:
        for line, written in zip(step.chain, data[step.key]["chain"], strict=True):
            assert eval(written["srepr"], dict(names)) == line.expr


def test_verdicts_are_written_once_there_are_any():
    derivation = relu_explosion().derivation(sections=["forward"])
    assert json.loads(derivation.to_json())["verified"] is None
    assert derivation.verify().ok
    data = json.loads(derivation.to_json())
    assert data["verified"] is True and any(step["verified"] for step in steps(data))


def test_the_same_bytes_from_run_to_run():
    first, second = (relu_explosion().derivation(lang="zh").to_json() for _ in range(2))
    assert first == second and first.endswith("}\n") and "\\u" not in first.replace("\\\\u", "")
