"""Repairs: for each kind of mistake, the edits that would undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

from ..meaning.expr import Add, Bound, Call, Counter, Deriv, Expr, Hadamard, Mul, Norm, Num, Pow, Ref, Series, Transpose
from ..notation.tree import Big, Chain
from .edits import Edit, Span
from .repairs_slopes import called_for, missing_slopes
from .repairs_sums import bounds, lost_sums, missing_terms
from .sites import Site, is_factor, is_slope, shifted, timed
from .wording import place_of, transposed

Repair = Callable[[Site], Iterator[Edit]]


def _over(e: Expr, text: str) -> Span:
    return e.tree.start, e.tree.end, text


# -- one factor ---------------------------------------------------------------------------------------


def transposes(site: Site) -> Iterator[Edit]:
    """A transpose put on, or taken off."""
    cause = "scalar-formula" if site.plain else "transposed"
    for part, above in site.places:
        if site.scalars or any(isinstance(a, Deriv) for a in above):
            continue
        if above and isinstance(above[-1], Transpose):
            continue
        if isinstance(part, Transpose) or is_factor(part):
            yield Edit(cause, (_over(part, site.toggled(part)),))


def inverted(site: Site) -> Iterator[Edit]:
    """A derivative with numerator and denominator exchanged."""
    for part, _ in site.places:
        if isinstance(part, Deriv) and len(part.by) == 1 and part.of.tree.end and not _forward(part):
            yield Edit(
                "inverted-factor", (_over(part.of, site.text(part.by[0])), _over(part.by[0], site.text(part.of)))
            )


def _forward(part: Deriv) -> bool:
    """Whether a derivative is that of a later step by an earlier one, as it should be."""
    of, by = part.of, part.by[0]
    if not isinstance(of, Ref) or not isinstance(by, Ref) or by.when is None:
        return True
    if of.when is None:
        return True
    between = of.when - by.when
    return between.is_number and between.constant > 0


def modes(site: Site) -> Iterator[Edit]:
    """A derivative marked as immediate, or the mark taken off."""
    found = [p for p, _ in site.places if isinstance(p, Deriv) and len(p.by) == 1 and p.order == 1]
    edits = [Edit("total-immediate", (_over(p, _other_mode(site, p)),)) for p in found]
    yield from edits
    for some in (2, 3):
        for chosen in combinations(edits, some) if len(edits) <= 4 else ():
            if not any(a.clashes(b) for a, b in combinations(chosen, 2)):
                yield Edit("total-immediate", tuple(s for e in chosen for s in e.spans), some)


def _other_mode(site: Site, part: Deriv) -> str:
    of, by = site.text(part.of), site.text(part.by[0])
    symbol = site.left.symbol if isinstance(site.left, Deriv) else part.symbol
    return site.wording.deriv(of, by, "" if part.mode == "immediate" else "immediate", symbol)


# -- steps --------------------------------------------------------------------------------------------


def shifts(site: Site) -> Iterator[Edit]:
    """An index a step later or earlier."""
    groups: list[tuple[str, list[Ref]]] = []
    for part, above in site.places:
        slope = any(isinstance(a, Call) and a.primes for a in above) or (
            any(is_slope(a) and isinstance(a, Add) for a in above)
        )
        cause = "misplaced-derivative" if slope else "index-shift"
        if isinstance(part, Ref) and part.when is not None and not (above and isinstance(above[-1], Transpose)):
            groups.append((cause, [part]))
        elif isinstance(part, Transpose) and isinstance(part.of, Ref) and part.of.when is not None:
            groups.append((cause, [part.of]))
        elif len(timed(part)) > 1 and isinstance(part, Deriv | Call | Mul | Hadamard | Add | Norm):
            groups.append(
                ("misplaced-derivative" if is_slope(part) and not isinstance(part, Deriv) else cause, timed(part))
            )
    for cause, refs in sorted(groups, key=lambda g: len(g[1])):
        for by in (-1, 1):
            spans = []
            for ref in refs:
                place = place_of(ref)
                text = None if place is None else shifted(site.latex[place.start : place.end], by)
                if place is not None and text is not None:
                    spans.append((place.start, place.end, text))
            if len(spans) == len(refs):
                yield Edit(cause, tuple(spans), len(refs) - 1)
    yield from _bounds(site)


def _bounds(site: Site) -> Iterator[Edit]:
    for part, above in site.places:
        trees = []
        if isinstance(part, Bound):
            tree = next((t for t in part.tree.walk() if isinstance(t, Big)), None)
            if tree is not None and isinstance(tree.sub, Chain):
                trees.append(tree.sub.operands[-1])
            if tree is not None and tree.sup is not None:
                trees.append(tree.sup)
        elif isinstance(part, Counter) and not any(isinstance(a, Ref) for a in above):
            trees.append(part.tree)
        for one in trees:
            for by in (1, -1):
                text = shifted(site.latex[one.start : one.end], by)
                if text is not None:
                    bare = site.latex[one.start - 1 : one.start] not in "^_"
                    yield Edit("index-shift", ((one.start, one.end, text.strip("{}") if bare else text),))


def other_steps(site: Site) -> Iterator[Edit]:
    """A symbol at another step that occurs in the formula."""
    from .wording import braced, index_latex

    for part, _ in site.places:
        if not isinstance(part, Ref) or part.when is None:
            continue
        place = place_of(part)
        for step in site.steps if place is not None else ():
            if step != part.when and not (step - part.when).is_number and place is not None:
                yield Edit("index-shift", ((place.start, place.end, braced(index_latex(step))),), 1)


# -- signs --------------------------------------------------------------------------------------------


def signs(site: Site) -> Iterator[Edit]:
    """A sign turned round."""
    latex = site.latex
    for part, _ in site.places:
        if not isinstance(part, Add):
            continue
        if len(part.terms) == 2 and part.signs == (1, -1):
            a, b = part.terms
            if not isinstance(a, Num):
                yield Edit("sign", (_over(a, site.text(b)), _over(b, site.text(a))))
        for i, term in enumerate(part.terms):
            before = part.terms[i - 1].tree.end if i else part.tree.start
            gap = latex[before : term.tree.start]
            if i and ("+" in gap or "-" in gap):
                turned = gap.replace("-", "\0").replace("+", "-").replace("\0", "+")
                yield Edit("sign", ((before, term.tree.start, turned),))
            elif not i and part.signs[0] < 0 and "-" in latex[before - 1 : term.tree.start]:
                where = latex.index("-", before - 1)
                yield Edit("sign", ((where, where + 1, ""),))
            elif not i and part.signs[0] > 0:
                yield Edit("sign", ((term.tree.start, term.tree.start, "-"),), 1)
    for term in site.terms:
        if term is site.operand and not isinstance(term, Add):
            yield Edit("sign", ((term.tree.start, term.tree.start, "-"),))


# -- products -----------------------------------------------------------------------------------------


def orders(site: Site) -> Iterator[Edit]:
    """Factors in another order."""
    for part, _ in site.places:
        if isinstance(part, Mul):
            factors = part.factors
        elif isinstance(part, Series) and part.kind == "product":
            factors = (*part.before, *part.after)
        else:
            continue
        for a, b in pairwise(factors):
            one_slope = is_slope(a) != is_slope(b)
            cause = "misplaced-derivative" if one_slope else "reversed-product"
            matrix = isinstance(a, Ref) and a.when is None and bool(timed(b))
            yield Edit(cause, _placed(site, (a, b), (b, a)), int(matrix))  # W d is rather W^T d than d W
        if len(factors) > 2:
            yield Edit("reversed-product", _placed(site, factors, factors[::-1]), 1)
            yield Edit("reversed-product", _placed(site, factors, (factors[-1], *factors[:-1])), 1)
            yield Edit("reversed-product", _placed(site, factors, (*factors[1:], factors[0])), 1)
        if not site.scalars:
            yield from _transposed_products(site, factors)


def _placed(site: Site, places: tuple[Expr, ...], new: tuple[Expr, ...]) -> tuple[Span, ...]:
    return tuple(_over(place, site.text(factor)) for place, factor in zip(places, new, strict=True))


def _transposed_products(site: Site, factors: tuple[Expr, ...]) -> Iterator[Edit]:
    cause = "scalar-formula" if site.plain else "transposed"
    texts = [site.toggled(f) for f in factors]
    yield Edit(cause, tuple(_over(f, t) for f, t in zip(factors, reversed(texts), strict=True)), 1)
    if len(factors) == 2:
        a, b = factors
        yield Edit(cause, tuple(_over(f, t) for f, t in zip(factors, texts, strict=True)), 1)
        yield Edit(cause, (_over(a, texts[1]), _over(b, site.text(a))), 1)
        yield Edit(cause, (_over(a, site.text(b)), _over(b, texts[0])), 1)


def for_vectors(site: Site) -> Iterator[Edit]:
    """What numbers do not need: diag around a vector that multiplies a matrix, an entrywise product."""
    if site.scalars:
        return
    for part, _ in site.places:
        if not isinstance(part, Mul):
            continue
        for i, factor in enumerate(part.factors):
            if isinstance(factor, Num | Deriv) or not timed(factor) or _has_diag(factor):
                continue
            diag = _over(factor, rf"{site.wording.diag}({_bare(site.text(factor))})")
            yield Edit("scalar-formula", (diag,))
            if i + 1 < len(part.factors):
                swapped = (_over(factor, site.text(part.factors[i + 1])), _over(part.factors[i + 1], diag[2]))
                yield Edit("scalar-formula", swapped, 1)
            if i:
                swapped = (_over(part.factors[i - 1], diag[2]), _over(factor, site.text(part.factors[i - 1])))
                yield Edit("scalar-formula", swapped, 1)
        for a, b in pairwise(part.factors):
            if timed(a) and timed(b) and not isinstance(a, Num):
                yield Edit("scalar-formula", ((a.tree.end, b.tree.start, r" \odot "),))
    for term in site.terms:
        if timed(term) and not isinstance(term, Deriv | Mul) and not _has_diag(term):
            yield Edit("scalar-formula", (_over(term, rf"{site.wording.diag}({_bare(site.text(term))})"),), 1)
    for part, _ in site.places:
        if isinstance(part, Hadamard) and len(part.factors) == 2:
            a, b = part.factors
            for one, other in ((a, b), (b, a)):
                text = rf"{site.wording.diag}({_bare(site.text(one))}) {site.text(other)}"
                yield Edit("wrong-factor", ((part.tree.start, part.tree.end, text),), 1)


def _has_diag(e: Expr) -> bool:
    return any(isinstance(p, Call) and p.name == "diag" for p in e.walk())


def _bare(text: str) -> str:
    text = text.strip()
    for a, b in ((r"\left(", r"\right)"), ("(", ")")):
        inner = text[len(a) : -len(b)]
        if text.startswith(a) and text.endswith(b) and inner.count("(") == inner.count(")"):
            depth = 0
            for c in inner:
                depth += (c == "(") - (c == ")")
                if depth < 0:
                    return text
            return inner.strip()
    return text


# -- other factors ------------------------------------------------------------------------------------


def removed(site: Site) -> Iterator[Edit]:
    """A factor, a power or a function too many."""
    for part, _ in site.places:
        if isinstance(part, Mul | Hadamard):
            for i, factor in enumerate(part.factors):
                cause = "misplaced-derivative" if is_slope(factor) else "wrong-factor"
                if i:
                    yield Edit(cause, ((part.factors[i - 1].tree.end, factor.tree.end, ""),), 1)
                else:
                    yield Edit(cause, ((factor.tree.start, part.factors[1].tree.start, ""),), 1)
        elif isinstance(part, Pow):
            yield Edit("wrong-factor", ((part.base.tree.end, part.tree.end, ""),))
        elif isinstance(part, Call) and len(part.arguments) == 1 and not part.primes and part.name != "diag":
            yield Edit("wrong-factor", (_over(part, site.text(part.arguments[0])),), 1)
        elif isinstance(part, Add) and len(part.terms) > 1:
            for i, term in enumerate(part.terms):
                start = part.terms[i - 1].tree.end if i else part.tree.start
                end = term.tree.end if i else part.terms[1].tree.start
                yield Edit("wrong-factor", ((start, end, ""),), 1)


def replaced(site: Site) -> Iterator[Edit]:
    """Another variable or weight in the place of one."""
    wording = site.wording
    for part, above in site.places:
        if not isinstance(part, Ref) or any(isinstance(a, Deriv) for a in above):
            continue
        text = site.text(part)
        for key, over_time in wording.samples:
            other = wording.ref(key, part.when) if over_time == (part.when is not None) else None
            if key != part.key and other is not None:
                turned = bool(above) and isinstance(above[-1], Transpose)
                new = transposed(other, wording.top) if turned else other
                yield Edit("wrong-factor", ((part.tree.start, part.tree.start + len(text), new),), 1)


TABLE: tuple[Repair, ...] = (
    shifts, orders, transposes, inverted, for_vectors, modes, signs, lost_sums, missing_terms, called_for, bounds,
    missing_slopes, removed, other_steps, replaced,
)  # fmt: skip
"""Repairs, the likelier ones first."""
PAIRED: tuple[Repair, ...] = (transposes, shifts, for_vectors, modes, orders, signs)
"""Repairs of which two are tried together."""
