"""What is made from the table of keys: the commented template and the JSON schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .keys import Key, about
from .kinds import KINDS, NUMBERS, Written
from .schema import STRAY, TOP
from .schema_tables import CELL


def json_schema() -> dict[str, Any]:
    """Return the schema of a model file as JSON schema, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "symbptt model file",
        **_object_schema(TOP),
        "$defs": {"numbers": NUMBERS, "cell": _object_schema(CELL)},
    }


def _object_schema(keys: tuple[Key, ...]) -> dict[str, Any]:
    required = [key.name for key in keys if key.required and not key.unless]
    made = [key.name for key in keys if key.required and key.unless]
    others = dict.fromkeys(name for key in keys if key.required for name in key.unless)
    ways = [{"required": names} for names in (made, *([name] for name in others)) if names]
    return {
        "type": "object",
        "properties": {key.name: {"description": key.about["en"], **_key_schema(key)} for key in keys},
        "additionalProperties": False,
        **({"required": required} if required else {}),
        **({"anyOf": ways} if ways else {}),
    }


def _key_schema(key: Key) -> dict[str, Any]:
    ways: list[dict[str, Any]] = []
    if key.kind:
        ways.append({"enum": list(key.choices)} if key.choices else KINDS[key.kind].schema)
    if key.members:
        ways.append(_object_schema(key.members))
    if key.each:
        ways.append({"type": "object", **_free_schema(key)})
    return ways[0] if len(ways) == 1 else {"anyOf": ways}


def _free_schema(key: Key) -> dict[str, Any]:
    """Return the schema of a table whose keys are free."""
    stray = {"propertyNames": {"not": {"enum": sorted(STRAY[key.name])}}} if key.name in STRAY else {}
    named = key.choices and key.name == "notation"  # a table of names that says which notation it changes
    own = {"properties": {key.name: {"enum": list(key.choices)}}} if named else {}
    return {**own, "additionalProperties": KINDS[key.each].schema, **stray}


_HEAD = about(
    "A model file for symbptt. Lines that begin with # are comments; take the sign away to use one.\n"
    "Try: symbptt derive {file}",
    "symbptt 的模型文件。以 # 开头的行是注释；去掉 # 即可启用。\n试一试：symbptt derive {file}",
)


def template(data: Mapping[str, Any], lang: str = "en", file: str = "FILE") -> str:
    """Return a commented model file with the given data; every other key is there too, as a comment.

    Parameters
    ----------
    data : mapping
        As read from a model file.
    lang : {"en", "zh"}
    file : str
        Its name, for the first comment.
    """
    parts = [_comment(_HEAD[lang].format(file=file))]
    parts += [_entry(key, data, lang) for key in TOP if not _is_table(key, data)]
    parts += [_table(key, data, lang) for key in TOP if _is_table(key, data)]
    return "\n".join(parts)


def _is_table(key: Key, data: Mapping[str, Any]) -> bool:
    value = data.get(key.name, {} if isinstance(key.sample, dict) else None)
    return isinstance(value, dict) and bool(key.members or key.each)


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def _entry(key: Key, data: Mapping[str, Any], lang: str) -> str:
    given = key.name in data
    line = toml(key.name, data[key.name] if given else key.sample)
    return _comment(key.about[lang]) + (f"{line}\n" if given else _comment(line))


def _table(key: Key, data: Mapping[str, Any], lang: str) -> str:
    given = data.get(key.name)
    off = "# " if given is None else ""
    text = _comment(key.about[lang]) + f"{off}[{key.name}]\n"
    if key.members:
        return text + "".join(_entry(member, given or {}, lang) for member in key.members)
    return text + "".join(f"{off}{toml(k, v)}\n" for k, v in (key.sample if given is None else given).items())


def toml(key: str, value: Any) -> str:
    """Return one line of TOML."""
    name = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)
    return f"{name} = {_toml_value(value)}"


def _toml_value(value: Any) -> str:
    if isinstance(value, Written) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(toml(k, v) for k, v in value.items()) + "}"
    if not isinstance(value, list):
        return _quoted(value)
    if len(value) > 1 and all(isinstance(v, str) and not isinstance(v, Written) and len(v) > 12 for v in value):
        return "[\n" + "".join(f"  {_quoted(v)},\n" for v in value) + "]"
    if any(isinstance(v, dict) for v in value):
        return "[\n" + "".join(f"  {_toml_value(v)},\n" for v in value) + "]"
    return "[" + ", ".join(map(_toml_value, value)) + "]"


def _quoted(text: str) -> str:
    if "\\" in text and "'" not in text:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)
