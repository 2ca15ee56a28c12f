"""Functions and what they are applied to."""

from __future__ import annotations

from dataclasses import replace

from ...notation.tree import Accent, Big, Derivative, Fence, Listing, Name, Number, Plus, Product, Script, Tree
from ..expr import Call, Expr, Mul, Norm, Pow, Ref
from ..symbols import ARRAY_FUNCTIONS, SPECTRAL, head_key, label_of
from .powers import raised
from .rules import Elaboration, FailedError


def is_function(e: Elaboration, tree: Tree) -> bool:
    """Whether a name, with what stands below and above it, is that of a function."""
    base = tree.base if isinstance(tree, Script) else tree
    if isinstance(tree, Script) and isinstance(tree.sup, Fence) and not isinstance(tree.sup.body, Number):
        return False
    head = head_key(base) if isinstance(base, Name | Accent) else None
    if head is None:
        return False
    if isinstance(tree, Script) and tree.sub is not None:
        if head in e.symbols.timed:
            return False
        label = label_of(tree.sub)
        key = f"{head}_{label}"
        return head in e.symbols.functions or key in e.symbols.functions or key in SPECTRAL
    return head in e.symbols.functions or head in ARRAY_FUNCTIONS


def known_call(
    e: Elaboration, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]
) -> tuple[Expr, int] | None:
    """Return the call of a symbol that is known to take what stands in the bracket behind it."""
    if e.symbols.calls is None or i + 1 >= len(trees) or operators[i] != "":
        return None
    fence = trees[i + 1]
    after = fence if isinstance(fence, Script) else None
    if after is not None:
        fence = after.base
    made = e.symbols.calls(trees[i], fence) if isinstance(fence, Fence) else None
    if made is None:
        return None
    name, arguments = made
    whole = Product((trees[i], trees[i + 1]), ("",), start=trees[i].start, end=trees[i + 1].end)
    call: Expr = Call(name, tuple(e.expr(argument, bound) for argument in arguments), tree=whole)
    return (call if after is None else replace(raised(e, call, after, bound), tree=whole)), 2


def apply(e: Elaboration, trees: list[Tree], operators: list[str], i: int, bound: frozenset[str]) -> tuple[Expr, int]:
    """Return a function with what it is applied to, and how many trees that takes."""
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
    if e.symbols.strict and not _before_bracket(trees, operators, i):
        return e.expr(tree, bound), 1  # a letter that is a function elsewhere: sigma^2
    if i + 1 >= len(trees) or (key in SPECTRAL and not isinstance(trees[i + 1], Fence)):
        return Ref(key + "'" * primes, tree=tree), 1
    following, used, after = trees[i + 1], 2, None
    if operators[i] != "":
        return Ref(key + "'" * primes, tree=tree), 1
    if isinstance(following, Script) and following.sub is None and _opens(following.base):
        after, following = following, following.base
    if isinstance(following, Fence) and following.left in ("(", "[", "{"):
        arguments = _arguments(e, following, bound)
    else:
        used = _reach(e, trees, operators, i)
        parts = trees[i + 1 : i + used]
        joined = parts[0] if len(parts) == 1 else Product(
            tuple(parts), tuple(operators[i + 1 : i + used - 1]), start=parts[0].start, end=parts[-1].end
        )  # fmt: skip
        arguments = (e.expr(joined, bound),)
    last = trees[i + used - 1]
    whole = Product((tree, last), ("",), start=tree.start, end=last.end)
    call: Expr = _named_call(e, key, arguments, primes, whole)
    if after is not None:
        call = raised(e, call, after, bound)
    if power is not None:
        inverse = isinstance(power, Plus)
        if inverse:
            raise FailedError("check.reason.no-meaning", tree)
        call = Pow(call, e.expr(power, bound), tree=whole)
    return replace(call, tree=whole), used


def _before_bracket(trees: list[Tree], operators: list[str], i: int) -> bool:
    following = trees[i + 1] if i + 1 < len(trees) and operators[i] == "" else None
    fence = following.base if isinstance(following, Script) else following
    return isinstance(fence, Fence) and fence.left in ("(", "[", "{")


def _opens(tree: Tree) -> bool:
    return isinstance(tree, Fence) and tree.left in "(["


def _named_call(e: Elaboration, key: str, arguments: tuple[Expr, ...], primes: int, tree: Tree) -> Expr:
    name = key if key in SPECTRAL else ARRAY_FUNCTIONS.get(key)
    if name == "prod" and len(arguments) > 1:  # the product of Jacobians in "Dive into Deep Learning"
        return Mul(arguments, ("",) * (len(arguments) - 1), tree=tree)
    if name in ("norm", "abs") and len(arguments) == 1 and not primes:
        return Norm(arguments[0], "" if name == "norm" else "abs")
    if name is not None:
        return Call(name, arguments, primes)
    return Call(e.symbols.functions.get(key) or e.symbols.functions.get(key.split("_")[0]) or key,
                arguments, primes)  # fmt: skip


def _reach(e: Elaboration, trees: list[Tree], operators: list[str], i: int) -> int:
    """Return how many factors belong to a function without brackets: those side by side after it."""
    end = i + 1
    while end + 1 < len(trees) and operators[end] == "" and not is_function(e, trees[end + 1]):
        if isinstance(trees[end + 1], Fence | Big | Derivative):
            break
        end += 1
    return end - i + 1


def _arguments(e: Elaboration, fence: Fence, bound: frozenset[str]) -> tuple[Expr, ...]:
    body = fence.body
    if isinstance(body, Listing):
        return tuple(e.expr(item, bound) for item in body.items)
    return (e.expr(body, bound),)
