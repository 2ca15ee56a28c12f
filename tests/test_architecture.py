"""The layers: a package imports only from those above it, and importing symbptt is cheap."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "symbptt"

# From the foundation to the edges. Modules of one line may import each other and everything on the lines before.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("checking",),
    ("algebra",),
    ("model",),
    ("derive",),
    ("evaluate",),
    ("codegen",),
    ("reading",),
    ("render",),
    ("examples",),
    ("api", "torch_params"),
    ("training",),
    ("cli", "__main__", "sphinxext", "notebook"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# symbptt/__init__.py offers the names of these two, so it stands where they do.
RANK["__init__"] = RANK["api"]

HEAVY = (
    "IPython",
    "antlr4",
    "autograd",
    "jax",
    "latex2sympy2",
    "matplotlib",
    "mpmath",
    "nbformat",
    "numpy",
    "sphinx",
    "sympy",
    "torch",
)


def imported_names(tree: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield (line, absolute dotted name) of each import anywhere in the tree, with ``from a import b`` as ``a.b``.

    ``package`` is the package that relative imports start from. ``__import__`` and ``import_module`` with a literal
    name count too.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = ".".join((*base, *filter(None, [node.module])))
            for alias in node.names:
                yield node.lineno, f"{prefix}.{alias.name}" if prefix else alias.name
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            name = node.args[0].value
            if called in ("import_module", "__import__") and isinstance(name, str):
                dots = len(name) - len(name.lstrip("."))
                base = package[: len(package) - dots + 1] if dots else ()
                yield node.lineno, ".".join((*base, name.lstrip(".")))


@functools.cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def violations(root: Path) -> list[str]:
    """Return one line for each import in the package at ``root`` that points downwards, or whose place is unknown."""
    name = root.name
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        layer = parts[0]
        where = f"{name}/{path.relative_to(root).as_posix()}"
        if layer not in RANK:
            found.append(f"{where}: {layer} has no place in LAYERS (tests/test_architecture.py)")
            continue
        # Of a package's __init__.py the package is itself, of a module its parent: both are all parts but the last.
        package = (name, *parts[:-1])
        for line, target in imported_names(read(path), package):
            if target.split(".")[0] != name:
                continue
            first = target.split(".")[1] if "." in target else "__init__"
            if first == "__version__":
                continue  # a plain string that any layer may read
            if first not in RANK and not (root / first).is_dir() and not (root / f"{first}.py").exists():
                first = "__init__"  # a name that symbptt itself offers
            if first not in RANK:
                found.append(f"{where}:{line}: imports {target}, which has no place in LAYERS")
            elif RANK[first] > RANK[layer]:
                found.append(f"{where}:{line}: {layer} imports {target}, but {first} is below {layer}")
    return found


def test_a_package_imports_only_from_those_above_it():
    found = violations(PACKAGE)
    assert not found, "\n" + "\n".join(found)


def test_only_its_adapter_imports_latex2sympy2():
    """What it is handed, and what it hands back, is checked in that one place."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        names = imported_names(read(path), ("symbptt",))
        if any(name.partition(".")[0] in ("latex2sympy2", "antlr4", "gen") for _, name in names):
            found.add(path.relative_to(PACKAGE).as_posix())
    assert found == {"reading/plain/latex2sympy.py"}


def test_every_directory_with_code_has_an_init_file():
    lost = [path for path in PACKAGE.rglob("*.py") if not (path.parent / "__init__.py").exists()]
    assert not lost


def tree_with(tmp_path: Path, files: dict[str, str]) -> Path:
    root = tmp_path / "symbptt"
    for name, text in {"__init__.py": "", "algebra/__init__.py": "", "render/__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "source",
    [
        "import symbptt.render.latex",
        "from symbptt.render import latex",
        "from symbptt import render",
        "from symbptt import RNN",
        "import symbptt",
        "from .. import render",
        "from ..render.latex import to_latex",
        "from .. import RNN",
        "def f():\n    from ..render import latex",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..render import latex",
        "import importlib\nimportlib.import_module('symbptt.render')",
        "from importlib import import_module\nimport_module('..render', __package__)",
        "class A:\n    def f(self):\n        return __import__('symbptt.render')",
    ],
)
def test_the_checker_catches_a_downward_import(tmp_path, source):
    root = tree_with(tmp_path, {"algebra/nodes.py": source, "render/latex.py": ""})
    (message,) = violations(root)
    assert message.startswith("symbptt/algebra/nodes.py:")
    assert "algebra imports symbptt" in message


@pytest.mark.parametrize("name", ["algebra/__init__.py", "algebra/deep/__init__.py", "algebra/deep/nodes.py"])
def test_the_checker_resolves_relative_imports_at_every_depth(tmp_path, name):
    dots = "." * (name.count("/") + 1)
    root = tree_with(tmp_path, {"algebra/deep/__init__.py": "", name: f"from {dots}render import latex"})
    assert violations(root) == [f"symbptt/{name}:1: algebra imports symbptt.render.latex, but render is below algebra"]


def test_the_checker_allows_what_is_allowed(tmp_path):
    files = {
        "errors.py": "import sys",
        "api.py": "from . import errors, render",
        "cli.py": "from symbptt import RNN\nfrom symbptt.notebook import show",
        "notebook.py": "",
        "algebra/nodes.py": "import sympy\nfrom . import build\nfrom .build import x\nfrom symbptt import __version__",
        "algebra/build.py": "from ..errors import E\nfrom symbptt.errors import F\nfrom symbptt.algebra import nodes",
        "render/latex.py": "from ..algebra.nodes import N\nfrom .. import algebra",
        "__init__.py": "def __getattr__(name):\n    from . import api",
    }
    assert violations(tree_with(tmp_path, files)) == []


def test_the_checker_names_a_module_without_a_place(tmp_path):
    root = tree_with(tmp_path, {"helpers.py": "", "algebra/nodes.py": "from ..helpers import h"})
    assert violations(root) == [
        "symbptt/algebra/nodes.py:1: imports symbptt.helpers.h, which has no place in LAYERS",
        "symbptt/helpers.py: helpers has no place in LAYERS (tests/test_architecture.py)",
    ]


def loaded_by(code: str, cwd: Path) -> set[str]:
    """Return the heavy packages that are loaded in a new interpreter after it has run the code."""
    program = f"import sys\n{code}\nprint('|', *(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    return set(run.stdout.rpartition("|")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import symbptt",
        "import symbptt; symbptt.__version__; dir(symbptt)",
        "import symbptt.cli",
        "import symbptt.errors",
    ],
)
def test_importing_loads_nothing_heavy(code, tmp_path):
    assert loaded_by(code, tmp_path) - loaded_by("", tmp_path) == set()


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_help_of_the_command_loads_nothing_heavy(option, tmp_path):
    code = f"""
from symbptt.cli import main
sys.argv = ["symbptt", {option!r}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code, tmp_path) - loaded_by("", tmp_path) == set()


def test_the_check_for_heavy_modules_sees_them(tmp_path):
    assert "sympy" in loaded_by("import sympy", tmp_path)
