"""Settings of hypothesis, and ``require``: what a test needs beyond the package, or a visible skip.

A test of an optional thing asks for it by name::

    @pytest.mark.oracle
    def test_against_torch(require):
        torch = require("torch")

Where it is missing the test is skipped with the reason; with the matching variable set to 1 it fails:
``SYMBPTT_REQUIRE_ORACLES``, ``_TEX``, ``_KATEX``, ``_BROWSER``, ``_LATEX``, ``_PLOT``, ``_DOCS``, ``_NOTEBOOK``,
``_INSTALL``.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("dev", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


gc.set_threshold(50_000, 20, 100)  # formulas have no cycles to look for, and Python's own threshold costs a tenth


def pytest_collection_finish() -> None:
    """What the tests themselves are made of stays."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``sample(n)``: of the cases of a test, every n-th is quick and the others are slow."""
    seen: dict[str, int] = {}
    for item in items:
        mark = item.get_closest_marker("sample")
        if mark is not None and item.get_closest_marker("slow") is None:
            test = item.nodeid.partition("[")[0]
            if seen.setdefault(test, 0) % mark.args[0]:
                item.add_marker(pytest.mark.slow)
            seen[test] += 1


class Katex(NamedTuple):
    """Where KaTeX is: ``node -e "require(process.argv[1])" PACKAGE`` loads it."""

    node: str
    package: str


class NotFoundHereError(Exception):
    """A tool or module that is not here; the text says which and where it was looked for."""


def find_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotFoundHereError(f"cannot import {name}: {error}") from error


def find_latex2sympy2() -> str:
    """Its version. It is not imported here: on Python 3.13 only symbptt's own import of it works."""
    try:
        return importlib.metadata.version("latex2sympy2")
    except importlib.metadata.PackageNotFoundError as error:
        raise NotFoundHereError("latex2sympy2 is not installed") from error


def find_program(*names: str) -> str:
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise NotFoundHereError(f"no program {' or '.join(names)} on PATH")


def find_ctex() -> str:
    """XeLaTeX that can set Chinese: ctexart and the Fandol fonts are there."""
    xelatex = find_program("xelatex")
    for name in ("ctexart.cls", "FandolSong-Regular.otf"):
        if subprocess.run([find_program("kpsewhich"), name], capture_output=True).returncode:
            raise NotFoundHereError(f"TeX has no {name}")
    return xelatex


def find_katex() -> Katex:
    node = find_program("node", "nodejs")
    places = []
    if os.environ.get("KATEX_DIR"):
        given = Path(os.environ["KATEX_DIR"]).resolve()
        places += [given / "node_modules" / "katex", given / "katex", given]
    places += [ROOT / "node_modules" / "katex", ROOT / "tests" / "node_modules" / "katex"]
    for place in places:
        if (place / "dist" / "katex.js").is_file():
            return Katex(node, str(place))
    raise NotFoundHereError("no KaTeX: run `npm install katex` somewhere and set KATEX_DIR to that directory")


def find_pypi() -> str:
    """``pip``, which can fetch a package."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "hydra-core>=1.3"]
        if subprocess.run(command, capture_output=True).returncode:
            raise NotFoundHereError("pip cannot fetch packages")
    return sys.executable


class Need(NamedTuple):
    group: str
    find: Callable[[], Any]


def _module(group: str, name: str) -> Need:
    return Need(group, functools.partial(find_module, name))


NEEDS: dict[str, Need] = {
    **{name: _module("ORACLES", name) for name in ("torch", "jax", "autograd")},
    "latex2sympy2": Need("LATEX", find_latex2sympy2),
    "matplotlib": _module("PLOT", "matplotlib"),
    "sphinx": _module("DOCS", "sphinx"),
    "myst_nb": _module("DOCS", "myst_nb"),
    **{name: _module("NOTEBOOK", name) for name in ("IPython", "ipykernel", "nbformat", "nbclient")},
    "sphinxcontrib.katex": _module("DOCS", "sphinxcontrib.katex"),
    "xelatex": Need("TEX", lambda: find_program("xelatex")),
    "ctex": Need("TEX", find_ctex),
    "latexmk": Need("TEX", lambda: find_program("latexmk")),
    "pdftoppm": Need("TEX", lambda: find_program("pdftoppm")),
    "pdftotext": Need("TEX", lambda: find_program("pdftotext")),
    "katex": Need("KATEX", find_katex),
    "playwright.sync_api": _module("BROWSER", "playwright.sync_api"),
    "pypi": Need("INSTALL", find_pypi),
    "chromium": Need("BROWSER", lambda: find_program("chromium", "chromium-browser", "google-chrome")),
}

ORACLES = ("torch", "jax", "autograd")
MARKED = {
    "tex": ("xelatex",),
    "katex": ("katex",),
    "browser": ("chromium",),
    "docs": ("sphinx", "myst_nb"),
    "install": ("pypi",),
}


@functools.cache
def look(name: str) -> Any:
    """Return what was found, or the ``NotFoundHereError`` that says why not (each thing is looked for once)."""
    try:
        return NEEDS[name].find()
    except NotFoundHereError as missing:
        return missing


def need(name: str) -> Any:
    """Return the module, program path or ``Katex``; skip the test where it is missing, or fail it if it is required."""
    if name not in NEEDS:
        raise KeyError(f"{name!r} is not known to require(); known: {', '.join(NEEDS)}")
    found = look(name)
    if isinstance(found, NotFoundHereError):
        variable = f"SYMBPTT_REQUIRE_{NEEDS[name].group}"
        if os.environ.get(variable, "") not in ("", "0"):
            pytest.fail(f"{found} ({variable} is set)", pytrace=False)
        pytest.skip(str(found))
    return found


@pytest.fixture(scope="session")
def require() -> Callable[[str], Any]:
    """``require("torch")`` -> module, ``require("xelatex")`` -> path, ``require("katex")`` -> (node, package)."""
    return need


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marked test needs the thing that it is marked with, whether or not it asks for it."""
    for marker, names in MARKED.items():
        if item.get_closest_marker(marker):
            for name in names:
                need(name)
    oracle = item.get_closest_marker("oracle")
    if oracle:
        # oracle("torch") needs torch; a bare mark needs what the test requires, or else all three.
        for name in oracle.args or (() if "require" in getattr(item, "fixturenames", ()) else ORACLES):
            need(name)
