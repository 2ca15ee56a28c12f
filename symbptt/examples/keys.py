"""A key of a model file, as a row of the tables that the check, the template and the JSON schema are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Key:
    """One key of a model file.

    Parameters
    ----------
    name : str
    kind : str
        Of a plain value; empty where only a table will do.
    about : mapping
        Language -> what it is.
    sample : Any
        What stands behind it in a new file, behind a comment sign.
    members : tuple of Key
        Keys of a table in its place.
    each : str
        Kind of every entry of a table in its place whose keys are free.
    choices : tuple of str
        The values there are, if they are few.
    required : bool
    unless : tuple of str
        Keys of the same table in whose presence it is not required.
    """

    name: str
    kind: str
    about: Mapping[str, str]
    sample: Any
    members: tuple[Key, ...] = ()
    each: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    unless: tuple[str, ...] = ()
    by_name: Mapping[str, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.members})


def about(en: str, zh: str) -> dict[str, str]:
    """Return the same words in both languages, by language."""
    return {"en": en, "zh": zh}
