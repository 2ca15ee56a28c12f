"""Repairs that put in the slope of an activation where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ... import algebra as A
from ..meaning.expr import Add, Call, Deriv, Expr, Hadamard, Mul, Ref, with_index
from ..meaning.index import Index
from .definitions import T
from .edits import Edit
from .network import Built
from .sites import Site, named, timed
from .wording import Wording

MOST_STEPS = 4
MOST_FORMS = 3


@dataclass(frozen=True)
class Slope:
    """The slope of a function in an equation: of which variable, and how it can be written.

    Attributes
    ----------
    key : str
        The variable whose equation it stands in.
    call : Call
        In t.
    whole : bool
        Whether the equation is this call alone.
    """

    key: str
    call: Call
    whole: bool

    def texts(self, step: Index, wording: Wording, built: Built, scalars: bool) -> list[str]:
        """Return it at a step, in the manner of the note first."""
        call = with_index(self.call, T, step)
        assert isinstance(call, Call)
        functions = built.networks[0][1].functions if built.networks else {}
        name = functions.get(call.name, call.name)
        argument = named(self.call.arguments[0], built)
        primed = wording.write(Call(call.name, (with_index(argument, T, step),), 1))
        value = wording.ref(self.key, step) if self.whole else wording.write(call)
        explicit = None
        if value is not None and name == "tanh":
            power = f"{value}^2" if self.whole and "^" not in value else f"({value})^2"
            head = wording.functions.get(call.name, "")
            if not self.whole and value.startswith(head) and head.startswith("\\") and head[1:].isalpha():
                power = f"{head}^2{value[len(head) :]}"
            explicit = f"(1 - {power})"
        elif value is not None and name == "sigmoid":
            explicit = f"{value} (1 - {value})" if scalars else rf"{value} \odot (1 - {value})"
        if explicit is not None and name == "sigmoid":
            forms = [explicit, f"(1 - {value})", *([primed] if primed else [])]
            return forms[::-1] if call.name in wording.primed else forms
        found = [primed, explicit] if call.name in wording.primed or explicit is None else [explicit, primed]
        return [text for text in found if text is not None]


def slopes_of(built: Built) -> list[Slope]:
    """Return the slopes of all activations of a model."""
    found = []
    for key, definition in built.model.equations.items():
        for part in definition.right.walk():
            if isinstance(part, Call) and len(part.arguments) == 1 and not part.primes and timed(part):
                functions = built.networks[0][1].functions if built.networks else {}
                if functions.get(part.name, part.name) in A.FUNCTIONS or part.name in built.generic_functions:
                    found.append(Slope(key, part, part == definition.right))
    return found


def missing_slopes(site: Site) -> Iterator[Edit]:
    """f' as a factor, behind a term or in front of a matrix."""
    texts: list[str] = []
    near = _keys(site)
    for slope in slopes_of(site.built):
        if not near & {slope.key, *(r.key for r in timed(slope.call))}:
            continue
        for step in site.steps[:MOST_STEPS]:
            texts += slope.texts(step, site.wording, site.built, site.scalars)[:MOST_FORMS]
    for text in dict.fromkeys(texts):
        for term in site.terms:
            yield from _at(site, term, text)


def _keys(site: Site) -> set[str]:
    """Return the variables of a statement, and those that its own symbols stand for."""
    found = {r.key for o in (site.left, site.operand) for r in timed(o)}
    for key in tuple(found):
        alias = site.built.model.aliases.get(key)
        if alias is not None:
            found |= {r.key for r in timed(alias.right)}
    return found


def _at(site: Site, term: Expr, slope: str) -> Iterator[Edit]:
    cause, source = "missing-derivative", site.text(term)
    start, end = term.tree.start, term.tree.end
    whole = rf"\left({source}\right)" if isinstance(term, Add) and type(term.tree).__name__ != "Fence" else source
    if site.scalars:
        yield Edit(cause, ((start, end, f"{whole} {slope}"),))
        return
    diag = rf"{site.wording.diag}({slope})"
    if isinstance(term, Ref) and term.when is None:  # a matrix: its rows are what the slopes belong to
        yield Edit(cause, ((start, end, f"{diag} {whole}"),))
    product = rf"\left({source}\right)" if isinstance(term, Mul) else whole  # W^\top g \odot f' can be read in two ways
    yield Edit(cause, ((start, end, rf"{product} \odot {slope}"),))
    yield Edit(cause, ((start, end, f"{diag} {whole}"),))
    if isinstance(term, Mul):
        for factor in term.factors:
            if timed(factor) or isinstance(factor, Deriv):
                text = rf"\left({site.text(factor)} \odot {slope}\right)"
                yield Edit(cause, ((factor.tree.start, factor.tree.end, text),), 1)
        for factor in term.factors[1:]:
            yield Edit(cause, ((factor.tree.start, factor.tree.start, f"{diag} "),), 1)
    yield Edit(cause, ((start, end, f"{whole} {diag}"),))
    if isinstance(term, Hadamard):
        for factor in term.factors:
            text = rf"{site.text(factor)} \odot {slope}"
            yield Edit(cause, ((factor.tree.start, factor.tree.end, text),), 2)


def called_for(site: Site) -> Iterator[Edit]:
    """A function of a variable in the place of the variable: tanh(c_t) for c_t."""
    for slope in slopes_of(site.built):
        argument = slope.call.arguments[0]
        if not isinstance(argument, Ref):
            continue
        for part, above in site.places:
            if isinstance(part, Ref) and part.key == argument.key and part.when is not None:
                if any(isinstance(a, Deriv | Call) for a in above):
                    continue
                text = site.wording.write(with_index(slope.call, T, part.when))
                if text is not None:
                    yield Edit("wrong-factor", ((part.tree.start, part.tree.end, text),))
