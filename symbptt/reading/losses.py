"""The loss of a step from LaTeX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from ..errors import EquationError
from ..model import Cell, Loss
from .cells import function_names
from .defined import called_words, checked, plain_key
from .meaning.elaborate import elaborate
from .meaning.equation import CannotWriteError, expression
from .meaning.expr import Add, Bound, Call, Div, Entry, Expr, Hadamard, Mul, Norm, Num, Pow, Ref, Transpose, with_index
from .meaning.index import Index, letter
from .meaning.ranks import SCALAR, TO_SCALAR, VECTOR, MisfitError, OpenProductError, Ranks
from .meaning.symbols import find_symbols
from .notation.tree import Chain, Tree
from .statements import Source, read

NOW = Index((("t", 1),))
TARGETS = ("target", "label", "d", "y_star", "y_ast")
"""Names that only targets have."""


def loss_from_latex(
    latex: str,
    prediction: str | None = None,
    target: str | None = None,
    cell: Cell | None = None,
    functions: Mapping[str, Any] | None = None,
    targets: str = "real",
) -> Loss:
    r"""Return the loss that a formula is; the parameters are those of :meth:`Loss.from_latex`.

    Raises
    ------
    EquationError
        With the place; where it is open what is compared with what, with the readings.

    Examples
    --------
    >>> loss_from_latex(r"\ell_t = -\sum_k y_{t,k} \log \hat y_{t,k}").equation
    '-sum({target} * log({y}))'
    """
    if not isinstance(latex, str) or not latex.strip():
        raise EquationError(r"a loss is a string of LaTeX, such as r'\frac12 \|y_t - \hat y_t\|^2'")
    source = Source(latex, "loss")
    spelled, own = function_names(functions or {})
    if own:
        raise EquationError(f"functions: {next(iter(own))!r} must be a function of the equation language in a loss")
    tree = _right_side(source, read(source))
    symbols = find_symbols([tree], {**called_words([tree]), **spelled})
    meant = elaborate(tree, symbols)
    sums = [p for p in meant.walk() if isinstance(p, Bound) and _at(p.body, p.index)]
    if sums and sums[0] is not meant:
        _refuse_reduction(source, sums[0])
    found = _of_one_step(checked(meant, source, spelled), source)
    names = list(dict.fromkeys(p.key for p in found.walk() if isinstance(p, Ref) and p.when is not None))
    predicted, wanted = _compared(source, found, names, prediction, target, cell)
    found = found.mapped(lambda p: _named(p, predicted, wanted))
    _refuse_parameters(found, source)
    kept = {p.key for p in found.walk() if isinstance(p, Ref)}
    ranks = Ranks([("l", found)], dict.fromkeys(kept, VECTOR))
    try:
        rank, text = ranks.rank(found), expression(found, ranks)
    except CannotWriteError as error:
        source.fail(error.part.tree, error.reason)
    except (OpenProductError, MisfitError) as error:
        source.fail(error.product.tree, f"'{source.piece(error.product.tree)}' is no product of vectors and numbers")
    if rank != SCALAR:
        text = f"sum({text})"
    text = text.replace("prediction[t]", "{y}").replace("target[t]", "{target}")
    return Loss(text, target=targets)


def _right_side(source: Source, tree: Tree) -> Tree:
    if not isinstance(tree, Chain):
        return tree
    if len(tree.operands) != 2 or tree.relations[0].kind not in ("=", ":="):
        source.fail(tree, "a loss is one expression, or one equation with it on the right")
    return tree.operands[1]


def _of_one_step(e: Expr, source: Source) -> Expr:
    """Return the loss of step t: of a sum over the steps what is summed, of the last step the same at t."""
    if isinstance(e, Bound) and e.index in ("t", "tau", "k", "s") and _at(e.body, e.index):
        e = with_index(e.body, e.index, NOW)
    for part in e.walk():
        if isinstance(part, Bound) and _at(part.body, part.index):
            _refuse_reduction(source, part)
    return _of_vectors(e.mapped(_timed))


def _refuse_reduction(source: Source, part: Expr) -> NoReturn:
    source.fail(
        part.tree,
        "give the loss of one step; how the steps are put together is the model's reduction ('sum', 'mean' or 'last')",
    )


def _of_vectors(e: Expr) -> Expr:
    """Return the square of a difference outside sums as that of its norm, and components of names in sums."""
    if isinstance(e, Bound):
        return replace(e, body=e.body.mapped(lambda p: _component(p, e.index)))
    if isinstance(e, Call) and e.name in TO_SCALAR:
        return e
    if isinstance(e, Pow) and isinstance(e.exponent, Num) and e.exponent.value == 2 and isinstance(e.base, Add):
        return replace(e, base=Norm(e.base, tree=e.base.tree))
    return e.rebuilt(_of_vectors)


def _at(e: Expr, index: str) -> bool:
    return any(isinstance(p, Ref) and p.when == letter(index) for p in e.walk())


def _timed(part: Expr) -> Expr:
    """Take what is compared for a variable at t, also at the last step and without a step."""
    if isinstance(part, Ref):
        small = re.fullmatch(r"[a-z](_(hat|tilde|bar|star|ast|[a-z]))?|target|label", part.key)
        if part.when == letter("T") or (part.when is None and small and part.key != "e"):
            return replace(part, when=NOW)
    return part


def _component(part: Expr, index: str) -> Expr:
    """Return ``y_k`` under a sum over k as the component of y."""
    if isinstance(part, Ref) and part.key.endswith(f"_{index}"):
        return Entry(replace(part, key=part.key[: -len(index) - 1], when=NOW), (letter(index),), tree=part.tree)
    return part


# -- what is compared with what -------------------------------------------------------------------------


def _compared(
    source: Source, e: Expr, names: list[str], prediction: str | None, target: str | None, cell: Cell | None
) -> tuple[str, str | None]:
    """Return the keys of the prediction and the target."""
    given = {}
    for what, name in (("prediction", prediction), ("target", target)):
        if name is not None:
            given[what] = plain_key(name)
            if given[what] not in names:
                raise EquationError(f"{what}={name!r} is not in the loss {source.latex!r}")
    if not names:
        source.fail(0, "no variable at step t is read; write y_t")
    known = [n for n in names if cell is not None and n in cell.defined]
    if cell is not None and not given:
        if len(known) == 1:
            given["prediction"] = known[0]
        elif cell.output in known:
            given["prediction"] = cell.output
    others = [n for n in names if n not in given.values() and n not in known]
    if len(given) == 2:
        return given["prediction"], given["target"]
    if len(others) + len(given) > 2:
        source.fail(0, f"{', '.join(map(repr, names))} are read: say which are compared with prediction= and target=")
    if given:
        rest = others[0] if others else None
        if "prediction" in given:
            return given["prediction"], rest
        if rest is None:
            source.fail(0, "nothing but the target is read; write what is compared with it")
        return rest, given["target"]
    if len(others) == 1:
        return others[0], None
    return _by_form(source, e, others)


def _by_form(source: Source, e: Expr, names: list[str]) -> tuple[str, str]:
    """Tell the two from each other by the formula, or refuse."""
    a, b = names
    for one, two in ((a, b), (b, a)):
        if two in TARGETS:
            return one, two
    logs = [
        {r.key for r in p.walk() if isinstance(r, Ref)} for p in e.walk() if isinstance(p, Call) and p.name == "log"
    ]
    under = [n for n in names if any(n in log for log in logs)]
    if len(under) == 1:
        return under[0], b if under[0] == a else a
    if _symmetric(e, names):
        return (b, a) if a.endswith("_hat") and not b.endswith("_hat") else (a, b)
    source.fail(
        0, f"it is open which is the prediction, {a!r} (then {b!r} is the target) or {b!r} (then {a!r} is): say it "
        f"with prediction={a!r} or prediction={b!r}"
    )  # fmt: skip


def _symmetric(e: Expr, names: list[str]) -> bool:
    """Whether the two stand in their difference alone, and its sign does not matter: either reading is the same."""
    return _parity(e, set(names)) == 0


def _parity(e: Expr, names: set[str]) -> int | None:
    """Return 0 where an expression is the same for the opposite difference, 1 where it changes sign, None else."""
    if isinstance(e, Add) and len(e.terms) == 2 and e.signs[0] * e.signs[1] == -1:
        ends = [t.of if isinstance(t, Entry) else t for t in e.terms]
        if {r.key for r in ends if isinstance(r, Ref)} == names:
            return 1
    if isinstance(e, Ref):
        return None if e.key in names else 0
    parts = [_parity(child, names) for child in e.children]
    if None in parts:
        return None
    found = [part for part in parts if part is not None]
    if isinstance(e, Norm):
        return 0
    if isinstance(e, Pow):
        even = isinstance(e.exponent, Num) and e.exponent.value % 2 == 0
        return 0 if even or not any(found) else None
    if isinstance(e, Mul | Hadamard | Div):
        return sum(found) % 2
    if isinstance(e, Transpose | Bound) or (isinstance(e, Call) and e.name in ("sum", "mean")):
        return max(found, default=0)
    if isinstance(e, Call) and e.name == "abs":
        return 0
    if isinstance(e, Add):
        return found[0] if len(set(found)) == 1 else None
    return None if any(found) else 0


def _named(part: Expr, predicted: str, wanted: str | None) -> Expr:
    if isinstance(part, Ref) and part.key in (predicted, wanted):
        return replace(part, key="prediction" if part.key == predicted else "target")
    return part


def _refuse_parameters(e: Expr, source: Source) -> None:
    for part in e.walk():
        if isinstance(part, Ref) and part.when is None:
            source.fail(part.tree, f"'{source.piece(part.tree)}' is no number; write its value into the loss")
