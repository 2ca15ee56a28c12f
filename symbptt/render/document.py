"""A derivation as a document: headings, paragraphs, displayed chains and tables, in a language and a notation.

Every output format starts from here; what is said and how formulas look is settled once.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Any

from sympy import Basic

from ..algebra import nodes as N
from ..algebra import rank_of, transpose
from ..algebra.layout import Brace, Fence, Ident, Item, Number, Operator, Words, row
from ..algebra.leaves import Fill, LiteralMatrix, derivative
from ..algebra.names import FUNCTION_NAMES, Names, name_layout
from ..algebra.present import joint, present
from ..algebra.scalar import to_scalar
from ..derive.sections import ONE_ROW, equation_rule
from ..derive.steps import (
    CONVENTION,
    GIVEN,
    HYPOTHESIS,
    OBSERVATION,
    REMARK,
    TABLE,
    WORKED,
    Named,
    Phrase,
    Section,
    Step,
)
from ..derive.structure import role_of
from ..model import CELL, READOUT, System, names_in, one_example
from ..model.language import bare
from .blocks import Block, Display, Document, Group, Heading, Inline, Math, Paragraph, Table
from .phrases import catalogue

_BIAS = re.compile(r"b(_\w+)?")
"""What the vectors are called that a cell adds, in the catalogue and by custom."""

_CHINESE_GAP = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
"""A space between Chinese words, where a placeholder stands for words and not for a formula."""


def document(derivation: Any) -> Document:
    """Return the document of a :class:`symbptt.Derivation`."""
    return Writer(derivation).document()


class Writer:
    """Turns steps into blocks with the phrases of a language and the names of a notation."""

    def __init__(self, derivation: Any) -> None:
        self.derivation = derivation
        self.lang: str = derivation.lang
        self.phrases = catalogue(self.lang)
        self.network = derivation.derived.network
        self.system = self.network.system
        self.names: Names = names_in(self.system, derivation.notation)
        self.whole = self.names
        self.verdicts: dict[str, bool] = derivation.verdicts

    # -- the whole ------------------------------------------------------------------------------------
    def document(self) -> Document:
        title = self.derivation.title.get(self.lang) or self.derivation.title.get("en")
        words: tuple[Inline, ...] = (
            (title,) if title else self.phrase(self.derivation.heading, {"cell": self.cell_name()})
        )
        blocks: list[Block] = [Heading(1, words)]
        for section in self.derivation.sections:
            blocks += self.section(section)
        plain = "".join(w if isinstance(w, str) else "" for w in words)
        return Document(self.lang, plain, tuple(blocks))

    def cell_name(self) -> str:
        """The cell's name in words; an activation as it is written in formulas where that is a word."""
        name = self.network.cell.name
        if f"cell.{name}" in self.phrases:
            return self.phrases[f"cell.{name}"]
        item = FUNCTION_NAMES.get(name)
        return item.name if isinstance(item, Ident) and item.style == "upright" else name

    def section(self, section: Section) -> list[Block]:
        blocks: list[Block] = [Heading(2, (self.phrases[f"section.{section.key}"],), section.key)]
        several = f"intro.{section.key}_mixed"
        key = several if self.system.mixed and several in self.phrases else f"intro.{section.key}"
        intro = self.phrase(key, self._intro_facts())
        blocks.append(Paragraph(intro))
        if section.key == "given":
            mode = self._rounding.mode if self._is_rounded() else "exact"
            if mode != "exact" and not any(step.kind == WORKED for step in self.derivation.steps):
                mode = "measured"
            blocks.append(Paragraph(self.phrase(f"rounding.{mode}", {"digits": self._rounding.digits})))
        if self.derivation.options.is_brief:
            return [*blocks, *self._compact(section)]
        current: Any = None
        for step in section.steps:
            when, number = dict(step.facts).get("step"), dict(step.facts).get("pass")
            place = (number, when)
            if section.key in _BY_STEP and when is not None and place != current:
                before = current[1] if current is not None and current[0] == number else None
                blocks += self._step_heading(section, before, int(when), number)
                current = place
            blocks += self.step(step)
        if section.key in ("results", "methods"):
            blocks = grouped(blocks)
        if section.key == "model":
            blocks.append(self.shapes())
        return blocks

    def _compact(self, section: Section) -> list[Block]:
        """Formulas below each other without a sentence for each; hypotheses, remarks and observations keep theirs."""
        blocks: list[Block] = []
        for step in section.steps:
            formulas = [block for block in self.step(step) if isinstance(block, Display | Group)]
            worded = step.kind in (HYPOTHESIS, CONVENTION, OBSERVATION, REMARK, GIVEN, TABLE)
            blocks += self.step(step) if worded else formulas
        return grouped(blocks)

    def _is_rounded(self) -> bool:
        steps = self.derivation.steps
        return any(step.kind == TABLE or any(line.sign == "≈" for line in step.chain) for step in steps)

    @property
    def _rounding(self) -> Any:
        return self.derivation.options.rounding

    def _intro_facts(self) -> dict[str, Any]:
        initial = tuple(self.system.at(s, self.system.start_of(s)) for s in self.system.states)
        return {"times": Math(self._times()), "initial": initial}

    def _times(self) -> Item:
        """t = 1, ..., T; every step where there are few."""
        steps = self.system.steps
        few = steps.is_Integer and steps <= 3
        ends: list[Item] = [Number("1"), Operator("…", "plain"), present(steps, self.names)]
        shown = [Number(str(k)) for k in range(1, int(steps) + 1)] if few else ends
        items: list[Item] = [present(self.system.t, self.names), Operator("=")]
        for i, item in enumerate(shown):
            items += [*([Operator(",", "separator")] if i else []), item]
        return row(*items)

    def _step_heading(self, section: Section, before: Any, when: int, number: int | None) -> list[Block]:
        blocks: list[Block] = []
        if before is not None and abs(when - int(before)) > 1:
            blocks.append(Paragraph(self.phrase("step.elided", {})))
        if when == 0:
            return [*blocks, Heading(3, self.phrase("step.initial", {}), f"{section.key}.0")]
        equation = row(present(self.system.t, self.names), Operator("="), Number(str(when)))
        facts = {"step": Math(equation), "number": number}
        if number is not None:
            return [*blocks, Heading(3, self.phrase("step.heading_pass", facts), f"{section.key}.{number}.{when}")]
        return [*blocks, Heading(3, self.phrase("step.heading", facts), f"{section.key}.{when}")]

    # -- steps ----------------------------------------------------------------------------------------
    def step(self, step: Step) -> list[Block]:
        if ONE_ROW in step.facts and not self.names.rows:
            return self.of_one_row().step(step)
        facts = {**dict(step.facts), **self._extra_facts(step)}
        rule = "result.line" if step.rule == "result" else step.rule
        words = self.phrase(rule, facts)
        blocks: list[Block] = [Paragraph(words)] if words else []
        if step.kind == GIVEN:
            return [*blocks, *self._given(step)]
        if step.kind == TABLE:
            index = (facts["index"],) if "index" in facts else ()
            return [*blocks, self._table((*index, *facts["columns"]), facts["rows"])]
        if step.chain:
            blocks.append(self.display(step))
        for substep in step.substeps:
            blocks += self.step(substep)
        return blocks

    def of_one_row(self) -> Writer:
        """Return the writer of steps about one row of a batch."""
        writer = copy(self)
        writer.names, writer.whole = self.names.of_one_row(single=self.network.batch == 1), self.names
        return writer

    def _extra_facts(self, step: Step) -> dict[str, Any]:
        if step.rule.startswith("model.layout_row"):
            ones = Fill(1, self.network.batch, 1)
            return {"batch": self.network.batch, "ones": ones, "adding": transpose(ones)}
        if step.rule in ("model.layout", "model.scalar"):
            state = next((s for s in self.system.states if rank_of(self.system.at(s)) < 2), None)
            if state is None:  # of matrix states there is no Jacobian matrix; the output's by the input is one
                x = self.system.inputs[0] if self.system.inputs else self.system.states[0]
                above, by = self.system.at(self.system.output), self.system.at(x)
            else:
                above, by = (self.system.at(state, when) for when in (self.system.following_of(state), self.system.t))
            above, by = self._scalar(above), self._scalar(by)
            return {"jacobian": derivative(above, by), "derivative": derivative(self.system.L, by), "h": by}
        if step.rule == "rows.one_row":
            return {"matrix": tuple(Math(present(row, self.whole)) for row in dict(step.facts)["row"])}
        if step.rule.startswith("rows."):
            variable = dict(step.facts)["variable"]
            every = variable if isinstance(variable, tuple) else (variable,)
            return {"row": every, "matrix": tuple(Math(joint(v, self.whole)) for v in every)}
        role = dict(step.facts).get("role")
        return {"role": self.phrases[f"role.{role}"]} if role else {}

    def _scalar(self, expr: Any) -> Any:
        if self.system.scalar:
            return to_scalar(expr)
        return expr

    def display(self, step: Step) -> Display:
        if ONE_ROW in step.facts and not self.names.rows:
            return self.of_one_row().display(step)
        lines = tuple((line.sign, self._line(line)) for line in step.chain)
        verified = self.verdicts.get(step.key)
        left = present(step.left, self.names)
        called = dict(step.facts).get("called")
        if called is not None:
            left, lines = present(called, self.names), (("=", left), *lines)
        return Display(step.key, left, lines, self._reason(step), verified)

    def _line(self, line: Any) -> Item:
        item = present(line.expr, self.names)
        if not line.braces or not isinstance(line.expr, N.Plus | N.MatrixPlus):
            return item
        parts: list[Item] = []
        for i, (term, brace) in enumerate(zip(line.expr.args, line.braces, strict=False)):
            parts += [Operator("+")] if i else []
            parts.append(Brace(present(term, self.names), Words(self.phrases[brace])))
        return row(*parts)

    def _reason(self, step: Step) -> tuple[Inline, ...]:
        branches = dict(step.facts).get("branches") or ()
        found: list[Inline] = []
        seen = set()
        for branch in branches[:1] if step.rule != "backward.slope" else branches:
            if not branch.function.endswith("'") or branch in seen:
                continue
            seen.add(branch)
            facts = {"argument": self._argument(step, branch), "kink": branch.kink}
            found += self.phrase(f"branch.{branch.side}", facts)
        return tuple(found)

    def _argument(self, step: Step, branch: Any) -> Math:
        """z_3 = 14.0: the argument by name, where the formula names it, with its value."""
        value = present(branch.argument, self.names)
        formula = step.chain[0].expr
        if isinstance(formula, N.Apply | N.Map) and not formula.args[1].args[:0]:
            return Math(row(present(formula.args[1], self.names), Operator("="), value))
        return Math(value)

    def _given(self, step: Step) -> list[Block]:
        """Numbers in one line of words, vectors and matrices displayed."""
        line: list[list[Inline]] = []
        shown: list[Block] = []
        for i, (leaf, value) in enumerate(dict(step.facts)["rows"]):
            name, number = present(leaf, self.names), present(value, self.names)
            if isinstance(value, LiteralMatrix):
                shown.append(Display(f"given.{i}", name, (("=", number),)))
            else:
                line.append([Math(row(name, Operator("="), number))])
        words = [w for part in line for w in (self.phrases["list_more"], *part)][1:]
        return [*([Paragraph(tuple(_joined(words)))] if words else []), *grouped(shown)]

    # -- tables ---------------------------------------------------------------------------------------
    def _table(self, columns: tuple[Any, ...], rows: tuple[Any, ...]) -> Table:
        """Return a table whose cells are expressions, numbers, and phrases."""
        return Table(tuple(map(self._cell, columns)), tuple(tuple(map(self._cell, cells)) for cells in rows))

    def _cell(self, value: Any) -> tuple[Inline, ...]:
        if isinstance(value, Phrase):
            return self.phrase(value.key, dict(value.facts))
        return tuple(self._fact(value))

    # -- the table of shapes --------------------------------------------------------------------------
    def shapes(self) -> Block:
        head = tuple((self.phrases[f"table.{k}"],) for k in ("symbol", "shape", "meaning"))
        rows = []
        for name, variable in self.system.variables.items():
            if name != "l":
                rows.append(self._shape_row(self.system.at(name), self._role(name)))
            del variable
        for symbol in self.system.parameters.values():
            rows.append(self._shape_row(symbol, self._parameter_role(symbol)))
        return Table(head, tuple(rows))

    def _shape_row(self, symbol: Any, role: str) -> tuple[tuple[Inline, ...], ...]:
        shape: tuple[Inline, ...] = (self.phrases["role.scalar"],)
        rank = rank_of(symbol)
        if rank and not self.system.scalar:
            sizes = [present(s, self.names) for s in symbol.shape[:rank]]
            if rank == 2:
                sizes = [Fence(item) if s.is_Add else item for s, item in zip(symbol.shape, sizes, strict=True)]
            shape = (Math(sizes[0] if rank == 1 else row(sizes[0], Operator("×"), sizes[1])),)
        return ((Math(present(self._scalar(symbol), self.names)),), shape, (self.phrases[f"role.{role}"],))

    def _role(self, name: str) -> str:
        if name in self.system.states and name not in self.system.roles:
            first = name == self.system.output or len(self.system.states) == 1
            own = "." in name and bare(name) == bare(self.system.output)
            return "state" if first or own else "other_state"
        if name in self.system.inputs:
            return "input"
        if name in self.system.fixed:
            return "target" if name in self.system.targets else "mask"
        stage = self.system.by_name[name].stage
        if stage == READOUT:
            return "prediction" if name in self.system.predictions else "readout"
        role = role_of(self.system, name)
        if role is not None:
            return role
        rule = equation_rule(self.system, self.system.by_name[name])
        if rule == "joined":
            return rule
        if rule.startswith("affine"):
            return "pre_activation"
        return "intermediate" if stage == CELL else "scalar"

    def _parameter_role(self, symbol: Any) -> str:
        if self.system.scalar:
            return "parameter_scalar"
        rank = rank_of(self.example.parameters[symbol.name]) if rank_of(symbol) else 0
        if rank == 1 and _BIAS.fullmatch(bare(symbol.name)):
            return "parameter_bias"
        return {0: "parameter_scalar", 1: "parameter_vector", 2: "parameter_matrix"}[rank]

    @property
    def example(self) -> System:
        """The equations of one example, in which vectors are vectors."""
        return one_example(self.network).system

    # -- words ----------------------------------------------------------------------------------------
    def phrase(self, key: str, facts: dict[str, Any]) -> tuple[Inline, ...]:
        """Return a phrase with its placeholders and ``$...$`` formulas filled in."""
        words: list[Inline] = []
        for piece in re.split(r"(\$[^$]*\$|\{\w+\})", self.phrases[key]):
            if piece.startswith("$") and len(piece) > 1:
                words.append(Math(_tiny(piece[1:-1])))
            elif piece.startswith("{"):
                words += self._fact(facts[piece[1:-1]])
            elif piece:
                words.append(piece)
        return tuple(_CHINESE_GAP.sub("", w) if isinstance(w, str) else w for w in _joined(words))

    def _fact(self, value: Any) -> list[Inline]:
        if isinstance(value, Math | str):
            return [value]
        if isinstance(value, tuple):
            return self._list([self._fact(v) for v in value])
        if isinstance(value, Named):
            return list(self.phrase("role.named", {"role": self.phrases[f"role.{value.role}"], "variable": value.expr}))
        if isinstance(value, Basic):
            return [Math(joint(value, self.names))]
        return [str(value)]

    def _list(self, parts: list[list[Inline]]) -> list[Inline]:
        words: list[Inline] = []
        for i, part in enumerate(parts):
            if i:
                last = i == len(parts) - 1
                words.append(self.phrases["list_two" if len(parts) == 2 else "list_last" if last else "list_more"])
            words += part
        return words


_BY_STEP = ("forward", "backward", "unrolled", "forward_numbers")
"""Sections with a heading for every time step."""


def grouped(blocks: list[Block]) -> list[Block]:
    """Put displays that follow each other into one group."""
    grouped: list[Block] = []
    for block in blocks:
        last = grouped[-1] if grouped else None
        if isinstance(block, Display) and isinstance(last, Group):
            grouped[-1] = Group((*last.displays, block))
        elif isinstance(block, Display):
            grouped.append(Group((block,)))
        else:
            grouped.append(block)
    return grouped


def _tiny(text: str) -> Item:
    """A formula in a phrase: ``t = 1, \\dots,`` or a name."""
    items: list[Item] = []
    for token in text.replace(",", " , ").split():
        if token == "\\dots":
            items.append(Operator("…", "plain"))
        elif token in "=,":
            items.append(Operator(token, "separator" if token == "," else "infix"))
        else:
            items.append(Number(token) if token.isdigit() else name_layout(token))
    return row(*items)


def _joined(words: list[Inline]) -> list[Inline]:
    """Put formulas that touch into one, and words that touch into one."""
    merged: list[Inline] = []
    for word in words:
        if merged and isinstance(word, str) and isinstance(merged[-1], str):
            merged[-1] += word
        elif merged and isinstance(word, Math) and isinstance(merged[-1], Math):
            merged[-1] = Math(row(merged[-1].item, word.item))
        else:
            merged.append(word)
    return merged
