"""Model files: the schema and what is made of it, lines in messages, templates, worked examples."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbptt import RNN, Cell, Loss, SymbpttError, load
from symbptt.examples import example_names, examples, find, json_schema, load_model, template
from symbptt.examples.kinds import KINDS, LANGUAGES, Written, number_fault
from symbptt.examples.lines import locate
from symbptt.examples.modelfile import parse
from symbptt.examples.schema import TOP
from symbptt.examples.schema_tables import CELL, REMEDIES, TRAINING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def text_of(name: str) -> str:
    return (ROOT / "symbptt" / "examples" / f"{name}.toml").read_text("utf-8")


# -- worked examples ----------------------------------------------------------------------------------


def test_the_examples_and_their_languages():
    assert set(example_names()) >= {
        "relu-explosion",
        "softmax-readout",
        "tanh-last-step",
        "vector-tanh",
        "lstm",
        "gru",
        "residual",
        "state-space",
        "delta-rule",
        "custom-cell",
    }
    for name, description in examples():
        assert set(description) == set(load(name).title) == set(LANGUAGES)
        assert "\n" not in "".join(description.values())


def test_relu_explosion_is_the_example_of_the_notes():
    model = load("relu-explosion")
    assert model == RNN(
        cell="relu",
        hidden=1,
        inputs=1,
        steps=3,
        loss=Loss("1/2 * norm2(target[t] - h[t])"),
        reduction="last",
        notation={"target": "y", "b_h": "b"},
        values={"W_x": "2.0", "W_h": "2.0", "b_h": "0.0", "x": ["1.0"] * 3, "h0": "0.0", "target": "1.0"},
    )
    assert eval(repr(model), {"RNN": RNN, "Cell": Cell, "Loss": Loss}) == model


def test_a_source_is_an_example_a_cell_or_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tanh").write_text('cell = "relu"', "utf-8")
    Path("relu-explosion").write_text('cell = "gelu"', "utf-8")
    assert load_model("relu-explosion")["steps"] == 3
    assert load_model("./relu-explosion") == {"cell": "gelu"} == load_model(Path("relu-explosion"))
    assert load_model("tanh") == {"cell": "relu"}
    assert load_model("leaky-relu") == {"cell": "leaky-relu"} and load("leaky-relu") == RNN(cell="leaky_relu")


# -- what is made of a file ---------------------------------------------------------------------------


def arguments(text: str) -> dict[str, object]:
    return parse(text, "my.toml").arguments()


def test_numbers_stay_as_they_are_written():
    values = arguments('cell = "tanh"\n[values]\na = 2.50\nb = 2\nc = [1e-3, 1_000.5]\nd = "1/3"\ne = [[-0.0]]')[
        "values"
    ]
    assert values == {"a": "2.50", "b": 2, "c": ["1e-3", "1000.5"], "d": "1/3", "e": [["-0.0"]]}
    assert not any(isinstance(v, Written) for v in values.values())


def test_plain_keys_become_arguments():
    text = 'title = "A"\ncell = "tanh"\ninputs = 0\nreadout = "none"\nloss = "half-squared-error"\ndescription = "b"'
    made = arguments(text)
    assert made == {
        "title": {"en": "A", "zh": "A"}, "cell": "tanh", "inputs": None, "readout": None, "loss": "half_squared_error",
    }  # fmt: skip
    assert arguments('cell = "tanh"\nloss = "norm2(h[t])"')["loss"] == Loss("norm2(h[t])")


def test_a_cell_with_functions_and_shapes():
    made = arguments(
        'cell.equations = ["h[t] = f(W @ h[t-1])"]\ncell.states = {h = "p"}\n'
        'cell.functions = {f = "u / (1 + abs(2 * u))"}'
    )["cell"]
    (name, function), (state, size) = made.functions[0], made.states[0]
    assert (name, state, size) == ("f", "h", "p") and str(function.rule.expr) == "u/(2*Abs(u) + 1)"


def test_functions_are_never_evaluated(tmp_path):
    evil = tmp_path / "evil"
    for expression in (f"open('{evil}', 'w')", "__import__('os').getcwd()", "(lambda: 1)()", "u.__class__", "[u][0]"):
        text = 'cell.equations = ["h[t] = f(h[t-1])"]\ncell.states = ["h"]\ncell.functions.f = ' + json.dumps(
            expression
        )
        with pytest.raises(SymbpttError):
            arguments(text)
    assert not evil.exists()


# -- the check ----------------------------------------------------------------------------------------

FAULTS = {
    "my.toml:3: unknown key 'hiden'; did you mean 'hidden'?": 'cell = "tanh"\n\nhiden = 2',
    "my.toml:1: unknown key 'zzz'; known: batch, bias, cell": 'zzz = 1\ncell = "tanh"',
    "my.toml:1: unknown key 'equations'; it belongs under [cell]": 'equations = []\ncell = "tanh"',
    "my.toml:4: unknown key 'cell.hidden'; it stands under [cell]: move it up": (
        '[cell]\nequations = ["h[t] = h[t-1]"]\nstates = ["h"]\nhidden = 3'
    ),
    "my.toml:3: unknown key 'values.steps'; it stands under [values]: move it up": 'cell = "tanh"\n[values]\nsteps = 3',
    "my.toml:2: unknown key 'cell.statse'; did you mean 'states'?": (
        '[cell]\nstatse = ["h"]\nequations = ["h[t] = h[t-1]"]'
    ),
    "my.toml:1: cell.states is missing: give states = [": '[cell]\nequations = ["h[t] = h[t-1]"]',
    'my.toml: cell is missing: give cell = "tanh"': "hidden = 2",
    "my.toml:2: hidden must be a positive integer or the name of a symbol, not 0": 'cell = "tanh"\nhidden = 0',
    "my.toml:2: hidden must be a positive integer or the name of a symbol, not 2.5": 'cell = "tanh"\nhidden = 2.5',
    "my.toml:2: steps must be a positive integer or the name of a symbol, not true": 'cell = "tanh"\nsteps = true',
    "my.toml:2: steps must be a positive integer or the name of a symbol, not 'T+1'": 'cell = "tanh"\nsteps = "T+1"',
    "my.toml:2: inputs must be a positive integer, the name of a symbol, or 0": 'cell = "tanh"\ninputs = -1',
    "my.toml:1: cell must be a string or a table, not 3": "cell = 3",
    "my.toml:2: bias must be true or false, not 1": 'cell = "tanh"\nbias = 1',
    "my.toml:2: unknown readout 'softmx'; did you mean 'softmax'?": 'cell = "tanh"\nreadout = "softmx"',
    "my.toml:2: unknown reduction 'total'; known: last, mean, sum": 'cell = "tanh"\nreduction = "total"',
    "my.toml:3: unknown notation 'd2'; did you mean 'd2l'?": 'cell = "tanh"\n[notation]\nnotation = "d2"',
    "my.toml:3: notation.b_h must be a string, not 3": 'cell = "tanh"\n[notation]\nb_h = 3',
    "my.toml:2: sizes must be a table, such as sizes = {p = 2}, not 3": 'cell = "tanh"\nsizes = 3',
    "my.toml:3: values.x has rows of different lengths": 'cell = "tanh"\n[values]\nx = [[1], [1, 2]]',
    "my.toml:3: values.x has 'one', which is not a finite number": 'cell = "tanh"\n[values]\nx = [1, "one"]',
    "my.toml:3: values.x has inf, which is not a finite number": 'cell = "tanh"\n[values]\nx = [1, inf]',
    "my.toml:3: values.x must be a number, or a list or nested list of numbers, not true": (
        'cell = "tanh"\n[values]\nx = true'
    ),
    "my.toml:3: values.x is empty": 'cell = "tanh"\n[values]\nx = []',
    'my.toml:2: title must be a string, or a table such as {en = "...", zh = "..."}': 'cell = "tanh"\ntitle.fr = "a"',
    "my.toml:2: not valid TOML: ": 'cell = "tanh"\nhidden 3',
    "my.toml:3: not valid TOML: ": 'cell = "tanh"\nhidden = 1\nhidden = 1',
    "my.toml:2: not valid TOML: unterminated": 'cell = "tanh"\nx = """',
}  # fmt: skip


@pytest.mark.parametrize("message", FAULTS)
def test_a_fault_is_reported_with_its_line(message):
    with pytest.raises(SymbpttError) as found:
        parse(FAULTS[message], "my.toml")
    if "unterminated" in message:
        assert re.match(r"my\.toml:\d+: not valid TOML: ", str(found.value))
    else:
        assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)


def test_errors_of_the_model_name_the_line_too(tmp_path):
    path = tmp_path / "my.toml"
    for text, where in (
        ('cell = "tahn"', ":1: unknown cell 'tahn'"),
        (
            'hidden = 2\n[cell]\nstates = ["h"]\nequations = [\n "z[t] = W @ h[t-1]",\n "h[t] = tahn(z[t])"]',
            ":6: equation",
        ),
        ('cell = "tanh"\n[values]\nW_h = 1\nW_hh = 2\n', ":4: value for 'W_hh'"),
        ('cell = "tanh"\n\nloss = "norm2(q[t])"', ":3: loss"),
        ('cell = "tanh"\n[notation]\nb_h = "\\\\foo"', ":3: notation for 'b_h'"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(SymbpttError) as found:
            load(path)
        assert str(found.value).startswith(f"{path}{where}"), found.value


# -- lines --------------------------------------------------------------------------------------------

TEXT = """
a = 1  # [not a table]
"b c" . d = '''
]'''
e = {f = [1,
  "x\\"]",
  [2.5, 3]], g = 1979-05-27T07:32:00Z}
[t."u".v]
w = \"\"\"
[no]
\"\"\"
k = [
  # a comment, with a comma
  1, 2 , # another
  3,
]
[[r]]
s = 1
"""


def test_lines_of_keys_and_entries():
    lines = locate(TEXT)
    assert {path: line for path, line in lines.items() if path[0] != "r"} == {
        ("a",): 2, ("b c",): 3, ("b c", "d"): 3, ("e",): 5, ("e", "f"): 5, ("e", "f", 0): 5, ("e", "f", 1): 6,
        ("e", "f", 2): 7, ("e", "f", 2, 0): 7, ("e", "f", 2, 1): 7, ("e", "g"): 7,
        ("t",): 8, ("t", "u"): 8, ("t", "u", "v"): 8, ("t", "u", "v", "w"): 9, ("t", "u", "v", "k"): 12,
        ("t", "u", "v", "k", 0): 14, ("t", "u", "v", "k", 1): 14, ("t", "u", "v", "k", 2): 15,
    }  # fmt: skip


@pytest.mark.parametrize("name", example_names())
def test_every_key_of_an_example_has_its_line(name):
    text, lines = text_of(name), locate(text_of(name))

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in pairs:
            assert (*path, key) in lines
            if isinstance(key, str):
                assert key in text.splitlines()[lines[(*path, key)] - 1]
            walk(inner, (*path, key))

    walk(tomllib.loads(text), ())


# -- one table for the check, the template, the JSON schema and the documentation ---------------------


def test_the_json_schema_is_the_table():
    written = (ROOT / "docs" / "schemas" / "model.schema.json").read_text("utf-8")
    assert written == json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("name", example_names())
def test_examples_fit_the_json_schema(validator, name):
    assert not list(validator.iter_errors(tomllib.loads(text_of(name))))


@pytest.mark.parametrize("message", [m for m in FAULTS if "TOML" not in m and "different" not in m and "inf," not in m])
def test_the_json_schema_refuses_what_the_check_refuses(validator, message):
    assert list(validator.iter_errors(tomllib.loads(FAULTS[message])))


def test_choices_are_the_real_ones():
    from symbptt.model import LAYOUTS, NOTATIONS, READOUTS, REDUCTIONS

    real = {
        "layout": sorted(LAYOUTS),
        "notation": sorted(NOTATIONS),
        "topic": sorted({find(name).data["topic"] for name in example_names()}),
        "readout": sorted([*READOUTS, "none"]),
        "reduction": sorted(REDUCTIONS),
    }
    assert {key.name: list(key.choices) for key in TOP if key.choices} == real


def test_every_key_is_documented():
    page = (ROOT / "docs" / "en" / "model-files.md").read_text("utf-8")
    keys = (*TOP, *CELL, *TRAINING, *REMEDIES)
    assert [key.name for key in keys if f"`{key.name}`" not in page] == []
    assert all(set(key.about) == set(LANGUAGES) for key in keys)


def test_the_toml_of_the_documentation_is_right():
    page = (ROOT / "docs" / "en" / "model-files.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        text = block if "cell" in tomllib.loads(block) else 'cell = "tanh"\n' + block
        parse(text, "docs")
    assert (
        parse(blocks[0], "docs").data == find("relu-explosion").data | {"description": None}
        or "description" not in blocks[0]
    )


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", example_names())
def test_a_template_says_the_same_as_its_data(name, lang):
    data = find(name).data
    made = parse(template(data, lang), "new.toml")
    assert made.data == data
    for key in TOP:
        assert key.about[lang].splitlines()[0] in template(data, lang)


@pytest.mark.parametrize("key", TOP, ids=lambda key: key.name)
def test_the_comments_of_a_template_can_be_used(key):
    """Each sample that stands behind a comment sign fits the schema."""
    data = {"cell": "tanh", key.name: key.sample}
    assert parse(template(data), "new.toml").data == data


def test_the_samples_of_cell_fit():
    data = {"cell": {key.name: key.sample for key in CELL}}
    assert parse(template(data), "new.toml").data == data


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(str.strip)
DECIMALS = st.floats(allow_nan=False, allow_infinity=False).map(lambda v: Written(repr(v)))
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), DECIMALS)


@given(
    st.dictionaries(
        TEXTS.filter(lambda k: k not in {key.name for key in TOP}), NUMBERS | st.lists(NUMBERS, min_size=1)
    ),
    st.fixed_dictionaries(
        {}, optional={"title": TEXTS, "notation": st.dictionaries(TEXTS.map(lambda k: "k" + k), TEXTS)}
    ),
)
def test_any_data_survives_a_template(values, more):
    data = {"cell": "tanh", **more, "values": values}
    assert parse(template(data), "new.toml").data == data


@given(st.recursive(NUMBERS | st.booleans() | TEXTS, lambda inner: st.lists(inner, max_size=3)))
def test_a_number_without_fault_is_one_for_figures(value):
    """What the schema lets through is a number to :class:`Figure` too."""
    import numpy as np

    from symbptt.algebra.figures import Figure

    if number_fault(value) is None:
        assert all(Figure.parse(str(v)) is not None for v in np.asarray(value, dtype=object).ravel())


def test_every_kind_is_used():
    keys = (*TOP, *CELL, *TRAINING)
    used = {key.kind for key in keys} | {key.each for key in keys}
    assert used - {""} == set(KINDS)


def test_nothing_is_evaluated_in_the_package():
    for path in (ROOT / "symbptt" / "examples").glob("*.py"):
        calls = [
            n.func.id
            for n in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        ]
        assert not {"eval", "exec", "sympify", "compile"} & set(calls)
