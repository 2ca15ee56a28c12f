"""Whether what stands between two delimiters is mathematics, or money, a shell prompt, or an escaped bracket."""

from __future__ import annotations

import re

_WORDS_OF_LATEX = re.compile(r"\\(?:text\w*|mbox|hbox|operatorname|math(?:rm|sf|tt|it|bf))\*?\s*\{[^{}]*\}|\\[A-Za-z]+")
_MARK = re.compile(r"\\[A-Za-z{}|,;!:]|[_^=<>≤≥≈∈∂∑∏√]")
_OPERATOR = re.compile(r"[-+*/|()\[\]±×·'′]")
_SHORT = re.compile(r"[A-Za-zα-ωΑ-Ω∂∇ℓ]\d?['′*]*|-?\d+(?:\.\d+)?|\d?[A-Za-z]")
_TWO_WORDS = re.compile(r"(?<![A-Za-z\\_^{])[A-Za-z]{2,}[,;:]?\s+[A-Za-z]{2,}(?![A-Za-z}(])")
_PROSE = re.compile(
    r"(?<![A-Za-z\\{])(?:and|the|is|are|was|of|to|for|with|where|that|this|or|but|then|costs?|per|from|which|"
    r"dollars?|USD)(?![A-Za-z}(])"
)
_LONG_PROSE = re.compile(r"(?<![A-Za-z\\])(?:[A-Za-z]{3,}[,;:.]?\s+){3,}[A-Za-z]{2,}|\.\s+[A-Z][a-z]+\s+[a-z]{2,}")
_SENTENCE = re.compile(r"[，。；？！、]")
_MONEY = re.compile(
    r"\s?\d[\d,]*(?:\.\d+)?(?:\s+[a-z]{3,}(?![a-z(])|[kKmMbB]\s+[a-z]|\.\s|\s*-\s*$|/(?:month|year|day|hour|week|user)|\s*$)"
)
_NUMBERS = re.compile(r"\s?(?:\d[\d,.\s]*)?\d\s?")
_SHELL = re.compile(r"\s*(?:[A-Z_]{2,}[/:;]|\(|\{)?[A-Z_]{2,}[/:;\s]*")
_CALLS = re.compile(r"[A-Za-z]+\(.*\)")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def is_inline(text: str, start: int, end: int) -> bool:
    """Return whether what stands between two single dollar signs is a formula.

    As in pandoc, the first dollar sign is followed and the second preceded by something other than white space, and
    the second is not followed by a digit. Many notes leave spaces there; they are let through where what lies between
    has the marks of mathematics and is no sentence, and so is a digit behind a formula with commands.

    Parameters
    ----------
    text : str
    start, end : int
        From behind the first dollar sign to the second.

    >>> is_inline("$h_t$", 1, 4), is_inline("$ h_t $", 1, 6)
    (True, True)
    >>> is_inline("costs $5 and $6", 7, 13), is_inline("$ ls $", 1, 5)
    (False, False)
    """
    content = text[start:end]
    if not content.strip() or "`" in content or _BRACKET.search(content):
        return False
    before, after = text[start - 2 : start - 1], text[end + 1 : end + 2]
    words = _WORDS_OF_LATEX.sub(" ", content)
    commands = bool(re.search(r"\\[A-Za-z]", content))
    marked = commands or bool(_MARK.search(content))
    if after.isdigit() and after.isascii() and not commands:
        return False
    han = bool(_HAN.search(words))
    if han and not marked and not _CALLS.fullmatch(content):
        return False
    if _SENTENCE.search(words) and (not marked or (han and not (commands and not re.search("[。；？！]", words)))):
        return False
    if not commands and _MONEY.match(content) and not _NUMBERS.fullmatch(content):
        return False
    if _LONG_PROSE.search(words):
        return False
    if content[0].isspace() or content[-1].isspace():
        return _is_spaced(text, start, end, content, words, marked)
    if marked:
        return commands or not (_PROSE.search(words) and _TWO_WORDS.search(words))
    if _SHELL.fullmatch(content) and ((after.isalnum() and after.isascii()) or content.endswith(("/", ":"))):
        return False
    if before.isalnum() and before.isascii() and content[0].isdigit():
        return False  # US$5
    return not _TWO_WORDS.search(words)


def _is_spaced(text: str, start: int, end: int, content: str, words: str, marked: bool) -> bool:
    own_line = text[start - 2 : start - 1] in ("", "\n") and content[0] == " "
    if own_line and content.endswith("\n") and text[end + 1 : end + 2] == " ":
        return False  # two prompts of a shell, one below the other
    commands = re.search(r"\\[A-Za-z]", content)
    if _PROSE.search(words) or (not commands and (_HAN.search(words) or _TWO_WORDS.search(words))):
        return False
    return marked or bool(_SHORT.fullmatch(content.strip())) or _is_arithmetic(content)


def _is_arithmetic(content: str) -> bool:
    """Operators between single letters and numbers."""
    return (
        bool(_OPERATOR.search(content) and re.search(r"[A-Za-z0-9]", content))
        and not re.search(r"[A-Za-z]{2,}", content)
        and not _HAN.search(content)
    )


def is_bracketed(text: str, start: int, end: int) -> bool:
    r"""Return whether what stands between ``\(`` and ``\)``, or ``\[`` and ``\]``, is a formula.

    Markdown escapes brackets of the text in the same way: ``\[1\]``, ``\(see below\)``, ``\[a link\](address)``.

    >>> is_bracketed(r"\(h_t\)", 2, 5), is_bracketed(r"\[1\]", 2, 3), is_bracketed(r"\(see below\)", 2, 11)
    (True, False, False)
    """
    content = text[start:end]
    if not content.strip():
        return False
    if _MARK.search(content):
        return not _LONG_PROSE.search(_WORDS_OF_LATEX.sub(" ", content))
    square = text[start - 1 : start] == "["
    if square and (content.strip().isdigit() or text[end + 2 : end + 3] == "("):
        return False
    words = _WORDS_OF_LATEX.sub(" ", content)
    return not (_TWO_WORDS.search(words) or _SENTENCE.search(words) or (square and _HAN.search(words)))


def is_bare(content: str) -> bool:
    r"""Return whether what stands between two lines with brackets alone is LaTeX, and no list of a program.

    >>> is_bare(r"h_t = \tanh(z_t)"), is_bare('"a_1", 2')
    (True, False)
    """
    if re.search(r"[\"`$]", content) or not re.search(r"\\[A-Za-z]|[=_^]", content):
        return False
    words = _WORDS_OF_LATEX.sub(" ", content)
    return not (_LONG_PROSE.search(words) or _SENTENCE.search(words) or _TWO_WORDS.search(words))


def is_display(content: str, blank_lines: bool) -> bool:
    """Return whether what stands between two doubled dollar signs can be one formula.

    It is none if a single dollar sign stands in it outside words, or, where it has blank lines, a sentence.

    >>> (
    ...     is_display("a = b", False),
    ...     is_display(" costs $5 ", False),
    ...     is_display("a = b (the gradient of the loss)", True),
    ... )
    (True, False, False)
    """
    if "$" in content:
        bare = re.sub(r"\\\$|\\(?:text\w*|mbox|hbox)\s*\{[^{}]*\}", "", content)
        if "$" in bare:
            return False
    words = _WORDS_OF_LATEX.sub(" ", content)
    if not blank_lines:
        return bool(_MARK.search(content)) or not (_PROSE.search(words) and _TWO_WORDS.search(words))
    sentence = _LONG_PROSE.search(words) or _SENTENCE.search(words) or re.search(r"[\u4e00-\u9fff]{4}", words)
    return not (sentence or (_PROSE.search(words) and _TWO_WORDS.search(words)))


_BRACKET = re.compile(r"(?<!\\)(?:\\\\)*\\[(\[]")
_OTHER = re.compile(r"\\[(\[]|`|\$")
_HINT = re.compile(r"\\[A-Za-z]{2,}|(?<![A-Za-z0-9])[A-Za-z]'?[_^][A-Za-z0-9{\\]|[_^]\{|(?<![A-Za-z])[A-Za-z]\s?=")


def hints_at_formula(text: str, start: int, end: int) -> bool:
    """Return whether the next words after a delimiter that nothing closes are mathematics.

    >>> hints_at_formula("$h_t = 1", 1, 8), hints_at_formula("$5 a day", 1, 8)
    (True, False)
    """
    end = min(end, start + 60)
    other = _OTHER.search(text, start, end)
    if text[start - 1 : start] == "$" and text[start : start + 1].isdigit():
        return False  # money
    return bool(_HINT.search(text, start, other.start() if other else end))


_LATEX_ALT = re.compile(
    r"\\[A-Za-z]{2,}|(?<![A-Za-z0-9])[A-Za-z]'?[_^](?:\{|[A-Za-z0-9](?![A-Za-z]))|[_^]\{|\w\s?=\s?[\w\\(-]"
)
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|bmp|pdf)\s*$|://|^\s*$", re.IGNORECASE)


def is_description(alt: str) -> bool:
    r"""Return whether the description of a picture is the LaTeX of a formula.

    >>> is_description(r"\frac{a}{b}"), is_description("h_t"), is_description("lstm_cell.png"), is_description("公式")
    (True, True, False, False)
    """
    if _PICTURE.search(alt) or not _LATEX_ALT.search(alt):
        return False
    words = _WORDS_OF_LATEX.sub(" ", alt)
    return not (_LONG_PROSE.search(words) or _SENTENCE.search(words))
