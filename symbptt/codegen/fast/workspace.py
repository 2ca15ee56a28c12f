"""What calls of the same sizes have in common: arrays that are used again, and the views that loops go through."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

from ..layout import WIDTH, collection, statement, without_unused

RESERVED = {"sizes", "kept", "fresh", "arrays", "every", "listed", "is_kept", "borrowed", "give_back", "laid_out"}

_HELPERS = '''KEPT = {{}}


{is_kept}


def borrowed(*sizes):
    """Return arrays that a call has given back, or new ones, and whether to give them back."""
    try:
        return KEPT[sizes].pop(), True
    except (KeyError, IndexError):
        arrays = laid_out(*sizes)
        return arrays, is_kept({of})


def give_back(arrays, *sizes):
    """Keep arrays for the next call of the same sizes; of the last {most} sizes at most."""
    if sizes not in KEPT and len(KEPT) == {most}:
        KEPT.clear()
    KEPT.setdefault(sizes, []).append(arrays)
'''


class Workspace(ABC):
    """Arrays that depend on nothing but sizes and the type of the numbers, and that are handed from call to call.

    Each call has them for itself alone. Nothing that it returns may lie in them.

    Attributes
    ----------
    in_place : bool
        Whether arrays are laid out in the function itself first, before it is known which of them are handed out.
    """

    in_place = False

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    @abstractmethod
    def lay_out(self, text: str, put: Callable[[str], None]) -> None:
        """Lay out an array, or name a part of one; ``put`` puts a line down in the function itself."""

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Whether an array is certain to lie in the workspace."""

    @abstractmethod
    def shared(self, handed_out: Iterable[str]) -> list[str]:
        """Return the lines that lay out the workspace; ``handed_out`` are expressions of what the function returns."""

    def names_in(self, lines: Iterable[str]) -> list[str]:
        """Return the names of the workspace that lines read, in the order in which they were given."""
        words = set(_words(re.sub(r'"[^"\n]*"', "", "\n".join(lines))))
        return [name for name in self.names if name in words]

    def divided(
        self, head: list[str], body: list[str], sizes: list[str], handed_out: Iterable[str]
    ) -> tuple[str, list[str], list[str]]:
        """Return the functions that lay the workspace out and hand it on, and the lines of the function that uses it.

        Parameters
        ----------
        head, body : list of str
            The lines of the function, before and after those that get the workspace.
        sizes : list of str
            The sizes that it depends on.
        handed_out : iterable of str
            Expressions of what the function returns.

        Returns
        -------
        definitions : str
            Empty where nothing is shared.
        head, body : list of str
        """
        made = self.shared(handed_out)
        moved = set(made) if self.in_place else set()
        head, body = ([line for line in lines if line not in moved] for lines in (head, body))
        names = self.names_in([*head, *body]) if made else []
        if not names:
            return "", head, body
        lines = without_unused([*self.preface(sizes), *made, *collection("return (", names, ")", 4)])
        about = '    """Return the arrays of a call, and what its loops go through."""'
        definitions = [self.helpers, "", f"def laid_out({', '.join([*sizes, 'dtype'])}):", about, *lines]
        head = [
            *head,
            f"    sizes = {', '.join([*sizes, 'dtype'])}",
            "    arrays, kept = borrowed(*sizes)",
            "    fresh = np.array if kept else np.asarray",
            *collection("(", names, ") = arrays", 4),
        ]
        return "\n".join(definitions), head, [line for old in body for line in _returning(old)]

    helpers = ""

    def preface(self, sizes: list[str]) -> list[str]:
        """Return what comes before the arrays."""
        return []


class SequenceWorkspace(Workspace):
    """All arrays of one sequence, and lists of the views of their steps; what is handed out are copies."""

    helpers = (
        _HELPERS.format(
            is_kept='''def is_kept(steps, *sizes):
    """Whether arrays are kept: small ones, where a view of a step counts as 16 numbers."""
    return steps * (16 + sum(sizes)) <= 32768''',
            of="*sizes[:-1]",
            most=8,
        )
        + '''

def listed(*arrays):
    """Return the parts of several arrays, step by step."""
    return list(zip(*arrays))
'''
    )

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def lay_out(self, text: str, put: Callable[[str], None]) -> None:
        self.put(text.strip())

    def put(self, text: str) -> None:
        """Put an assignment down; what it assigns to, if it is not a part of an array, belongs to the workspace."""
        left = text.partition(" = ")[0]
        self.names |= dict.fromkeys(_words(left) if "[" not in left else ())
        self.lines += statement(text, 4)

    def holds(self, name: str) -> bool:
        return name in self.names

    def loop(self, name: str, views: Mapping[str, str], turned: str, indent: int) -> list[str]:
        """Put down the views of arrays side by side, under a name, and return the head of the loop through them."""
        self.put(f"{name} = every({', '.join(array + turned for array in views)})")
        parts = list(views.values())
        line = f"{' ' * indent}for {', '.join(parts)} in {name}:"
        short = len(parts) > 1 and len(line) <= WIDTH
        return [line] if short else collection("for (", parts, f") in {name}:", indent)

    def shared(self, handed_out: Iterable[str]) -> list[str]:
        return self.lines

    def preface(self, sizes: list[str]) -> list[str]:
        return [f"    every = listed if is_kept({', '.join(sizes)}) else zip"]


class BatchWorkspace(Workspace):
    """The arrays of a batch that are not handed out: a new array costs a page fault for each 4 kB."""

    helpers = _HELPERS.format(
        is_kept='''def is_kept(arrays):
    """Whether arrays are kept: not more than 32 MB."""
    return sum(array.nbytes for array in arrays) <= 32 * 2**20''',
        of="arrays",
        most=2,
    )

    in_place = True

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, str] = {}
        self.same: list[set[str]] = []

    def lay_out(self, text: str, put: Callable[[str], None]) -> None:
        put(text)
        left, _, right = text.strip().partition(" = ")
        if right.startswith("np.empty("):
            self.made[left] = text.strip()
        else:
            self.same.append({left, _words(right)[0]})

    def holds(self, name: str) -> bool:
        return False

    def shared(self, handed_out: Iterable[str]) -> list[str]:
        outside = set(_words("\n".join(handed_out)))
        while more := {name for names in self.same if names & outside for name in names} - outside:
            outside |= more
        self.names = dict.fromkeys(name for name in self.made if name not in outside)
        return [f"    {self.made[name]}" for name in self.names]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _returning(line: str) -> list[str]:
    """Return a line, after giving back what was borrowed where it is the last."""
    margin = line[: len(line) - len(line.lstrip())]
    if not line.strip().startswith("return "):
        return [line]
    return [f"{margin}if kept:", f"{margin}    give_back(arrays, *sizes)", line]
