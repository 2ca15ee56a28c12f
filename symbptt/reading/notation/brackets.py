"""Rules for brackets, bars and environments."""

from __future__ import annotations

from .cursor import Cursor, worded
from .derivatives import as_derivative
from .tokens import Token
from .tree import Chain, Empty, Evaluated, Fence, Fraction, Grid, Listing, Name, Tree
from .words import BARS, CASES, CLOSING, FENCED_MATRICES, OPENING


class Brackets(Cursor):
    """Reads everything that opens and closes."""

    def group(self) -> Tree:
        """Read ``{...}``; it is its content."""
        opening = self.take()
        with self.deeper():
            primes = self._primes()
            tree = primes or self.listing()
            if self.at(("\\over", "\\choose")):
                tree = self._over(tree)
        if self.token.kind != "close":
            raise self.fail("brace", opening) if self.token.kind == "finish" else self.unexpected()
        self.take()
        return self.placed(tree, opening.start)

    def _over(self, top: Tree) -> Tree:
        """Read what stands below, in ``{a \\over b}`` and ``{n \\choose k}``."""
        sign, bottom = self.take(), self.listing()
        if sign.text == "\\choose":
            return Grid("binomial", ((top,), (bottom,)))
        return as_derivative(top, bottom) or Fraction(top, bottom)

    def _primes(self) -> Tree | None:
        """Read a superscript of primes, ``^{\\prime\\prime}``, as a name of that many."""
        i = self.position
        while self.tokens[i].signed and self.tokens[i].text in ("'", "\\prime"):
            i += 1
        if i == self.position or self.tokens[i].kind != "close":
            return None
        start, count = self.token.start, i - self.position
        self.position = i
        return self.placed(Name(" ".join(["prime"] * count)), start)

    def bracket(self) -> Tree:
        """Read ``(...)`` with whatever closes it."""
        opening = self.take()
        with self.deeper():
            body = self.listing()
        if not self.at(CLOSING):
            raise self.fail("bracket", opening)
        return self.placed(Fence(OPENING[opening.text], CLOSING[self.take().text], body), opening.start)

    def bars(self) -> Tree:
        """Read ``|...|``."""
        opening = self.take()
        with self.deeper():
            body = self.listing()
        if not self.at_bar("right") or self.token.text != opening.text:
            raise self.fail("bracket", opening)
        self.take()
        return self.placed(Fence(opening.text, opening.text, body), opening.start)

    def left(self) -> Tree:
        """Read ``\\left( ... \\right)``; ``\\left. a \\right|_{b}`` is a, evaluated."""
        opening = self.take()
        left = _side(opening)
        with self.deeper():
            body = self.listing()
        if self.token.kind != "right":
            raise self.fail("bracket", opening)
        right = _side(self.take())
        if left == "." and right == "|":
            return self.evaluated(body, opening.start)
        return self.placed(Fence(left, right, body), opening.start)

    def evaluated(self, body: Tree, start: int) -> Tree:
        """Read the scripts of a bar behind what it evaluates."""
        sub = sup = None
        while self.at(("_", "^")):
            if self.at(("_",)) and sub is None:
                self.take()
                sub = self.argument()
            elif self.at(("^",)) and sup is None:
                self.take()
                sup = self.argument()
            else:
                raise self.fail("double-script")
        return self.placed(Evaluated(body, sub, sup), start)

    # -- environments -------------------------------------------------------------------------------------
    def environment(self) -> Tree:
        """Read ``\\begin{...} ... \\end{...}``."""
        opening = self.take()
        name = opening.text
        if not opening.role:
            raise self.fail("environment", opening, what=name)
        after = self.tokens[self.position : self.position + 3]
        if len(after) == 3 and [after[0].text, after[2].text] == ["[", "]"] and after[1].text in ("t", "b", "c"):
            self.position += 3
        if name in ("array", "alignat", "alignedat", "subarray") and self.token.kind == "open":
            self._skip_columns()
        with self.deeper():
            tree = self._lines(opening) if opening.role == "lines" else self._rows(opening)
        fence = FENCED_MATRICES.get(name)
        return Fence(*fence, tree, start=tree.start, end=tree.end) if fence else tree

    def _skip_columns(self) -> None:
        opening, depth = self.token, 0
        while True:
            token = self.take()
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            if depth == 0:
                return
            if token.kind == "finish":
                raise self.fail("brace", opening)

    def _lines(self, opening: Token) -> Tree:
        tree = self.listing()
        self._end(opening)
        return self.placed(tree, opening.start)

    def _end(self, opening: Token) -> None:
        if self.token.kind != "end":
            raise self.fail("environment-open", opening, what=opening.text) if self._ended() else self.unexpected()
        self.take()

    def _ended(self) -> bool:
        return self.token.kind in ("finish", "close", "right")

    def _rows(self, opening: Token) -> Tree:
        rows: list[tuple[Tree, ...]] = []
        cells: list[Tree] = []
        while True:
            cells.append(worded(self.listing()))
            if self.token.kind == "cell":
                self.take()
                continue
            if len(cells) > 1 or not isinstance(cells[0], Empty):
                rows.append(tuple(cells))
            cells = []
            if self.token.kind != "row":
                break
            self.take()
        self._end(opening)
        if (opening.role == "cases" or opening.text in CASES) and _states(rows):
            return self.placed(_system(rows), opening.start)
        return self.placed(Grid(opening.role, tuple(rows)), opening.start)


def _side(token: Token) -> str:
    text = token.text
    return OPENING.get(text, CLOSING.get(text, BARS.get(text, text)))


def _states(rows: list[tuple[Tree, ...]]) -> bool:
    """Whether the rows are equations, and not the pieces of a function."""

    def stated(tree: Tree) -> bool:
        first = tree.items[0] if isinstance(tree, Listing) else tree
        return isinstance(first, Chain) and first.relations[0].kind in ("=", ":=", "gets")

    return bool(rows) and all(stated(row[0]) for row in rows)


def _system(rows: list[tuple[Tree, ...]]) -> Tree:
    items: list[Tree] = []
    separators: list[str] = []
    for row in rows:
        for i, cell in enumerate(cell for cell in row if not isinstance(cell, Empty)):
            separators += [] if not items else ["row"] if i == 0 else ["quad"]
            separators += cell.separators if isinstance(cell, Listing) else []
            items += cell.items if isinstance(cell, Listing) else [cell]
    return Listing(tuple(items), tuple(separators)) if len(items) > 1 else items[0]
