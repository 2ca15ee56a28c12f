"""Repairs with sums: over all paths, of a term that is missing, and bounds of many steps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..meaning.expr import Add, Bound, Counter, Deriv, Expr, Mul, Norm, Pow, Ref, Series, Transpose
from ..meaning.index import Index, letter
from .derived import gradient_terms, paths, target_of
from .edits import Edit
from .sites import Site, timed
from .wording import braced, index_latex, place_of

MOST_TERMS = 30


def _whole(site: Site, text: str) -> tuple[tuple[int, int, str], ...]:
    tree = site.operand.tree
    return ((tree.start, tree.end, text),)


def lost_sums(site: Site) -> Iterator[Edit]:
    """A sum over all steps in front of what stands there for one of them."""
    left = site.left.of if isinstance(site.left, Norm | Transpose) else site.left
    if not isinstance(left, Deriv) or any(isinstance(p, Bound) and p.kind == "sum" for p in site.operand.walk()):
        return
    by = left.by[0]
    if isinstance(by, Ref) and by.when is not None and isinstance(left.of, Ref) and left.of.when is not None:
        return
    of_step = left.of.when if isinstance(left.of, Ref) else None
    name, high = ("k", of_step) if of_step is not None else ("t", site.wording.last)
    shown = index_latex(high)
    front = rf"\sum_{{{name}=1}}^{{{shown}}} "
    steps = tuple(dict.fromkeys(r.when for r in timed(site.operand) if r.when is not None))
    for base in (letter(name), *steps):
        start, end = site.operand.tree.start, site.operand.tree.end
        open_sum = _is_sum(site.operand) and type(site.operand.tree).__name__ != "Fence"
        spans = [(start, start, front + r"\left(" * open_sum), *([(end, end, r"\right)")] * open_sum)]
        good = True
        for ref in timed(site.operand):
            place = place_of(ref)
            difference = ref.when - base if ref.when is not None else base
            if place is None or not difference.is_number:
                good = False
                break
            spans.append((place.start, place.end, f"{{{index_latex(letter(name) + difference)}}}"))
        if good:
            yield Edit("lost-sum", tuple(dict.fromkeys(spans)))
    if _is_sum(site.operand):
        return
    for text in _along_paths(site, left, high):
        yield Edit("lost-sum", _whole(site, text))
    for text in paths(left, site.wording, site.built):
        yield Edit("lost-sum", _whole(site, text), 1)


def _is_sum(e: Expr) -> bool:
    return isinstance(e, Add) or (isinstance(e, Series) and e.kind == "sum")


def _along_paths(site: Site, left: Deriv, high: Index) -> Iterator[str]:
    """Yield the sum over paths with what stands before the chain: dL/dh_T times the sum of dh_T/dh_k d+h_k/dw."""
    operand = site.operand
    if isinstance(operand, Series):
        factors: tuple[Expr, ...] = (*operand.before, *operand.after)
    elif isinstance(operand, Mul):
        factors = operand.factors
    else:
        return
    last = factors[-1]
    if not (isinstance(last, Deriv) and last.by == left.by and isinstance(last.of, Ref)):
        return
    front: list[Expr] = []
    states: list[Ref] = []
    for factor in factors[:-1]:
        if isinstance(factor, Deriv) and isinstance(factor.of, Ref) and factor.of.key == last.of.key:
            states.append(factor.of)
        else:
            front.append(factor)
    begin = (*states, last.of)[0].when
    wording = site.wording
    top, middle = wording.ref(last.of.key, begin), wording.ref(last.of.key, letter("k"))
    by = wording.write(left.by[0])
    if top is None or middle is None or by is None:
        return
    before = " ".join(site.text(f) for f in front)
    own = wording.deriv(middle, by, "immediate", left.symbol)
    shown = index_latex(begin or high)
    yield rf"\sum_{{k=1}}^{{{shown}}} {before} {wording.deriv(top, middle, '', left.symbol)} {own}".replace("  ", " ")


def missing_terms(site: Site) -> Iterator[Edit]:
    """One more term: one that the note has elsewhere, or one of those that the model gives."""
    end = site.operand.tree.end
    if isinstance(site.operand, Bound) or not (timed(site.left) or isinstance(site.left, Deriv)):
        return
    terms: list[str] = []
    goal = target_of(site.left, site.built)
    for other in site.found:
        if other is not site.statement and target_of(other.operands[0], site.built) == goal and goal is not None:
            for operand in other.operands[1:]:
                if isinstance(operand, Add):
                    terms += [other.source(t) for t in operand.terms]
    if goal is not None:
        terms += gradient_terms(goal, site.wording, site.built, site.scalars)
    for text in list(dict.fromkeys(terms))[:MOST_TERMS]:
        if re.sub(r"\s|[{}]", "", text) not in re.sub(r"\s|[{}]", "", site.text(site.operand)):
            yield Edit("missing-term", ((end, end, f" + {text}"),))
    if not isinstance(site.left, Deriv) or timed(site.left.by[0]):
        return
    if isinstance(site.left.of, Ref) and isinstance(site.operand, Add | Series | Mul):
        of, by = (site.wording.write(e) for e in (site.left.of, site.left.by[0]))
        if of is not None and by is not None:
            own = site.wording.deriv(of, by, "immediate", site.left.symbol)
            start = site.operand.tree.start
            yield Edit("missing-term", ((start, start, f"{own} + "),))
            marked = [
                (p.tree.start, p.tree.end, site.wording.deriv(site.text(p.of), by, "immediate", p.symbol))
                for p, _ in site.places if isinstance(p, Deriv) and p.by == site.left.by and not p.mode
            ]  # fmt: skip
            yield Edit("missing-term", ((start, start, f"{own} + "), *marked), 1)


def bounds(site: Site) -> Iterator[Edit]:
    """A bound for one step, and one for many."""
    left, latex = site.statement.operands[0], site.latex
    if not isinstance(left, Norm) or site.statement.relations[0].kind not in ("le", "ge", "<", ">"):
        return
    inside = left.of
    for part, _ in site.places:
        if isinstance(part, Pow) and isinstance(part.exponent, Counter):
            if isinstance(inside, Deriv) and isinstance(inside.of, Ref) and isinstance(inside.by[0], Ref):
                of, by = inside.of, inside.by[0]
                place = place_of(by)
                if of.when is not None and by.when is not None and place is not None:
                    first = index_latex(of.when - part.exponent.index)
                    yield Edit("one-step-bound", ((place.start, place.end, braced(first)),))
                    between = index_latex(of.when - by.when)
                    where = part.exponent.tree
                    yield Edit("one-step-bound", ((where.start, where.end, f"{{{between}}}"),))
            yield Edit("one-step-bound", ((part.base.tree.end, part.tree.end, ""),))
        elif isinstance(inside, Deriv) and isinstance(inside.of, Ref) and isinstance(inside.by[0], Ref):
            of, by = inside.of, inside.by[0]
            if of.when is None or by.when is None or of.when - by.when == Index((), 1):
                continue
            if isinstance(part, Ref | Mul | Norm) and part is site.operand:
                between = index_latex(of.when - by.when)
                text = latex[part.tree.start : part.tree.end].strip()
                raised = f"{text}^{{{between}}}" if isinstance(part, Ref) and "^" not in text else (
                    rf"\left({text}\right)^{{{between}}}"
                )  # fmt: skip
                yield Edit("one-step-bound", ((part.tree.start, part.tree.end, raised),))
