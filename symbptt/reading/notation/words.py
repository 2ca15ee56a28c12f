"""The vocabulary of the notation parser: what each command of LaTeX, and each sign of Unicode, stands for."""

from __future__ import annotations

from ...algebra.names import GREEK


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


RELATIONS: dict[str, str] = {
    "=": "=",
    ":=": ":=",
    "+=": "+=",
    "-=": "-=",
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
    "\\longmapsto": "mapsto",
    "\\hookrightarrow": "to",
    "\\leadsto": "to",
    "\\rightsquigarrow": "to",
    "\\longleftarrow": "gets",
    "\\xlongequal": "=",
    "\\xleftrightarrow": "leftrightarrow",
    "\\asymp": "approx",
    "\\nleq": ">",
    "\\ngeq": "<",
    "\\supset": "supset",
    "\\supseteq": "supset",
    "\\ni": "ni",
    "\\prec": "prec",
    "\\preceq": "preceq",
    "\\succ": "succ",
    "\\succeq": "succeq",
    "\\parallel": "parallel",
}
"""Sign -> kind of relation."""

NOTED_RELATIONS = _words(r"\xrightarrow \xleftarrow \xlongequal \xleftrightarrow")
"""Relations with an argument that is written over them."""

IMPLICATIONS = _words(r"""
    \Rightarrow \Longrightarrow \implies \iff \Leftrightarrow \Longleftrightarrow \therefore \because
    \Leftarrow \impliedby \land \wedge \lor \vee
    """)
"""What stands between whole statements."""

OPERATORS: dict[str, str] = {
    "\\cdot": "cdot",
    "\\centerdot": "cdot",
    "\\cdotp": "cdot",
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
    "\\bigotimes": "otimes",
    "\\bigoplus": "oplus",
    "\\bigcirc": "circ",
    "/": "/",
    "\\div": "/",
    "@": "at",
    "\\cup": "cup",
    "\\cap": "cap",
    "\\setminus": "setminus",
    "\\ominus": "ominus",
    "\\boxtimes": "otimes",
    "\\bmod": "mod",
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

DOTS = _words(r"""
    \dots \ldots \cdots \vdots \ddots \dotsb \dotsc \dotsm \dotso \dotsi \hdots
    """)

SPACES = frozenset(["\\ ", "\\\n", "\\\t", "\\"]) | _words(
    r"\, \; \: \! \> \/ \- ~ \enskip \thinspace \medspace \thickspace \enspace "
    r"\negthinspace \negmedspace \negthickspace"
)
QUADS = frozenset(["\\quad", "\\qquad", "\\hfill", "\\hfil"])

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
    "\\mathds": "bb",
    "\\mathbbm": "bb",
    "\\Bbb": "bb",
    "\\bold": "bold",
    "\\symbf": "bold",
    "\\mathbfit": "bold",
    "\\vb": "bold",
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

TEXTS = _words(r"""
    \text \textrm \textbf \textit \texttt \textsf \textnormal \mbox \hbox \operatorname \emph
    \operatorname* \textsc \intertext \shortintertext \textup \textmd
    """)

NAMED_FUNCTIONS = _words(r"""
    \sin \cos \tan \sinh \cosh \tanh \coth \sech \exp \log \ln \lg \det \dim \ker \deg \arg
    \softmax \sigmoid \relu \ReLU \diag \Tr \trace \rank \sign \Var \Cov \erf \softplus \vectorize
    \Pr \tr \arctan \arcsin \arccos \arctanh \sgn \hom \gcd
    """)
"""Commands for functions with a name of several letters."""

WORDS_OF_LETTERS = (
    "softplus", "softmax", "softsign", "sigmoid", "logistic", "tanh", "sinh", "cosh", "relu", "ReLU", "RELU", "Relu",
    "LeakyReLU", "ELU", "GELU", "SiLU", "diag", "Diag", "trace", "vec", "exp", "log", "ln", "max", "min", "sgn", "sign",
    "concat", "prod", "det", "rank", "argmax", "argmin", "Tr", "tr", "Var", "Cov", "sum", "mean", "sin", "cos", "ones",
    "zeros", "MSE", "BCE", "RNN", "LSTM", "GRU", "BPTT", "loss", "Loss", "norm", "clip", "sech", "abs", "for", "all",
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
    "\\dag": "dagger",
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
    "\\%": "percent",
    "\\degree": "circ",
    "\\omicron": "o",
    **{f"\\{name}": "epsilon" if name == "varepsilon" else "phi" if name == "varphi" else name for name in GREEK},
}
"""Commands for one letter or sign -> its name."""

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
BARS: dict[str, str] = {"|": "|", "\\vert": "|", "\\|": "||", "\\Vert": "||"}
"""Bars, which open and close alike."""

BIGGER = frozenset(
    f"\\{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")
)  # fmt: skip
"""Sizes of brackets, which say nothing."""

SKIPPED = _words(r"""
    \displaystyle \textstyle \scriptstyle \scriptscriptstyle \limits \nolimits \nonumber \notag
    \bigskip \allowbreak \nobreak \centering \noindent \hline \relax \ensuremath \small \large
    \normalsize \null \strut \mathstrut \protect \boldmath \tiny \huge \Huge \scriptsize
    \displaylines \eqalign \footnotesize \Large \LARGE \mathord
    \mathbin \mathrel \mathpunct \mathinner \smallskip \medskip \mathop \mathopen \mathclose
    \smallbreak \qedhere \hskip
    """)
"""Commands that say nothing about the formula."""

SKIPPED_WITH_ARGUMENT: dict[str, int] = {
    "\\resizebox": 2,
    "\\scalebox": 1,
    "\\label": 1,
    "\\tag": 1,
    "\\tag*": 1,
    "\\vspace": 1,
    "\\phantom": 1,
    "\\hphantom": 1,
    "\\vphantom": 1,
    "\\color": 1,
    "\\cite": 1,
    "\\require": 1,
    "\\eqref": 1,
    "\\ref": 1,
    "\\footnote": 1,
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
    "\\smash": 1,
    "\\mathrlap": 1,
    "\\mathllap": 1,
    "\\cancel": 1,
    "\\bcancel": 1,
    "\\xcancel": 1,
    "\\cancelto": 2,
    "\\mathclap": 1,
    "\\fcolorbox": 3,
    "\\bbox": 1,
    "\\textcolor": 2,
    "\\colorbox": 2,
    "\\tcbhighmath": 1,
    "\\hl": 1,
}
"""Commands whose last argument is the formula -> how many arguments they have."""

# What an environment is.
MATRICES = _words(r"""
    matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix psmallmatrix
    """)
SYSTEMS = _words(r"""
    aligned align alignedat alignat gathered gather split multline multlined eqnarray equation flalign math
    displaymath subequations
    """)
"""Environments whose lines are statements; a chain may go on from one line to the next."""
CASES = frozenset(["cases", "dcases", "rcases", "array", "subarray"])
"""Environments of rows: pieces of a function, statements, or a matrix."""
FENCED_MATRICES: dict[str, tuple[str, str]] = {"vmatrix": ("|", "|"), "Vmatrix": ("||", "||")}

DEFINITIONS: dict[str, int] = {
    "\\newcommand": 2,
    "\\renewcommand": 2,
    "\\providecommand": 2,
    "\\DeclareMathOperator": 2,
    "\\DeclareMathOperator*": 2,
}
"""Commands that define macros, which are read elsewhere -> how many arguments they have, without optional ones."""

LONE: dict[str, str] = {
    **OPERATORS,
    "+": "plus",
    "-": "minus",
    "\\pm": "pm",
    "\\mp": "mp",
}
"""Signs that are names where they stand alone, as in ``f(\\cdot)`` and ``\\partial^+``."""

SIGNS = frozenset(["+", "-", "\\pm", "\\mp"])
PUNCTUATION = frozenset([",", ";", "."])
FILLERS = frozenset(["!", "?", "\\&", "\\#", "\\$", "\\_", "\\qed", "\\blacksquare"])
"""Signs between parts of a formula that say nothing."""

CONNECTING = _words("""
    if where for and or otherwise when because since with so then thus hence is as at the are gives else given from to
    by in of over all let but not on that this these such therefore we have get implies means which while unless until
    via i.e. e.g. s.t. using set case assume suppose note recall only both also here note: where: if: for: every each
    any some
    """)
"""Words that stand between formulas and are no factor."""
