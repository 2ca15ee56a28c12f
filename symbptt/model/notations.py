"""Notations: how the canonical names are printed in one textbook or another. They change nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..algebra import Names
from ..algebra.names import name_layout
from ..errors import UnknownNameError, nearest

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


def names(given: str | Mapping[str, str], untimed: frozenset[str] = frozenset(), targets: Iterable[str] = ()) -> Names:
    """Return the names of a notation: one of the catalogue, or the user's own mapping on top of ``textbook``.

    The targets of several readouts, ``target_v``, are the outputs with a hat unless the notation names them.

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
    own = {key: rf"\hat{{{key.partition('_')[2]}}}" for key in targets if "_" in key}
    mapping = {**own, **mapping}
    functions = {k[:-2]: v for k, v in mapping.items() if k.endswith("()")}
    plain = {k: v for k, v in mapping.items() if not k.endswith("()")}
    return Names(mapping=plain, untimed=untimed, functions=functions)
