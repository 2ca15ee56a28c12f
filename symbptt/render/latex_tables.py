r"""Tables as LaTeX; in a narrow column words are broken, and what is too wide is set smaller."""

from __future__ import annotations

from collections.abc import Iterator

from .blocks import Inline, Math, Table
from .breaking import text_width, width
from .latex_style import Style
from .latex_words import inline

_LONG_TABLE = 30
"""More rows than this do not stay together on one page."""
_GAP = 1.25
"""Space that LaTeX puts around the entries of a column, in em of normal type."""
_WORDS = 6.0
"""A column of words is not set narrower than this, in em."""


def table_tex(block: Table, style: Style) -> str:
    """Return a table; over many rows it may be parted by the end of a page, or is parted here in two columns."""
    if style.columns == 1 and not style.narrow:
        return _long(block) if len(block.rows) > _LONG_TABLE else _centred("", "l" * len(block.header), block)
    return "\n\n".join(_fitted(part, style) for part in _parts(block))


def _parts(block: Table) -> Iterator[Table]:
    """Yield a table in pieces that stay together: a table over several pages cannot stand in two columns."""
    for start in range(0, len(block.rows), _LONG_TABLE):
        yield Table(block.header, block.rows[start : start + _LONG_TABLE])


def _body(block: Table) -> str:
    lines = [" & ".join(map(inline, cells)) + " \\\\" for cells in (block.header, *block.rows)]
    return "\n".join(["\\toprule", lines[0], "\\midrule", *lines[1:], "\\bottomrule"])


def _stretch(body: str) -> str:
    return "\\renewcommand{\\arraystretch}{1.4}\n" if "\\frac" in body else ""


def _long(block: Table) -> str:
    body = _body(block)
    table = f"\\begin{{longtable}}{{{'l' * len(block.header)}}}\n{body}\n\\end{{longtable}}"
    return f"{{{_stretch(body)}{table}}}" if _stretch(body) else table


def _centred(command: str, columns: str, block: Table) -> str:
    body = _body(block)
    before = f"{command}\n" if command else ""
    table = f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}"
    return f"\\begin{{center}}\n{before}{_stretch(body)}{table}\n\\end{{center}}"


def _fitted(block: Table, style: Style) -> str:
    """Set a table in the largest type in which it fits, its words over several lines where that is needed."""
    for command, scale in style.sizes:
        columns = _columns(block, style.room / scale, _GAP / scale)
        if columns is not None:
            return _centred(command, columns, block)
    body = _body(block)
    table = f"\\begin{{tabular}}{{{'l' * len(block.header)}}}\n{body}\n\\end{{tabular}}"
    return f"\\begin{{center}}\n{_stretch(body)}\\resizebox{{\\linewidth}}{{!}}{{{table}}}\n\\end{{center}}"


def _columns(block: Table, room: float, gap: float) -> str | None:
    """Return the columns of a table that fits into a room, with the gap between them, in em; None where it cannot."""
    wide = [max(map(_width, cells)) for cells in zip(block.header, *block.rows, strict=True)]
    left = room - sum(wide) - gap * len(wide)
    if left >= 0:
        return "l" * len(wide)
    every = zip(block.header, *block.rows, strict=True)
    wordy = [i for i, cells in enumerate(every) if any(map(_is_wordy, cells))]
    if not wordy:
        return None
    last = max(wordy, key=lambda i: wide[i])
    kept = wide[last] + left
    if kept < _WORDS:
        return None
    return "".join(f"p{{{kept:.1f}em}}" if i == last else "l" for i in range(len(wide)))


def _is_wordy(cell: tuple[Inline, ...]) -> bool:
    return any(isinstance(part, str) and len(part) > 3 for part in cell)


def _width(cell: tuple[Inline, ...]) -> float:
    return sum(width(part.item) if isinstance(part, Math) else text_width(part) for part in cell)
