"""Signs of Unicode that people type or paste into formulas, and the LaTeX that they stand for."""

from __future__ import annotations

import unicodedata

from ...algebra.names import GREEK

UNICODE: dict[str, str] = {
    **{letter: f"\\{name}" for name, letter in GREEK.items() if name not in ("varepsilon", "varphi")},
    "ϵ": "\\epsilon",
    "ϕ": "\\phi",
    "∂": "\\partial",
    "∇": "\\nabla",
    "∞": "\\infty",
    "∑": "\\sum",
    "∏": "\\prod",
    "⊙": "\\odot",
    "∘": "\\circ",
    "⊗": "\\otimes",
    "·": "\\cdot",
    "⋅": "\\cdot",
    "×": "\\times",
    "∗": "*",
    "−": "-",
    "≤": "\\le",
    "≥": "\\ge",
    "≪": "\\ll",
    "≫": "\\gg",
    "≠": "\\ne",
    "≈": "\\approx",
    "≡": "\\equiv",
    "≜": "\\triangleq",
    "≔": ":=",
    "∝": "\\propto",
    "∈": "\\in",
    "∀": "\\forall",
    "→": "\\to",
    "⟶": "\\to",
    "←": "\\gets",
    "⇒": "\\Rightarrow",
    "⟹": "\\Rightarrow",
    "⇔": "\\iff",
    "…": "\\dots",
    "⋯": "\\cdots",
    "⋮": "\\vdots",
    "⊤": "\\top",
    "′": "'",
    "’": "'",
    "∥": "\\|",
    "‖": "\\|",
    "⟨": "\\langle",
    "⟩": "\\rangle",
    "，": ",",
    "、": ",",
    "；": ";",
    "。": ";",
    "：": ":",
    "（": "(",
    "）": ")",
    "＝": "=",
    "＋": "+",
    "±": "\\pm",
    "ℓ": "\\ell",
    "ℒ": "\\mathcal{L}",
    "ℝ": "\\mathbb{R}",
    "𝔼": "\\mathbb{E}",
    "𝟙": "\\mathbb{1}",
    "√": "\\sqrt",
    "∫": "\\int",
    "∣": "|",
    "｜": "|",
    "⊕": "\\oplus",
    "⊘": "\\oslash",
    "∼": "\\sim",
    "≃": "\\simeq",
    "≅": "\\cong",
    "⟵": "\\gets",
    "↦": "\\mapsto",
    "∉": "\\notin",
    "∃": "\\exists",
    "∅": "\\emptyset",
    "″": "''",
    "–": "-",
    "∧": "\\wedge",
    "∨": "\\vee",
    "•": "\\bullet",
    "∙": "\\cdot",
    "△": "\\Delta",
    "∆": "\\Delta",
    "\u00a0": "~",
    "\u2009": "~",
    "\u202f": "~",
    "\u200b": "~",
    "½": "\\frac{1}{2}",
}
"""Signs of Unicode that people type or paste -> the LaTeX that they stand for."""

LOWERED: dict[str, str] = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-=()aehijklmnoprstuvx", strict=True))
RAISED: dict[str, str] = {
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True)),
    "ᵀ": "\\top",
}
"""Characters of subscripts and superscripts -> what stands there."""

_MARKS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u20d7": "vec"}


def spelled(character: str) -> str | None:
    r"""Return the LaTeX of a sign of Unicode, None if it has none.

    >>> spelled("∂"), spelled("ŷ"), spelled("𝐡"), spelled("x")
    ('\\partial', '\\hat{y}', 'h', None)
    """
    found = UNICODE.get(character)
    if found is not None or character.isascii():
        return found
    apart = unicodedata.normalize("NFD", character)
    if len(apart) == 2 and apart[1] in _MARKS:
        return f"\\{_MARKS[apart[1]]}{{{apart[0]}}}"
    plain = unicodedata.normalize("NFKC", character)
    if len(plain) == 1 and plain != character:
        return plain if plain.isascii() else UNICODE.get(plain)
    return None
