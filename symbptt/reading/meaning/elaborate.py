"""From notation trees to expressions, with the symbols of a note at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ..notation.tree import (
    Accent,
    Annotated,
    Big,
    Chain,
    Derivative,
    Dots,
    Empty,
    Evaluated,
    Fence,
    Grid,
    Listing,
    Name,
    Number,
    Plus,
    Product,
    Root,
    Script,
    Tree,
    Words,
)  # fmt: skip
from ..notation.tree import (
    Fraction as FractionTree,
)
from .expr import (
    Add,
    Bound,
    Call,
    Cases,
    Condition,
    Constant,
    Counter,
    Deriv,
    Div,
    Entry,
    Expr,
    Extreme,
    Hadamard,
    Infinity,
    Matrix,
    Mul,
    Norm,
    Num,
    OneHot,
    Outer,
    Over,
    Pick,
    Pow,
    Ref,
    Series,
    Transpose,
    Unknown,
)
from .index import Index, index_of, letter
from .symbols import ARRAY_FUNCTIONS, LOSSES, SPECTRAL, Symbols, head_key, label_of, split_subscript

TRANSPOSES = frozenset({"top", "T"})
INFINITE = frozenset({"infty"})
LOCAL = ("local", "imm", "direct", "explicit", "局部", "直接", "显式", "fixed", "const", "固定")
"""Beginnings of words at an evaluation bar that make a derivative immediate."""


class _FailedError(Exception):
    """A part without a meaning."""

    def __init__(self, key: str, tree: Tree, text: str = "") -> None:
        super().__init__(key)
        self.key, self.tree, self.text = key, tree, text


def elaborate(tree: Tree, symbols: Symbols, bound: frozenset[str] = frozenset()) -> Expr:
    r"""Return the expression that a tree stands for.

    Parameters
    ----------
    tree : Tree
        One operand of a chain; no relations.
    symbols : Symbols
    bound : frozenset of str
        Index letters of sums around it.

    Returns
    -------
    Expr
        :class:`Unknown` where it has no meaning, with the reason.

    Examples
    --------
    >>> from symbptt.reading.notation import parse
    >>> from symbptt.reading.meaning.symbols import find_symbols
    >>> tree = parse(r"f(W_h h_{t-1})")
    >>> elaborate(tree, find_symbols([tree])).arguments[0].factors
    (Ref(key='W_h', when=None), Ref(key='h', when=t-1))
    """
    try:
        return _Elaborator(symbols).expr(tree, bound)
    except _FailedError as failed:
        return Unknown(failed.key, failed.text, tree=failed.tree)
    except RecursionError:
        return Unknown("check.reason.too-large", tree=tree)


class _Elaborator:
    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols
        self.count = 0

    def expr(self, tree: Tree, bound: frozenset[str]) -> Expr:
        known = self.symbols.resolve(tree) if self.symbols.resolve is not None else None
        if known is not None:
            return replace(known, tree=tree)
        rule = _RULES.get(type(tree))
        if rule is None:
            raise _FailedError("check.reason.no-meaning", tree)
        found: Expr = rule(self, tree, bound)
        return replace(found, tree=tree)

    # -- leaves -------------------------------------------------------------------------------------------
    def number(self, tree: Number, bound: frozenset[str]) -> Expr:
        if tree.text == "1" and tree.style in ("bold", "bb"):
            return Constant("ones")
        return Num(Fraction(tree.text), tree.text)

    def name(self, tree: Name | Accent, bound: frozenset[str]) -> Expr:
        key = head_key(tree)
        if key is None:
            if isinstance(tree, Accent) and isinstance(tree.body, Script) and head_key(tree.body.base) is not None:
                return self.script(replace(tree.body, base=replace(tree, body=tree.body.base)), bound)
            raise _FailedError("check.reason.no-meaning", tree)
        if key in INFINITE:
            return Infinity()
        if key == "I" and "I" not in self.symbols.timed:
            return Constant("identity")
        if key in bound or key in ("t", "T") or (key in self.symbols.letters and len(key) == 1 and key in "kijsn"):
            return Counter(letter(key))
        return Ref(key)

    def _known(self, tree: Script) -> tuple[Expr, Script] | None:
        """Return what is known of a symbol without what is raised above it, and the rest; None if nothing is."""
        resolve, sup = self.symbols.resolve, tree.sup
        if resolve is None or sup is None:
            return None
        if isinstance(sup, Product) and not any(sup.operators):
            known = resolve(replace(tree, sup=sup.factors[0]))
            if known is not None:
                rest = sup.factors[1] if len(sup.factors) == 2 else replace(
                    sup, factors=sup.factors[1:], operators=sup.operators[1:]
                )  # fmt: skip
                return known, replace(tree, sup=rest)
        bare = replace(tree, sup=None) if tree.sub is not None or tree.primes else tree.base
        known = resolve(bare)
        return None if known is None else (known, tree)

    def script(self, tree: Script, bound: frozenset[str]) -> Expr:
        known = self._known(tree)
        if known is not None:
            return self._raised(known[0], known[1], bound)
        head = head_key(tree.base)
        if head is not None and not self._is_function(tree.base):
            return self._named(tree, head, bound)
        if tree.sub is not None and isinstance(tree.base, Fence) and tree.base.left in ("|", "||"):
            norm = self.expr(tree.base, bound)
            if isinstance(norm, Norm):
                norm = replace(norm, kind=self._norm_kind(tree.sub), tree=tree)
            return self._raised(norm, tree, bound)
        base = self.expr(tree.base, bound)
        if isinstance(base, Ref) and tree.primes:
            base = replace(base, key=base.key + "'" * tree.primes)
        if isinstance(base, Constant) and isinstance(tree.sub, Chain):
            return self._indicator(tree.sub, tree, bound)
        if tree.sub is not None:
            if isinstance(tree.sub, Listing) and tree.sub.separators == (":",):
                ends = tuple(self.expr(end, bound) for end in tree.sub.items)
                return self._raised(Call("part", (base, *ends)), tree, bound)
            if isinstance(tree.base, Annotated):
                return self._raised(base, tree, bound)
            if isinstance(base, Deriv) and self._says_local(tree.sub):
                return self._raised(replace(base, mode="immediate"), tree, bound)
            base = self._entry(base, tree.sub, tree)
        return self._raised(base, tree, bound)

    def _entry(self, base: Expr, sub: Tree, tree: Tree) -> Expr:
        if self._is_class(sub):
            return Pick(base, self.expr(sub, frozenset()))
        pieces = sub.items if isinstance(sub, Listing) else sub.factors if isinstance(sub, Product) else (sub,)
        places = [index_of(piece) for piece in pieces]
        if None in places:
            raise _FailedError("check.reason.no-meaning", tree)
        return Entry(base, tuple(p for p in places if p is not None))

    def _indicator(self, chain: Chain, tree: Script, bound: frozenset[str]) -> Expr:
        r"""``\mathbf{1}_{i = y}`` is component i of the vector that is 1 at the class y."""
        if len(chain.operands) == 2 and chain.relations[0].kind == "=":
            for place, chosen in (chain.operands, chain.operands[::-1]):
                index = index_of(place)
                if index is not None and isinstance(chosen, Script):
                    return Entry(OneHot(self.expr(chosen, bound)), (index,))
        raise _FailedError("check.reason.no-meaning", tree)

    def _is_class(self, sub: Tree | None) -> bool:
        """Whether a subscript is a variable over time, which can only be a class: ``p_{k_t}``."""
        return (isinstance(sub, Script) and head_key(sub.base) in self.symbols.timed and sub.sub is not None) or (
            isinstance(sub, Script) and head_key(sub.base) in self.symbols.above and sub.sup is not None
        )

    @staticmethod
    def _norm_kind(sub: Tree) -> str:
        text = label_of(sub) or ""
        return {"F": "F", "Fro": "F", "2": "2", "1": "1", "infty": "inf", "op": "2"}.get(text, "")

    def _named(self, tree: Script, head: str, bound: frozenset[str]) -> Expr:
        symbols = self.symbols
        if self._is_class(tree.sub) and tree.sub is not None:
            chosen = self.expr(tree.sub, bound)
            if tree.sup is None:
                return OneHot(chosen)
            whole = self._named(replace(tree, sub=None), head, bound)
            return Pick(whole, chosen)
        label, when, places = split_subscript(head, tree.sub, symbols)
        sup = tree.sup
        if sup is not None and isinstance(sup, Fence) and sup.left in "(<[":
            inner = index_of(sup.body)
            if head in symbols.above and inner is not None:
                when, sup = inner, None
            elif inner is None or not (inner.letters and tree.primes):
                label = f"{label}^{label_of(sup.body) or inner}" if label_of(sup.body) or inner else label
                sup = None
        elif isinstance(sup, Product) and head in symbols.above and self._turned_step(sup) is not None:
            when, sup = self._turned_step(sup), sup.factors[-1]
        elif sup is not None and head in symbols.above and when is None and index_of(sup) is not None:
            when, sup = index_of(sup), None
        elif self._is_label_above(sup, head, when):
            label, sup = f"{label}_{label_of(sup) if sup is not None else ''}".lstrip("_"), None
        elif isinstance(sup, Name) and sup.name in ("ast", "star", "plus", "minus", "dagger"):
            label, sup = f"{label}_{sup.name}".lstrip("_"), None
        if head in symbols.above and len(label) == 1 and (label in bound or label in "ijk") and tree.sub is not None:
            component = index_of(tree.sub)
            label, places = ("", (component,)) if component is not None else (label, places)
        key = head if not label else f"{head}_{label}"
        key = f"{key}{chr(39) * tree.primes}" if tree.primes else key
        if head in bound and not label and when is None:
            base: Expr = Counter(letter(head))
        elif when is None and not label and head in ("t", "T") and sup is None:
            base = Counter(letter(head))
        else:
            base = Ref(key, when)
        if places:
            base = Entry(base, places)
        return self._raised(replace(base, tree=replace(tree, sup=None, end=tree.end)), replace(tree, sup=sup), bound)

    def _turned_step(self, sup: Product) -> Index | None:
        r"""Return the step of ``h^{(t)\top}``."""
        first = sup.factors[0]
        if len(sup.factors) != 2 or not isinstance(first, Fence) or not self._transposes(sup.factors[1]):
            return None
        return index_of(first.body)

    def _is_label_above(self, sup: Tree | None, head: str, when: Index | None) -> bool:
        """Whether a letter above a variable at a step is a label: the f of ``z^f_t``."""
        if not isinstance(sup, Name) or when is None or head not in self.symbols.timed:
            return False
        return (len(sup.name) == 1 and sup.name not in "TtknmpK") or sup.style == "text"

    def _raised(self, base: Expr, tree: Script, bound: frozenset[str]) -> Expr:
        sup = tree.sup
        if sup is None:
            return base
        if isinstance(sup, Name) and sup.name == "top":
            return Transpose(base)
        if isinstance(sup, Name) and sup.name == "T" and not self._is_scalar(base, sup):
            return Transpose(base)
        if isinstance(sup, Product) and isinstance(sup.factors[0], Empty) and sup.operators[0] == "odot":
            power = sup.factors[1] if len(sup.factors) == 2 else replace(
                sup, factors=sup.factors[1:], operators=sup.operators[1:]
            )  # fmt: skip
            return Call("entrywise_power", (base, self.expr(power, bound)))
        if isinstance(sup, Product) and not any(sup.operators) and self._transposes(sup.factors[-1]):
            rest = sup.factors[0] if len(sup.factors) == 2 else replace(
                sup, factors=sup.factors[:-1], operators=sup.operators[:-1]
            )  # fmt: skip
            return Transpose(Pow(base, self.expr(rest, bound), tree=tree))
        if isinstance(sup, Name) and sup.name in ("ast", "star", "plus", "minus", "dagger", "circ"):
            if isinstance(base, Ref):
                return replace(base, key=f"{base.key}_{sup.name}")
            raise _FailedError("check.reason.no-meaning", tree)
        if isinstance(sup, Plus) and sup.signs == ("-",) and self._transposes(sup.terms[0]):
            return Transpose(Pow(base, Num(Fraction(-1))))
        return Pow(base, self.expr(sup, bound))

    @staticmethod
    def _transposes(tree: Tree) -> bool:
        return isinstance(tree, Name) and tree.name in TRANSPOSES

    def _is_scalar(self, base: Expr, sup: Name) -> bool:
        """Whether a T above something is the number of steps: above a number, or a letter known to be one."""
        if sup.style:
            return False
        if self.symbols.strict:
            return True
        if isinstance(base, Num | Counter | Norm):
            return True
        return isinstance(base, Ref) and base.key in self.symbols.scalars

    # -- sums and products --------------------------------------------------------------------------------
    def plus(self, tree: Plus, bound: frozenset[str]) -> Expr:
        signs = tuple(-1 if sign == "-" else 1 for sign in tree.signs)
        if any(sign in ("pm", "oplus") for sign in tree.signs):
            raise _FailedError("check.reason.no-meaning", tree)
        dots = [i for i, term in enumerate(tree.terms) if isinstance(term, Dots)]
        if not dots:
            return Add(signs, tuple(self.expr(term, bound) for term in tree.terms))
        if len(dots) > 1:
            raise _FailedError("check.reason.open-ended", tree)
        where = dots[0]
        before = tuple(self.expr(t, bound) for t in tree.terms[:where])
        after = tuple(self.expr(t, bound) for t in tree.terms[where + 1 :])
        if not before or not after:
            raise _FailedError("check.reason.open-ended", tree)
        return Series("sum", before, after, signs[:where] + signs[where + 1 :])

    def product(self, tree: Product, bound: frozenset[str]) -> Expr:
        factors, operators = self._applied(list(tree.factors), list(tree.operators), bound)
        return _grouped(factors, operators, tree)

    def _applied(self, trees: list[Tree], operators: list[str], bound: frozenset[str]) -> tuple[list[Expr], list[str]]:
        """Apply functions to what follows them, and return the factors that are left."""
        factors: list[Expr] = []
        kept: list[str] = []
        i = 0
        while i < len(trees):
            if i:
                kept.append(operators[i - 1])
            tree = trees[i]
            used = 1
            special = self._special(trees, operators, i, bound)
            if isinstance(tree, Dots):
                found: Expr = Unknown("dots", tree=tree)
            elif special is not None:
                found, used = special
            elif not self.symbols.strict and self._is_composite(trees, operators, i):
                found, used = self._composite(trees, i, bound), 2
            elif self._is_function(tree):
                found, used = self._call(trees, operators, i, bound)
            elif isinstance(tree, Derivative) and tree.of is None:
                found, used = self._operator(trees, operators, i, bound)
            elif self._annotates(trees, operators, i):
                found, used = self.expr(tree, bound), 2
            else:
                found = self.expr(tree, bound)
            factors.append(found)
            i += used
        return factors, kept

    def _is_composite(self, trees: list[Tree], operators: list[str], i: int) -> bool:
        r"""Whether two letters are one symbol: the gradients ``dh_t`` and ``\delta h_t`` of some notes."""
        tree = trees[i]
        if not isinstance(tree, Name) or tree.name not in ("d", "delta", "Delta") or tree.name in self.symbols.timed:
            return False
        if i + 1 >= len(trees) or operators[i] != "":
            return False
        following = trees[i + 1]
        head = head_key(following.base) if isinstance(following, Script) else None
        return head is not None and following.end > 0 and not (i and isinstance(trees[i - 1], Dots))

    def _composite(self, trees: list[Tree], i: int, bound: frozenset[str]) -> Expr:
        tree, following = trees[i], trees[i + 1]
        inner = self.expr(following, bound)
        whole = Product((tree, following), ("",), start=tree.start, end=following.end)
        prefix = tree.name if isinstance(tree, Name) else ""

        def rule(part: Expr) -> Expr:
            return replace(part, key=f"{prefix}_{part.key}") if isinstance(part, Ref) else part

        if not isinstance(inner, Ref | Transpose | Entry):
            raise _FailedError("check.reason.no-meaning", following)
        return replace(inner.mapped(rule), tree=whole)

    def _special(
        self, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]
    ) -> tuple[Expr, int] | None:
        """Return the call of a symbol that is known to take what stands in the bracket behind it."""
        if self.symbols.calls is None or i + 1 >= len(trees) or operators[i] != "":
            return None
        fence = trees[i + 1]
        after = fence if isinstance(fence, Script) else None
        if after is not None:
            fence = after.base
        made = self.symbols.calls(trees[i], fence) if isinstance(fence, Fence) else None
        if made is None:
            return None
        name, arguments = made
        whole = Product((trees[i], trees[i + 1]), ("",), start=trees[i].start, end=trees[i + 1].end)
        call: Expr = Call(name, tuple(self.expr(argument, bound) for argument in arguments), tree=whole)
        return (call if after is None else replace(self._raised(call, after, bound), tree=whole)), 2

    def _annotates(self, trees: list[Tree], operators: list[str], i: int) -> bool:
        """Whether a bracket after a variable over time only says what it depends on: ``L_t(y_t, \\hat{y}_t)``."""
        if self.symbols.strict or i + 1 >= len(trees) or operators[i] != "" or not isinstance(trees[i + 1], Fence):
            return False
        tree, body = trees[i], trees[i + 1]
        head = tree.base if isinstance(tree, Script) else tree
        assert isinstance(body, Fence)
        stepped = isinstance(tree, Script) and tree.sub is not None and head_key(head) in self.symbols.timed
        if stepped and isinstance(tree, Script) and tree.sup is None and body.left == "(" and head_key(head) in LOSSES:
            return True
        listed = isinstance(body.body, Listing) and set(body.body.separators) <= {",", ";", "|"}
        known = head_key(head) in self.symbols.timed or head_key(head) in LOSSES
        return isinstance(tree, Script | Name) and known and body.left == "(" and listed

    def _call(self, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]) -> tuple[Expr, int]:
        tree = trees[i]
        base, primes, power = tree, 0, None
        if isinstance(tree, Script):
            base, primes, power = tree.base, tree.primes, tree.sup
        label = label_of(tree.sub) if isinstance(tree, Script) and tree.sub is not None else None
        head = head_key(base) or ""
        if isinstance(power, Name) and power.name == "prime":
            primes, power = primes + 1, None
        if isinstance(power, Fence) and isinstance(power.body, Number):
            primes, power = int(power.body.text), None
        key = f"{head}_{label}" if label else head
        if self.symbols.strict and not self._before_bracket(trees, operators, i):
            return self.expr(tree, bound), 1  # a letter that is a function elsewhere: sigma^2
        if i + 1 >= len(trees) or (key in SPECTRAL and not isinstance(trees[i + 1], Fence)):
            return Ref(key + "'" * primes, tree=tree), 1
        following, used, after = trees[i + 1], 2, None
        if operators[i] != "":
            return Ref(key + "'" * primes, tree=tree), 1
        if isinstance(following, Script) and following.sub is None and self._opens(following.base):
            after, following = following, following.base
        if isinstance(following, Fence) and following.left in ("(", "[", "{"):
            arguments = self._arguments(following, bound)
        else:
            used = self._reach(trees, operators, i)
            parts = trees[i + 1 : i + used]
            joined = parts[0] if len(parts) == 1 else Product(
                tuple(parts), tuple(operators[i + 1 : i + used - 1]), start=parts[0].start, end=parts[-1].end
            )  # fmt: skip
            arguments = (self.expr(joined, bound),)
        last = trees[i + used - 1]
        whole = Product((tree, last), ("",), start=tree.start, end=last.end)
        call: Expr = self._called(key, arguments, primes, whole)
        if after is not None:
            call = self._raised(call, after, bound)
        if power is not None:
            inverse = isinstance(power, Plus)
            if inverse:
                raise _FailedError("check.reason.no-meaning", tree)
            call = Pow(call, self.expr(power, bound), tree=whole)
        return replace(call, tree=whole), used

    @staticmethod
    def _opens(tree: Tree) -> bool:
        return isinstance(tree, Fence) and tree.left in "(["

    @staticmethod
    def _before_bracket(trees: list[Tree], operators: list[str], i: int) -> bool:
        following = trees[i + 1] if i + 1 < len(trees) and operators[i] == "" else None
        fence = following.base if isinstance(following, Script) else following
        return isinstance(fence, Fence) and fence.left in ("(", "[", "{")

    def _called(self, key: str, arguments: tuple[Expr, ...], primes: int, tree: Tree) -> Expr:
        name = key if key in SPECTRAL else ARRAY_FUNCTIONS.get(key)
        if name == "prod" and len(arguments) > 1:  # the product of Jacobians in "Dive into Deep Learning"
            return Mul(arguments, ("",) * (len(arguments) - 1), tree=tree)
        if name in ("norm", "abs") and len(arguments) == 1 and not primes:
            return Norm(arguments[0], "" if name == "norm" else "abs")
        if name is not None:
            return Call(name, arguments, primes)
        return Call(self.symbols.functions.get(key) or self.symbols.functions.get(key.split("_")[0]) or key,
                    arguments, primes)  # fmt: skip

    def _reach(self, trees: list[Tree], operators: list[str], i: int) -> int:
        """Return how many factors belong to a function without brackets: those side by side after it."""
        end = i + 1
        while end + 1 < len(trees) and operators[end] == "" and not self._is_function(trees[end + 1]):
            if isinstance(trees[end + 1], Fence | Big | Derivative):
                break
            end += 1
        return end - i + 1

    def _arguments(self, fence: Fence, bound: frozenset[str]) -> tuple[Expr, ...]:
        body = fence.body
        if isinstance(body, Listing):
            return tuple(self.expr(item, bound) for item in body.items)
        return (self.expr(body, bound),)

    def _operator(self, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]) -> tuple[Expr, int]:
        """``\\frac{\\partial}{\\partial x}`` before what it differentiates."""
        tree = trees[i]
        assert isinstance(tree, Derivative)
        if i + 1 >= len(trees):
            raise _FailedError("check.reason.no-meaning", tree)
        rest = trees[i + 1 :]
        joined = rest[0] if len(rest) == 1 else Product(
            tuple(rest), tuple(operators[i + 1 :]), start=rest[0].start, end=rest[-1].end
        )  # fmt: skip
        return self.expr(replace(tree, of=joined, end=joined.end), bound), len(rest) + 1

    def _is_function(self, tree: Tree) -> bool:
        base = tree.base if isinstance(tree, Script) else tree
        if isinstance(tree, Script) and isinstance(tree.sup, Fence) and not isinstance(tree.sup.body, Number):
            return False
        head = head_key(base) if isinstance(base, Name | Accent) else None
        if head is None:
            return False
        if isinstance(tree, Script) and tree.sub is not None:
            if head in self.symbols.timed:
                return False
            label = label_of(tree.sub)
            key = f"{head}_{label}"
            return head in self.symbols.functions or key in self.symbols.functions or key in SPECTRAL
        return head in self.symbols.functions or head in ARRAY_FUNCTIONS

    # -- other parts --------------------------------------------------------------------------------------
    def fraction(self, tree: FractionTree, bound: frozenset[str]) -> Expr:
        return Div(self.expr(tree.top, bound), self.expr(tree.bottom, bound))

    def root(self, tree: Root, bound: frozenset[str]) -> Expr:
        degree = self.expr(tree.degree, bound) if tree.degree is not None else Num(Fraction(2))
        return Pow(self.expr(tree.body, bound), Div(Num(Fraction(1)), degree))

    def fence(self, tree: Fence, bound: frozenset[str]) -> Expr:
        if tree.left in ("|", "||"):
            body = self.expr(tree.body, bound)
            return Norm(body, "abs" if tree.left == "|" else "")
        if tree.left in ("floor", "ceil"):
            return Call(tree.left, (self.expr(tree.body, bound),))
        if isinstance(tree.body, Listing):
            return self._list(tree, bound)
        if isinstance(tree.body, Chain | Empty | Words):
            raise _FailedError("check.reason.no-meaning", tree)
        return self.expr(tree.body, bound)

    def _list(self, tree: Fence, bound: frozenset[str]) -> Expr:
        body = tree.body
        assert isinstance(body, Listing)
        if set(body.separators) <= {",", ";"} and not any(isinstance(i, Dots | Words) for i in body.items):
            if ";" in body.separators or tree.left != "[":
                return Matrix(tuple((self.expr(item, bound),) for item in body.items))
            return Matrix((tuple(self.expr(item, bound) for item in body.items),))
        items = [item for item in body.items if not isinstance(item, Words)]
        if len(items) == 1:
            return self.expr(items[0], bound)
        raise _FailedError("check.reason.no-meaning", tree)

    def grid(self, tree: Grid, bound: frozenset[str]) -> Expr:
        if tree.kind == "cases":
            return Cases(tuple((self.expr(row[0], bound), self._condition(row[1:], bound)) for row in tree.rows))
        if any(isinstance(cell, Dots) for row in tree.rows for cell in row):
            raise _FailedError("check.reason.open-ended", tree)
        return Matrix(tuple(tuple(self.expr(cell, bound) for cell in row) for row in tree.rows))

    def _condition(self, cells: tuple[Tree, ...], bound: frozenset[str]) -> Any:
        """Return the condition of a case: relations between expressions, None for "otherwise", or as it is written."""
        if not cells or (isinstance(cells[0], Name) and cells[0].name == "otherwise"):
            return None
        if isinstance(cells[0], Chain):
            operands = tuple(self.expr(operand, bound) for operand in cells[0].operands)
            return Condition(operands, tuple(relation.kind for relation in cells[0].relations), tree=cells[0])
        return cells[0]

    def annotated(self, tree: Annotated, bound: frozenset[str]) -> Expr:
        return self.expr(tree.body, bound)

    def derivative(self, tree: Derivative, bound: frozenset[str]) -> Expr:
        if tree.of is None or not tree.by:
            raise _FailedError("check.reason.no-meaning", tree)
        order = 1
        if tree.order is not None:
            if not isinstance(tree.order, Number):
                raise _FailedError("check.reason.second-order", tree)
            order = int(tree.order.text)
        mode = ""
        if tree.mark is not None:
            mode = self._mode(tree.mark, tree)
        by = tuple(self.expr(self._without_order(part, order), bound) for part in tree.by)
        self.count += 1
        return Deriv(self.expr(tree.of, bound), by, mode, max(order, len(by)), tree.symbol, number=self.count)

    def _mode(self, mark: Tree, tree: Tree) -> str:
        """Return the mode of a derivative by the mark of its symbol; an accent keeps its name."""
        if isinstance(mark, Accent) and self.symbols.strict:
            return f"mark {mark.mark}"
        if not isinstance(mark, Name) or mark.name not in ("plus", "circ"):
            raise _FailedError("check.reason.marked-derivative", tree)
        return "immediate" if mark.name == "plus" else "direct"

    @staticmethod
    def _without_order(tree: Tree, order: int) -> Tree:
        if order > 1 and isinstance(tree, Script) and isinstance(tree.sup, Number) and tree.sup.text == str(order):
            return replace(tree, sup=None) if tree.sub is not None else tree.base
        return tree

    def evaluated(self, tree: Evaluated, bound: frozenset[str]) -> Expr:
        body = self.expr(tree.body, bound)
        says = tree.sub is not None and (self._says_local(tree.sub) or self._holds_state(tree.sub))
        if isinstance(body, Deriv) and says:
            return replace(body, mode="immediate")
        raise _FailedError("check.reason.no-meaning", tree)

    @staticmethod
    def _says_local(sub: Tree) -> bool:
        text = label_of(sub) or (sub.text if isinstance(sub, Words) else "")
        return text.strip().lower().startswith(LOCAL)

    @staticmethod
    def _holds_state(sub: Tree) -> bool:
        """Whether a bar names what is held fixed: ``|_{h_{t-1}}``, or says so in words."""
        parts = list(sub.walk())
        words = [p.text for p in parts if isinstance(p, Words)] + [p.name for p in parts if isinstance(p, Name)]
        return isinstance(sub, Script) or any(w.strip().lower().startswith(LOCAL) for w in words)

    # -- sums and products over indices -------------------------------------------------------------------
    def big(self, tree: Big, bound: frozenset[str]) -> Expr:
        if isinstance(tree.body, Empty):
            raise _FailedError("check.reason.no-meaning", tree)
        if tree.kind in ("sum", "prod"):
            return self._over(tree, bound)
        if tree.kind in ("max", "min", "sup", "inf", "lim", "argmax", "argmin"):
            return self._extreme(tree, bound)
        raise _FailedError("check.reason.no-meaning", tree)

    def _over(self, tree: Big, bound: frozenset[str]) -> Expr:
        sub = tree.sub
        high = None if tree.sup is None else index_of(tree.sup)
        if sub is None:
            raise _FailedError("check.reason.no-bounds", tree)
        if isinstance(sub, Name):
            return Bound(tree.kind, sub.name, None, high, self.expr(tree.body, bound | {sub.name}))
        if isinstance(sub, Listing) and all(isinstance(item, Name) for item in sub.items):
            body = self.expr(tree.body, bound | {item.name for item in sub.items if isinstance(item, Name)})
            for item in reversed(sub.items):
                assert isinstance(item, Name)
                body = Bound(tree.kind, item.name, None, None, body, tree=tree)
            return body
        chain = sub.items[0] if isinstance(sub, Listing) else sub
        if not isinstance(chain, Chain):
            raise _FailedError("check.reason.no-meaning", tree)
        return self._bounded(tree, chain, high, bound)

    def _bounded(self, tree: Big, chain: Chain, high: Index | None, bound: frozenset[str]) -> Expr:
        kinds = [r.kind for r in chain.relations]
        indices = [index_of(o) for o in chain.operands]
        if kinds == ["="] and isinstance(chain.operands[0], Name):
            name = chain.operands[0].name
            low = indices[1]
            if (low is None or high is None) and tree.sup is not None:
                ends = self.expr(chain.operands[1], bound), self.expr(tree.sup, bound)
                return Over(tree.kind, name, *ends, self.expr(tree.body, bound | {name}))
            if low is None:
                raise _FailedError("check.reason.no-meaning", tree)
            return Bound(tree.kind, name, low, high, self.expr(tree.body, bound | {name}))
        if all(k in ("<", "le", ">", "ge", "ne") for k in kinds) and None not in indices:
            names = [o.name for o in chain.operands if isinstance(o, Name)]
            free = [n for n in names if n not in bound | {"t", "T"}] or names
            if free:
                conditions: Any = tuple(zip(kinds, indices, indices[1:], strict=False))
                return Bound(tree.kind, free[0], None, high, self.expr(tree.body, bound | {free[0]}), conditions)
        raise _FailedError("check.reason.no-meaning", tree)

    def _extreme(self, tree: Big, bound: frozenset[str]) -> Expr:
        if tree.kind == "lim" and isinstance(tree.sub, Chain) and isinstance(tree.sub.operands[0], Name):
            name = tree.sub.operands[0].name
            return Extreme("lim", name, self.expr(tree.body, bound | {name}), self.expr(tree.sub.operands[-1], bound))
        over = tree.sub.name if isinstance(tree.sub, Name) else None
        return Extreme(tree.kind, over, self.expr(tree.body, bound | ({over} if over else set())))


def _grouped(factors: list[Expr], operators: list[str], tree: Tree) -> Expr:
    """Join factors: products first, then quotients by ``/`` from left to right, then entrywise products."""
    groups: list[tuple[list[Expr], list[str]]] = [([factors[0]], [])]
    between: list[str] = []
    for operator, factor in zip(operators, factors[1:], strict=True):
        if operator in ("odot", "circ", "oslash", "otimes"):
            between.append(operator)
            groups.append(([factor], []))
        elif operator == "oplus":
            raise _FailedError("check.reason.no-meaning", tree)
        else:
            groups[-1][0].append(factor)
            groups[-1][1].append("" if operator == "at" else operator)
    if between and any(isinstance(f, Unknown) for group in groups for f in group[0]):
        raise _FailedError("check.reason.open-ended", tree)
    joined = [_multiplied(group, kinds, tree) for group, kinds in groups]
    result = joined[0]
    for operator, part in zip(between, joined[1:], strict=True):
        span = Product((), (), start=result.tree.start, end=part.tree.end)
        if operator == "otimes":
            result = Outer(result, part, tree=span)
        elif operator == "oslash":
            result = Div(result, part, True, tree=span)
        elif isinstance(result, Hadamard) and result.tree.start == joined[0].tree.start:
            result = Hadamard((*result.factors, part), tree=span)
        else:
            result = Hadamard((result, part), tree=span)
    return result


def _multiplied(factors: list[Expr], kinds: list[str], tree: Tree) -> Expr:
    while "/" in kinds:
        i = kinds.index("/")
        first = 0
        top = factors[0] if i == 0 else _product(factors[: i + 1], kinds[:i])
        bottom = factors[i + 1]
        joined = Div(top, bottom, tree=Product((), (), start=top.tree.start, end=bottom.tree.end))
        factors[first : i + 2] = [joined]
        kinds[first : i + 1] = []
    return factors[0] if len(factors) == 1 else _product(factors, kinds)


def _product(factors: list[Expr], kinds: list[str]) -> Expr:
    span = Product((), (), start=factors[0].tree.start, end=factors[-1].tree.end)
    dots = [i for i, f in enumerate(factors) if isinstance(f, Unknown) and f.key == "dots"]
    if not dots:
        return factors[0] if len(factors) == 1 else Mul(tuple(factors), tuple(kinds), tree=span)
    where = dots[0]
    if len(dots) > 1 or where == 0 or where == len(factors) - 1:
        raise _FailedError("check.reason.open-ended", factors[where].tree)
    return Series("product", tuple(factors[:where]), tuple(factors[where + 1 :]), tree=span)


_RULES: dict[type, Callable[[_Elaborator, Any, frozenset[str]], Expr]] = {
    Number: _Elaborator.number,
    Name: _Elaborator.name,
    Accent: _Elaborator.name,
    Script: _Elaborator.script,
    Plus: _Elaborator.plus,
    Product: _Elaborator.product,
    FractionTree: _Elaborator.fraction,
    Root: _Elaborator.root,
    Fence: _Elaborator.fence,
    Grid: _Elaborator.grid,
    Annotated: _Elaborator.annotated,
    Derivative: _Elaborator.derivative,
    Evaluated: _Elaborator.evaluated,
    Big: _Elaborator.big,
}
"""Kind of tree -> what makes an expression of it."""
