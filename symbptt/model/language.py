"""The equation language: Python syntax, parsed with :mod:`ast` and never evaluated.

``@`` matrix product, ``*`` elementwise or by a scalar, ``.T``, ``+ - / **``, ``x[t]``, ``h[t-1]``, function names.
A name may say the layer and the direction that it belongs to: ``2.W_h``, ``forward.h[t-1]``, ``1.backward.z[t]``.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from .. import algebra as A
from ..errors import EquationError, nearest

ALIASES = {"sigma": "sigmoid", "logistic": "sigmoid", "ReLU": "relu", "norm2": "norm2"}
"""Other names of functions; ``sigma`` is the logistic function unless a model says otherwise."""

REDUCTIONS: dict[str, Any] = {
    "sum": A.entry_sum,
    "mean": A.mean,
    "variance": A.variance,
    "max": A.max_entry,
    "norm2": A.squared_norm,
    "trace": A.trace,
}
"""Functions from an array to a scalar."""

VECTOR_FUNCTIONS: dict[str, Any] = {
    "softmax": A.softmax,
    "diag": A.diag,
    "inner": A.inner,
    "outer": A.outer,
    "concat": A.concat,
}
"""Functions of vectors with a shape of their own."""

OPERATORS: dict[type, Any] = {
    ast.Add: A.add,
    ast.Sub: A.subtract,
    ast.Mult: A.elementwise_product,
    ast.Div: A.divide,
    ast.MatMult: A.matmul,
    ast.Pow: A.power,
}

LARGEST, LARGEST_EXPONENT = 1e100, 100
"""Limits of the numbers that can be written in an equation."""


@dataclass(frozen=True)
class Parsed:
    """One equation: its text, the name on the left (None for an expression) and the tree on the right."""

    text: str
    name: str | None
    tree: ast.expr

    def segment(self, tree: ast.AST) -> str:
        """Return the source text of a part."""
        return dotted(ast.get_source_segment(_plain(self.text), tree) or self.text)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What :func:`uses` returns."""
        found: dict[Use, None] = {}
        for part, _ in _walk(self.tree):
            if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name):
                found[Use(part.value.id, _lag(self, part))] = None
            elif isinstance(part, ast.Name):
                found[Use(part.id, None)] = None
        return tuple(found)


def known_functions(functions: Mapping[str, Any] = {}) -> list[str]:
    """Return every function name of the language, the user's own included."""
    return [*A.FUNCTIONS, *ALIASES, *REDUCTIONS, *VECTOR_FUNCTIONS, *functions]


def parse_equation(text: str, functions: Mapping[str, Any] = {}) -> Parsed:
    """Parse ``name[t] = expression``.

    Raises
    ------
    EquationError
        Where the text is not in the language; nothing is ever executed.

    Examples
    --------
    >>> parse_equation("z[t] = W_h @ h[t-1]").name
    'z'
    """
    body = _statements(text)
    if not isinstance(body, ast.Assign):
        raise EquationError(f"equation {text!r}: write name[t] = expression")
    target = body.targets[0]
    if len(body.targets) != 1 or not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        raise EquationError(f"equation {text!r}: the left side must be one name at t, such as h[t]")
    parsed = Parsed(text.strip(), target.value.id, body.value)
    if _lag(parsed, target) != 0:
        raise EquationError(f"equation {text!r}: the left side must be at t, such as {target.value.id}[t]")
    _check(parsed, functions)
    return parsed


def parse_expression(text: str, functions: Mapping[str, Any] = {}) -> Parsed:
    """Parse an expression, or the right side of ``l[t] = expression``."""
    body = _statements(text)
    if isinstance(body, ast.Assign):
        return parse_equation(text, functions)
    if not isinstance(body, ast.Expr):
        raise EquationError(f"{text!r} is not an expression of the equation language")
    parsed = Parsed(text.strip(), None, body.value)
    _check(parsed, functions)
    return parsed


def _statements(text: str) -> ast.stmt:
    if not isinstance(text, str) or len(text) > 2000:
        raise EquationError(f"an equation is a string of at most 2000 characters, not {str(text)[:40]!r}")
    plain = _plain(text)
    try:
        tree = ast.parse(plain, mode="exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = ""
        if isinstance(error, SyntaxError) and error.offset:
            line = (plain.splitlines() or [""])[min(error.lineno or 1, plain.count("\n") + 1) - 1]
            where = f" at column {len(dotted(line[: error.offset - 1])) + 1}"
        raise EquationError(f"equation {text!r}: not in the equation language{where}") from None
    if len(tree.body) != 1:
        raise EquationError(f"equation {text!r}: one equation is expected")
    for part in ast.walk(tree):
        if isinstance(part, ast.Name):
            part.id = dotted(part.id)
    return tree.body[0]


def _plain(text: str) -> str:
    r"""Return what is parsed: ``\sigma`` is read as ``sigma``, and a name with dots as one identifier."""
    return _DOTTED.sub(_undotted, text.strip().replace("\\", ""))


_DOTTED = re.compile(r"(?<![\w.])((?:(?:[1-9]\d*|forward|backward)\.)+)(?!T\b(?!\s*\[))([^\W\d]\w*)")
"""A name behind the numbers of layers and the directions that it belongs to; ``forward.T`` is a transpose."""
_START, _DOT = "\u01c2", "\u01c0"
"""Letters that no equation uses: they make an identifier of a name with dots until it is parsed."""


def _undotted(match: re.Match[str]) -> str:
    number = re.fullmatch(r"\d+\.", match[1]) and re.fullmatch(r"[eE]\d[\d_]*", match[2])
    if number and not match.string[match.end() :].lstrip().startswith("["):
        return match[0]  # 1.e5 is a number, and 1.e5[t] is not
    return _START + match[0].replace(".", _DOT)


def dotted(text: str) -> str:
    """Put the dots of names back that were parsed as identifiers."""
    return text.replace(_START, "").replace(_DOT, ".")


def bare(name: str) -> str:
    """Return a name without its layer and direction.

    >>> bare("1.forward.W_h"), bare("h")
    ('W_h', 'h')
    """
    return name.rpartition(".")[2]


def renamed(parsed: Parsed, rename: Callable[[str, bool], str], mirror: bool = False) -> str:
    """Return the text of an equation with its names changed and nothing else.

    Parameters
    ----------
    parsed : Parsed
    rename : callable
        (name, whether it is a function's) -> new name.
    mirror : bool
        Also read t + 1 for t - 1, and the other way round.

    Examples
    --------
    >>> renamed(parse_equation("h[t] = tanh(1.0 * W_h @ h[t-1])"), lambda name, called: name if called else f"2.{name}")
    '2.h[t] = tanh(1.0 * 2.W_h @ 2.h[t-1])'
    """
    plain = _plain(parsed.text)
    tree = ast.parse(plain)
    steps = [part.slice for part in ast.walk(tree) if isinstance(part, ast.Subscript)]
    inside = {id(n) for step in steps for n in ast.walk(step)}
    called = {id(part.func) for part in ast.walk(tree) if isinstance(part, ast.Call)}
    put: list[tuple[Any, str]] = [
        (part, rename(dotted(part.id), id(part) in called))
        for part in ast.walk(tree)
        if isinstance(part, ast.Name) and id(part) not in inside
    ]
    if mirror:
        shifted = [step for step in steps if isinstance(step, ast.BinOp)]
        put += [(step, "t+1" if isinstance(step.op, ast.Sub) else "t-1") for step in shifted]
    lines = [line.encode() for line in plain.split("\n")]
    for part, new in sorted(put, key=lambda pair: (pair[0].lineno, pair[0].col_offset), reverse=True):
        line = lines[part.lineno - 1]
        lines[part.lineno - 1] = line[: part.col_offset] + new.encode() + line[part.end_col_offset :]
    return dotted(b"\n".join(lines).decode())


def _check(parsed: Parsed, functions: Mapping[str, Any]) -> None:
    for part, depth in _walk(parsed.tree):
        if depth > 60:
            raise EquationError(f"equation {parsed.text!r}: nested too deeply")
        reason = _objection(parsed, part, functions)
        if reason:
            raise EquationError(f"equation {parsed.text!r}: {reason}")


def _walk(tree: ast.AST, depth: int = 0) -> Iterator[tuple[ast.AST, int]]:
    yield tree, depth
    if isinstance(tree, ast.Subscript):
        return
    children: Any = ast.iter_child_nodes(tree)
    if isinstance(tree, ast.Call):
        children = [*tree.args, *(k.value for k in tree.keywords)]
    for child in children:
        yield from _walk(child, depth + 1)


def _objection(parsed: Parsed, part: ast.AST, functions: Mapping[str, Any]) -> str | None:
    if isinstance(part, ast.BinOp):
        if isinstance(part.op, ast.Pow):
            return _power_objection(parsed, part)
        if isinstance(part.op, ast.Div) and _constant_value(part.right) == 0:
            return f"{parsed.segment(part)!r} divides by zero"
        return None if type(part.op) in OPERATORS else _operator_objection(parsed, part)
    if isinstance(part, ast.UnaryOp):
        return None if isinstance(part.op, ast.USub | ast.UAdd) else _operator_objection(parsed, part)
    if isinstance(part, ast.Constant):
        if isinstance(part.value, bool) or not isinstance(part.value, int | float):
            return f"{parsed.segment(part)!r} is no number"
        return None if part.value < LARGEST else f"the number {parsed.segment(part)[:40]!r} is too large"
    if isinstance(part, ast.Attribute):
        return None if part.attr == "T" else f"the attribute .{part.attr} is not in the language (only .T is)"
    if isinstance(part, ast.Subscript):
        _lag(parsed, part)
        return None
    if isinstance(part, ast.Call):
        return _call_objection(parsed, part, functions)
    if isinstance(part, ast.Name):
        return f"the name {part.id!r} starts with an underscore" if bare(part.id).startswith("_") else None
    if isinstance(part, ast.operator | ast.unaryop | ast.expr_context):
        return None
    return f"{parsed.segment(part)!r} ({type(part).__name__}) is not in the language"


def _operator_objection(parsed: Parsed, part: ast.AST) -> str:
    return f"the operator in {parsed.segment(part)!r} is not in the language"


def _power_objection(parsed: Parsed, part: ast.BinOp) -> str | None:
    """Exponents are numbers, and small ones, so that no text takes long to read."""
    exponent = _constant_value(part.right)
    if exponent is None:
        return f"the exponent in {parsed.segment(part)!r} must be a number"
    if abs(exponent) > LARGEST_EXPONENT or (_constant_value(part.left) is None and _is_power_of_numbers(part.left)):
        return f"the exponent in {parsed.segment(part)!r} is too large"
    return None


def _is_power_of_numbers(tree: ast.AST) -> bool:
    return not any(isinstance(p, ast.Name) for p in ast.walk(tree))


def _constant_value(tree: ast.AST) -> Fraction | None:
    """Return the value of arithmetic on numbers without powers, else None."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, int | float) and math.isfinite(tree.value):
        return Fraction(tree.value)
    if isinstance(tree, ast.UnaryOp):
        value = _constant_value(tree.operand)
        return -value if value is not None and isinstance(tree.op, ast.USub) else value
    if isinstance(tree, ast.BinOp) and type(tree.op) in _ARITHMETIC:
        left, right = _constant_value(tree.left), _constant_value(tree.right)
        if left is None or right is None or (right == 0 and isinstance(tree.op, ast.Div)):
            return None
        return _ARITHMETIC[type(tree.op)](left, right)
    return None


_ARITHMETIC: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _call_objection(parsed: Parsed, part: ast.Call, functions: Mapping[str, Any]) -> str | None:
    if part.keywords:
        return f"{parsed.segment(part)!r}: keyword arguments are not in the language"
    if not isinstance(part.func, ast.Name):
        return f"{parsed.segment(part)!r}: only a function's name can be called"
    known = known_functions(functions)
    if part.func.id not in known:
        return f"the function {part.func.id!r} is not known{nearest(part.func.id, known)}"
    if part.func.id == "concat" and not part.args:
        return f"{parsed.segment(part)!r}: concat needs at least one argument"
    wanted = {"inner": 2, "outer": 2}.get(part.func.id, 1)
    if part.func.id != "concat" and len(part.args) != wanted:
        given = f"takes {wanted} argument{'s' * (wanted > 1)}, not {len(part.args)}"
        return f"{parsed.segment(part)!r}: {part.func.id} {given}"
    return None


def _lag(parsed: Parsed, part: ast.Subscript) -> int:
    """Return 0 for ``[t]`` and -1 or +1 for the neighbouring steps."""
    where = part.slice
    if not isinstance(part.value, ast.Name):
        taken = parsed.segment(part)
        raise EquationError(f"equation {parsed.text!r}: only a name can be taken at a step, not {taken!r}")
    if bare(part.value.id).startswith("_"):
        raise EquationError(f"equation {parsed.text!r}: the name {part.value.id!r} starts with an underscore")
    if isinstance(where, ast.Name) and where.id == "t":
        return 0
    if isinstance(where, ast.BinOp) and isinstance(where.left, ast.Name) and where.left.id == "t":
        step = where.right
        one = isinstance(step, ast.Constant) and type(step.value) is int and step.value == 1
        if one and isinstance(where.op, ast.Sub | ast.Add):
            return -1 if isinstance(where.op, ast.Sub) else 1
    raise EquationError(f"equation {parsed.text!r}: {parsed.segment(part)!r}: only the steps t and t-1 can be used")


@dataclass(frozen=True)
class Use:
    """One occurrence of a name: ``lag`` is None for a parameter, else 0, -1 or +1."""

    name: str
    lag: int | None


def uses(parsed: Parsed) -> list[Use]:
    """Return the names that occur on the right, in order, without repeats.

    >>> [u.name for u in uses(parse_equation("z[t] = W_h @ h[t-1] + b_h"))]
    ['W_h', 'h', 'b_h']
    """
    return list(parsed.uses)


def build(parsed: Parsed, resolve: Any, functions: Mapping[str, Any] = {}) -> Any:
    """Return the node of the right side; ``resolve(name, lag)`` gives the node of a name."""

    def visit(tree: ast.AST) -> Any:
        return _BUILDERS[type(tree)](tree)

    def call(tree: Any) -> Any:
        name = tree.func.id
        arguments = [visit(a) for a in tree.args]
        if name in functions:
            return A.apply(functions[name], *arguments)
        name = ALIASES.get(name, name)
        special = REDUCTIONS.get(name) or VECTOR_FUNCTIONS.get(name)
        return special(*arguments) if special else A.apply(name, *arguments)

    def constant(tree: Any) -> Any:
        return A.node(tree.value) if isinstance(tree.value, int) else A.Literal(parsed.segment(tree))

    _BUILDERS = {
        ast.BinOp: lambda tree: OPERATORS[type(tree.op)](visit(tree.left), visit(tree.right)),
        ast.UnaryOp: lambda tree: (
            A.negate(visit(tree.operand)) if isinstance(tree.op, ast.USub) else visit(tree.operand)
        ),
        ast.Constant: constant,
        ast.Attribute: lambda tree: A.transpose(visit(tree.value)),
        ast.Subscript: lambda tree: resolve(tree.value.id, _lag(parsed, tree)),
        ast.Name: lambda tree: resolve(tree.id, None),
        ast.Call: call,
    }
    return visit(parsed.tree)
