"""A set of equations in LaTeX with their meanings: keys settled, row convention undone, products still open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from ..errors import EquationError, nearest
from ..model.language import known_functions
from .convention import convention, flipped, is_weight
from .keys import Keys
from .meaning.elaborate import elaborate
from .meaning.equation import NAMES, known_function
from .meaning.expr import (
    Add,
    Bound,
    Call,
    Constant,
    Counter,
    Deriv,
    Div,
    Expr,
    Matrix,
    Mul,
    Num,
    Ref,
    Transpose,
    Unknown,
    with_index,
)
from .meaning.index import Index, index_of
from .meaning.ranks import is_one
from .meaning.symbols import ARRAY_FUNCTIONS, FUNCTION_NAMES, Symbols, find_symbols, head_key, label_of, parts_of
from .notation import NotationError, parse
from .notation.tree import Accent, Fence, Name, Product, Script, Tree
from .statements import Equation, Source, Statement, read, sources_of, statements

WHY = {
    "no-meaning": "this has no meaning in an equation of a cell",
    "open-ended": "an ellipsis has no form in a cell's equations",
    "no-bounds": "a sum needs its index",
    "too-large": "this is too large",
    "second-order": "a derivative cannot stand in a cell's equations",
}
"""Why a part has no meaning, as words of an error."""
NO_NAMES = frozenset(
    ["partial", "nabla", "top", "bot", "infty", "prime", "forall", "exists", "emptyset", "square", "angle", "dagger"]
)
"""Signs that name nothing."""


@dataclass(frozen=True)
class Definitions:
    """What strings of LaTeX define.

    Attributes
    ----------
    equations : tuple of Equation
    written : mapping
        Key -> LaTeX of its first occurrence, without the step.
    rows : bool
        Whether the products are in the row convention; the right sides here are in columns all the same.
    transposed : bool
        Of the row convention: whether every weight is transposed (``x_t W^\\top``), so that the weights are those of
        the column convention.
    shapes : mapping
        Key -> shape, where a declaration such as ``W \\in \\mathbb{R}^{n \\times m}`` says it.
    """

    equations: tuple[Equation, ...]
    written: Mapping[str, str]
    rows: bool = False
    transposed: bool = False
    shapes: Mapping[str, Any] = field(default_factory=dict)


def definitions(given: str | Sequence[str], functions: Mapping[str, str], keys: Mapping[str, str]) -> Definitions:
    """Return the equations of strings of LaTeX.

    Parameters
    ----------
    given : str or sequence of str
    functions : mapping
        Name of a function -> its name in the equation language; the key itself for a function of the user's own.
    keys : mapping
        Name, as LaTeX or as the key that it would have -> the key that it is to have.

    Raises
    ------
    EquationError
        With the place in the LaTeX.
    """
    found = [s for source in sources_of(given) for s in statements(source, read(source))]
    names = {_function_key(k): v for k, v in functions.items()}
    trees = [t for s in found for t in (s.left, s.right)]
    symbols = find_symbols(trees, {**called_words(trees), **names})
    symbols = _at_steps(_with_accents(symbols, found), trees)
    chosen = {plain_key(k): v for k, v in keys.items()}
    renamer = Keys(chosen)
    equations, declared = [], {}
    for statement in found:
        if statement.relation == "in":
            declared.update(_declared(statement, symbols))
            continue
        equation = _equation(statement, symbols, names)
        if equation is not None:
            equations.append(equation)
    if not equations:
        raise EquationError("no equation defines a variable at step t; write one such as 'h_t = ...'")
    rows, transposed = convention(equations)
    if rows:
        equations = [replace(e, right=flipped(e.right, transposed)) for e in equations]
    else:
        for equation, part in ((e, p) for e in equations for p in e.right.walk()):
            if is_one(part):  # in rows it spreads a number of each example over its row
                equation.source.fail(part.tree, "a row of ones has no form here; write the sum or the product out")
    renamer.take(equations, rows)
    unused = next((k for k in chosen if k not in renamer.seen), None)
    if unused is not None:
        raise EquationError(f"keys names {unused!r}, which is in no equation{nearest(unused, renamer.seen)}")
    shapes = {renamer.declared(k): v for k, v in declared.items() if k in renamer.seen}
    return Definitions(tuple(renamer.renamed(e) for e in equations), renamer.written, rows, transposed, shapes)


def _function_key(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else plain_key(name)


def plain_key(name: str) -> str:
    """Return the key of a name that is given as LaTeX or as a key."""
    if re.fullmatch(r"[\w.']+", name) and "_" not in name:
        return name
    try:
        tree = parse(name)
    except NotationError:
        return name
    base, sub = (tree.base, tree.sub) if isinstance(tree, Script) else (tree, None)
    head = head_key(base)
    if head is None or (isinstance(tree, Product)):
        return name
    label = label_of(sub) if sub is not None else None
    if re.fullmatch(r"\w+", name):
        return name
    return head if label is None else f"{head}_{label}"


def called_words(trees: Iterable[Tree]) -> dict[str, str]:
    r"""Return the words and calligraphic letters that a bracket follows, ``\mathrm{var}(z_t)``: functions."""
    found: dict[str, str] = {}
    for part in (p for tree in trees for p in tree.walk() if isinstance(p, Product)):
        for one, two, operator in zip(part.factors, part.factors[1:], part.operators, strict=False):
            opens = operator == "" and isinstance(two, Fence) and two.left == "("
            word = isinstance(one, Name) and len(one.name) > 1 and one.style in ("upright", "text")
            if opens and isinstance(one, Name) and (word or one.style == "cal"):
                found[one.name] = NAMES.get(one.name, one.name)
    return {word: name for word, name in found.items() if word not in FUNCTION_NAMES and word not in ARRAY_FUNCTIONS}


def _at_steps(symbols: Symbols, trees: Iterable[Tree]) -> Symbols:
    """Count only what is read at t among the variables over time: W_1, W_2 and W_3 are three weights."""
    timed = set()
    for part in (p for tree in trees for p in tree.walk() if isinstance(p, Script)):
        indices = [index_of(piece) for piece in parts_of(part.sub)]
        indices += [index_of(part.sup.body)] if isinstance(part.sup, Fence) else []
        if any(i is not None and "t" in i.letters for i in indices):
            head = head_key(part.base)
            timed |= {head} if head is not None else set()
    heads = {h for h in symbols.timed if h in timed or any(h.startswith(f"{base}_") for base in timed)}
    return replace(symbols, timed=frozenset(heads))


def _with_accents(symbols: Symbols, found: Iterable[Statement]) -> Symbols:
    r"""Count ``\hat{h_t}`` among the variables over time, as ``\hat h_t`` is."""
    timed = set(symbols.timed)
    for statement in found:
        for part in (*statement.left.walk(), *statement.right.walk()):
            if isinstance(part, Accent) and isinstance(part.body, Script):
                base = head_key(part.body.base)
                whole = None if base is None else head_key(Accent(part.mark, part.body.base))
                if base in symbols.timed and whole is not None:
                    timed.add(whole)
    return replace(symbols, timed=frozenset(timed))


def _equation(statement: Statement, symbols: Symbols, functions: Mapping[str, str]) -> Equation | None:
    source = statement.source
    left = elaborate(statement.left, symbols)
    if not isinstance(left, Ref):
        source.fail(
            statement.left, f"'{source.piece(statement.left)}' is no variable at step t; write h_t = ... "
            "(layers as h_t^{(1)})"
        )  # fmt: skip
    if left.when is None:
        source.fail(statement.left, f"'{source.piece(statement.left)}' has no step; write {left.key}_t = ...")
    if left.when.is_number:
        if isinstance(statement.right, Script | Name | Fence) or elaborate(statement.right, symbols) == Num(
            Fraction(0)
        ):
            return None  # the initial state is given to the model
        source.fail(statement.left, f"the step {left.when} alone is no equation of a cell, which holds at every t")
    if dict(left.when.terms) != {"t": 1}:
        source.fail(statement.left, f"the step must be t, and not {left.when}")
    right = checked(elaborate(statement.right, symbols), source, functions)
    if left.when.constant:
        right = with_index(right, "t", Index((("t", 1),), -left.when.constant))
    return Equation(left.key, right, source, statement.left)


def checked(e: Expr, source: Source, functions: Mapping[str, str]) -> Expr:
    """Refuse what no cell has, and settle what functions are."""

    def visit(part: Expr) -> Expr:
        if isinstance(part, Unknown):
            source.fail(part.tree, WHY.get(part.key.rpartition(".")[2], "this is not understood"))
        if isinstance(part, Deriv):
            source.fail(part.tree, "a derivative cannot stand in a cell's equations")
        if isinstance(part, Call):
            return _called(part, source, functions)
        if isinstance(part, Constant) and part.kind != "ones":
            source.fail(part.tree, "the identity matrix has no form in a cell's equations; call it otherwise")
        if isinstance(part, Transpose) and isinstance(part.of, Matrix) and len(part.of.rows) == 1:
            cells = (c.of if isinstance(c, Transpose) else c for c in part.of.rows[0])
            return replace(part.of, rows=(tuple(cells),), tree=part.tree)  # [h^T, x^T]^T is h above x
        if isinstance(part, Add):
            ones = (Num(Fraction(1), tree=t.tree) if isinstance(t, Constant) else t for t in part.terms)
            return replace(part, terms=tuple(ones))
        if isinstance(part, Ref):
            _check_name(part, source)
        if isinstance(part, Counter):
            names = part.index.letters
            if len(names) == 1 and part.index.constant == 0 and not names & {"t", "T", "tau"}:
                return Ref(next(iter(names)), tree=part.tree)
            source.fail(part.tree, "the number of a step cannot stand in a cell's equations")
        if isinstance(part, Mul | Div | Bound):
            return _of_blocks(_averaged(_summed(part)))
        return part

    found = e.mapped(visit)
    for part in found.walk():
        for child in part.children:
            if isinstance(child, Constant) and not isinstance(part, Transpose):
                source.fail(child.tree, "a vector of ones has no form here; write the sum out")
    return found


def _summed(e: Expr) -> Expr:
    r"""Return the sum of the entries for a product with ones: ``\mathbf{1}^\top x_t``, ``X_t \mathbf{1}``."""
    if not isinstance(e, Mul):
        return e
    factors: list[Expr] = []
    for factor in e.factors:
        if isinstance(factor, Constant) and factors and any(isinstance(p, Ref) and p.when for p in e.walk()):
            before = factors[0] if len(factors) == 1 else Mul(tuple(factors), ("",) * (len(factors) - 1), tree=e.tree)
            factors = [Call("sum", (before,), tree=e.tree)]
        else:
            factors.append(factor)
    where = next((i for i, f in enumerate(factors[:-1]) if is_one(f)), None)
    if where is not None:
        behind = tuple(factors[where + 1 :])
        rest = behind[0] if len(behind) == 1 else Mul(behind, ("",) * (len(behind) - 1), tree=e.tree)
        factors[where:] = [Call("sum", (rest,), tree=e.tree)]
    if len(factors) == len(e.factors):
        return e
    return factors[0] if len(factors) == 1 else Mul(tuple(factors), ("",) * (len(factors) - 1), tree=e.tree)


def _check_name(e: Ref, source: Source) -> None:
    """Refuse what is no name of a variable or a parameter."""
    piece = source.piece(e.tree)
    if "?" in e.key:
        source.fail(e.tree, f"the subscript of '{piece}' is not understood")
    bare = e.key.partition("_")[0]
    if e.when is None and bare in NO_NAMES:
        source.fail(e.tree, f"'{piece}' cannot stand here")
    if e.when is None and len(bare) > 1 and known_function(bare) and bare != "sigma":
        source.fail(e.tree, f"the function '{piece}' has no argument; put it in brackets behind it")


def _called(e: Call, source: Source, functions: Mapping[str, str]) -> Call:
    """Return a call with the language's name of the function."""
    head = e.tree.factors[0] if isinstance(e.tree, Product) and e.tree.factors else None
    base = head.base if isinstance(head, Script) else head
    label = label_of(head.sub) if isinstance(head, Script) and head.sub is not None else None
    own = head_key(base) if base is not None else None
    key = own if label is None else f"{own}_{label}"
    if key is not None and key in functions:
        return replace(e, name=functions[key])
    name = NAMES.get(e.name, e.name)
    known = known_function(name)
    if label is not None and known is not None:
        name, known = str(key), None  # sigma_g and sigma_c of one text are two functions
    if known is None or e.primes:
        place = head if head is not None else e.tree
        if e.primes:
            source.fail(place, "a derivative cannot stand in a cell's equations")
        written = source.piece(place) if head is not None else e.name
        some = ", ".join(n for n in ("tanh", "sigmoid", "relu", "softmax") if n in known_functions())
        source.fail(
            place, f"the function '{written}' is not known: say what it is with functions={{{name!r}: 'tanh'}} "
            f"({some}, ... or an expression such as 'u / (1 + abs(u))')"
        )  # fmt: skip
    return replace(e, name=name)


def _averaged(e: Expr) -> Expr:
    r"""Return ``mean(z)`` for ``\frac1n \sum_{i=1}^n z_i``."""
    from .meaning.equation import without_places

    parts: list[Expr] = []
    if isinstance(e, Mul) and len(e.factors) == 2 and isinstance(e.factors[0], Div) and _is_one(e.factors[0].top):
        parts = [e.factors[0].bottom, e.factors[1]]
    elif isinstance(e, Div):
        parts = [e.bottom, e.top]
    if len(parts) == 2 and isinstance(parts[0], Ref | Counter) and isinstance(parts[1], Bound):
        size, over = parts
        assert isinstance(over, Bound) and isinstance(size, Ref | Counter)
        name = size.key if isinstance(size, Ref) else str(size.index)
        body = without_places(over.body, over.index)
        if over.kind == "sum" and body is not None and str(over.high) == name and str(over.low) == "1":
            return Call("mean", (body,), tree=e.tree)
    return e


def _of_blocks(e: Expr) -> Expr:
    r"""Return W h + U x for the row of blocks [W U] times the column [h; x]."""
    if isinstance(e, Mul) and len(e.factors) == 2 and all(isinstance(f, Matrix) for f in e.factors):
        row, column = e.factors
        assert isinstance(row, Matrix) and isinstance(column, Matrix)
        weights, parts = row.rows[0], [r[0] for r in column.rows]
        alone = len(row.rows) == 1 and all(len(r) == 1 for r in column.rows)
        if alone and len(weights) == len(parts) > 1 and all(map(is_weight, weights)):
            products = (Mul((w, x), ("",), tree=w.tree) for w, x in zip(weights, parts, strict=True))
            return Add((1,) * len(parts), tuple(products), tree=e.tree)
    return e


def _is_one(e: Expr) -> bool:
    return isinstance(e, Num) and e.value == 1


# -- declarations ---------------------------------------------------------------------------------------


def _declared(statement: Statement, symbols: Symbols) -> dict[str, Any]:
    r"""Return the shape that ``W \in \mathbb{R}^{n \times m}`` gives to W."""
    left, right = elaborate(statement.left, symbols), statement.right
    power = right.sup if isinstance(right, Script) else None
    if not isinstance(left, Ref) or power is None:
        return {}
    sizes = power.factors if isinstance(power, Product) and set(power.operators) == {"times"} else (power,)
    names = [_size(part) for part in sizes]
    if None in names or len(names) > 2:
        return {}
    return {left.key: names[0] if len(names) == 1 else tuple(names)}


def _size(part: Tree) -> Any:
    text = label_of(part)
    if text is None:
        return None
    return int(text) if text.isdigit() else text if text.isidentifier() else None
