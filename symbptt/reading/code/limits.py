"""What the process that runs a note's code may do. Called in that process; importing this does nothing.

The limits are against accidents: endless loops, large arrays, files and processes left behind, a note that
writes where it should not. They are no prison for code that means harm.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

_PROCESSES = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
              "subprocess.Popen", "pty.spawn", "os.kill", "os.killpg")  # fmt: skip
_NETWORK = ("socket.",)
_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
            "os.chown", "os.utime", "shutil.")  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def limit(seconds: int, memory: int, size: int) -> None:
    """Limit this process where the platform can: CPU seconds, bytes of memory, bytes of a file, further processes."""
    try:
        import resource
    except ImportError:  # Windows: the time that the parent gives is all there is
        return
    limits = {
        "RLIMIT_CPU": (seconds, seconds + 1),
        "RLIMIT_AS": (memory, memory),
        "RLIMIT_FSIZE": (size, size),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NPROC": (0, 0),  # root is not held by it, hence the hook below
    }
    for name, (soft, hard) in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        with suppress(ValueError, OSError):  # a lower limit that is there already stays
            resource.setrlimit(kind, (soft, hard))


def forbid(folder: str) -> None:
    """Let this process start no other, use no network, and change no file outside a folder."""
    inside = os.path.realpath(folder)

    def allowed(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return True
        whole = os.path.realpath(os.fsdecode(path))
        return whole == inside or whole.startswith(inside + os.sep) or whole == os.path.realpath(os.devnull)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROCESSES:
            raise PermissionError("a note's code may not start processes")
        if event.startswith(_NETWORK):
            raise PermissionError("a note's code may not use the network")
        if event == "open" and _writes(arguments) and not allowed(arguments[0]):
            raise PermissionError("a note's code may write in its own folder only")
        if event.startswith(_CHANGES) and not all(allowed(a) for a in arguments if isinstance(a, str | bytes)):
            raise PermissionError("a note's code may change its own folder only")

    sys.addaudithook(hook)


def _writes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = (*arguments, None, None)[1:3]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)
