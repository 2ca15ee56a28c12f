"""Every message that a report may hold: its key, and what its phrase needs to be filled with.

The words are phrases of the same keys (``check.toml`` of each language); a test compares them with this table.
"""

from __future__ import annotations

from .report import CAUSES, LINTS, VERDICTS

_REASONS: dict[str, tuple[str, ...]] = {
    "holds-vectors": ("instances", "tested"),
    "holds-scalars": ("instances", "tested"),
    "holds-numbers": (),
    "holds-rounded": (),
    "holds-function": ("function",),
    "holds-everywhere": (),
    "holds-proved": (),
    "holds-assumed": ("lines",),
    "differs": ("left", "right"),
    "shapes": ("left", "shapes"),
    "two-shapes": ("left", "right", "shapes"),
    "digits": ("left_value", "right_text"),
    "definition": (),
    "definition-given": (),
    "assumption": (),
    "mapping": (),
    "no-value": ("symbol",),
    "no-model": (),
    "open-ended": (),
    "no-meaning": (),
    "no-bounds": (),
    "derivative-by": (),
    "cases": (),
    "no-numbers": (),
    "open-loss": (),
    "no-step": (),
    "marked-derivative": (),
    "under-assumption": ("lines",),
    "big-o": (),
    "unread": ("what",),
    "too-large": (),
    "second-order": (),
    "approximate": (),
    "asymptotic": (),
    "bound-holds": ("instances",),
    "bound-fails": (),
    "limit-holds": (),
    "limit-fails": (),
    "no-instance": (),
    "follows": ("line",),
    "conditional": (),
}
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "scalars": (),
    "total": ("derivative",),
    "immediate": ("derivative",),
    "numerator": (),
    "denominator": (),
    "last-step": (),
    "before-last": (),
    "after-first": (),
    "zero-start": (),
    "transposed-vectors": (),
    "entrywise": (),
    "power-of-function": (),
    "assumed": ("line",),
    "assumed-scalars": ("line",),
    "norm-at-most-one": ("symbol",),
    "slope-at-most-one": (),
    "contraction": (),
    "in-absolute-value": (),
    "loss-of-step": (),
}
_FACTS: dict[str, tuple[str, ...]] = {
    "columns": (),
    "rows": (),
    "scalar": ("why",),
    "vectors": (),
    "activation": ("function", "name"),
    "activation-unknown": ("function", "tried"),
    "loss": ("name",),
    "loss-unknown": (),
    "steps": ("T",),
    "given-by-user": (),
    "sizes-unknown": (),
    "start-unknown": ("states",),
    "layout-unknown": (),
    "numerator": (),
    "denominator": (),
    "not-built": (),
    "not-built-why": ("why",),
}
_UNREAD: dict[str, tuple[str, ...]] = {
    "incomplete": (),
    "unexpected": ("what",),
    "too-deep": ("limit",),
    "too-long": ("length", "limit"),
    "double-script": (),
    "missing-argument": (),
    "brace": (),
    "bracket": (),
    "command": ("what",),
    "environment": ("what",),
    "environment-open": ("what",),
    "macro-loop": ("name",),
}
_WHYS: dict[str, tuple[str, ...]] = {"numbers": (), "said": (), "derivatives": (), "options": ()}
_MEANINGS = ("state", "input", "inner", "output", "target", "weights", "bias", "number", "parameter")
_LINTS: dict[str, tuple[str, ...]] = {
    "other-derivative": ("named", "found"),
    "defined-twice": ("symbol", "line"),
    "undefined-symbol": ("symbol",),
    "sum-without-bounds": ("sum",),
    "inverted-factor": ("factor", "right"),
    "unclosed": ("what",),
}
_PROBLEMS: dict[str, tuple[str, ...]] = {"unclosed": ("what",)}
_CODE: dict[str, tuple[str, ...]] = {
    "line": ("line",),
    "line-in-cell": ("block", "line"),
    "cut": ("begin", "place", "error"),
    "broken": ("begin", "place", "error"),
    "stopped": ("place", "error"),
    "loose": ("names",),
    "in-cut": ("name", "begin", "place", "error"),
    "in-broken": ("name", "begin", "place", "error"),
    "argument": ("name", "arguments", "first"),
    "no-variable": ("name",),
    "no-size": ("name",),
    "not-defined": ("name",),
    "no-upstream": ("name", "forward"),
    "no-output": ("name", "what"),
    "no-loss": ("name", "what"),
    "no-gradient": ("name",),
    "refused": ("name", "error"),
    "raises": ("name", "place", "error"),
    "time": ("seconds",),
    "died": ("code", "last"),
}
_GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "verdict": dict.fromkeys(VERDICTS, ()),
    "cause": dict.fromkeys(CAUSES, ()),
    "lint-kind": dict.fromkeys(LINTS, ()),
    "reason": _REASONS,
    "condition": _CONDITIONS,
    "fact": _FACTS,
    "unread": _UNREAD,
    "why": _WHYS,
    "meaning": dict.fromkeys(_MEANINGS, ()),
    "lint": _LINTS,
    "problem": _PROBLEMS,
    "code": _CODE,
}

MESSAGES: dict[str, frozenset[str]] = {
    f"check.{group}.{name}": frozenset(names) for group, keys in _GROUPS.items() for name, names in keys.items()
}
"""Key of a message -> its placeholders.

>>> sorted(MESSAGES["check.reason.holds-vectors"])
['instances', 'tested']
"""
