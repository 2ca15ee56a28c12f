"""The vocabulary of the notation parser: what each command of LaTeX, and each sign of Unicode, stands for."""

from __future__ import annotations

from ...algebra.names import GREEK

RELATIONS: dict[str, str] = {
    "=": "=",
    ":=": ":=",
    "\\coloneqq": ":=",
    "\\coloneq": ":=",
    "\\triangleq": ":=",
    "\\doteq": ":=",
    "\\equiv": "equiv",
    "\\approx": "approx",
    "\\thickapprox": "approx",
    "\\simeq": "approx",
    "\\cong": "approx",
    "\\sim": "sim",
    "<": "<",
    ">": ">",
    "\\lt": "<",
    "\\gt": ">",
    "\\le": "le",
    "\\leq": "le",
    "\\leqslant": "le",
    "\\leqq": "le",
    "\\lesssim": "le",
    "\\ge": "ge",
    "\\geq": "ge",
    "\\geqslant": "ge",
    "\\geqq": "ge",
    "\\gtrsim": "ge",
    "\\ll": "ll",
    "\\gg": "gg",
    "\\ne": "ne",
    "\\neq": "ne",
    "\\propto": "propto",
    "\\varpropto": "propto",
    "\\to": "to",
    "\\rightarrow": "to",
    "\\longrightarrow": "to",
    "\\mapsto": "mapsto",
    "\\leftarrow": "gets",
    "\\gets": "gets",
    "\\leftrightarrow": "leftrightarrow",
    "\\longleftrightarrow": "leftrightarrow",
    "\\xrightarrow": "to",
    "\\xleftarrow": "gets",
    "\\in": "in",
    "\\notin": "notin",
    "\\subset": "subset",
    "\\subseteq": "subset",
    "\\perp": "perp",
}
"""Sign -> kind of relation."""

IMPLICATIONS = frozenset(
    [
        "\\Rightarrow",
        "\\Longrightarrow",
        "\\implies",
        "\\iff",
        "\\Leftrightarrow",
        "\\Longleftrightarrow",
        "\\therefore",
        "\\because",
        "\\Leftarrow",
        "\\impliedby",
        "\\land",
        "\\wedge",
        "\\lor",
        "\\vee",
    ]
)
"""What stands between whole statements."""

OPERATORS: dict[str, str] = {
    "\\cdot": "cdot",
    "\\centerdot": "cdot",
    "\\bullet": "cdot",
    "\\times": "times",
    "*": "ast",
    "\\ast": "ast",
    "\\odot": "odot",
    "\\oslash": "oslash",
    "\\circ": "circ",
    "\\otimes": "otimes",
    "\\oplus": "oplus",
    "\\bigodot": "odot",
    "/": "/",
    "\\div": "/",
    "@": "at",
}
"""Sign -> how two factors are joined."""

BIG: dict[str, str] = {
    "\\sum": "sum",
    "\\prod": "prod",
    "\\coprod": "prod",
    "\\int": "int",
    "\\oint": "int",
    "\\max": "max",
    "\\min": "min",
    "\\sup": "sup",
    "\\inf": "inf",
    "\\lim": "lim",
    "\\limsup": "lim",
    "\\liminf": "lim",
    "\\argmax": "argmax",
    "\\argmin": "argmin",
    "\\bigcup": "cup",
    "\\bigcap": "cap",
}
"""Large operators, which reach over what follows them."""

DOTS = frozenset(
    [
        "\\dots",
        "\\ldots",
        "\\cdots",
        "\\vdots",
        "\\ddots",
        "\\dotsb",
        "\\dotsc",
        "\\dotsm",
        "\\dotso",
        "\\dotsi",
        "\\hdots",
        "\\cdotp",
    ]
)

SPACES = frozenset(
    [
        "\\,",
        "\\;",
        "\\:",
        "\\!",
        "\\>",
        "\\",
        "\\thinspace",
        "\\medspace",
        "\\thickspace",
        "\\enspace",
        "\\negthinspace",
        "~",
    ]
)
QUADS = frozenset(["\\quad", "\\qquad"])

ACCENTS: dict[str, str] = {
    "\\hat": "hat",
    "\\widehat": "hat",
    "\\tilde": "tilde",
    "\\widetilde": "tilde",
    "\\bar": "bar",
    "\\overline": "bar",
    "\\underline": "underline",
    "\\vec": "vec",
    "\\dot": "dot",
    "\\ddot": "ddot",
    "\\check": "check",
    "\\breve": "breve",
    "\\acute": "acute",
    "\\grave": "grave",
    "\\mathring": "ring",
    "\\overrightarrow": "overrightarrow",
    "\\overleftarrow": "overleftarrow",
}

STYLES: dict[str, str] = {
    "\\mathbf": "bold",
    "\\boldsymbol": "bold",
    "\\bm": "bold",
    "\\pmb": "bold",
    "\\boldmath": "bold",
    "\\mathcal": "cal",
    "\\mathscr": "cal",
    "\\mathfrak": "frak",
    "\\mathbb": "bb",
    "\\mathrm": "upright",
    "\\mathsf": "upright",
    "\\mathtt": "upright",
    "\\mathit": "",
    "\\mathnormal": "",
    "\\rm": "upright",
    "\\bf": "bold",
    "\\cal": "cal",
    "\\it": "",
    "\\sf": "upright",
    "\\tt": "upright",
}
SWITCHES = frozenset(["\\rm", "\\bf", "\\cal", "\\it", "\\sf", "\\tt"])
"""Styles that hold to the end of the group, and have no argument."""

TEXTS = frozenset(
    [
        "\\text",
        "\\textrm",
        "\\textbf",
        "\\textit",
        "\\texttt",
        "\\textsf",
        "\\textnormal",
        "\\mbox",
        "\\hbox",
        "\\operatorname",
        "\\emph",
        "\\mathop",
        "\\operatorname*",
        "\\textsc",
    ]
)

NAMED_FUNCTIONS = frozenset(
    [
        "\\sin",
        "\\cos",
        "\\tan",
        "\\sinh",
        "\\cosh",
        "\\tanh",
        "\\coth",
        "\\sech",
        "\\exp",
        "\\log",
        "\\ln",
        "\\lg",
        "\\det",
        "\\dim",
        "\\ker",
        "\\deg",
        "\\arg",
        "\\Pr",
        "\\tr",
        "\\arctan",
        "\\arcsin",
        "\\arccos",
        "\\arctanh",
        "\\sgn",
        "\\hom",
        "\\gcd",
    ]
)
"""Commands for functions with a name of several letters."""

WORDS_OF_LETTERS = (
    "softplus", "softmax", "softsign", "sigmoid", "logistic", "tanh", "sinh", "cosh", "relu", "ReLU", "RELU", "Relu",
    "LeakyReLU", "ELU", "GELU", "SiLU", "diag", "Diag", "trace", "vec", "exp", "log", "ln", "max", "min", "sgn", "sign",
    "concat", "det", "rank", "argmax", "argmin", "Tr", "tr", "Var", "Cov", "sum", "mean", "sin", "cos", "ones", "zeros",
    "MSE", "BCE", "RNN", "LSTM", "GRU", "BPTT", "loss", "Loss", "norm", "clip", "sech", "abs", "for", "all",
)  # fmt: skip
"""Letters that are one word even without a command."""

SYMBOLS: dict[str, str] = {
    "\\ell": "ell",
    "\\partial": "partial",
    "\\nabla": "nabla",
    "\\infty": "infty",
    "\\angle": "angle",
    "\\top": "top",
    "\\intercal": "top",
    "\\bot": "bot",
    "\\forall": "forall",
    "\\exists": "exists",
    "\\neg": "neg",
    "\\pm": "pm",
    "\\mp": "mp",
    "\\Re": "Re",
    "\\Im": "Im",
    "\\emptyset": "emptyset",
    "\\varnothing": "emptyset",
    "\\hbar": "hbar",
    "\\imath": "i",
    "\\jmath": "j",
    "\\dagger": "dagger",
    "\\star": "star",
    "\\prime": "prime",
    "\\triangle": "Delta",
    "\\vartheta": "theta",
    "\\varrho": "rho",
    "\\varsigma": "sigma",
    "\\varpi": "pi",
    "\\square": "square",
    "\\Box": "square",
    "\\checkmark": "checkmark",
    "\\omicron": "o",
    **{f"\\{name}": "epsilon" if name == "varepsilon" else "phi" if name == "varphi" else name for name in GREEK},
}
"""Commands for one letter or sign -> its name."""

UNICODE: dict[str, str] = {
    **{letter: f"\\{name}" for name, letter in GREEK.items() if name not in ("varepsilon", "varphi")},
    "ϵ": "\\epsilon",
    "ϕ": "\\phi",
    "∂": "\\partial",
    "∇": "\\nabla",
    "∞": "\\infty",
    "∑": "\\sum",
    "∏": "\\prod",
    "⊙": "\\odot",
    "∘": "\\circ",
    "⊗": "\\otimes",
    "·": "\\cdot",
    "⋅": "\\cdot",
    "×": "\\times",
    "∗": "*",
    "−": "-",
    "–": "-",
    "≤": "\\le",
    "≥": "\\ge",
    "≪": "\\ll",
    "≫": "\\gg",
    "≠": "\\ne",
    "≈": "\\approx",
    "≡": "\\equiv",
    "≜": "\\triangleq",
    "≔": ":=",
    "∝": "\\propto",
    "∈": "\\in",
    "∀": "\\forall",
    "→": "\\to",
    "⟶": "\\to",
    "←": "\\gets",
    "⇒": "\\Rightarrow",
    "⟹": "\\Rightarrow",
    "⇔": "\\iff",
    "…": "\\dots",
    "⋯": "\\cdots",
    "⋮": "\\vdots",
    "⊤": "\\top",
    "′": "'",
    "’": "'",
    "∥": "\\|",
    "‖": "\\|",
    "⟨": "\\langle",
    "⟩": "\\rangle",
    "，": ",",
    "、": ",",
    "；": ";",
    "。": ".",
    "：": ":",
    "（": "(",
    "）": ")",
    "＝": "=",
    "＋": "+",
    "±": "\\pm",
    "½": "\\frac{1}{2}",
    "²": "^2",
    "³": "^3",
    "ᵀ": "^\\top",
}
"""Signs of Unicode that people type or paste -> the LaTeX that they stand for."""

OPENING: dict[str, str] = {
    "(": "(",
    "[": "[",
    "\\{": "{",
    "\\lbrace": "{",
    "\\langle": "<",
    "\\lvert": "|",
    "\\lVert": "||",
    "\\lfloor": "floor",
    "\\lceil": "ceil",
    "\\lbrack": "[",
}
CLOSING: dict[str, str] = {
    ")": ")",
    "]": "]",
    "\\}": "}",
    "\\rbrace": "}",
    "\\rangle": ">",
    "\\rvert": "|",
    "\\rVert": "||",
    "\\rfloor": "floor",
    "\\rceil": "ceil",
    "\\rbrack": "]",
}
BARS: dict[str, str] = {"|": "|", "\\vert": "|", "\\|": "||", "\\Vert": "||", "\\lvert": "|", "\\rvert": "|"}
"""Bars, which open and close alike."""

BIGGER = frozenset(
    f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")
)  # fmt: skip
"""Sizes of brackets, which say nothing."""

SKIPPED = frozenset(
    [
        "\\displaystyle",
        "\\textstyle",
        "\\scriptstyle",
        "\\scriptscriptstyle",
        "\\limits",
        "\\nolimits",
        "\\nonumber",
        "\\notag",
        "\\bigskip",
        "\\allowbreak",
        "\\nobreak",
        "\\centering",
        "\\hfill",
        "\\noindent",
        "\\hline",
        "\\relax",
        "\\ensuremath",
        "\\small",
        "\\large",
        "\\normalsize",
        "\\left.",
        "\\right.",
        "\\null",
        "\\strut",
        "\\mathstrut",
        "\\protect",
        "\\boldmath",
        "\\tiny",
        "\\footnotesize",
        "\\Large",
        "\\LARGE",
        "\\,",
        "\\mathord",
        "\\mathbin",
        "\\mathrel",
        "\\mathopen",
        "\\mathclose",
        "\\mathpunct",
        "\\mathinner",
        "\\smallskip",
        "\\medskip",
        "\\vphantom",
    ]
)
"""Commands that say nothing about the formula."""

SKIPPED_WITH_ARGUMENT: dict[str, int] = {
    "\\label": 1,
    "\\tag": 1,
    "\\tag*": 1,
    "\\hspace": 1,
    "\\hspace*": 1,
    "\\vspace": 1,
    "\\phantom": 1,
    "\\hphantom": 1,
    "\\vphantom": 1,
    "\\color": 1,
    "\\cite": 1,
    "\\eqref": 1,
    "\\ref": 1,
    "\\footnote": 1,
    "\\kern": 0,
    "\\mkern": 0,
    "\\style": 1,
    "\\class": 1,
    "\\cssId": 1,
    "\\htmlClass": 1,
    "\\htmlId": 1,
    "\\href": 1,
    "\\fontsize": 2,
}
"""Commands whose arguments are left out."""

SHOWN: dict[str, int] = {
    "\\boxed": 1,
    "\\fbox": 1,
    "\\mathclose": 1,
    "\\smash": 1,
    "\\mathrlap": 1,
    "\\mathllap": 1,
    "\\cancel": 1,
    "\\textcolor": 2,
    "\\colorbox": 2,
    "\\tcbhighmath": 1,
    "\\hl": 1,
    "\\underline": 1,
}
"""Commands whose last argument is the formula -> how many arguments they have."""

MATRICES = frozenset(
    ["matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array", "psmallmatrix"]
)
SYSTEMS = frozenset(
    [
        "aligned",
        "align",
        "alignedat",
        "alignat",
        "gathered",
        "gather",
        "split",
        "multline",
        "multlined",
        "eqnarray",
        "equation",
        "flalign",
        "dcases",
        "rcases",
        "cases",
    ]
)
FENCED_MATRICES: dict[str, tuple[str, str]] = {"vmatrix": ("|", "|"), "Vmatrix": ("||", "||")}
