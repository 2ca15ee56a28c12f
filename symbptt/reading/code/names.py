"""Which returned array is the gradient by what: told by their names, as notes write them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

_ENDS = re.compile(r"_?(?:grads?|bar)$")
LOSSES = ("loss", "L", "cost", "J", "E", "err", "error", "total_loss", "l")


def is_array(value: Any) -> bool:
    """Return whether a value is an array of floats or a float."""
    return isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def base_names(name: str) -> list[str]:
    """Return what a gradient of this name may be the gradient by.

    >>> base_names("dLdW_h"), base_names("grad_b"), base_names("W_grad"), base_names("h")
    (['W_h', 'LdW_h', 'dW_h'], ['b', '_b'], ['W'], [])
    """
    found = [name[len(mark) :] for mark in ("dLd", "dL_d", "dL_", "d_", "d", "dL", "grad_", "grads_", "grad", "g_",
             "delta_", "nabla_", "D", "∂") if name.startswith(mark)]  # fmt: skip
    found += [_ENDS.sub("", name)] if _ENDS.search(name) else []
    return list(dict.fromkeys(base for base in found if base))


def belongs(name: str, known: Iterable[str], key: bool = False) -> str | None:
    """Return the array that a gradient of some name is by; ``key`` where it is the key of a mapping of gradients.

    >>> belongs("dWhh", ["W_hh", "b"]), belongs("b", ["b"], key=True), belongs("b", ["b"]), belongs("dh", ["b"])
    ('W_hh', 'b', None, None)
    """
    options = list(known)
    bases = [*([name] if key else []), *base_names(name)]
    for form in (str, lambda text: text.replace("_", "")):
        for base in bases:
            for option in options:
                if form(option) == form(base):
                    return option
    return None


def parts(value: Any, node: ast.expr | None, inner: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Yield (name, value, whether it is a key) of all arrays that a function returned.

    Parameters
    ----------
    value : object
        What it returned.
    node : ast.expr or None
        The expression behind its ``return``.
    inner : bool
        Whether this is a part of something: a list of gradients stands beside the loss, in the order of the arrays.
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            if is_array(part):
                yield str(key), part, True
            elif isinstance(part, Mapping):
                yield from parts(part, None, True)
    elif isinstance(value, tuple | list):
        named = isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(value)
        if named:
            assert isinstance(node, ast.Tuple | ast.List)
            for part, element in zip(value, node.elts, strict=True):
                yield from parts(part, element, True)
        if inner or not named:
            for i, part in enumerate(value):
                if is_array(part):
                    yield f"[{i}]", part, True
                elif isinstance(part, Mapping):
                    yield from parts(part, None, True)
    elif is_array(value):
        yield expression_name(node), value, False


def expression_name(node: ast.expr | None) -> str:
    """Return the name of a variable or attribute, also within an expression of it such as ``dW / T``.

    >>> expression_name(ast.parse("np.clip(self.dW.T, -5, 5)", mode="eval").body)
    'dW'
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return expression_name(node.value) if node.attr == "T" else node.attr
    if isinstance(node, ast.BinOp):
        return expression_name(node.left) or expression_name(node.right)
    if isinstance(node, ast.UnaryOp):
        return expression_name(node.operand)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not node.args:  # dW.copy()
            return expression_name(node.func.value)
        return expression_name(node.args[0]) if node.args else ""
    return ""
