"""The catalogue of cells: equations and keys as published, roles, the direct path of a state, and what is unused."""

from __future__ import annotations

import inspect
import itertools
import json
import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from derivation_examples import FORMS, READOUTS, combinations, models_of

import symbptt
from symbptt import GRU, LSTM, RNN, Cell, LayerNorm, Leaky, Residual, SymbpttError, SymbpttWarning
from symbptt import algebra as A
from symbptt.derive.structure import flow, is_gate, role_of
from symbptt.evaluate.instance import Instance
from symbptt.model import ACTIVATIONS, CATALOGUE, ROLES
from symbptt.model.notations import NOTATIONS, names
from symbptt.render.phrases import catalogue, languages

GATES = {k: (f"W_x{k}", f"W_h{k}", f"b_{k}") for k in "ifcorzh"}


def keys(*gates: str) -> set[str]:
    return {key for gate in gates for key in GATES[gate]}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (LSTM(), keys(*"ifco")),
        (LSTM(peephole=True), keys(*"ifco") | {"p_i", "p_f", "p_o"}),
        (LSTM(coupled=True), keys(*"fco")),
        (LSTM(True, True), keys(*"fco") | {"p_f", "p_o"}),
        (GRU(), keys(*"rzh") | {"b_hh"}),
        (GRU("before"), keys(*"rzh")),
        (GRU("before", "replace"), keys(*"rzh")),
        (Residual(), {"W_h", "W_x", "b_h"}),
        (Leaky("relu"), {"W_h", "W_x", "b_h", "alpha"}),
        (LayerNorm(), {"W_h", "W_x", "b_h", "g_h"}),
    ],
    ids=lambda part: part.name if isinstance(part, Cell) else "",
)
def test_the_keys_of_a_cell(cell, expected):
    assert set(cell.parameters) == expected


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def run(cell, **options):
    """A random instance, and the value of a variable at step 2 beside the parameters that made it."""
    instance = Instance(RNN(cell, **options).network, seed=5, steps=2)
    return {**{k: v for k, v in instance.data.items() if k != "x"}, "x": instance.data["x"][1]}, instance.base.values


def affine(p, values, gate, h):
    return p[f"W_x{gate}"] @ p["x"] + p[f"W_h{gate}"] @ h + p[f"b_{gate}"]


@pytest.mark.parametrize("peephole", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
def test_the_lstm_computes_what_its_papers_say(peephole, coupled):
    p, v = run(LSTM(peephole, coupled))
    h, c = v["h", 1], v["c", 1]
    see = (lambda k, at: p[f"p_{k}"] * at) if peephole else (lambda k, at: 0)
    f = sigmoid(affine(p, v, "f", h) + see("f", c))
    i = 1 - f if coupled else sigmoid(affine(p, v, "i", h) + see("i", c))
    new = f * c + i * np.tanh(affine(p, v, "c", h))
    o = sigmoid(affine(p, v, "o", h) + see("o", new))
    np.testing.assert_allclose(v["c", 2], new)
    np.testing.assert_allclose(v["h", 2], o * np.tanh(new))


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("update", ["keep", "replace"])
def test_the_gru_computes_what_its_papers_say(reset, update):
    p, v = run(GRU(reset, update))
    h = v["h", 1]
    r, z = (sigmoid(affine(p, v, k, h)) for k in "rz")
    inner = r * (p["W_hh"] @ h + p["b_hh"]) if reset == "after" else p["W_hh"] @ (r * h)
    g = np.tanh(p["W_xh"] @ p["x"] + p["b_h"] + inner)
    z = z if update == "keep" else 1 - z
    np.testing.assert_allclose(v["h", 2], z * h + (1 - z) * g)


def test_layer_norm_and_the_delta_rule_compute_what_their_papers_say():
    p, v = run("layer_norm")
    z = p["W_h"] @ v["h", 1] + p["W_x"] @ p["x"]
    normal = (z - z.mean()) / np.sqrt(z.var() + 1e-5)
    np.testing.assert_allclose(v["h", 2], np.tanh(p["g_h"] * normal + p["b_h"]))
    p, v = run("delta_rule")
    k, value, q = (p[f"W_{name}"] @ p["x"] for name in "kvq")
    S, beta = v["S", 1], sigmoid(p["w_beta"] @ p["x"])
    np.testing.assert_allclose(v["S", 2], S - beta * np.outer(S @ k - value, k))
    np.testing.assert_allclose(v["o", 2], v["S", 2] @ q)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_cell_is_data(name):
    cell = CATALOGUE[name]()
    assert cell == CATALOGUE[name]() == eval(repr(cell), {"Cell": Cell})
    assert set(dict(cell.roles).values()) <= set(ROLES)
    assert cell.name == name


def test_every_factory_is_public_and_has_a_source():
    made = {getattr(factory, "func", factory) for factory in CATALOGUE.values()}
    for factory in made:
        assert getattr(symbptt, factory.__name__) is factory and factory.__name__ in symbptt.__all__
        assert "References" in inspect.getdoc(factory) and ">>>" in inspect.getdoc(factory)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GRU(reset="during"), "GRU(reset='during'): reset must be 'after' or 'before'"),
        (lambda: GRU(update=True), "GRU(update=True): update must be 'keep' or 'replace'"),
        (lambda: LSTM(peephole="no"), "LSTM(peephole='no'): peephole must be True or False"),
        (lambda: Residual("tahn"), "did you mean 'tanh'?"),
        (lambda: RNN("lsmt"), "did you mean 'lstm'?"),
        (lambda: Cell(["h[t] = h[t-1]"], ["h"], roles={"g": "gate"}), "roles names 'g', which no equation defines"),
        (lambda: Cell(["h[t] = h[t-1]"], ["h"], roles={"h": "gat"}), "unknown role 'gat'; did you mean 'gate'?"),
        (lambda: Cell(["h[t] = sin(u[t])", "u[t] = h[t]"], ["h"]), "read u[t-1], and list 'u' in states"),
    ],
)  # fmt: skip
def test_bad_options_are_one_clear_line(make, message):
    with pytest.raises(SymbpttError) as error:
        make()
    assert message in str(error.value) and "\n" not in str(error.value)


# -- roles and structure ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", languages())
def test_every_role_has_its_words(lang):
    phrases = catalogue(lang)
    assert all(f"role.{role}" in phrases and f"model.{role}" in phrases for role in ROLES)


MINE = Cell(
    ["u[t] = sigmoid(W_u @ h[t-1] + V_u @ x[t] + b_u)", "h[t] = u[t] * h[t-1] + (1 - u[t]) * (V @ x[t])"],
    ["h"],
    name="mine",
)


def test_a_gate_is_known_by_its_equation():
    system = RNN(MINE).system
    assert is_gate(system, "u") and role_of(system, "u") == "gate"
    plain = RNN("sigmoid").system
    assert not is_gate(plain, "h") and role_of(plain, "z") is None


@pytest.mark.parametrize(
    ("cell", "state", "expected"),
    [
        ("lstm", "c", "gated"),
        ("lstm", "h", None),
        ("lstm_peephole", "c", "gated"),
        ("gru", "h", "gated"),
        ("mgu", "h", "gated"),
        (GRU("before", "replace"), "h", "gated"),
        (MINE, "h", "gated"),
        ("residual", "h", "identity"),
        ("leaky", "h", "constant"),
        ("linear_attention", "S", "identity"),
        ("delta_rule", "S", None),
        ("tanh", "h", None),
        ("indrnn", "h", None),
        ("state_space", "h", None),
        (Cell(["u[t] = tanh(V @ x[t])", "h[t] = u[t] * h[t-1]"], ["h"]), "h", None),
        (Cell(["w[t] = tanh(h[t-1])", "h[t] = (v * h[t-1]) + w[t]"], ["h"], shapes={"v": "n"}), "h", None),
    ],
    ids=lambda part: part if isinstance(part, str) else getattr(part, "name", ""),
)
def test_how_a_state_flows_comes_from_its_equations(cell, state, expected):
    model = RNN(cell)
    assert flow(model.system, state) == expected
    assert [s.rule for s in model.derivation().steps if s.key == f"flow.{state}"] == [f"flow.{expected}"] * bool(
        expected
    )


def test_the_direct_derivative_holds_everything_else():
    model = RNN("gru", 3, 2, steps=3)
    instance, system = Instance(model.network, seed=2), model.system
    h, z = system.variables["h"], system.variables["z"]
    direct = instance.evaluate(A.derivative(h[3], h[2], A.DIRECT))
    np.testing.assert_allclose(direct, np.diag(instance.base.values["z", 3]))
    assert model.derivation()["flow.dh"].result == A.diag(z[system.t + 1])
    assert np.abs(instance.evaluate(A.derivative(h[3], h[2])) - direct).max() > 1e-3


def test_the_paths_of_the_lstm_are_told_gate_by_gate():
    text = " ".join(RNN("lstm").derivation().to_text().split())
    assert "cₜ reaches the loss through hₜ and cₜ₊₁" in text
    assert (
        "hₜ reaches the loss through ℓₜ, the input gate iₜ₊₁, the forget gate fₜ₊₁, the candidate gₜ₊₁, and the output "
        "gate oₜ₊₁"
    ) in text
    assert "why gates keep gradients alive" in text and "tanh′" not in text
    chinese = RNN("lstm").derivation(lang="zh").to_text().replace("\n", "")
    assert "hₜ 通过 ℓₜ、输入门 iₜ₊₁、遗忘门 fₜ₊₁、候选值 gₜ₊₁ 和输出门 oₜ₊₁ 影响损失" in chinese


def test_a_gate_of_ones_own_gets_the_same_remark():
    text = " ".join(RNN(MINE).derivation().to_text().split())
    assert "A gate, whose entries lie between 0 and 1" in text and "why gates keep gradients alive" in text
    assert "gates keep gradients alive" not in RNN("tanh").derivation().to_text()


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("cell", ["lstm", "state_space", "gru"])
def test_no_two_variables_are_printed_alike(cell, notation):
    model = RNN(cell, readout="softmax", loss="cross_entropy")
    chosen = names(notation, own=model.network.cell.defined)
    shown = [str(chosen.key(name)) for name in model.system.variables if name not in ("l",)]
    assert len(set(shown)) == len(shown)


# -- in every language and format ---------------------------------------------------------------------


def check_writers(derivation):
    """Write a derivation in every format and read back what can be read."""
    document = derivation.document()
    assert not re.search(r"\{[a-z_]+\}", derivation.to_text())
    latex, markdown = derivation.to_latex(), derivation.to_markdown()
    for text in (latex, markdown):
        bare = re.sub(r"\\[{}]", "", text)
        assert bare.count("{") == bare.count("}")
        assert "operatorname" not in text and "None" not in text
    page = derivation.to_html()
    for formula in re.findall(r"<math.*?</math>", page, re.S):
        ElementTree.fromstring(formula)
    assert len(json.loads(derivation.to_json())["sections"]) == len(derivation.sections)
    assert json.loads(derivation.to_notebook())["cells"]
    assert document.title


def test_every_two_of_cell_readout_and_form_come_together():
    made = {(cell, *pair) for cell in CATALOGUE for pair in combinations(cell)}
    each = range(len(READOUTS)), range(FORMS)
    assert {(cell, place) for cell, place, _ in made} >= set(itertools.product(ACTIVATIONS, each[0]))
    assert {(cell, form) for cell, _, form in made} == set(itertools.product(CATALOGUE, each[1]))
    for kind in (ACTIVATIONS, CATALOGUE.keys() - set(ACTIVATIONS)):
        assert {(place, form) for cell, place, form in made if cell in kind} == set(itertools.product(*each))


@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_cell_readout_and_form_is_written_in_every_format(name):
    turns = itertools.cycle(languages())
    for model in models_of(name):
        check_writers(model.derivation(lang=next(turns)))


# -- what is not used ---------------------------------------------------------------------------------

IDLE = Cell(["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "u[t] = V @ h[t]"], ["h"], shapes={"u": "n"}, name="idle")


def test_what_never_reaches_the_loss_is_warned_of():
    with pytest.warns(SymbpttWarning) as caught:
        RNN(IDLE)
    assert str(caught[0].message) == (
        "cell 'idle': 'u' never reaches the loss, so that the gradient of 'V' is 0; leave its equation out, or read it"
    )
    assert caught[0].filename == __file__
    with pytest.warns(SymbpttWarning, match="no equation calls the function 'f'"):
        RNN(Cell(["h[t] = tanh(h[t-1])"], ["h"], functions={"f": "u / 2"}))


def test_what_the_loss_reads_later_is_used():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in CATALOGUE:
            RNN(name, reduction="last")
        RNN(Cell(["h[t] = tanh(W_h @ h[t-1] + v[t-1])", "v[t] = V @ x[t]"], ["h", "v"]), reduction="last")


def test_the_command_line_writes_a_warning_to_stderr(tmp_path, capfd):
    from symbptt.cli import run

    (tmp_path / "idle.toml").write_text(
        '[cell]\nequations = ["h[t] = tanh(W_h @ h[t-1] + W_x @ x[t])", "u[t] = V @ h[t]"]\nstates = ["h"]\n'
        'shapes = {u = "n"}\n',
        encoding="utf-8",
    )
    assert run(["derive", str(tmp_path / "idle.toml"), "--detail", "results", "--to", "text"]) == 0
    out, err = capfd.readouterr()
    assert "warning" not in out and err.count("\n") == 1
    assert err.startswith("symbptt: warning: cell 'cell': 'u' never reaches the loss")


def test_the_way_past_a_nonlinearity_has_a_note_of_its_own():
    """In h_t = h_{t-1} + tanh(z_t) one part comes back through z_t, the other straight."""
    text = RNN("residual", 1, 1, reduction="last").derivation(sections=["recursion"], lang="en").to_text()
    assert text.count("through the next step") == text.count("straight from the next state") == 1


def test_a_bias_is_called_bias():
    text = RNN("lstm_peephole").derivation(sections=["model"], lang="en").to_text()
    roles = dict(line.split(maxsplit=2)[::2] for line in text.splitlines() if line.startswith(("    b_", "    p_")))
    assert roles == {f"b_{gate}": "bias" for gate in "ifco"} | {f"p_{gate}": "bias or weight vector" for gate in "ifo"}
