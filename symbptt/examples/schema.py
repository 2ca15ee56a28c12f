"""The keys of a model file, as one table; the check, the commented template and the JSON schema are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .kinds import Written


@dataclass(frozen=True)
class Key:
    """One key of a model file.

    Parameters
    ----------
    name : str
    kind : str
        Of a plain value; empty where only a table will do.
    about : mapping
        Language -> what it is.
    sample : Any
        What stands behind it in a new file, behind a comment sign.
    members : tuple of Key
        Keys of a table in its place.
    each : str
        Kind of every entry of a table in its place whose keys are free.
    choices : tuple of str
        The values there are, if they are few.
    required : bool
    unless : tuple of str
        Keys of the same table in whose presence it is not required.
    """

    name: str
    kind: str
    about: Mapping[str, str]
    sample: Any
    members: tuple[Key, ...] = ()
    each: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    unless: tuple[str, ...] = ()
    by_name: Mapping[str, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.members})


def about(en: str, zh: str) -> dict[str, str]:
    """Return the same words in both languages, by language."""
    return {"en": en, "zh": zh}


MADE_OF_CELLS = ("stack", "bidirectional")
"""The keys of ``[cell]`` that make a cell of others, in the place of equations."""
LATEX = "latex"
"""The key of ``[cell]`` with equations in LaTeX, in the place of those of the equation language."""

CELL = (
    Key(
        "equations",
        "texts",
        about(
            "The equations of one step, in the order of computation. @ is the matrix product, * is elementwise.",
            "一个时间步的方程，按计算顺序排列。@ 是矩阵乘法，* 是逐元素乘法。",
        ),
        ["z[t] = W_h @ h[t-1] + W_x @ x[t] + b_h", "h[t] = tanh(z[t])"],
        required=True,
        unless=(*MADE_OF_CELLS, LATEX),
    ),
    Key(
        LATEX,
        "texts",
        about(
            "In the place of equations: the same in LaTeX, as a paper prints them, in any order; states and output\n"
            'are then inferred. Functions may be names: {f = "tanh"}. In single quotes TOML leaves backslashes alone.',
            "代替 equations：用 LaTeX 书写的方程，与论文中的写法相同，次序不限；此时 states 和 output 由方程推断。\n"
            'functions 中可以写函数名：{f = "tanh"}。TOML 的单引号字符串不处理反斜杠。',
        ),
        [r"h_t = (1-\alpha) h_{t-1} + \alpha \tanh(W_h h_{t-1} + W_x x_t + b_h)"],
    ),
    Key(
        "keys",
        "",
        about(
            "Of equations in LaTeX: a name as it is written, and the key that it is to have.",
            "用 LaTeX 书写方程时：方程中的名称，及其在本程序中的键。",
        ),
        {"W_{hh}": "W_h"},
        each="text",
    ),
    Key(
        "states",
        "texts",
        about(
            'What is carried on to the next step: names, or a table of sizes such as {h = "n", c = "p"}.',
            '传递到下一时间步的状态：名称列表，或尺寸表，例如 {h = "n", c = "p"}。',
        ),
        ["h"],
        each="shape",
        required=True,
        unless=(*MADE_OF_CELLS, LATEX),
    ),
    Key(
        "output",
        "text",
        about(
            "What the readout or the loss reads; by default the first state.",
            "读出层或损失读取的变量；默认为第一个状态。",
        ),
        "h",
    ),
    Key(
        "shapes",
        "",
        about(
            "Shapes that the equations leave open: a size, a pair of sizes, or [] for a number.",
            "方程没有确定的形状：一个尺寸、一对尺寸，或用 [] 表示标量。",
        ),
        {"W_h": ["n", "n"]},
        each="shape",
    ),
    Key(
        "functions",
        "",
        about("Functions of the cell's own: an expression in one variable.", "单元自定义的函数：含一个变量的表达式。"),
        {"f": "u / (1 + abs(u))"},
        each="text",
    ),
    Key("name", "text", about("What the cell is called.", "单元的名称。"), "mine"),
    Key(
        "roles",
        "",
        about(
            "What the derivation calls a variable: forget_gate, candidate, cell_state, output, ...",
            "推导中对变量的称呼：forget_gate、candidate、cell_state、output 等。",
        ),
        {"f": "forget_gate"},
        each="text",
    ),
    Key(
        "direction",
        "direction",
        about(
            '1 where step t reads step t-1, -1 where it reads step t+1, "both" where some states do the one, some the\n'
            "other.",
            '1 表示第 t 步读取第 t-1 步，-1 表示读取第 t+1 步，"both" 表示两种方向的状态都有。',
        ),
        1,
    ),
    Key(
        "stack",
        "cells",
        about(
            "In the place of equations: layers, each the name of a cell or a table like this one. Their names begin\n"
            "with 1., 2., ...",
            "代替方程：由下到上的各层，每层是单元名称或与此相同的表。各层的名称以 1.、2. 等开头。",
        ),
        ["tanh", "linear"],
    ),
    Key(
        "layer_sizes",
        "sizes",
        about("Of a stack: the size of each layer, if they differ.", "多层网络各层的尺寸（各层不同时）。"),
        [4, 3],
    ),
    Key(
        "bidirectional",
        "cell",
        about(
            "In the place of equations: a cell that is run forward and backward in time. The names begin with\n"
            "forward. and backward.",
            "代替方程：沿时间正向和反向各运行一次的单元。名称以 forward. 和 backward. 开头。",
        ),
        "tanh",
    ),
)
"""The keys of ``[cell]``."""

TRAINING = (
    Key(
        "text",
        "text",
        about("The file with the text, beside the model file.", "文本文件，与模型文件放在同一目录。"),
        "text.txt",
        required=True,
    ),
    Key("rate", "positive", about("Learning rate of Adagrad.", "Adagrad 的学习率。"), Written("0.1")),
    Key(
        "clip",
        "positive",
        about("Largest absolute value of an entry of a gradient.", "梯度各元素绝对值的上限。"),
        Written("5.0"),
    ),
    Key("seed", "count", about("Seed of the initial weights.", "初始权重的随机种子。"), 0),
    Key("passes", "size", about("How many passes over the text are made.", "遍历文本的次数。"), 10),
)
"""The keys of ``[training]``."""
REMEDIES = (
    Key("clip", "positive", about("Threshold of gradient clipping.", "梯度裁剪的阈值。"), Written("1.0")),
    Key(
        "rate",
        "positive",
        about("Learning rate of the step that is compared.", "所比较的一步更新的学习率。"),
        Written("0.1"),
    ),
    Key(
        "seed",
        "count",
        about("Seed of the weights drawn for each initialisation.", "每种初始化所用权重的随机种子。"),
        0,
    ),
    Key(
        "before",
        "",
        about("What is changed back for the network without the remedy.", "未采用该方法的网络所改回的部分。"),
        {"cell": "tanh"},
        members=(
            Key("cell", "text", about("Another cell.", "另一种循环单元。"), "tanh", members=CELL),
            Key("values", "", about("Other numbers.", "其他数值。"), {"W_h": Written("0.5")}, each="numbers"),
            Key("random", "", about("Other random numbers.", "其他随机数。"), {"W_h": Written("0.5")}, each="numbers"),
        ),
    ),
)
"""The keys of ``[remedies]``."""

TOPICS = {
    "first": about("First derivations", "入门推导"),
    "cells": about("Cells", "循环单元"),
    "gradients": about("Why gradients vanish and explode", "梯度为何消失与爆炸"),
    "methods": about("Ways to compute it", "求梯度的各种方法"),
    "losses": about("Losses, outputs and inputs", "损失、输出与输入"),
}
"""What worked examples are about, in the order of their pages."""

TOP = (
    Key("title", "words", about("Title of the derivation.", "推导的标题。"), "My network"),
    Key(
        "description",
        "words",
        about("One line on what the file is about.", "用一句话说明这个文件。"),
        "What this model shows",
    ),
    Key(
        "topic",
        "text",
        about("Where a worked example stands among the others.", "算例在目录中所属的一类。"),
        "first",
        choices=tuple(sorted(TOPICS)),
    ),
    Key("place", "count", about("Its place within the topic, from 1 on.", "它在这一类中的位置，从 1 起。"), 1),
    Key(
        "notice",
        "words",
        about(
            "What to notice, in Markdown, for the page of the example.", "值得注意之处（Markdown），用于算例的网页。"
        ),
        "The gradient doubles with every step back.",
    ),
    Key(
        "cell",
        "text",
        about(
            "The cell: a name from the catalogue (tanh, sigmoid, relu, ...), or a table [cell] with equations.",
            "循环单元：目录中的名称（tanh、sigmoid、relu 等），或含方程的表 [cell]。",
        ),
        "tanh",
        members=CELL,
        required=True,
    ),
    Key(
        "hidden",
        "size",
        about(
            'Size n of the hidden state: an integer, or a symbol such as "n".',
            '隐状态的尺寸 n：整数，或符号，例如 "n"。',
        ),
        1,
    ),
    Key(
        "inputs",
        "size or none",
        about("Size m of the input; 0 for a cell without input.", "输入的尺寸 m；0 表示没有输入。"),
        1,
    ),
    Key(
        "outputs",
        "size",
        about(
            "Size q of the output, with a readout; of several readouts a table of sizes.",
            "输出的尺寸 q（有读出层时）；有几个读出层时为尺寸表。",
        ),
        1,
        each="size",
    ),
    Key("steps", "size", about('Number of time steps T: an integer, or "T".', '时间步数 T：整数，或 "T"。'), 3),
    Key(
        "readout",
        "text",
        about(
            "Readout: linear, sigmoid or softmax; none lets the loss read the cell's output.\n"
            'Several readouts are a table of names, such as {y = "softmax", v = "linear"}.',
            "读出层：linear、sigmoid 或 softmax；none 表示损失直接读取单元的输出。\n"
            '几个读出层写成名称表，例如 {y = "softmax", v = "linear"}。',
        ),
        "linear",
        each="text",
        choices=("linear", "none", "sigmoid", "softmax"),
    ),
    Key(
        "loss",
        "text",
        about(
            "Loss of one step: half_squared_error, squared_error, mse, cross_entropy, binary_cross_entropy,\n"
            "or an expression in target[t] and the output (y[t] with a readout, else h[t]), or LaTeX between $ signs.\n"
            "Of several readouts a table of losses.",
            "单步损失：half_squared_error、squared_error、mse、cross_entropy、binary_cross_entropy，\n"
            "或含 target[t] 与输出（有读出层时为 y[t]，否则为 h[t]）的表达式，或写在两个 $ 之间的 LaTeX。\n"
            "有几个读出层时为损失表。",
        ),
        "1/2 * norm2(target[t] - h[t])",
        each="text",
    ),
    Key(
        "reduction",
        "text",
        about(
            "Over time: sum, mean, or last (only the last step counts).",
            "对时间的汇总方式：sum、mean 或 last（只计最后一步）。",
        ),
        "last",
        choices=("last", "mean", "sum"),
    ),
    Key(
        "mask",
        "flag",
        about(
            "Whether the loss of each step has a given weight, the value mask: 1 where it counts, 0 where it does not.",
            "每步的损失是否带有给定的权重（数值 mask）：计入的步为 1，不计入的步为 0。",
        ),
        False,
    ),
    Key(
        "loss_steps",
        "steps",
        about("The steps whose losses count; all of them by default.", "计入损失的时间步；默认为全部。"),
        [2, 3],
    ),
    Key("bias", "flag", about("Whether the cell has its biases.", "单元是否带偏置。"), True),
    Key("readout_bias", "flag", about("Whether the readout has its bias.", "读出层是否带偏置。"), True),
    Key(
        "notation",
        "text",
        about(
            "How names are printed: textbook, hh, d2l, pytorch or goodfellow, or a table [notation] of names.",
            "名称的写法：textbook、hh、d2l、pytorch 或 goodfellow，或名称表 [notation]。",
        ),
        {"target": "y", "b_h": "b"},
        each="text",
        choices=("d2l", "goodfellow", "hh", "pytorch", "textbook"),
    ),
    Key(
        "layout",
        "text",
        about(
            "columns (the default), or rows: H_t = f(X_t W_x + H_{t-1} W_h + b_h), a row for each example of a batch.\n"
            "In rows, matrices have transposed shapes, and x, target and h0 have an axis for the batch.",
            "columns（默认），或 rows：H_t = f(X_t W_x + H_{t-1} W_h + b_h)，批次中每个样本占一行。\n"
            "采用 rows 时，矩阵的形状都要转置，x、target 和 h0 都带有批次这一维。",
        ),
        "rows",
        choices=("columns", "rows"),
    ),
    Key(
        "batch",
        "size",
        about(
            'Number B of examples, with layout = "rows": an integer, or a symbol such as "B".',
            '样本数 B（layout = "rows" 时）：整数，或符号，例如 "B"。',
        ),
        2,
    ),
    Key(
        "sections",
        "texts",
        about(
            "The sections of its derivation, unless others are asked for; all of them by default.",
            "推导默认包含的部分；不写则包含全部。",
        ),
        ["model", "recursion", "parameters"],
    ),
    Key(
        "truncate",
        "truncation",
        about(
            'Truncations that the derivation shows: a window\'s length, or "window:3", "segments:3",\n'
            '"randomised:0.9", "randomised:0.9:independent" (masks for each loss), or a list of them.',
            '推导中给出的截断方式：窗口长度，或 "window:3"、"segments:3"、"randomised:0.9"、\n'
            '"randomised:0.9:independent"（每个损失各用一组掩码），或它们的列表。',
        ),
        ["window:2", "segments:2"],
    ),
    Key(
        "sizes",
        "",
        about("Values of other size names of the cell.", "单元中其他尺寸名称的值。"),
        {"p": 2},
        each="size",
    ),
    Key(
        "values",
        "",
        about(
            'Numbers, printed as they are given: parameters, x (by step), target, h0. Fractions are strings: "1/3".',
            '数值，按原样打印：参数、x（按时间步）、target、h0。分数写成字符串："1/3"。',
        ),
        {
            "W_h": Written("0.5"),
            "W_x": Written("1.0"),
            "b_h": Written("0.0"),
            "x": [Written("1.0")] * 3,
            "target": Written("0.5"),
        },
        each="numbers",
    ),
    Key(
        "training",
        "",
        about("A text on which symbptt train trains the network.", "symbptt train 训练网络所用的文本。"),
        {"text": "text.txt"},
        members=TRAINING,
    ),
    Key(
        "random",
        "",
        about(
            "Numbers drawn from a normal distribution: the seed, and for each key the standard deviation.",
            "从正态分布抽取的数值：随机种子，以及各个键的标准差。",
        ),
        {"seed": 0, "W_h": Written("0.5")},
        each="numbers",
    ),
    Key(
        "remedies",
        "",
        about(
            "Settings of the sections on clipping and on the comparison of before and after.",
            "“梯度裁剪”与“前后对比”两部分的设置。",
        ),
        {"clip": Written("1.0")},
        members=REMEDIES,
    ),
)
"""The keys at the top of a model file."""
_SETTINGS = {
    "title", "description", "cell", "steps", "readout", "loss", "reduction", "readout_bias", "values", "sections",
    "layout", "batch", "loss_steps", "truncate",
}  # fmt: skip
STRAY = {
    "values": _SETTINGS | {"hidden", "inputs", "outputs"},
    "notation": _SETTINGS,
    "sizes": _SETTINGS,
    "random": _SETTINGS,
    "remedies": _SETTINGS,
    "cell": {key.name for key in TOP},
    **dict.fromkeys(("readout", "loss", "outputs"), _SETTINGS),
    "training": _SETTINGS,
}
"""Table -> keys that belong above it; in TOML whatever follows a [table] is part of it."""
