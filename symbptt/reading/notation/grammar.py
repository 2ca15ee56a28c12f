"""The notation parser: recursive descent from tokens to a tree."""

from __future__ import annotations

from dataclasses import replace

from .derivatives import as_derivative, with_inline_derivatives
from .tokens import Macros, NotationError, Token, tokens_of
from .tree import (
    Accent,
    Annotated,
    Big,
    Chain,
    Derivative,
    Dots,
    Empty,
    Evaluated,
    Fence,
    Fraction,
    Grid,
    Listing,
    Name,
    Number,
    Plus,
    Product,
    Relation,
    Root,
    Script,
    Tree,
    Words,
)
from .words import (
    ACCENTS,
    BARS,
    BIG,
    CLOSING,
    DOTS,
    FENCED_MATRICES,
    IMPLICATIONS,
    MATRICES,
    NAMED_FUNCTIONS,
    OPENING,
    OPERATORS,
    QUADS,
    RELATIONS,
    SHOWN,
    STYLES,
    SWITCHES,
    SYMBOLS,
    SYSTEMS,
)

DEEPEST = 40
"""How deep brackets, braces and scripts may be nested."""


def parse(latex: str, macros: Macros = {}) -> Tree:
    r"""Return the tree of a formula.

    Parameters
    ----------
    latex : str
        Without delimiters.
    macros : mapping
        What ``\newcommand`` defined.

    Raises
    ------
    NotationError
        With the place, where something is not understood.

    Examples
    --------
    >>> parse(r"h_t = f(z_t)").operands[0]
    Script(base=Name(name='h', style=''), sub=Name(name='t', style=''), sup=None, primes=0)
    """
    return _Parser(tokens_of(latex, macros)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.position, self.depth = tokens, 0, 0
        self.bars: list[str] = []

    # -- tokens -------------------------------------------------------------------------------------------
    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += token.kind != "finish"
        return token

    def at(self, *texts: str) -> bool:
        return self.token.text in texts and self.token.kind in ("sign", "command", "letter")

    def _last_end(self) -> int:
        return self.tokens[self.position - 1].end if self.position else 0

    def placed(self, tree: Tree, start: int) -> Tree:
        return replace(tree, start=start, end=max(self._last_end(), start))

    def fail(self, key: str, token: Token | None = None, **values: str) -> NotationError:
        return NotationError(f"check.unread.{key}", (token or self.token).start, **values)

    # -- statements ---------------------------------------------------------------------------------------
    def whole(self) -> Tree:
        tree = self.listing()
        if self.token.kind != "finish":
            raise self.fail("unexpected", what=self.token.text or self.token.kind)
        return tree

    def listing(self) -> Tree:
        """Read parts behind one another, up to something that closes."""
        start = self.token.start
        items: list[Tree] = []
        separators: list[str] = []
        pending = ""
        while not self._closes():
            separator = self._separator()
            if separator is not None:
                pending = _stronger(pending, separator)
                continue
            item = self.chain()
            if items:
                separators.append(pending or "words")
            items.append(item)
            pending = ""
        if not items:
            return self.placed(Empty(), start)
        if len(items) == 1:
            return items[0]
        return self.placed(Listing(tuple(items), tuple(separators)), start)

    def _closes(self) -> bool:
        token = self.token
        if token.kind in ("finish", "close", "end", "right", "cell") and not (token.kind == "cell" and not self.depth):
            return True
        if token.kind == "row":
            return self.depth > 0 and bool(self.grids)
        if token.text in BARS and token.kind in ("sign", "command") and self._bar_closes():
            return True
        return token.kind in ("sign", "command") and token.text in CLOSING

    @property
    def grids(self) -> int:
        return self._grids

    _grids = 0

    def _separator(self) -> str | None:
        token = self.token
        found = None
        if token.kind == "row":
            found = "row"
        elif token.kind == "cell" or token.kind == "middle":
            found = "words"
        elif token.kind in ("sign", "command"):
            if token.text in (",", ";", "."):
                found = token.text
            elif token.text in QUADS:
                found = "quad"
            elif token.text in IMPLICATIONS:
                found = "implies"
            elif token.text in (":", "\\colon", "\\mid", "\\vert", "|"):
                found = ":" if token.text in (":", "\\colon") else "|"
            elif token.text in ("!", "?", "\\&", "\\#", "\\$", "\\_", "\\qed", "\\blacksquare", "\\%", "%"):
                found = "words"
        if found is not None:
            self.take()
        return found

    def chain(self) -> Tree:
        """Read operands with relations between them."""
        start = self.token.start
        operands: list[Tree] = []
        relations: list[Relation] = []
        if not self._relation_ahead():
            operands.append(self.plus())
        else:
            operands.append(self.placed(Empty(), start))
        while self._relation_ahead():
            relations.append(self.relation())
            while self.token.kind == "cell" or (self.token.kind == "row" and not self._grids):
                self.take()
            if self._ends_operand():
                operands.append(self.placed(Empty(), self.token.start))
            elif self._relation_ahead():
                continue_with = self.relation()  # "= \le" written as two signs
                relations[-1] = replace(relations[-1], kind=continue_with.kind, end=continue_with.end)
                operands.append(self.plus())
            else:
                operands.append(self.plus())
        if not relations:
            return operands[0]
        return self.placed(Chain(tuple(operands), tuple(relations)), start)

    def _ends_operand(self) -> bool:
        token = self.token
        return self._closes() or token.kind == "row" or (token.kind in ("sign", "command") and token.text in (",", ";"))

    def _relation_ahead(self) -> bool:
        ahead = self.token
        if ahead.kind == "cell":
            following = self.tokens[self.position + 1]
            return self.depth == 0 and following.text in RELATIONS and following.kind in ("sign", "command")
        if ahead.kind in ("sign", "command") and ahead.text in ("\\overset", "\\stackrel", "\\underset"):
            return self._stacked_relation()
        return ahead.kind in ("sign", "command") and ahead.text in RELATIONS

    def _stacked_relation(self) -> bool:
        after = self._after_argument(self.position + 1)
        inner = self.tokens[after : after + 2]
        return bool(inner) and any(t.text in RELATIONS for t in inner[: 2 if inner[0].kind == "open" else 1])

    def _after_argument(self, position: int) -> int:
        depth = 0
        for i in range(position, len(self.tokens)):
            depth += {"open": 1, "close": -1}.get(self.tokens[i].kind, 0)
            if depth <= 0:
                return i + 1
        return len(self.tokens) - 1

    def relation(self) -> Relation:
        if self.token.kind == "cell":
            self.take()
        token = self.take()
        note: Tree | None = None
        if token.text in ("\\overset", "\\stackrel", "\\underset"):
            note = self.argument()
            braces = self.token.kind == "open"
            if braces:
                self.take()
            inner = self.take()
            if braces:
                self._expect_close()
            return replace(Relation(RELATIONS[inner.text], note), start=token.start, end=self._last_end())
        if token.text in ("\\xrightarrow", "\\xleftarrow"):
            if self.at("["):
                self._skip_bracket()
            note = self.argument()
        return replace(Relation(RELATIONS[token.text], note), start=token.start, end=self._last_end())

    def _skip_bracket(self) -> None:
        while self.token.kind != "finish" and self.take().text != "]":
            pass

    # -- sums and products --------------------------------------------------------------------------------
    def plus(self) -> Tree:
        start = self.token.start
        signs: list[str] = []
        terms: list[Tree] = []
        sign = ""
        if self._sign_ahead():
            sign = self._sign()
        while True:
            terms.append(self.product())
            signs.append(sign)
            while self.token.kind in ("cell", "row") and not self._grids and self._sign_after_break():
                self.take()
            if not self._sign_ahead():
                break
            sign = self._sign()
        if len(terms) == 1 and signs[0] in ("", "+"):
            return terms[0]
        return self.placed(Plus(tuple(signs), tuple(terms)), start)

    def _sign_after_break(self) -> bool:
        """Whether a sum goes on in the next line."""
        i = self.position
        while self.tokens[i].kind in ("cell", "row"):
            i += 1
        return self.tokens[i].kind == "sign" and self.tokens[i].text in "+-"

    def _sign_ahead(self) -> bool:
        return self.token.kind in ("sign", "command") and self.token.text in ("+", "-", "\\pm", "\\mp", "\\oplus")

    def _sign(self) -> str:
        sign = "+"
        while self._sign_ahead():
            token = self.take()
            if token.text in ("\\pm", "\\mp"):
                sign = "pm"
            elif token.text == "\\oplus":
                sign = "oplus"
            elif token.text == "-":
                sign = "+" if sign == "-" else "-"
            while self.token.kind == "cell" and not self._grids:
                self.take()
        return sign

    def product(self) -> Tree:
        start = self.token.start
        factors = [self.factor()]
        operators: list[str] = []
        while True:
            token = self.token
            if token.kind == "cell" and not self._grids and self._operator(self.tokens[self.position + 1]):
                self.take()
                token = self.token
            operator = self._operator(token)
            if operator is not None:
                self.take()
                while self.token.kind in ("cell", "row") and not self._grids:
                    self.take()
                operators.append(operator)
                factors.append(self._signed_factor())
            elif self._factor_ahead():
                operators.append("")
                factors.append(self.factor())
            else:
                break
        if not operators:
            return factors[0]
        return with_inline_derivatives(self.placed(Product(tuple(factors), tuple(operators)), start))

    @staticmethod
    def _operator(token: Token) -> str | None:
        return OPERATORS.get(token.text) if token.kind in ("sign", "command") else None

    def _signed_factor(self) -> Tree:
        if not self._sign_ahead():
            return self.factor()
        start, sign = self.token.start, self._sign()
        return self.placed(Plus((sign,), (self.factor(),)), start)

    def _factor_ahead(self) -> bool:
        token = self.token
        if token.kind in ("letter", "number", "text", "open", "begin", "left"):
            return True
        if token.kind not in ("sign", "command"):
            return False
        text = token.text
        if text in BARS:
            return not self._bar_closes() and not self._is_separating_bar()
        known = (SYMBOLS, ACCENTS, STYLES, BIG, OPENING, SHOWN)
        return any(text in table for table in known) or text in DOTS or text in NAMED_FUNCTIONS or text in _FACTORS

    # -- factors ------------------------------------------------------------------------------------------
    def factor(self) -> Tree:
        """Read one factor with all that is attached to it: scripts, primes, evaluation bars."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", limit=str(DEEPEST))
        start = self.token.start
        tree = self._scripts(self.atom(), start)
        self.depth -= 1
        return tree

    def _scripts(self, base: Tree, start: int) -> Tree:
        while True:
            token = self.token
            if token.text in ("_", "^", "'") and token.kind == "sign":
                base = self._script(base, start)
            elif self._evaluation_bar():
                base = self._evaluated(base, start)
            elif token.text == "!" and token.kind == "sign":
                self.take()
            else:
                return base

    def _script(self, base: Tree, start: int) -> Tree:
        sub = sup = None
        primes = 0
        while self.token.kind == "sign" and self.token.text in ("_", "^", "'"):
            sign = self.take()
            if sign.text == "'":
                primes += 1
            elif sign.text == "_" and sub is None:
                sub = self.argument()
            elif sign.text == "^" and sup is None:
                sup = self.argument()
                if isinstance(sup, Name) and sup.name == "prime":
                    primes, sup = primes + 1, None
            else:
                raise self.fail("double-script", sign)
        if isinstance(base, Annotated) and base.kind in ("under", "over") and base.note is None:
            return self.placed(replace(base, note=sub or sup), start)
        return self.placed(Script(base, sub, sup, primes), start)

    def _evaluation_bar(self) -> bool:
        token = self.token
        if token.kind == "right" and token.text in ("|", "\\vert"):
            return False
        if token.kind not in ("sign", "command") or BARS.get(token.text) != "|" or "|" in self.bars:
            return False
        return self.tokens[self.position + 1].text in ("_", "^")

    def _evaluated(self, base: Tree, start: int) -> Tree:
        self.take()
        sub = sup = None
        while self.token.kind == "sign" and self.token.text in ("_", "^"):
            if self.take().text == "_":
                sub = self.argument()
            else:
                sup = self.argument()
        return self.placed(Evaluated(base, sub, sup), start)

    def argument(self) -> Tree:
        """Read ``{...}`` or one token."""
        token = self.token
        if token.kind == "open":
            return self.group()
        if token.kind == "number" and len(token.text) > 1 and token.text[0].isdigit():
            self.tokens[self.position] = replace(token, text=token.text[1:], start=token.start + 1)
            if self.tokens[self.position].text.startswith("."):
                self.tokens[self.position] = replace(token, kind="finish")
                raise self.fail("unexpected", token, what=token.text)
            return replace(Number(token.text[0]), start=token.start, end=token.start + 1)
        if token.kind in ("sign", "command") and token.text in ("*", "+", "-", "<", ">", "=", "\\circ"):
            self.take()
            return replace(Name({"*": "ast", "+": "plus", "-": "minus", "\\circ": "circ"}.get(token.text, token.text)),
                           start=token.start, end=token.end)  # fmt: skip
        if token.kind in ("finish", "close", "cell", "row", "end", "right"):
            raise self.fail("missing-argument")
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", limit=str(DEEPEST))
        tree = self.atom()
        self.depth -= 1
        return tree

    def group(self) -> Tree:
        """Read ``{...}``; alone it is its content."""
        opening = self.take()
        start = opening.start
        bars, self.bars = self.bars, []
        grids, self._grids = self._grids, 0
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", opening, limit=str(DEEPEST))
        tree = self._only_sign() or self.listing()
        self.depth -= 1
        self.bars, self._grids = bars, grids
        self._expect_close(opening)
        return self.placed(tree, start) if not isinstance(tree, Chain | Listing) else tree

    def _only_sign(self) -> Tree | None:
        """Read a superscript that is a sign alone: ``^{+}``, ``^{*}``, ``^{(+)}`` is not one."""
        token, following = self.token, self.tokens[self.position + 1]
        if following.kind == "close" and token.kind in ("sign", "command"):
            name = {"*": "ast", "\\ast": "ast", "+": "plus", "-": "minus", "\\times": "times", "\\circ": "circ"}.get(
                token.text
            )
            if name:
                self.take()
                return replace(Name(name), start=token.start, end=token.end)
        return None

    def _expect_close(self, opening: Token | None = None) -> None:
        if self.token.kind != "close":
            raise (
                self.fail("brace", opening)
                if self.token.kind == "finish"
                else self.fail("unexpected", what=self.token.text or self.token.kind)
            )
        self.take()

    def atom(self) -> Tree:
        token = self.token
        start = token.start
        if token.kind == "open":
            return self.group()
        if token.kind == "left":
            return self._left()
        if token.kind == "begin":
            return self._environment()
        if token.kind in ("number", "letter"):
            self.take()
            return self.placed(Number(token.text) if token.kind == "number" else Name(token.text), start)
        if token.kind == "text":
            self.take()
            return self.placed(_text(token.text), start)
        if token.kind in ("sign", "command"):
            found = self._command(token, start)
            if found is not None:
                return found
        raise self.fail("unexpected", what=token.text or token.kind)

    def _command(self, token: Token, start: int) -> Tree | None:
        text = token.text
        if text in BARS and not self._bar_closes():
            return self._bars(start)
        if text in OPENING:
            return self._fence(start)
        if text in DOTS or (text == "." and self.tokens[self.position + 1].text == "."):
            while self.token.text in DOTS or self.token.text == ".":
                self.take()
            return self.placed(Dots(), start)
        if text in SYMBOLS or text in NAMED_FUNCTIONS:
            self.take()
            return self.placed(Name(SYMBOLS.get(text, text[1:])), start)
        if text in BIG:
            return self._big(start)
        if text in ACCENTS:
            self.take()
            return self.placed(Accent(ACCENTS[text], self.argument()), start)
        if text in STYLES:
            return self._style(start)
        if text in SHOWN:
            self.take()
            arguments = [self.argument() for _ in range(SHOWN[text])]
            return self.placed(Annotated("box", arguments[-1]), start)
        rule = _FACTORS.get(text)
        if rule is not None:
            self.take()
            tree: Tree = getattr(self, rule)()
            return self.placed(tree, start)
        if token.kind == "command" and text[1:].isalpha():
            raise self.fail("command", what=text)
        return None

    # -- commands with a rule of their own ----------------------------------------------------------------
    def _fraction(self) -> Tree:
        top, bottom = self.argument(), self.argument()
        return as_derivative(top, bottom) or Fraction(top, bottom)

    def _root(self) -> Tree:
        degree = None
        if self.at("["):
            self.take()
            degree = self.listing()
            if not self.at("]"):
                raise self.fail("bracket")
            self.take()
        return Root(self.argument(), degree)

    def _underbrace(self) -> Tree:
        return Annotated("under", self.argument())

    def _overbrace(self) -> Tree:
        return Annotated("over", self.argument())

    def _stacked(self) -> Tree:
        note, body = self.argument(), self.argument()
        if isinstance(body, Big) and isinstance(body.body, Empty):
            return replace(body, sub=note, body=self.product())
        if isinstance(body, Name) and f"\\{body.name}" in BIG:
            return Big(body.name, note, None, self.product())
        return Annotated("set", body, note)

    def _substack(self) -> Tree:
        return self.argument()

    def _binomial(self) -> Tree:
        return Grid("matrix", ((self.argument(),), (self.argument(),)))

    def _degree_sign(self) -> Tree:
        return Name("circ")

    def _style(self, start: int) -> Tree:
        command = self.take().text
        style = STYLES[command]
        if command in SWITCHES:
            body: Tree = self.listing()
        else:
            body = self.argument()
        return self.placed(_styled(body, style), start)

    def _big(self, start: int) -> Tree:
        kind = BIG[self.take().text]
        sub = sup = None
        while self.token.kind == "sign" and self.token.text in ("_", "^"):
            if self.take().text == "_":
                sub = self._bound()
            else:
                sup = self._bound()
        if not self._factor_ahead() and not self._sign_ahead():
            return self.placed(Big(kind, sub, sup, self.placed(Empty(), self._last_end())), start)
        return self.placed(Big(kind, sub, sup, self._body()), start)

    def _body(self) -> Tree:
        if self._sign_ahead():
            start, sign = self.token.start, self._sign()
            return self.placed(Plus((sign,), (self.product(),)), start)
        return self.product()

    def _bound(self) -> Tree:
        return self.argument()

    # -- brackets -----------------------------------------------------------------------------------------
    def _left(self) -> Tree:
        opening = self.take()
        left = OPENING.get(opening.text, BARS.get(opening.text, opening.text))
        bars, self.bars = self.bars, []
        grids, self._grids = self._grids, 0
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", opening, limit=str(DEEPEST))
        body = self.listing()
        while self.token.kind == "cell" or self.token.kind == "row":
            self.take()
            body = self.placed(Listing((body, self.listing()), ("row",)), body.start)
        self.depth -= 1
        self.bars, self._grids = bars, grids
        if self.token.kind != "right":
            raise self.fail("bracket", opening)
        closing = self.take()
        right = CLOSING.get(closing.text, BARS.get(closing.text, closing.text))
        if left in (".", "") and right == "|":
            return self._left_bar(body, opening.start)
        return self.placed(Fence(left, right, body), opening.start)

    def _left_bar(self, body: Tree, start: int) -> Tree:
        """``\\left. a \\right|_{b}`` is a evaluated at b."""
        sub = sup = None
        while self.token.kind == "sign" and self.token.text in ("_", "^"):
            if self.take().text == "_":
                sub = self.argument()
            else:
                sup = self.argument()
        return self.placed(Evaluated(body, sub, sup), start)

    def _fence(self, start: int) -> Tree:
        opening = self.take()
        bars, self.bars = self.bars, []
        grids, self._grids = self._grids, 0
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", opening, limit=str(DEEPEST))
        body = self.listing()
        self.depth -= 1
        self.bars, self._grids = bars, grids
        if self.token.text not in CLOSING or self.token.kind not in ("sign", "command"):
            raise self.fail("bracket", opening)
        return self.placed(Fence(OPENING[opening.text], CLOSING[self.take().text], body), start)

    def _bars(self, start: int) -> Tree:
        opening = self.take()
        kind = BARS[opening.text]
        self.bars.append(kind)
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", opening, limit=str(DEEPEST))
        body = self.listing()
        self.depth -= 1
        if BARS.get(self.token.text) != kind:
            raise self.fail("bracket", opening)
        self.take()
        self.bars.pop()
        return self.placed(Fence(kind, kind, body), start)

    def _bar_closes(self) -> bool:
        return bool(self.bars) and BARS[self.token.text] == self.bars[-1] and self.token.text not in ("\\lvert",)

    def _is_separating_bar(self) -> bool:
        """Whether a bar separates, as in p(y | x): no other is there to close it within the bracket."""
        kind, depth = BARS[self.token.text], 0
        for token in self.tokens[self.position + 1 :]:
            if token.kind in ("open", "left", "begin") or token.text in OPENING:
                depth += 1
            elif token.kind in ("close", "right", "end") or token.text in CLOSING:
                depth -= 1
                if depth < 0:
                    return True
            elif depth == 0 and BARS.get(token.text) == kind and token.kind in ("sign", "command"):
                return False
        return True

    # -- environments -------------------------------------------------------------------------------------
    def _environment(self) -> Tree:
        opening = self.take()
        name = opening.text
        if name not in MATRICES and name not in SYSTEMS:
            raise self.fail("environment", opening, what=name)
        if name in ("array", "alignat", "alignedat") and self.token.kind == "open":
            self._skip_group()
        if name in ("array", "aligned", "cases") and self.at("["):
            self._skip_bracket()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("too-deep", opening, limit=str(DEEPEST))
        bars, self.bars = self.bars, []
        if name in MATRICES or name in ("cases", "dcases", "rcases"):
            tree: Tree = self._grid("matrix" if name in MATRICES else "cases", opening)
        else:
            tree = self._lines(opening)
        self.bars = bars
        self.depth -= 1
        fence = FENCED_MATRICES.get(name)
        return self.placed(Fence(*fence, self.placed(tree, opening.start)) if fence else tree, opening.start)

    def _skip_group(self) -> None:
        self.position = self._after_argument(self.position)

    def _grid(self, kind: str, opening: Token) -> Tree:
        self._grids += 1
        rows: list[tuple[Tree, ...]] = []
        cells: list[Tree] = []
        while True:
            cells.append(self.listing())
            token = self.take()
            if token.kind == "cell":
                continue
            if token.kind in ("row", "end"):
                if len(cells) > 1 or not isinstance(cells[0], Empty):
                    rows.append(tuple(cells))
                cells = []
                if token.kind == "end":
                    break
                continue
            raise self.fail("environment-open", opening, what=opening.text)
        self._grids -= 1
        return Grid(kind, tuple(rows))

    def _lines(self, opening: Token) -> Tree:
        """Lines of an aligned environment; a chain goes on where a line begins with a relation."""
        grids, self._grids = self._grids, 0
        depth, self.depth = self.depth, 0
        if self.token.kind == "cell":
            self.take()
        start = self.token.start
        items: list[Tree] = []
        separators: list[str] = []
        while True:
            tree = self.listing()
            if not isinstance(tree, Empty):
                separators += ["row"] * bool(items)
                items.append(tree)
            token = self.token
            if token.kind in ("row", "cell"):
                self.take()
            elif token.kind == "end":
                self.take()
                break
            else:
                raise self.fail("environment-open", opening, what=opening.text)
        self._grids, self.depth = grids, depth
        if len(items) == 1:
            return items[0]
        return self.placed(Listing(tuple(items), tuple(separators)), start) if items else self.placed(Empty(), start)


_FACTORS: dict[str, str] = {
    "\\frac": "_fraction",
    "\\dfrac": "_fraction",
    "\\tfrac": "_fraction",
    "\\cfrac": "_fraction",
    "\\sqrt": "_root",
    "\\underbrace": "_underbrace",
    "\\overbrace": "_overbrace",
    "\\overset": "_stacked",
    "\\underset": "_stacked",
    "\\stackrel": "_stacked",
    "\\substack": "_substack",
    "\\binom": "_binomial",
    "\\degree": "_degree_sign",
}
"""Commands with arguments -> the method that reads them."""

_STRENGTH = ("", "words", "quad", ":", "|", ",", ".", ";", "implies", "row")


def _stronger(a: str, b: str) -> str:
    return max(a, b, key=_STRENGTH.index)


def _text(text: str) -> Tree:
    """A word of letters is a name, anything else words."""
    plain = text.strip().replace("\\_", "_")
    if plain.isascii() and plain.replace("_", "").replace("-", "").isalnum() and plain[0].isalpha():
        return Name(plain, "text")
    return Words(text)


def _styled(tree: Tree, style: str) -> Tree:
    """Give a style to the letters of a tree; upright letters side by side are one word."""
    if isinstance(tree, Name):
        return replace(tree, style=style or tree.style)
    if isinstance(tree, Product) and style in ("upright", "bold") and not any(tree.operators):
        if all(isinstance(f, Name) and len(f.name) == 1 for f in tree.factors) and (
            style == "upright" or len(tree.factors) > 2
        ):
            name = "".join(f.name for f in tree.factors if isinstance(f, Name))
            return Name(name, style, start=tree.start, end=tree.end)
        return replace(tree, factors=tuple(_styled(f, style) for f in tree.factors))
    if isinstance(tree, Script):
        return replace(tree, base=_styled(tree.base, style))
    if isinstance(tree, Accent):
        return replace(tree, body=_styled(tree.body, style))
    return tree


__all__ = ["Derivative", "NotationError", "parse"]
