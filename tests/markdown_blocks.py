"""Markdown pages as programs: every fenced block of a page runs, in order, in one directory and one namespace.

- ``python``: a session (``>>>``) is a doctest, anything else is executed; the names stay for the blocks that follow.
- ``bash``, ``sh``: lines ``symbptt ...`` and ``python FILE`` (or ``python3``) run; a line of installing or of git is
  left out.
- ``text`` directly after a shell block is what it prints; ``...`` stands for anything.
- ``toml``: a model file, or a part of one, which is completed with a cell.

A comment ``<!-- file: my.toml -->`` before a block writes it to that file, ``<!-- copy: docs/a.json -->`` lays a file
of the repository beside it, ``<!-- exit: 2 -->`` says how the last command of the block ends (0 by default),
``<!-- ci:... -->`` and ``<!-- skip -->`` leave the block out. ``<!-- needs: jax -->`` says that a page does not run
without a package, one of those that ``require`` knows.
"""

from __future__ import annotations

import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from symbptt import RNN
from symbptt.cli import run as symbptt
from symbptt.examples.modelfile import parse

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>[\w{}-]*)[^\n`]*$")
COMMENT = re.compile(r"^<!--\s*(.*?)\s*-->$")
INSTALLING = ("pip", "git", "cd", "pytest", "apt-get", "sudo", "ruff", "mypy", "pre-commit", "npm", ".ci/run", "source")
SHELL = ("bash", "sh")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, its language and text, and the comment before it."""

    line: int
    language: str
    text: str
    comment: str = ""
    follows_shell: bool = False

    @property
    def left_out(self) -> bool:
        return self.comment.startswith("ci:") or self.comment == "skip"

    def option(self, name: str) -> str | None:
        """Return what a comment ``name: value`` says."""
        found = re.search(rf"\b{name}: *(\S+)", self.comment)
        return found[1] if found else None


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    comment, opened, shell = "", None, False
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, lines = (number, fence), []
        elif opened is not None and fence and line.strip() == opened[1]["fence"]:
            language = opened[1]["language"]
            found.append(Block(opened[0] + 1, language, "\n".join(lines) + "\n", comment, shell))
            comment, opened, shell = "", None, language in SHELL
        elif opened is not None:
            lines.append(line.removeprefix(opened[1]["indent"]))
        elif line.strip():
            said = COMMENT.match(line.strip())
            comment, shell = (said[1], shell) if said else ("", False)
    assert opened is None, f"the block that begins in line {opened[0]} does not end" if opened else ""
    return found


def commands(block: Block) -> list[list[str]]:
    """Return the commands of a shell block, split into words, comments left out."""
    joined = block.text.replace("\\\n", " ")
    return [words for line in joined.splitlines() if (words := shlex.split(line, comments=True))]


def is_pdf(command: list[str]) -> bool:
    """Whether a command needs XeLaTeX."""
    return command[0] == "symbptt" and any(word.endswith("pdf") for word in command)


def run_page(path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every block of a page, in order; PDF commands are left to :func:`run_pdf_commands`."""
    _Page(path, directory, monkeypatch).run()


def pdf_commands(path: Path) -> list[list[str]]:
    """Return the commands of a page that write a PDF."""
    return [c for b in _shell_blocks(path) for c in commands(b) if is_pdf(c)]


def run_pdf_commands(path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files of a page, then run its commands that make a PDF."""
    page = _Page(path, directory, monkeypatch)
    for block in page.blocks:
        page.write(block)
    for command in pdf_commands(path):
        code, _ = page.symbptt(command[1:])
        assert code == 0, command
    assert list(directory.glob("*.pdf"))


def _shell_blocks(path: Path) -> Iterator[Block]:
    for block in blocks(path.read_text(encoding="utf-8")):
        if block.language in SHELL and not block.left_out:
            yield block


class _Page:
    def __init__(self, path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.directory = path, directory
        self.blocks = blocks(path.read_text(encoding="utf-8"))
        self.names: dict[str, Any] = {"__name__": "__page__"}
        self.printed = ""
        monkeypatch.chdir(directory)
        monkeypatch.syspath_prepend(directory)  # as Python does it where a page's files are
        monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(self) -> None:
        for block in self.blocks:
            if not block.left_out:
                self.write(block)
                self._runner(block)(block)

    def write(self, block: Block) -> None:
        name = block.option("file")
        if name:
            (self.directory / name).write_text(block.text, encoding="utf-8")
        source = block.option("copy")
        if source:
            shutil.copy(ROOT / source, self.directory)

    def _runner(self, block: Block) -> Any:
        if block.language in SHELL:
            return self.shell
        if block.language == "text":
            return self.output if block.follows_shell else self.nothing
        runners = {"python": self.python, "toml": self.toml, "": self.unnamed}
        return runners.get(block.language, self.nothing)

    def nothing(self, block: Block) -> None:
        pass

    def unnamed(self, block: Block) -> None:
        pytest.fail(f"{self.where(block)}: a block without a language; write ```text")

    def where(self, block: Block) -> str:
        return f"{self.path.name}:{block.line}"

    # -- Python ---------------------------------------------------------------------------------------
    def python(self, block: Block) -> None:
        if ">>>" in block.text:
            test = doctest.DocTestParser().get_doctest(
                block.text, self.names, self.path.name, str(self.path), block.line
            )
            said: list[str] = []
            runner = doctest.DocTestRunner(optionflags=FLAGS)
            runner.run(test, out=said.append, clear_globs=False)
            self.names = test.globs
            assert not said, f"{self.where(block)}\n{''.join(said)}"
            return
        code = compile("\n" * (block.line - 1) + block.text, str(self.path), "exec")
        exec(code, self.names)

    # -- the shell ------------------------------------------------------------------------------------
    def shell(self, block: Block) -> None:
        self.printed = ""
        todo = [c for c in commands(block) if c[0] not in INSTALLING and not is_pdf(c)]
        for i, command in enumerate(todo):
            expected = int(block.option("exit") or 0) if i == len(todo) - 1 else 0
            code, printed = self.command(command)
            self.printed += printed
            assert code == expected, f"{self.where(block)}: {shlex.join(command)} ends with {code}:\n{printed}"

    def command(self, command: list[str]) -> tuple[int, str]:
        program, *arguments = command
        if program == "symbptt":
            return self.symbptt(arguments)
        tested = program in ("python", "python3")
        assert tested, f"{self.path.name}: {program} is not a command that pages are tested with"
        done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env={**os.environ})
        return done.returncode, done.stdout + done.stderr

    def symbptt(self, arguments: list[str]) -> tuple[int, str]:
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding="utf-8", write_through=True)
        with redirect_stdout(stream), redirect_stderr(stream):
            code = symbptt(arguments)
        return code, written.getvalue().decode("utf-8")

    def output(self, block: Block) -> None:
        """Compare what the commands printed with the text block that follows them."""
        checker = doctest.OutputChecker()
        fits = checker.check_output(block.text, self.printed, doctest.ELLIPSIS)
        assert fits, f"{self.where(block)}: printed was\n{self.printed}"

    # -- model files ----------------------------------------------------------------------------------
    def toml(self, block: Block) -> None:
        """Make the model of a file, or of a part of one together with the tanh cell."""
        whole = re.search(r"^cell *=|^\[cell\]", block.text, flags=re.M)
        text = block.text if whole else f'cell = "tanh"\n{block.text}'
        arguments = parse(text, self.where(block)).arguments()
        RNN(**arguments)
