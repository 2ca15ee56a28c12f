"""Rules for one factor: a name, a number, a command with arguments, and its scripts."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from .brackets import Brackets
from .cursor import is_connecting
from .derivatives import as_derivative
from .styles import styled
from .tokens import Token
from .tree import (
    Accent,
    Annotated,
    Big,
    Chain,
    Derivative,
    Dots,
    Empty,
    Fence,
    Fraction,
    Grid,
    Name,
    Number,
    Plus,
    Root,
    Script,
    Tree,
    Words,
)
from .words import ACCENTS, BIG, DOTS, LONE, NAMED_FUNCTIONS, OPENING, SHOWN, STYLES, SWITCHES, SYMBOLS

_SCRIPTS = ("_", "^", "'", "\\prime")
_RAISED_SIGNS = ("<", ">", "=")


class Factors(Brackets):
    """Reads one factor."""

    def factor(self) -> Tree:
        """Read one factor with the scripts and primes that are attached to it."""
        start = self.token.start
        base: Tree = Empty(start=start, end=start) if self.at(("_", "^")) else self.atom()
        while True:
            if self.at(_SCRIPTS):
                base = self._script(base, start)
            elif self._empty_base():
                self.take()
                self.take()
            else:
                return base

    def _empty_base(self) -> bool:
        """Whether ``{}^\\top`` is here, whose scripts belong to what stands before it."""
        after = self.tokens[self.position : self.position + 3]
        return len(after) == 3 and after[0].kind == "open" and after[1].kind == "close" and after[2].text in ("_", "^")

    def _script(self, base: Tree, start: int) -> Tree:
        sub = sup = None
        primes = 0
        while self.at(_SCRIPTS):
            sign = self.take()
            if sign.text in ("'", "\\prime"):
                primes += 1
            elif sign.text == "_" and sub is None:
                sub = self.argument()
            elif sign.text == "^" and sup is None:
                sup = self.argument()
                if isinstance(sup, Name) and set(sup.name.split()) == {"prime"}:
                    primes, sup = primes + len(sup.name.split()), None
            else:
                raise self.fail("double-script", sign)
        if isinstance(base, Annotated) and base.kind in ("under", "over") and base.note is None and not primes:
            below = base.kind == "under"
            base = self.placed(replace(base, note=sub if below else sup), start)
            sub, sup = (None, sup) if below else (sub, None)
            if sub is None and sup is None:
                return base
        large = _large(base)
        if large and not primes:
            return self.big_over(large, sub, sup, start)
        if isinstance(base, Script) and base.sup is None and not primes and sub is None:
            return self.placed(replace(base, sup=sup), start)
        return self.placed(Script(base, sub, sup, primes), start)

    def argument(self) -> Tree:
        """Read ``{...}`` or one token; of a number, its first digit."""
        token = self.token
        if token.kind == "open":
            return self.group()
        if token.kind == "number" and len(token.text) > 1:
            return self._digit(token)
        if self.at(LONE) or self.at(_RAISED_SIGNS):
            self.take()
            return Name(LONE.get(token.text, token.text), start=token.start, end=token.end)
        if token.kind in ("finish", "close", "cell", "row", "end", "right"):
            raise self.fail("missing-argument")
        with self.deeper():
            return self.atom()

    def _digit(self, token: Token) -> Tree:
        """``\\frac12`` has two arguments; the rest of the number stays where it is."""
        rest = token.text[1:]
        if not (token.text[0].isdigit() and rest.lstrip(".").isdigit() and token.end - token.start == len(token.text)):
            raise self.fail("unexpected", what=token.text)
        self.tokens[self.position] = replace(token, text=rest, start=token.start + 1)
        return Number(token.text[0], start=token.start, end=token.start + 1)

    def atom(self) -> Tree:
        """Read what scripts may be attached to."""
        token = self.token
        rule = _BY_KIND.get(token.kind)
        if rule is not None:
            return rule(self)
        if token.kind in ("number", "letter"):
            self.take()
            return self.placed(Number(token.text) if token.kind == "number" else Name(token.text), token.start)
        if token.kind == "text":
            self.take()
            return self.placed(_text(token.text), token.start)
        if self.at_bar("left"):
            return self.bars()
        if token.signed:
            return self._command(token)
        raise self.unexpected()

    def _command(self, token: Token) -> Tree:
        text, start = token.text, token.start
        if text in OPENING:
            return self.bracket()
        if text in DOTS or (text == "." and self.following.text == "."):
            while self.at(DOTS) or (self.at((".",)) and text == "."):
                self.take()
            return self.placed(Dots(), start)
        if text in SYMBOLS or text in NAMED_FUNCTIONS:
            self.take()
            return self.placed(Name(SYMBOLS.get(text, text[1:])), start)
        if text in BIG:
            return self._big()
        if text in ACCENTS:
            self.take()
            return self.placed(Accent(ACCENTS[text], self.argument()), start)
        if text in STYLES:
            return self._style()
        if text in SHOWN:
            self.take()
            return self.placed(Annotated("box", self.argument()), start)
        rule = _COMMANDS.get(text)
        if rule is not None:
            self.take()
            return self.placed(rule(self), start)
        if token.kind == "command" and text[1:].isalpha():
            raise self.fail("command", what=text)
        raise self.unexpected()

    def begins_factor(self, token: Token) -> bool:
        """Whether a token may begin a factor that stands directly behind another."""
        if token.kind in ("letter", "number", "open", "begin", "left"):
            return True
        if token.kind == "text":
            return not is_connecting(token.text)
        if token.kind == "bar":
            return token.role == "left"
        text = token.text
        return (
            token.signed
            and text not in ("\\forall", "\\exists")
            and any(text in table for table in _BEGINNING)
        )  # fmt: skip

    # -- commands with a rule of their own ----------------------------------------------------------------
    def _fraction(self) -> Tree:
        top, bottom = self.argument(), self.argument()
        return as_derivative(top, bottom) or Fraction(top, bottom)

    def _derivative(self, symbol: str) -> Tree:
        """``\\pdv{a}{b}`` and ``\\pdv{b}``, of the package physics."""
        first = self.argument()
        if self.token.kind != "open":
            return Derivative(None, (first,), symbol)
        return Derivative(first, (self.argument(),), symbol)

    def _root(self) -> Tree:
        degree = None
        if self.at(("[",)):
            opening = self.take()
            with self.deeper():
                degree = self.listing()
            if not self.at(("]",)):
                raise self.fail("bracket", opening)
            self.take()
        return Root(self.argument(), degree)

    def _underbrace(self) -> Tree:
        return Annotated("under", self.argument())

    def _overbrace(self) -> Tree:
        return Annotated("over", self.argument())

    def _stacked(self) -> Tree:
        note, body = self.argument(), self.argument()
        large = _large(body)
        if large:
            return self.big_over(large, note, None, note.start)
        mark = _mark(note)
        return Accent(mark, body) if mark else Annotated("set", body, note)

    def _binomial(self) -> Tree:
        return Grid("binomial", ((self.argument(),), (self.argument(),)))

    def _style(self) -> Tree:
        command = self.take()
        if command.text in SWITCHES:
            with self.deeper():
                body: Tree = self.listing()
        else:
            body = self.argument()
        return self.placed(styled(body, STYLES[command.text]), command.start)

    # -- large operators ----------------------------------------------------------------------------------
    def _big(self) -> Tree:
        command = self.take()
        sub = sup = None
        while self.at(("_", "^")):
            sign = self.take()
            if sign.text == "_" and sub is None:
                sub = self.argument()
            elif sign.text == "^" and sup is None:
                sup = self.argument()
            else:
                raise self.fail("double-script", sign)
        kind = BIG[command.text]
        bare = sub is None and sup is None and kind in _CALLED
        if bare and (self.at(OPENING) or self.token.kind == "left" or not self.factor_ahead()):
            return self.placed(Name(kind), command.start)
        return self.big_over(kind, sub, sup, command.start)

    def big_over(self, kind: str, sub: Tree | None, sup: Tree | None, start: int) -> Tree:
        """Read what a large operator reaches over: the product behind it."""
        body: Tree = Empty(start=self.last_end(), end=self.last_end())
        with self.deeper():
            sign = self.token
            if sign.text in ("+", "-") and sign.signed and self.begins_factor(self.following):
                self.take()
                body = self.placed(Plus((sign.text,), (self.product(),)), sign.start)
            elif self.factor_ahead():
                body = self.product()
        return self.placed(Big(kind, sub, sup, body), start)


_BY_KIND: dict[str, Callable[[Factors], Tree]] = {
    "open": Factors.group,
    "left": Factors.left,
    "begin": Factors.environment,
}
_COMMANDS: dict[str, Callable[[Factors], Tree]] = {
    **dict.fromkeys(("\\frac", "\\dfrac", "\\tfrac", "\\cfrac"), Factors._fraction),
    "\\sqrt": Factors._root,
    "\\underbrace": Factors._underbrace,
    "\\overbrace": Factors._overbrace,
    **dict.fromkeys(("\\overset", "\\underset", "\\stackrel"), Factors._stacked),
    "\\substack": Factors.argument,
    **dict.fromkeys(("\\nicefrac", "\\sfrac", "\\flatfrac"), Factors._fraction),
    "\\norm": lambda parser: Fence("||", "||", parser.argument()),
    "\\abs": lambda parser: Fence("|", "|", parser.argument()),
    "\\pdv": lambda parser: parser._derivative("partial"),
    "\\dv": lambda parser: parser._derivative("d"),
    **dict.fromkeys(("\\binom", "\\tbinom", "\\dbinom"), Factors._binomial),
}
"""Commands with arguments -> the rule that reads them."""
_BEGINNING: tuple[Container[str], ...] = (
    *(SYMBOLS, ACCENTS, STYLES, BIG, OPENING, SHOWN, DOTS, NAMED_FUNCTIONS),
    _COMMANDS,
)
"""Tables of signs with which a factor begins."""


def _text(text: str) -> Tree:
    """A word is a name, anything else words."""
    plain = text.strip()
    if plain.replace("_", "").replace("-", "").isalnum() and plain[0].isalpha():
        return Name(plain, "text")
    return Words(text)


def _mark(note: Tree) -> str | None:
    """Return the accent that an arrow over a letter is."""
    if not isinstance(note, Chain) or not all(isinstance(part, Empty) for part in note.operands):
        return None
    return {"to": "overrightarrow", "gets": "overleftarrow", "sim": "tilde"}.get(note.relations[0].kind)


_CALLED = ("max", "min", "sup", "inf")
"""Large operators that without bounds are functions: ``\\max(0, x)``."""


def _large(tree: Tree) -> str | None:
    """Return the large operator that a tree in braces is, still without its bounds."""
    if isinstance(tree, Big) and isinstance(tree.body, Empty) and tree.sub is None and tree.sup is None:
        return tree.kind
    return tree.name if isinstance(tree, Name) and not tree.style and tree.name in _CALLED else None
