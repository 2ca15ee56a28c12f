"""Right formulas from the model itself, in the letters of the note: terms of a gradient, sums over paths, Jacobians."""

from __future__ import annotations

from dataclasses import dataclass

from ..meaning.expr import Add, Call, Deriv, Expr, Hadamard, Mul, Norm, Ref, Transpose, with_index
from ..meaning.index import Index, letter
from .definitions import T, refs_in
from .network import Built
from .sites import named, timed
from .wording import Wording, index_latex, transposed

NOW, BEFORE = letter(T), Index(((T, 1),), -1)


@dataclass(frozen=True)
class Goal:
    """A gradient of the loss: of a variable at a step, or of a parameter (no step)."""

    key: str
    step: Index | None
    of: str


def _loss_keys(built: Built) -> frozenset[str]:
    return built.networks[0][1].loss if built.networks else frozenset({"L"})


def target_of(left: Expr, built: Built) -> Goal | None:
    """Return the gradient of the loss that an expression is, also where the note has a symbol for it."""
    if isinstance(left, Transpose):
        left = left.of
    if isinstance(left, Ref):
        alias = built.model.aliases.get(left.key)
        if alias is None or left.when is None or alias.step is None or alias.step.is_number:
            return None
        left = with_index(alias.right, T, left.when)
    if not isinstance(left, Deriv) or len(left.by) != 1 or not isinstance(left.by[0], Ref):
        return None
    if not isinstance(left.of, Ref) or left.of.when is not None or left.of.key not in _loss_keys(built):
        return None
    return Goal(left.by[0].key, left.by[0].when, left.of.key)


class _Pen:
    """Writes gradients in the letters of a note."""

    def __init__(self, wording: Wording, built: Built, scalars: bool, loss: str) -> None:
        self.wording, self.built, self.scalars, self.loss = wording, built, scalars, loss
        self.names: dict[str, str] = {}
        for key, definition in built.model.aliases.items():
            right = definition.right
            if isinstance(key, str) and definition.step is not None and isinstance(right, Deriv):
                goal = target_of(right, built)
                if goal is not None and goal.step == NOW:
                    self.names[goal.key] = key

    def gradient(self, key: str, step: Index) -> str | None:
        """Return the LaTeX of dL/du."""
        if key in self.names:
            own = self.wording.ref(self.names[key], step)
            if own is not None:
                return own
        of, by = self.wording.ref(self.loss, None), self.wording.ref(key, step)
        return None if of is None or by is None else self.wording.deriv(of, by)

    def times(self, gradient: str, other: str) -> str:
        """Return an entrywise product."""
        return f"{gradient} {other}" if self.scalars else rf"{gradient} \odot {other}"

    def write(self, e: Expr, step: Index) -> str | None:
        """Return something of the model at a step."""
        text = self.wording.write(with_index(e, T, step))
        return f"({text})" if text is not None and isinstance(e, Add | Hadamard) else text

    def slope(self, call: Call, step: Index) -> str | None:
        """Return f'(z) for f(z)."""
        return self.wording.write(with_index(Call(call.name, (named(call.arguments[0], self.built),), 1), T, step))

    def back(self, e: Expr, goal: Ref, gradient: str, step: Index) -> list[str]:
        """Return what a gradient with respect to an expression gives to a symbol in it."""
        if isinstance(e, Ref):
            return [gradient] if e == goal else []
        if goal not in refs_in(e):
            return []
        found: list[str] = []
        if isinstance(e, Add):
            for sign, term in zip(e.signs, e.terms, strict=True):
                inner = self.back(term, goal, gradient, step)
                found += [f"-{text}" if sign < 0 else text for text in inner]
        elif isinstance(e, Call) and len(e.arguments) == 1:
            slope = self.slope(e, step)
            if slope is not None:
                argument = e.arguments[0]
                inner_gradient = self.times(gradient, slope)
                inner_gradient = inner_gradient if isinstance(argument, Ref) else f"({inner_gradient})"
                found += self.back(argument, goal, inner_gradient, step)
        elif isinstance(e, Hadamard):
            for i, factor in enumerate(e.factors):
                if goal in refs_in(factor):
                    others = [self.write(o, step) for j, o in enumerate(e.factors) if j != i]
                    if None not in others:
                        product = gradient
                        for other in others:
                            product = self.times(product, str(other))
                        found += self.back(factor, goal, product, step)
        elif isinstance(e, Mul) and len(e.factors) == 2:
            found += self._product(e, goal, gradient, step)
        return found

    def _product(self, e: Mul, goal: Ref, gradient: str, step: Index) -> list[str]:
        first, second = e.factors
        rows = self.built.rows and timed(first) and not timed(second)
        weight, vector = (second, first) if rows else (first, second)
        w, v = self.write(weight, step), self.write(vector, step)
        if w is None or v is None:
            return []
        wrapped = rf"\left({gradient}\right)" if r"\odot" in gradient and not gradient.startswith("(") else gradient
        top = self.wording.top
        if self.scalars:
            return self.back(vector, goal, f"{gradient} {w}", step) if goal in refs_in(vector) else [f"{gradient} {v}"]
        if goal in refs_in(vector):
            inner = f"{wrapped} {transposed(w, top)}" if rows else f"{transposed(w, top)} {wrapped}"
            return self.back(vector, goal, inner, step)
        return [f"{transposed(v, top)} {wrapped}" if rows else f"{wrapped} {transposed(v, top)}"]


def gradient_terms(goal: Goal, wording: Wording, built: Built, scalars: bool) -> list[str]:
    """Return the terms of dL/dv_t: what every equation that reads v gives back to it, and the loss of its own step."""
    pen = _Pen(wording, built, scalars, goal.of)
    found: list[str] = []
    if goal.step is None:
        return found
    meanings = built.networks[0][1] if built.networks else None
    own = [key for key in (meanings.losses if meanings is not None else ()) if (key, True) in wording.samples]
    for key in sorted(own):
        of, by = wording.ref(key, goal.step), wording.ref(goal.key, goal.step)
        if of is not None and by is not None:
            found.append(wording.deriv(of, by))
    for key, definition in built.model.equations.items():
        for lag, when in ((0, NOW), (1, BEFORE)):
            step = goal.step + Index((), lag)
            gradient = pen.gradient(key, step)
            if gradient is not None and key != goal.of:
                found += pen.back(definition.right, Ref(goal.key, when), gradient, step)
    return list(dict.fromkeys(found))


def gradient_sums(goal: Goal, wording: Wording, built: Built, scalars: bool) -> list[str]:
    """Return dL/dW as a sum over the steps, from every equation that reads W."""
    pen = _Pen(wording, built, scalars, goal.of)
    terms: list[str] = []
    for key, definition in built.model.equations.items():
        gradient = pen.gradient(key, NOW)
        if gradient is not None:
            terms += pen.back(definition.right, Ref(goal.key), gradient, NOW)
    last = index_latex(wording.last)
    front = rf"\sum_{{t=1}}^{{{last}}} "
    if not terms:
        return []
    inner = terms[0] if len(terms) == 1 else rf"\left({' + '.join(terms)}\right)"
    return [front + inner]


def paths(left: Expr, wording: Wording, built: Built) -> list[str]:
    """Return dL/dW or dh_t/dW as sums over all paths, with immediate derivatives."""
    norm = isinstance(left, Norm)
    if isinstance(left, Norm):
        left = left.of
    if norm or not (isinstance(left, Deriv) and isinstance(left.of, Ref) and isinstance(left.by[0], Ref)):
        return []
    of, by, found = left.of, left.by[0], []
    if by.when is not None:
        return []
    w, above = wording.ref(by.key, None), wording.ref(of.key, of.when)
    last = index_latex(wording.last)
    for state in sorted(built.model.states):
        for name in ("t", "k"):
            middle = wording.ref(state, letter(name))
            if w is None or above is None or middle is None:
                continue
            own = wording.deriv(middle, w, "immediate", left.symbol)
            high = index_latex(of.when) if of.when is not None else str(last)
            if name == high:
                continue
            front = rf"\sum_{{{name}=1}}^{{{high}}}"
            if of.when is None or of.key == state:
                found.append(f"{front} {wording.deriv(above, middle, '', left.symbol)} {own}")
            else:
                top = wording.ref(state, of.when)
                if top is not None:
                    found.append(f"{front} {wording.deriv(above, top, '', left.symbol)} "
                                 f"{wording.deriv(top, middle, '', left.symbol)} {own}")  # fmt: skip
    return found


def jacobians(left: Expr, wording: Wording, built: Built, scalars: bool) -> list[str]:
    """Return dh_t/dh_{t-1} and the product of such factors."""
    if not (isinstance(left, Deriv) and isinstance(left.of, Ref) and isinstance(left.by[0], Ref)):
        return []
    of, by = left.of, left.by[0]
    if of.when is None or by.when is None:
        return []
    found = []
    if of.when - by.when in (Index((), 1), Index()) and of.key in built.model.equations:
        pen = _Pen(wording, built, scalars, "L")
        goal = Ref(by.key, NOW if of.when == by.when else BEFORE)
        found += _forward(pen, of.key, goal, of.when, built, ())
    if of.key == by.key and of.when - by.when != Index((), 1):
        new, old = wording.ref(of.key, letter("j")), wording.ref(of.key, Index((("j", 1),), -1))
        low, high = index_latex(by.when + Index((), 1)), index_latex(of.when)
        if new is not None and old is not None:
            found.append(rf"\prod_{{j={low}}}^{{{high}}} {wording.deriv(new, old, '', left.symbol)}")
    return found


def _forward(pen: _Pen, key: str, goal: Ref, step: Index, built: Built, above: tuple[str, ...]) -> list[str]:
    if key in above or key not in built.model.equations:
        return []
    text = ""
    for sign, factors in _chains(pen, built.model.equations[key].right, goal, step, built, (*above, key)):
        own = " ".join(factors) or ("1" if pen.scalars else "I")
        text += f" {'-' if sign < 0 else '+'} {own}" if text else f"-{own}" if sign < 0 else own
    return [text] if text else []


def _chains(
    pen: _Pen, e: Expr, goal: Ref, step: Index, built: Built, above: tuple[str, ...]
) -> list[tuple[int, list[str]]]:  # fmt: skip
    """Return the derivative of an expression by a variable as a sum of products."""
    diag = (lambda text: text) if pen.scalars else (lambda text: rf"{pen.wording.diag}({text})")
    if isinstance(e, Ref):
        if e == goal:
            return [(1, [])]
        if e.when == NOW and e.key in built.model.equations and e.key not in above:
            return _chains(pen, built.model.equations[e.key].right, goal, step, built, (*above, e.key))
        return []
    found: list[tuple[int, list[str]]] = []
    if isinstance(e, Add):
        for sign, term in zip(e.signs, e.terms, strict=True):
            found += [(sign * s, c) for s, c in _chains(pen, term, goal, step, built, above)]
    elif isinstance(e, Call) and len(e.arguments) == 1:
        slope = pen.slope(e, step)
        if slope is not None:
            found += [(s, [diag(slope), *c]) for s, c in _chains(pen, e.arguments[0], goal, step, built, above)]
    elif isinstance(e, Hadamard):
        for i, factor in enumerate(e.factors):
            others = [pen.write(o, step) for j, o in enumerate(e.factors) if j != i]
            if None not in others:
                texts = [diag(str(o)) for o in others]
                found += [(s, [*texts, *c]) for s, c in _chains(pen, factor, goal, step, built, above)]
    elif isinstance(e, Mul) and len(e.factors) == 2:
        first, second = e.factors
        weight, vector = (second, first) if timed(first) and not timed(second) else (first, second)
        w = pen.write(weight, step)
        if w is not None and not timed(weight):
            found += [(s, [w, *c]) for s, c in _chains(pen, vector, goal, step, built, above)]
    return found


def right_sides(left: Expr, wording: Wording, built: Built, scalars: bool) -> list[str]:
    """Return what the model says that a left side is, likely forms first; each has to be tested."""
    goal = target_of(left, built)
    found: list[str] = []
    if goal is not None and goal.step is not None:
        terms = gradient_terms(goal, wording, built, scalars)
        for some in (terms, terms[1:]):
            if some:
                found.append(" + ".join(some).replace("+ -", "- "))
    elif goal is not None:
        found += gradient_sums(goal, wording, built, scalars)
    found += jacobians(left, wording, built, scalars)
    found += paths(left, wording, built)
    if isinstance(left, Ref) and left.when is not None and left.key in built.model.equations:
        text = wording.write(with_index(built.model.equations[left.key].right, T, left.when))
        found += [text] if text is not None else []
    return list(dict.fromkeys(found))
