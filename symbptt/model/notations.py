"""Notations: how the canonical names are printed in one textbook or another. They change nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..algebra import Names
from ..algebra.names import capital, name_layout
from ..errors import UnknownNameError, nearest
from .rows import ROWS

if TYPE_CHECKING:
    from .system import System

_COMMON = {"l": r"\ell", "target": r"\hat{y}", "a": "o", "mask": "m"}

NOTATIONS: dict[str, dict[str, str]] = {
    "textbook": _COMMON,
    "hh": {**_COMMON, "W_h": "W_{hh}", "W_x": "W_{xh}", "W_y": "W_{hy}"},
    "d2l": {
        **_COMMON,
        "W_h": "W_{hh}",
        "W_x": "W_{hx}",
        "W_y": "W_{qh}",
        "b_y": "b_q",
        "y": "o",
        "a": r"\tilde{o}",
        "target": "y",
        "l": "l",
    },
    "pytorch": {**_COMMON, "W_h": "W_{hh}", "W_x": "W_{ih}"},
    "goodfellow": {
        "l": "L",
        "L": "L",
        "W_h": "W",
        "W_x": "U",
        "W_y": "V",
        "b_h": "b",
        "b_y": "c",
        "z": "a",
        "h": "h",
        "a": "o",
        "y": r"\hat{y}",
        "target": "y",
        "mask": "m",
    },
}
"""Notation -> canonical key -> short LaTeX; keys that are not named are printed as they are.

Sources: ``d2l``: Zhang et al., *Dive into Deep Learning*, section 9.7; ``goodfellow``: Goodfellow, Bengio and
Courville, *Deep Learning*, section 10.2.2.
"""


IN_ROWS: dict[str, dict[str, str]] = {"d2l": {"W_x": "W_{xh}", "W_y": "W_{hq}"}}
"""What a notation writes otherwise in the row convention; of ``d2l``, that of its section 9.4."""
OTHERS = {"a": ("o", "a", "s", "u"), "y": ("y", "p"), "target": (r"\hat{y}", r"y^*")}
"""Names of the readout's variables -> what they are called where a variable of the cell is printed as they are."""


def names_in(system: System, given: str | Mapping[str, str]) -> Names:
    """Return the names that the formulas of a system are written with, by its layout, its reduction and its cell.

    Parameters
    ----------
    system : System
    given : str or mapping
        As for :func:`names`.
    """
    untimed = frozenset(system.targets) if system.reduction == "last" else frozenset[str]()
    cell = [equation.name for equation in system.equations if equation.stage == "cell"]
    if system.layout != ROWS:
        return names(given, untimed, cell, system.targets)
    own = {"notation": given} if isinstance(given, str) else given
    found = names({**IN_ROWS.get(own.get("notation", ""), {}), **own}, untimed, cell, system.targets)
    capitals = frozenset(name for name, variable in system.variables.items() if variable.rank == 2)
    others = {**system.variables, **system.parameters}.keys() - capitals
    sizes = {str(s) for v in system.variables.values() for s in v.shape} | {str(system.steps)}
    taken = [found.key(key) for key in (*others, *sizes, str(system.L))]
    bold: set[str] = set()
    for name in sorted(capitals):
        item = capital(found.key(name))
        if item in taken:
            bold.add(name)
        taken.append(item)
    return replace(found, capitals=capitals, bold=frozenset(bold))


def names(
    given: str | Mapping[str, str],
    untimed: frozenset[str] = frozenset(),
    own: Iterable[str] = (),
    targets: Iterable[str] = (),
) -> Names:
    """Return the names of a notation: one of the catalogue, or the user's own mapping on top of ``textbook``.

    Parameters
    ----------
    given : str or mapping
    untimed : frozenset of str
        Keys that are printed without their time index.
    own : iterable of str
        The variables of the cell. Where a notation gives the readout the name of one of them (``o_t`` is the output
        gate of an LSTM), the readout takes another.
    targets : iterable of str
        Those of several readouts, ``target_v``, are the outputs with a hat unless the notation names them; where the
        notation gives outputs a hat, all outputs have one, and the targets none.

    Raises
    ------
    UnknownNameError
        For a notation or a name on the page that is not understood.
    """
    if isinstance(given, str):
        if given not in NOTATIONS:
            raise UnknownNameError(f"unknown notation {given!r}{nearest(given, NOTATIONS)}; or a mapping")
        mapping: Mapping[str, Any] = NOTATIONS[given]
    elif not isinstance(given, Mapping):
        raise UnknownNameError(f"a notation is a name or a mapping of keys to names on the page, not {given!r}")
    else:
        start = given.get("notation", "textbook")
        if start not in NOTATIONS:
            raise UnknownNameError(f"unknown notation {start!r}{nearest(str(start), NOTATIONS)}")
        base = NOTATIONS[start]
        mapping = {**base, **{k: v for k, v in given.items() if k != "notation"}}
    for key, latex in mapping.items():
        try:
            name_layout(latex)
        except IndexError:
            raise UnknownNameError(f"notation for {key!r}: {latex!r} has a script on nothing") from None
        except TypeError:
            raise UnknownNameError(f"notation for {key!r}: a text is needed, not {latex!r}") from None
        except ValueError as error:
            raise UnknownNameError(f"notation for {key!r}: {error}") from None
    mapping = {**_hats({key: key.partition("_")[2] for key in targets if "_" in key}, mapping), **mapping}
    functions = {k[:-2]: v for k, v in mapping.items() if k.endswith("()")}
    plain = {k: v for k, v in mapping.items() if not k.endswith("()")}
    chosen = given if isinstance(given, Mapping) else {}
    return Names(mapping=_apart(plain, set(own), set(chosen)), untimed=untimed, functions=functions)


def _hats(outputs: dict[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the targets of several readouts, by the names of their outputs, and of the outputs."""
    hatted = {output: rf"\hat{{{output}}}" for output in outputs.values()}
    if any(mapping.get(output) == name for output, name in hatted.items()):
        return {**hatted, **outputs}
    return {key: hatted[output] for key, output in outputs.items()}


def _apart(mapping: dict[str, str], own: set[str], chosen: set[str]) -> dict[str, str]:
    """Give the readout's variables names that no variable of the cell has, unless the user chose them."""
    printed = {mapping.get(key, key) for key in own}
    if printed.isdisjoint(mapping.get(key, key) for key in OTHERS):
        return mapping
    mapping = dict(mapping)
    for key, others in OTHERS.items():
        if key not in chosen:
            mapping[key] = next(name for name in others if name not in printed)
        printed.add(mapping.get(key, key))
    return mapping
