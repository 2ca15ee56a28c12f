"""The keys of the tables ``[cell]``, ``[training]`` and ``[remedies]`` of a model file."""

from __future__ import annotations

from .keys import Key, about
from .kinds import Written

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
