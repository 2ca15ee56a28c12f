"""The signs of notes: what the words of the notation tree look like on a page."""

from __future__ import annotations

OPERATORS: dict[str, str] = {
    "cdot": "\u22c5", "times": "\u00d7", "ast": "\u2217", "odot": "\u2299", "oslash": "\u2298", "circ": "\u2218",
    "otimes": "\u2297", "oplus": "\u2295", "at": "@", "/": "/",
}  # fmt: skip
RELATIONS: dict[str, str] = {
    "=": "=", ":=": ":=", "equiv": "\u2261", "approx": "\u2248", "sim": "\u223c", "<": "<", ">": ">", "le": "\u2264",
    "ge": "\u2265", "ll": "\u226a", "gg": "\u226b", "ne": "\u2260", "propto": "\u221d", "to": "\u2192",
    "mapsto": "\u21a6", "gets": "\u2190", "leftrightarrow": "\u2194", "in": "\u2208", "notin": "\u2209",
    "subset": "\u2282", "perp": "\u22a5",
    "\\triangleq": "\u225c", "\\doteq": "\u2250", "\\simeq": "\u2243", "\\cong": "\u2245", "\\lesssim": "\u2272",
    "\\gtrsim": "\u2273", "\\subseteq": "\u2286", "\\longrightarrow": "\u27f6", "\\longleftrightarrow": "\u27f7",
}  # fmt: skip
"""Kind of relation, or the command where it says more than the kind -> sign."""
IMPLICATIONS: dict[str, str] = {
    "\\Rightarrow": "\u21d2", "\\Longrightarrow": "\u27f9", "\\implies": "\u27f9", "\\iff": "\u27fa",
    "\\Leftrightarrow": "\u21d4", "\\Longleftrightarrow": "\u27fa", "\\therefore": "\u2234", "\\because": "\u2235",
    "\\Leftarrow": "\u21d0", "\\impliedby": "\u27f8", "\\land": "\u2227", "\\wedge": "\u2227", "\\lor": "\u2228",
    "\\vee": "\u2228",
}  # fmt: skip
SEPARATORS: dict[str, str] = {",": ",", ";": ";", ".": ".", ":": ":", "|": "|"}
BIG: dict[str, str] = {"sum": "\u2211", "prod": "\u220f", "int": "\u222b", "cup": "\u22c3", "cap": "\u22c2"}
"""Large operators that are a sign; the others are words."""
BRACKETS: dict[str, tuple[str, str]] = {
    "||": ("\u2016", "\u2016"), "<": ("\u27e8", "\u27e8"), ">": ("\u27e9", "\u27e9"), "floor": ("\u230a", "\u230b"),
    "ceil": ("\u2308", "\u2309"), ".": ("", ""), "\\langle": ("\u27e8", "\u27e8"), "\\rangle": ("\u27e9", "\u27e9"),
    "\\{": ("{", "{"), "\\}": ("}", "}"),
}  # fmt: skip
"""Bracket -> what it is as the left one, and as the right one; others stand for themselves."""
MATRIX_BRACKETS: dict[str, tuple[str, str]] = {
    "pmatrix": ("(", ")"), "psmallmatrix": ("(", ")"), "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"),
}  # fmt: skip
ACCENTS: dict[str, tuple[str, bool]] = {
    "hat": ("^", False), "tilde": ("~", False), "bar": ("\u00af", False), "underline": ("_", True),
    "vec": ("\u2192", False), "dot": ("\u02d9", False), "ddot": ("\u00a8", False), "check": ("\u02c7", False),
    "breve": ("\u02d8", False), "acute": ("\u00b4", False), "grave": ("`", False), "ring": ("\u02da", False),
    "overrightarrow": ("\u2192", True), "overleftarrow": ("\u2190", True),
}  # fmt: skip
"""Mark -> sign, and whether it is always as wide as what is under it."""
LETTERS: dict[str, str] = {
    "partial": "\u2202", "nabla": "\u2207", "infty": "\u221e", "forall": "\u2200", "exists": "\u2203", "Re": "\u211c",
    "Im": "\u2111", "emptyset": "\u2205", "hbar": "\u210f", "angle": "\u2220", "square": "\u25a1",
    "checkmark": "\u2713",
}  # fmt: skip
SIGNS: dict[str, str] = {
    "percent": "%",
    "factorial": "!",
    "top": "\u22a4", "bot": "\u22a5", "neg": "\u00ac", "pm": "\u00b1", "mp": "\u2213", "dagger": "\u2020",
    "star": "\u22c6", "prime": "\u2032", "ast": "\u2217", "plus": "+", "minus": "\u2212", "circ": "\u2218",
    "times": "\u00d7", "<": "<", ">": ">", "=": "=",
}  # fmt: skip
"""Names that are signs, mostly in superscripts."""
BLACKBOARD: dict[str, str] = {
    **{chr(0x41 + i): chr(0x1D538 + i) for i in range(26)},
    "C": "\u2102", "H": "\u210d", "N": "\u2115", "P": "\u2119", "Q": "\u211a", "R": "\u211d", "Z": "\u2124",
    "1": "\U0001d7d9",
}  # fmt: skip
