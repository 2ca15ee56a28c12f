"""The keys of a model file, as one table; the check, the commented template and the JSON schema are made from it."""

from __future__ import annotations

from .keys import Key, about
from .kinds import Written
from .schema_tables import CELL, REMEDIES, TRAINING

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
