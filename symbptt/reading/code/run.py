"""Run the Python of a note in a process of its own, and read what comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...checking.result import Comparison
from ...errors import UnknownNameError, nearest
from ..note import Note
from ..report import CodeCheck, Message, message

PYTHON = ("python", "py", "python3", "ipython", "ipython3", "pycon", "pycode")
"""Languages of blocks that are run."""


@dataclass(frozen=True)
class Limits:
    """What a note's code may use: seconds of CPU and in all, bytes of memory and of a file, characters of output."""

    seconds: int = 20
    waiting: float = 40.0
    memory: int = 2 * 1024**3
    size: int = 10_000_000
    output: int = 10_000


LIMITS = Limits()


def run_notes(
    notes: Iterable[Note],
    names: Iterable[str],
    given: Mapping[str, Any] | None = None,
    sizes: Mapping[str, float] | None = None,
    limits: Limits = LIMITS,
) -> list[tuple[CodeCheck, ...]]:
    """Run the Python of notes, and check the gradients of functions in it.

    Parameters
    ----------
    notes : iterable of Note
    names : iterable of str
        ``f``, ``Class.method`` or ``forward:backward``.
    given : mapping, optional
        Arguments, as :meth:`.arguments.Scope.value_of` reads them.
    sizes : mapping, optional
        Numbers for arguments and sizes that nothing else settles.
    limits : Limits

    Returns
    -------
    list of tuple of CodeCheck
        For each note, one for each name that it has.

    Raises
    ------
    UnknownNameError
        For a name that none of the notes has.
    """
    wanted, all_of = list(dict.fromkeys(names)), list(notes)
    if not wanted:
        return [() for _ in all_of]
    found = [_of_note(note, wanted, given or {}, sizes or {}, limits) for note in all_of]
    for name in wanted:
        if not any(name in checks for checks, _ in found):
            known = sorted({function for _, defined in found for function in defined})
            where = ", ".join(note.file for note in all_of)
            end = nearest(name.rpartition(":")[2], known) if known else "; there is no Python block with a function"
            raise UnknownNameError(f"--run-code {name}: not in the Python blocks of {where}{end}")
    return [tuple(checks[name] for name in wanted if name in checks) for checks, _ in found]


def _of_note(
    note: Note, names: list[str], given: Mapping[str, Any], sizes: Mapping[str, float], limits: Limits
) -> tuple[dict[str, CodeCheck], list[str]]:
    """Return what was found for each name that the note has, and the functions in it."""
    blocks = [block for block in note.code if block.language.lower().lstrip(".") in PYTHON]
    if not blocks:
        return {}, []
    notebook = bool(note.cells)
    starts = [1 if notebook else note.place(block.start)[0] for block in blocks]
    request = {
        "blocks": [(block.text, line) for block, line in zip(blocks, starts, strict=True)],
        "names": names, "given": given, "sizes": sizes,
        "seconds": limits.seconds, "memory": limits.memory, "size": limits.size,
    }  # fmt: skip
    answer, output, why = _in_process(request, limits)
    if answer is None:
        assert why is not None
        stopped = {name: CodeCheck(note.file, name, None, reason=why, output=output) for name in names}
        return stopped, []
    place = _Place(starts, notebook)
    remarks = [place.message("check.code.cut" if b["cut"] else "check.code.broken", b) for b in answer["broken"]]
    remarks += [place.message("check.code.stopped", problem) for problem in answer["raised"]]
    checks = {
        name: _read(note.file, name, data, tuple(remarks), output, place)
        for name, data in answer["checks"].items()
        if data["status"] != "unknown"
    }
    return checks, answer["defined"]


@dataclass(frozen=True)
class _Place:
    """Where blocks are: in lines of the note, or in cells of a notebook."""

    starts: list[int]
    notebook: bool

    def of(self, line: int, block: int | None = None) -> Message:
        if self.notebook and block is not None:
            return message("check.code.line-in-cell", block=block + 1, line=line)
        return message("check.code.line", line=line)

    def message(self, key: str, problem: Mapping[str, Any]) -> Message:
        block = problem["block"]
        begin = self.of(self.starts[block], block)
        return message(key, begin=begin, place=self.of(problem["line"], block), error=problem["error"])


def _read(
    file: str, name: str, data: Mapping[str, Any], remarks: tuple[Message, ...], output: str, place: _Place
) -> CodeCheck:
    line = None if place.notebook else data.get("line")
    if data["status"] == "cannot":
        values = dict(data["values"])
        if "block" in values:
            block = values.pop("block")
            values |= {"begin": place.of(place.starts[block], block), "place": place.of(values.pop("line"), block)}
            remarks = ()  # they would say the same again
        elif "line" in values:
            values["place"] = place.of(values.pop("line"))
        return CodeCheck(file, name, line, reason=message(data["key"], **values), remarks=remarks, output=output)
    if data["loose"]:
        remarks = (*remarks, message("check.code.loose", names=data["loose"]))
    return CodeCheck(file, name, line, tuple(map(_comparison, data["comparisons"])), remarks=remarks, output=output)


def _comparison(data: Mapping[str, Any]) -> Comparison:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Comparison(**values)


# -- the process -----------------------------------------------------------------------------------------------
def _in_process(request: Mapping[str, Any], limits: Limits) -> tuple[dict[str, Any] | None, str, Message | None]:
    """Return the answer of the process, what it printed, and why there is no answer."""
    with tempfile.TemporaryDirectory(prefix="symbptt-", ignore_cleanup_errors=True) as base:
        work, target = Path(base, "work"), Path(base, "answer.json")
        work.mkdir()
        options: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _program(), str(target)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=work, env=_environment(str(work)), **options,
        )  # fmt: skip
        output = _Output(process.stdout, limits.output)
        late = False
        try:
            with suppress(OSError):  # it may have died
                assert process.stdin is not None
                process.stdin.write(json.dumps(request).encode())
                process.stdin.close()
            try:
                process.wait(limits.waiting)
            except subprocess.TimeoutExpired:
                late = True
        finally:
            _end(process)
        printed = output.text()
        try:
            return json.loads(target.read_text("utf-8")), printed, None
        except (OSError, ValueError):
            return None, printed, _why(process.returncode, late, limits, printed)


def _program() -> str:
    """Return what the process does first: find the package and NumPy where this process has found them."""
    package, numpy = str(Path(__file__).resolve().parents[3]), find_spec("numpy")
    found = [] if numpy is None or numpy.origin is None else [str(Path(numpy.origin).parents[1])]
    # In front of everything for our own modules alone: another version may be installed.
    return (
        f"import sys; sys.path += [p for p in {found!r} if p not in sys.path]; sys.path.insert(0, {package!r}); "
        "from symbptt.reading.code.child import main; del sys.path[0]; main(sys.argv[1])"
    )


def _environment(folder: str) -> dict[str, str]:
    """Return an environment with nothing of the user's in it."""
    kept = {k: v for k, v in os.environ.items() if k in ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    folders = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR"), folder)
    return {**kept, **threads, **folders, "MPLBACKEND": "Agg", "PATH": os.defpath, "LANG": "C.UTF-8"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and what it may have started."""
    if os.name == "posix":
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _why(code: int | None, late: bool, limits: Limits, printed: str) -> Message:
    """Return why a process gave no answer."""
    if late or code == -getattr(signal, "SIGXCPU", 0):
        return message("check.code.time", seconds=int(limits.waiting) if late else limits.seconds)
    last = next((line.strip()[:200] for line in reversed(printed.splitlines()) if line.strip()), "...")
    return message("check.code.died", code=code, last=last)


class _Output:
    """Reads what a process prints, all of it, and keeps the beginning."""

    def __init__(self, stream: Any, most: int) -> None:
        self.stream, self.most, self.kept, self.cut = stream, most, b"", False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while piece := self.stream.read1(65536):
            room = self.most - len(self.kept)
            self.kept += piece[: max(room, 0)]
            self.cut = self.cut or len(piece) > room

    def text(self) -> str:
        """Return what was printed; ``...`` stands for what was cut."""
        self.thread.join(5)
        if not self.thread.is_alive():
            self.stream.close()
        shown = self.kept.decode("utf-8", "replace")
        return "".join(c for c in shown if c.isprintable() or c in "\n\t") + ("..." if self.cut else "")
