"""Rules for sums and products."""

from __future__ import annotations

from .cursor import is_connecting
from .derivatives import with_inline_derivatives
from .factors import Factors
from .tree import Accent, Empty, Fence, Name, Number, Plus, Product, Script, Tree, Words
from .words import CONNECTING, LONE, OPERATORS, PUNCTUATION, QUADS, RELATIONS, SIGNS


class Sums(Factors):
    """Reads sums and products, which may go on in the next line."""

    def plus(self) -> Tree:
        """Read terms with their signs."""
        start = self.token.start
        alone = self._alone()
        if alone is not None:
            return alone
        sign = self._sign() if self.at(SIGNS) else ""
        signs, terms = [sign], [self.product()]
        while not _leads(terms[-1]) and (self.at(SIGNS) or self.goes_on_with(SIGNS)):
            signs.append(self._sign())
            terms.append(self.product())
        if len(terms) == 1 and signs[0] in ("", "+"):
            return terms[0]
        return self.placed(Plus(tuple(signs), tuple(terms)), start)

    def _alone(self) -> Tree | None:
        """Read a sign that stands alone, as in ``f(\\cdot)``, as a name."""
        token, after = self.token, self.following
        if not self.at(LONE):
            return None
        ends = after.kind in ("finish", "close", "right", "end", "cell", "row", "middle") or (
            after.kind == "bar" and after.role in ("right", "mid")
        )
        if not ends and after.signed:
            tables = (PUNCTUATION, RELATIONS, QUADS, (")", "]", "\\}", "\\rangle", "\\rVert", "\\rvert", "\\mid", ":"))
            ends = any(after.text in table for table in tables)
        if not ends:
            return None
        self.take()
        return Name(LONE[token.text], start=token.start, end=token.end)

    def _sign(self) -> str:
        sign = "+"
        while self.at(SIGNS):
            text = self.take().text
            if text in ("\\pm", "\\mp"):
                sign = "pm"
            elif text == "-":
                sign = "+" if sign == "-" else "-"
            self.skip_line_ends()
        return sign

    def product(self) -> Tree:
        """Read factors side by side, or with signs between them."""
        start = self.token.start
        factors: list[Tree] = []
        operators: list[str] = []
        self._skip_empty(True)
        if self.at(OPERATORS):
            factors.append(Empty(start=start, end=start))
        else:
            factors.append(self.factor())
        while True:
            self._skip_empty(False)
            if self.at_bar("at"):
                self._evaluate(factors, operators)
            elif self.at(OPERATORS) or self.goes_on_with(OPERATORS):
                operators.append(OPERATORS[self.take().text])
                self.skip_line_ends()
                factors.append(self._alone() or self._signed_factor())
            elif self.at(("!",)) and isinstance(factors[-1], Name | Number | Script | Fence):
                operators.append("")
                factors.append(self.placed(Name("factorial"), self.take().start))
            elif self.factor_ahead() and not _joins(factors[-1]):
                operators.append("")
                factors.append(self.factor())
            else:
                break
        if not operators:
            return factors[0]
        return with_inline_derivatives(self.placed(Product(tuple(factors), tuple(operators)), start))

    def _skip_empty(self, first: bool) -> None:
        """Skip ``{}`` beside a factor, where it has no scripts."""
        while self.token.kind == "open" and self.following.kind == "close":
            after = self.tokens[self.position + 2]
            if after.text in ("_", "^", "'") or (first and not self.begins_factor(after)):
                return
            self.position += 2

    def factor_ahead(self) -> bool:
        """Whether a factor begins here."""
        return self.begins_factor(self.token) and not self.relation_ahead()

    def _signed_factor(self) -> Tree:
        if not self.at(SIGNS):
            return self.factor()
        start, sign = self.token.start, self._sign()
        return self.placed(Plus((sign,), (self.factor(),)), start)

    def _evaluate(self, factors: list[Tree], operators: list[str]) -> None:
        """``f(x) \\big|_{x = 0}`` evaluates f(x), and not its bracket alone."""
        self.take()
        body = factors.pop()
        if (
            isinstance(body, Fence)
            and operators
            and operators[-1] == ""
            and isinstance(factors[-1], Name | Script | Accent)
        ):
            operators.pop()
            name = factors.pop()
            body = Product((name, body), ("",), start=name.start, end=body.end)
        factors.append(self.evaluated(body, body.start))


def _joins(tree: Tree) -> bool:
    """Whether a tree is words behind which another part begins."""
    return isinstance(tree, Words) or (isinstance(tree, Name) and tree.style == "text" and is_connecting(tree.name))


def _leads(tree: Tree) -> bool:
    """Whether a tree is words that lead to a formula, so that a sign behind them is its first."""
    if not isinstance(tree, Words | Name):
        return False
    words = (tree.text if isinstance(tree, Words) else tree.name if tree.style == "text" else "").split()
    return bool(words) and words[-1].lower() in CONNECTING
