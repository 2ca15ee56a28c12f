"""Reports made by hand: every verdict, every cause, every kind of message, for the tests of what shows them."""

from __future__ import annotations

from typing import Any

from symbptt.reading.messages import MESSAGES
from symbptt.reading.note import CodeBlock, Formula, Note, Passage
from symbptt.reading.report import (
    CAUSES,
    Claim,
    Counterexample,
    Lint,
    Math,
    Message,
    Report,
    Understood,
    message,
)

TEXT = r"""# Backpropagation through time

Let $h_t = \tanh(z_t)$ with $z_t = W_h h_{t-1} + W_x x_t$, <script>alert("1")</script> & more.

## The gradient dL/dh_t

$$
\frac{\partial L}{\partial h_1} = W_h \frac{\partial L}{\partial h_2} = 12.0
$$

- weights $W_h = 2.0$, so $2 + 2 = 5$
- and $\|J\| \le 1$, 上式在标量时成立： $\delta_t = W_h \delta_{t+1}$ 。

```python
h = tanh(z)  # no $formula$
```

Then \( \frac{a}{b \) cannot be read, and $O(T^2)$ is not checked.

\[
\prod_{k} \| \frac{\partial h_{k}}{\partial h_{k-1}} \| \le \gamma < 1
\]
"""

CHINESE = r"""# 通过时间反向传播

隐状态为 $h_t = f(W_h h_{t-1} + W_x x_t)$ ，于是

$$
\frac{\partial L}{\partial h_1} = \frac{\partial L}{\partial h_2} W_h,\quad h_0 = 0
$$

梯度消失与梯度爆炸。
"""
CELLS = ("# Cell\n\nWe have $h_t = x_t$.", "Then\n$$\nh_2 = h_1 + 1\n$$\nand <b>$h_3 = 3$</b>.")


def formula(text: str, latex: str, display: bool = False, after: int = 0) -> Formula:
    """Return the formula that stands in a text."""
    return Formula(latex, text.index(latex, after), display)


def note(file: str, text: str, latex: list[str], cells: tuple[tuple[int, int], ...] = ()) -> Note:
    """Return a note with formulas that stand in its text in this order."""
    found: list[Formula] = []
    for piece in latex:
        found.append(formula(text, piece, after=found[-1].end if found else 0))
        start = found[-1].start
        if text[start - 1] == "\n":
            found[-1] = Formula(piece, start, True)
    passages, code, at = [], [], 0
    for line in text.splitlines(keepends=True):
        end = at + len(line.rstrip())
        kind = {"#": "heading", "-": "item"}.get(line[0], "text")
        if line.startswith("h = "):
            code.append(CodeBlock("python", line, at))
        elif line.strip() and not line.startswith(("$$", "\\", "```", "h_2 =")):
            passages.append(Passage(kind, at, end, line.index(" ") if kind == "heading" else 0))
        at += len(line)
    return Note(file, text, tuple(found), tuple(passages), code=tuple(code), cells=cells)


def claim(of: Note, latex: str, verdict: str, reason: Message, number: int = 0, **more: Any) -> Claim:
    """Return a claim that is a formula of a note, or a part of one."""
    start = -1
    for _ in range(number + 1):
        start = of.text.index(latex, start + 1)
    line, column = of.place(start)
    inline = of.text[start - 1] != "\n"
    settings: dict[str, Any] = {"inline": inline, "cell": of.cell(start), **more}
    return Claim(of.file, line, column, start, start + len(latex), latex, verdict, reason, **settings)


ENGLISH_NOTE = note(
    "bptt.md",
    TEXT,
    [
        r"h_t = \tanh(z_t)",
        r"z_t = W_h h_{t-1} + W_x x_t",
        r"\frac{\partial L}{\partial h_1} = W_h \frac{\partial L}{\partial h_2} = 12.0",
        r"W_h = 2.0",
        r"2 + 2 = 5",
        r"\|J\| \le 1",
        r"\delta_t = W_h \delta_{t+1}",
        r" \frac{a}{b ",
        r"O(T^2)",
        r"\prod_{k} \| \frac{\partial h_{k}}{\partial h_{k-1}} \| \le \gamma < 1",
    ],
)
CHINESE_NOTE = note(
    "笔记/循环网络.md",
    CHINESE,
    [
        r"h_t = f(W_h h_{t-1} + W_x x_t)",
        r"\frac{\partial L}{\partial h_1} = \frac{\partial L}{\partial h_2} W_h,\quad h_0 = 0",
    ],
)
_BOOK = "\n\n".join(CELLS) + "\n\n"
NOTEBOOK = note("book.ipynb", _BOOK, ["h_t = x_t", "h_2 = h_1 + 1", "h_3 = 3"], cells=((0, 1), (len(CELLS[0]) + 2, 3)))

_GRADIENT = r"\frac{\partial L}{\partial h_1} = W_h \frac{\partial L}{\partial h_2} = 12.0"
_SCALARS = Counterexample(
    r"\frac{\partial L}{\partial h_1}",
    r"W_h \frac{\partial L}{\partial h_2}",
    "=",
    13.0,
    12.0,
    sizes=(("T", 3),),
    indices=(("t", 2),),
    numbers=(("W_h", 2.0), ("x_1", 1.0)),
    given=True,
)
_VECTORS = Counterexample(
    "a",
    "b",
    "=",
    (0.123456, -1.5),
    (0.123457, -1.5),
    sizes=(("n", 2), ("m", 3), ("T", 3)),
    indices=(("t", 2),),
    seed=1,
)
_MATRICES = Counterexample("W", "W^T", "=", ((1.0, 2.0), (3.0, 4.0)), None, sizes=(("n", 2),), seed=0)
_BOUND = Counterexample(r"\prod_{k} \| J_k \|", r"\gamma", r"\le", 1.25, 0.8, sizes=(("n", 2), ("T", 4)))


def english() -> Report:
    """Return a report in which every verdict occurs, and most of what a claim can have."""
    n = ENGLISH_NOTE
    claims = (
        claim(n, r"h_t = \tanh(z_t)", "definition", message("check.reason.definition")),
        claim(n, r"z_t = W_h h_{t-1} + W_x x_t", "definition", message("check.reason.definition")),
        claim(
            n,
            _GRADIENT,
            "refuted",
            message(
                "check.reason.differs",
                left=Math(_SCALARS.left),
                right=Math(_SCALARS.right),
            ),
            counterexample=_SCALARS,
            cause="lost-sum",
            right=r"\frac{\partial L}{\partial h_1} = f'(z_1) + W_h \frac{\partial L}{\partial h_2} = 13.0",
        ),
        claim(n, "W_h = 2.0", "assumption", message("check.reason.definition-given")),
        claim(
            n,
            "2 + 2 = 5",
            "refuted",
            message("check.reason.digits", left_value=4.0, right_text="5"),
            cause="arithmetic",
            right="2 + 2 = 4",
            counterexample=Counterexample("2 + 2", "5", "=", 4.0, 5.0),
            consequence_of=8,
        ),
        claim(n, r"\|J\| \le 1", "holds", message("check.reason.holds-vectors", instances=6, tested=24)),
        claim(
            n,
            r"\delta_t = W_h \delta_{t+1}",
            "conditional",
            message("check.reason.conditional"),
            condition=message("check.condition.scalars"),
            counterexample=_VECTORS,
        ),
        claim(n, r" \frac{a}{b ", "unread", message("check.reason.unread", what="the brace { is not closed")),
        claim(n, "O(T^2)", "unchecked", message("check.reason.big-o")),
        claim(
            n,
            r"\prod_{k} \| \frac{\partial h_{k}}{\partial h_{k-1}} \| \le \gamma < 1",
            "refuted",
            message("check.reason.bound-fails"),
            counterexample=_BOUND,
            cause="one-step-bound",
        ),
    )
    lint = message("check.lint.other-derivative", named=Math("dL/dh_t"), found=Math(r"\partial L/\partial h_1"))
    heading = n.text.index("## The")
    lints = (Lint(n.file, *n.place(heading), "other-derivative", lint),)
    model = Understood(
        n.file,
        3,
        equations=(r"z_t = W_h h_{t-1} + W_x x_t", r"h_t = \tanh(z_t)"),
        facts=(
            message("check.fact.columns"),
            message("check.fact.activation", function=Math("f"), name="tanh"),
            message("check.fact.scalar", why=message("check.why.numbers")),
        ),
        symbols=(
            ("h_t", "n", message("check.fact.vectors")),
            ("W_h", r"n \times n", message("check.fact.columns")),
        ),
        values=(("W_h", "2.0"), ("h_0", "0")),
    )
    return Report((n,), claims, lints, (model,), formulas=10, read=9)


def chinese() -> Report:
    """Return a report about a Chinese note: two claims in one formula."""
    n = CHINESE_NOTE
    claims = (
        claim(
            n,
            r"h_t = f(W_h h_{t-1} + W_x x_t)",
            "definition",
            message("check.reason.definition"),
        ),
        claim(
            n,
            r"\frac{\partial L}{\partial h_1} = \frac{\partial L}{\partial h_2} W_h",
            "refuted",
            message("check.reason.shapes", left=Math(r"\frac{\partial L}{\partial h_2} W_h"), shapes="n × 1, n × n"),
            counterexample=_MATRICES,
            cause="transposed",
            right=r"\frac{\partial L}{\partial h_1} = W_h^\top \frac{\partial L}{\partial h_2}",
        ),
        claim(n, "h_0 = 0", "assumption", message("check.reason.assumption")),
    )
    model = Understood(
        n.file,
        3,
        (r"h_t = f(W_h h_{t-1} + W_x x_t)",),
        (message("check.fact.activation-unknown", function=Math("f"), tried="tanh"),),
    )
    return Report((n,), claims, (), (model,), formulas=2, read=2)


def notebook() -> Report:
    """Return a report about a notebook: places are within its cells."""
    n = NOTEBOOK
    differs = message("check.reason.differs", left=Math("h_2"), right=Math("h_1 + 1"))
    claims = (
        claim(n, "h_t = x_t", "definition", message("check.reason.definition")),
        claim(n, "h_2 = h_1 + 1", "refuted", differs, cause="missing-term", right=r"h_2 = h_1 + \frac{1}{2}"),
        claim(n, "h_3 = 3", "refuted", message("check.reason.follows", line=3), right="h_3 = 4", consequence_of=3),
    )
    model = Understood(n.file, 3, ("h_t = x_t",), cell=1)
    return Report((n,), claims, (), (model,), formulas=3, read=3)


def every_message() -> list[Message]:
    """Return a message of each key, each placeholder filled."""
    values = {
        "instances": 6, "lines": (3, 5), "line": 3, "T": 3, "tested": 24, "left_value": 4.5, "right_text": "5",
        "why": message("check.why.said"), "what": "the brace",
    }  # fmt: skip
    return [
        Message(key, tuple((k, values.get(k, Math("h_t"))) for k in sorted(names))) for key, names in MESSAGES.items()
    ]


def of_every_cause() -> Report:
    """Return a report with one refuted claim for each cause."""
    text = "\n\n".join(f"$a_{{{i}}} = {i}$" for i, _ in enumerate(CAUSES))
    n = note("causes.md", text, [f"a_{{{i}}} = {i}" for i, _ in enumerate(CAUSES)])
    differs = message("check.reason.differs", left=Math("a"), right=Math("b"))
    claims = tuple(
        claim(n, f"a_{{{i}}} = {i}", "refuted", differs, counterexample=_VECTORS, cause=cause)
        for i, cause in enumerate(CAUSES)
    )
    return Report((n,), claims, formulas=len(CAUSES), read=len(CAUSES))
