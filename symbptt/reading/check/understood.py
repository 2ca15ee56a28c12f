"""The models of a note as a report shows them: equations, shapes, values, and what the note leaves open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from ... import algebra as A
from ...model import Network
from ..meaning.expr import Call
from ..meaning.index import Index, letter
from ..note import Note
from ..report import Math, Message, Understood, message
from ..value.world import Meanings
from .definitions import Definition, T, refs_in
from .discover import LOSS_KEYS, Discovery, Model
from .given import NOTHING, Options, equations_of
from .network import GENERIC, Built
from .statements import Statement
from .verdicts import Settled

NOW = letter(T)
TRIED = tuple(function for function, _ in GENERIC)
MOST_STEPS = 12
"""A larger T is that of an example in words, and no instance has it."""
BY_NAME = frozenset({"softmax", "sum", "diag", "concat", "exp", "log", "norm", "trace", "vec"})
"""Functions that every note writes by their names."""


@dataclass(frozen=True)
class Shown:
    """A model and what the judging made of it."""

    model: Model
    built: Built
    settled: Settled


def understood(
    note: Note,
    discovery: Discovery,
    shown: Mapping[int, Shown],
    found: Sequence[Statement],
    options: Options = NOTHING,
) -> tuple[Understood, ...]:
    """Return the models of a note, in order; none where it has no recurrent equation.

    Parameters
    ----------
    note : Note
    discovery : Discovery
    shown : mapping
        ``id`` of a model -> what was made of it; models that no statement is judged by are left out.
    found : sequence of Statement
    options : Options
        What the user says.
    """
    given = options.model is not None
    models: list[Understood] = []
    for model in discovery.models:
        one = shown.get(id(model))
        if one is None or not (model.equations or given) or (one.built.problem or "").endswith("no-model"):
            continue
        writer = _Writer(note, one, found, options)
        entry = writer.entry()
        if not models or _content(entry) != _content(models[-1]):
            models.append(entry)
    return tuple(models)


def _content(entry: Understood) -> tuple[Any, ...]:
    return entry.equations, entry.facts, entry.symbols, entry.values


class _Writer:
    def __init__(self, note: Note, one: Shown, found: Sequence[Statement], options: Options) -> None:
        self.note, self.model, self.built, self.settled = note, one.model, one.built, one.settled
        self.options = options
        definitions = [*one.model.equations.values(), *([one.model.loss] if one.model.loss is not None else [])]
        self.own, self.all = _latex_of([d.statement for d in definitions]), _latex_of(found)
        self.scalar = self._is_scalar()

    def entry(self) -> Understood:
        start = self._start()
        line, _ = self.note.place(start)
        return Understood(
            self.note.file, line, self._equations(), self._facts(), self._symbols(), self._values(),
            cell=self.note.cell(start),
        )  # fmt: skip

    def _start(self) -> int:
        """Return where the first of its own definitions stands."""
        model = self.model
        own = [d.statement.start for d in (*model.equations.values(), *([model.loss] if model.loss else []))]
        later = [start for start in own if start >= model.start]
        return min(later, default=model.start)

    @property
    def network(self) -> tuple[Network, Meanings] | None:
        pairs = (self.built.scalar or self.built.networks) if self.scalar else self.built.networks
        return pairs[0] if pairs else None

    def _is_scalar(self) -> bool:
        built, settled = self.built, self.settled
        if not built.scalar or built.rows:
            return False
        meanings = built.scalar[0][1]
        numbers = [v for k, v in built.model.constants.items() if k in meanings.parameters]
        single = bool(numbers) and not any(isinstance(v, list) for v in numbers)
        return settled.scalars or (single and not settled.matrices)

    # -- equations ----------------------------------------------------------------------------------------
    def _equations(self) -> tuple[str, ...]:
        model, network = self.model, self.network
        if self.options.model is not None and self.built.networks:
            return equations_of(self.built.networks[0][0], self.built.notation)
        kept = [d for k, d in model.equations.items() if network is None or k in network[1].variables]
        loss = [d for k, d in model.equations.items() if k in LOSS_KEYS and d not in kept]
        definitions = [*kept, *loss, *([model.loss] if model.loss is not None else [])]
        return tuple(dict.fromkeys(_written(d) for d in definitions))

    # -- facts --------------------------------------------------------------------------------------------
    def _facts(self) -> tuple[Message, ...]:
        built = self.built
        if not built.networks:
            return (self._problem(),)
        facts = [message("check.fact.given-by-user")] if self.options.model is not None else []
        facts += [*self._sizes(), *self._functions()]
        if built.generic_loss:
            facts.append(message("check.fact.loss-unknown"))
        elif self.options.loss is not None and built.networks[0][0].loss.name == self.options.loss:
            facts.append(message("check.fact.loss", name=self.options.loss.replace("_", " ")))
        if self.model.steps and self.model.steps <= MOST_STEPS:
            facts.append(message("check.fact.steps", T=self.model.steps))
        facts += self._starts()
        if self.settled.layout in ("numerator", "denominator"):
            facts.append(message(f"check.fact.{self.settled.layout}"))
        elif not self.scalar:
            facts.append(message("check.fact.layout-unknown"))
        return tuple(facts)

    def _problem(self) -> Message:
        kind, _, text = (self.built.problem or "").partition(": ")
        if kind == "NotInLanguageError" or not text:
            return message("check.fact.not-built")
        return message("check.fact.not-built-why", why=text)

    def _sizes(self) -> list[Message]:
        if self.scalar:
            told = self.options.sizes == "scalars" or self.options.model is not None
            why = "options" if told else "said" if self.settled.scalars else "numbers"
            return [message("check.fact.scalar", why=message(f"check.why.{why}"))]
        if self.built.rows:
            return [message("check.fact.rows")]
        if self.settled.matrices:
            return [message("check.fact.vectors"), message("check.fact.columns")]
        return [message("check.fact.sizes-unknown"), message("check.fact.columns")]

    def _functions(self) -> list[Message]:
        """Say what each letter for a function is; ``\\tanh`` says it itself."""
        assert self.built.networks
        meanings = self.built.networks[0][1]
        facts: dict[str, Message] = {}
        unnamed: list[str] = []
        for definition in self.model.equations.values():
            for part in definition.right.walk():
                if not isinstance(part, Call) or part.name in BY_NAME or part.primes:
                    continue
                latex = _head(definition, part)
                name = meanings.functions.get(part.name) or part.name
                if part.name in self.built.generic_functions:
                    unnamed.append(latex)
                elif not _is_word(latex) and name in A.FUNCTIONS:
                    facts[latex] = message("check.fact.activation", function=Math(latex), name=_function_name(name))
        letters = tuple(Math(latex) for latex in dict.fromkeys(unnamed))
        tried = [message("check.fact.activation-unknown", function=letters, tried=TRIED)] if letters else []
        return [*facts.values(), *tried]

    def _starts(self) -> list[Message]:
        """Say which initial states the note does not give."""
        assert self.network is not None
        network, meanings = self.network
        states = {str(name) for name, _ in network.cell.states}
        keys = [k for k, name in meanings.variables.items() if name in states and (k, 0) not in self.model.constants]
        symbols = [Math(_at(self._symbol(k, NOW), 0)) for k in keys]
        return [message("check.fact.start-unknown", states=tuple(symbols))] if symbols else []

    # -- the table ----------------------------------------------------------------------------------------
    def _symbols(self) -> tuple[tuple[str, str, Message], ...]:
        if self.network is None:
            return ()
        network, meanings = self.network
        system = network.system
        shapes = {name: _shape(item) for name, item in (*system.variables.items(), *system.parameters.items())}
        rows = []
        for key, name in meanings.variables.items():
            role = self._role(name, network)
            rows.append((_ORDER.index(role), self._symbol(key, NOW), self._shape(shapes.get(name, ())), role))
        named: dict[str, str] = {}
        for key, name in meanings.parameters.items():
            named.setdefault(name, key)  # later ones stand for any parameter
        for name, key in named.items():
            shape = shapes.get(name, ())
            role = "number" if not shape else "bias" if 1 in shape else "weights"
            if self.scalar:
                role = "parameter"
            rows.append((_ORDER.index(role), self._symbol(key, None), self._shape(shape), role))
        rows.sort(key=lambda row: row[0])
        return tuple((latex, shape, message(f"check.meaning.{role}")) for _, latex, shape, role in rows)

    def _role(self, name: str, network: Network) -> str:
        cell = network.cell
        if name == "target":
            return "target"
        if name in {str(state) for state, _ in cell.states}:
            return "state"
        if name in cell.inputs:
            return "input"
        return "output" if name in (network.system.predictions or (network.system.prediction,)) else "inner"

    def _shape(self, shape: tuple[Any, ...]) -> str:
        if self.scalar or not shape:
            return "1"
        sizes = [*shape[:1], *(s for s in shape[1:] if self.built.rows or s != 1)]
        return r" \times ".join(sympy.latex(s) for s in sizes)

    # -- values -------------------------------------------------------------------------------------------
    def _values(self) -> tuple[tuple[str, str], ...]:
        if self.network is None:
            return ()
        meanings = self.network[1]
        found = []
        for key, number in self.model.constants.items():
            name, step = key if isinstance(key, tuple) else (key, None)
            if (
                name in meanings.parameters
                or name in meanings.untimed
                or (step is not None and name in meanings.variables)
            ):
                when = None if step is None else Index((), step)
                found.append((self._symbol(name, when), _number(number)))
        return tuple(found)

    def _symbol(self, key: str, when: Index | None) -> str:
        """Return a symbol as the note writes it, at a step if it writes it there."""
        for latex in (self.own, self.all):
            choices = latex.get(key, {})
            if when in choices or (when == NOW and None in choices):
                return choices[when if when in choices else None]
        choices = {**self.all.get(key, {}), **self.own.get(key, {})}
        if when is not None and when.is_number and NOW in choices:
            return _at(choices[NOW], when.constant)
        if when == NOW and choices:
            first = min(choices, key=repr)
            return re.sub(r"_(\w|\{[^{}]*\})$", "_t", choices[first])
        return next(iter(choices.values()), _plain(key))


_ORDER = ("state", "input", "inner", "output", "target", "weights", "bias", "number", "parameter")


def _shape(item: Any) -> tuple[Any, ...]:
    """Return the shape of a variable or a parameter, (n, 1) of a vector; () of a number."""
    return tuple(getattr(item, "shape", ()))


def _written(definition: Definition) -> str:
    statement = definition.statement
    left, right = statement.operands[:2]
    relation = statement.source(statement.relations[0]) or "="
    latex = statement.read.formula.latex
    if not latex[statement.relations[0].start : statement.relations[0].end].strip():
        relation = "="
    return " ".join(f"{statement.source(left)} {relation} {statement.source(right)}".replace("&", "").split())


def _latex_of(found: Sequence[Statement]) -> dict[str, dict[Index | None, str]]:
    """Return how statements write their symbols: key -> step -> the shortest LaTeX."""
    latex: dict[str, dict[Index | None, str]] = {}
    for statement in found:
        for operand in statement.operands:
            for ref in refs_in(operand):
                text = statement.source(ref).strip("&. ")
                if text[:1] == "{" and text[-1:] == "}" and text.count("{") == text.count("}"):
                    text = text[1:-1]
                if ref.when is None:
                    text = re.sub(r"\s*\^.*$", "", text, flags=re.S)
                text = re.sub(r"\s*\^(\\top|\\intercal|T|\{(\\top|\\intercal|T)\})$", "", text)
                known = latex.setdefault(ref.key, {})
                if text and (ref.when not in known or len(text) < len(known[ref.when])):
                    known[ref.when] = text
    return latex


def _at(latex: str, step: int) -> str:
    """Return a symbol at another step.

    >>> _at("h_t", 0), _at("h^{(t)}", 12), _at(r"\\mathbf{x}_t", 12)
    ('h_0', 'h^{(12)}', '\\\\mathbf{x}_{12}')
    """
    text = str(step) if step < 10 else f"{{{step}}}"
    latex = re.sub(r"_t(?![a-z])", f"_{text}", latex)
    return re.sub(r"(?<=[{(,])t(?=[}),])", str(step), latex)


def _head(definition: Definition, call: Call) -> str:
    text = definition.statement.source(call)
    return re.split(r"\\left|\\big|\\Big|\(|\[", text, maxsplit=1)[0].strip() or text


def _is_word(latex: str) -> bool:
    """Whether a function is written by its name: ``\\tanh``, ``\\mathrm{ReLU}``."""
    return len(re.sub(r"\\(mathrm|operatorname|text|mathbf)\b|[\\{}*]", "", latex)) > 3 and latex != r"\sigma"


def _function_name(name: str) -> str:
    return {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"}.get(name, name)


def _plain(key: str) -> str:
    head, _, label = key.partition("_")
    head = f"\\{head}" if len(head) > 1 else head
    return f"{head}_{{{label}}}" if len(label) > 1 else f"{head}_{label}" if label else head


def _number(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_number(v) for v in value)}]"
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return str(value.numerator)
        decimal = f"{float(value):.12g}"
        return decimal if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"
    return f"{value:g}"
