"""Blocks of Python as notes have them: with prompts, with magics, indented, cut off."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

_PROMPT = re.compile(r"(?:>>>|\.\.\.)(?: |$)")
_INDENT = re.compile(r"\s*")


@dataclass(frozen=True)
class Broken:
    """A block that does not compile: its number, the line in the note, what Python says, and whether it just ends."""

    block: int
    line: int
    error: str
    cut: bool
    text: str


@dataclass(frozen=True)
class Parsed:
    """A block that compiles, with lines as in the note."""

    block: int
    tree: ast.Module


def parse(text: str, first: int, block: int) -> Parsed | Broken:
    """Return the statements of a block that begins in a line of a note.

    >>> parse("x = 1", 7, 0).tree.body[0].lineno
    7
    >>> broken = parse("def f():\\n    return g(1,", 7, 0)
    >>> broken.line, broken.cut, parse("x = '''one\\ntwo", 7, 0).line
    (8, True, 8)
    """
    source = cleaned(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes
            return Parsed(block, ast.parse("\n" * (first - 1) + source))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or first
        said = getattr(error, "msg", None) or str(error) or type(error).__name__
        last = first + len(source.rstrip().splitlines()) - 1
        cut = line >= last or any(words in said for words in ("never closed", "triple-quoted", "EOF"))
        return Broken(block, last if cut else line, re.sub(r" \((?:detected at|on) line \d+\)", "", said), cut, source)


def cleaned(text: str) -> str:
    """Return a block as Python: without indentation, prompts and lines that only a notebook understands.

    >>> cleaned("  >>> f(1)\\n  2\\n  >>> x = 3")
    'f(1)\\n\\nx = 3'
    >>> cleaned("%matplotlib inline\\nif a:\\n    !ls")
    'pass\\nif a:\\n    pass'
    """
    lines = textwrap.dedent(text.expandtabs(4) if "\t" in text else text).splitlines()
    if any(line.startswith(">>> ") for line in lines) and next(filter(str.strip, lines)).startswith(">>> "):
        return "\n".join(line[4:] if _PROMPT.match(line) else "" for line in lines)
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line: str) -> str:
    indent = _INDENT.match(line)
    assert indent is not None
    words = line[indent.end() :]
    return f"{indent[0]}pass" if words.startswith(("%", "!")) and not words.startswith(("%=", "!=")) else line


def mentions(text: str, name: str) -> bool:
    """Return whether a text that does not compile seems to define a function or a method.

    >>> mentions("class A:\\n  def backward(self", "A.backward"), mentions("def backward(", "A.backward")
    (True, False)
    """
    *owners, function = name.split(".")
    return bool(re.search(rf"\bdef\s+{re.escape(function)}\b", text)) and all(
        re.search(rf"\bclass\s+{re.escape(owner)}\b", text) for owner in owners
    )


def functions(trees: list[Parsed]) -> dict[str, ast.FunctionDef]:
    """Return every function and method of the blocks by its name; the last of a name counts.

    >>> list(functions([parse("class A:\\n  def f(self): pass\\ndef g(): pass", 1, 0)]))
    ['A.f', 'g']
    """
    found: dict[str, ast.FunctionDef] = {}
    for parsed in trees:
        for node in parsed.tree.body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.ClassDef):
                inner = (n for n in node.body if isinstance(n, ast.FunctionDef))
                found.update({f"{node.name}.{n.name}": n for n in inner})
    return found


def returned(function: ast.FunctionDef) -> ast.expr | None:
    """Return what the last ``return`` of a function returns, functions within it left out."""
    found: ast.expr | None = None
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            found = node.value
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef):
            waiting += reversed(list(ast.iter_child_nodes(node)))
    return found
