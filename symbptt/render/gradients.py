"""Gradients that were compared with differences of the loss, in words: as text, as Markdown, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..checking.result import RIGHT, UNDECIDED, WRONG, Comparison
from ..reading.report import CodeCheck
from .notes_words import phrase, text_of
from .phrases import catalogue
from .text import wrap

SIGNS = {"right": "✓", "wrong": "✗", "undecided": "?", "unchecked": "?"}
AS_CLAIMS = {"right": "holds", "wrong": "refuted", "undecided": "unchecked", "unchecked": "unchecked"}
"""Verdict on a gradient -> the verdict on a formula that it looks like."""
_BETWEEN = {"en": "; ", "zh": "；"}
_INDENT = "    "


def gradients_text(compared: Sequence[Comparison], lang: str = "en") -> str:
    """Return what was found about gradients, a line for all and some for each.

    >>> print(gradients_text([Comparison("b", (3,), "right", 3, error=0.5, expected=2e-12, given=1.0, numeric=1.0)]))
    gradients right: 1
      b (3,): right; entries compared: 3; the largest difference is 0.0 (0.5 times what rounding explains)
    """
    lines = [summary(compared, lang)]
    for one in compared:
        head, *rest = wrap(sentence(one, lang), 110)
        lines += [f"  {head}", *(f"{_INDENT}{line}" for line in rest)]
    return "\n".join(lines)


def gradients_markdown(compared: Sequence[Comparison], lang: str = "en") -> str:
    """Return what was found about gradients as a table of Markdown."""
    words = catalogue(lang)
    heads = [
        words["notes.grad_name"],
        words["notes.grad_shape"],
        words["notes.grad_verdict"],
        words["notes.grad_detail"],
    ]
    rows = [heads, ["---"] * 4]
    for one in compared:
        name = f"`{one.name}`" if one.name else words["notes.gradient_lone"]
        rows.append(
            [name, str(one.shape), f"{SIGNS[one.verdict]} {verdict_word(one.verdict, lang)}", details(one, lang)]
        )
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return f"**{summary(compared, lang)}**\n\n{table}\n"


def code_lines(check: CodeCheck, lang: str) -> list[str]:
    """Return what was found about a function of a note, without its place: a head, and lines below it."""
    lines = []
    if check.reason is not None:
        lines += [f"{_INDENT}{text_of(check.reason, lang)}"]
    for one in check.gradients:
        lines += [f"{_INDENT}{line}" for line in wrap(sentence(one, lang))]
    for remark in check.remarks:
        lines += [f"{_INDENT}{line}" for line in wrap(text_of(remark, lang) or "")]
    return lines


def code_html(check: CodeCheck, lang: str) -> Iterator[str]:
    """Yield what was found about a function of a note as HTML."""
    yield '<ul class="gradients">'
    if check.reason is not None:
        yield f"<li>{escape(text_of(check.reason, lang) or '')}</li>"
    for one in check.gradients:
        sign = f'<span class="sign {AS_CLAIMS[one.verdict]}" aria-hidden="true">{SIGNS[one.verdict]}</span>'
        yield f"<li>{sign} {escape(sentence(one, lang))}</li>"
    for remark in check.remarks:
        yield f"<li>{escape(text_of(remark, lang) or '')}</li>"
    yield "</ul>"
    if check.output.strip():
        yield f"<p>{escape(catalogue(lang)['notes.code_printed'])}</p>\n<pre>{escape(check.output)}</pre>"


# -- words -----------------------------------------------------------------------------------------------------
def summary(compared: Sequence[Comparison], lang: str) -> str:
    """Return how many gradients are wrong."""
    count = len(compared)
    wrong = sum(one.verdict == WRONG for one in compared)
    left = sum(one.verdict == UNDECIDED for one in compared)
    if wrong:
        return phrase("notes.gradients_some", lang, wrong=wrong, count=count)
    if left:
        return phrase("notes.gradients_open", lang, open=left, count=count)
    return phrase("notes.gradients_all", lang, count=count)


def verdict_word(verdict: str, lang: str) -> str:
    """Return the word for a verdict on gradients.

    >>> verdict_word("unchecked", "zh")
    '未检查'
    """
    return catalogue(lang)[f"notes.gradient_{verdict}"]


def sentence(one: Comparison, lang: str) -> str:
    """Return what was found about one gradient, with its name."""
    word = verdict_word(one.verdict, lang)
    return phrase("notes.gradient_line", lang, name=named(one, lang), verdict=word, details=details(one, lang))


def named(one: Comparison, lang: str) -> str:
    """Return the name of a parameter with its shape."""
    name = one.name or catalogue(lang)["notes.gradient_lone"]
    return f"{name} {one.shape}" if one.shape else name


def details(one: Comparison, lang: str) -> str:
    """Return what was found about one gradient."""
    parts = list(_values(one, lang))
    if one.kinks:
        parts.append(phrase("notes.gradient_kinks", lang, kinks=one.kinks))
    causes = [cause_text(cause, one, lang) for cause in one.causes]
    if causes:
        parts.append(phrase("notes.cause", lang, cause=("、" if lang == "zh" else ", ").join(causes)))
    return _BETWEEN.get(lang, "; ").join(parts)


def _values(one: Comparison, lang: str) -> Iterator[str]:
    if one.given is None or one.numeric is None:
        return
    given, numeric = _pair(one.given, one.numeric)
    values = {"given": given, "numeric": numeric, "error": _times(one.error), "count": one.compared}
    if one.verdict != WRONG:
        difference = f"{abs(one.given - one.numeric):.2g}"
        yield phrase("notes.gradient_agrees", lang, difference=_float(difference), **values)
        if one.verdict != RIGHT:
            yield phrase("notes.gradient_hidden", lang)
    elif one.entry is None:
        yield phrase("notes.gradient_direction", lang, **values)
    elif not one.shape:
        yield phrase("notes.gradient_number", lang, **values)
    else:
        yield phrase("notes.gradient_entries", lang, wrong=one.wrong, entry=list_of(one.entry), **values)


def cause_text(cause: str, one: Comparison, lang: str) -> str:
    """Return the words for a cause; of a factor its size, the sign being a cause of its own.

    >>> cause_text("mean", Comparison("b", (3,), "wrong", factor=-0.2), "en")
    'it is the right one divided by 5, as if a mean stood in the place of a sum'
    """
    factor = abs(one.factor or 1.0)
    shown = f"{1 / factor if cause == 'mean' else factor:.6g}"
    return phrase(f"notes.grad_cause_{cause}", lang, factor=shown, found=str(one.found), shape=str(one.shape))


def list_of(entry: tuple[int, ...]) -> str:
    """Return the place of an entry as NumPy has it.

    >>> list_of((0, 2))
    '[0, 2]'
    """
    return str(list(entry))


def _pair(left: float, right: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to tell them apart."""
    shown = ("", "")
    for digits in range(4, 18):
        shown = (_float(f"{left:.{digits}g}"), _float(f"{right:.{digits}g}"))
        if shown[0] != shown[1]:
            break
    return shown


def _float(text: str) -> str:
    return text if any(c in text for c in ".en") else f"{text}.0"


def _times(error: float) -> str:
    return f"{error:.2g}"
