"""Plain algebra of notes: what is recognised, two conversions that agree, limits, figures by their digits."""

from __future__ import annotations

import functools
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import mpmath
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from work import calls_within

from symbptt.errors import RefusedError, SymbpttError, SymbpttWarning
from symbptt.reading.notation import NotationError, parse
from symbptt.reading.plain import (
    NotPlainError,
    TooLargeError,
    agrees,
    digits_of,
    latex2sympy,
    name_of,
    number_of,
    plain,
    recognised,
    to_matrix,
    to_sympy,
)
from symbptt.reading.plain import entry as entry_module
from symbptt.reading.plain.parts import FUNCTIONS, WHAT
from symbptt.reading.plain.skeleton import LARGEST_PIECE, READ, pieces


def symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True)


def own(latex: str, **symbols: Any) -> Any:
    return to_sympy(parse(latex), symbols or None)


def through(latex: str) -> Any:
    """Convert through latex2sympy2, and by nothing else."""
    return latex2sympy.convert(recognised(parse(latex)))


@pytest.fixture
def there(require):
    """latex2sympy2 is installed, and has read nothing yet."""
    require("latex2sympy2")
    assert latex2sympy.missing() == ""
    latex2sympy._converted.cache_clear()


# -- what is recognised -----------------------------------------------------------------------------------

WHAT_IT_IS = {
    r"\sigma'(z_t)": "application",
    r"f'(z)": "application",
    r"\sigma' z": "prime",
    r"\frac{\partial L}{\partial W}": "derivative",
    r"\frac{dh}{dx} + 1": "derivative",
    r"d x": "derivative",
    r"\Delta t": "symbol",
    r"a = b = c": "relation",
    r"f(W h + b)": "application",
    r"W(h)": "application",
    r"2 f(x)": "application",
    r"\hat{f}^2(x)": "application",
    r"c^T": "transpose",
    r"(a + b)^\top": "transpose",
    r"W^{-T}": "transpose",
    r"W^{-\top} h": "transpose",
    r"\mathbf{W} h": "bold",
    r"\vec{h}": "bold",
    r"\mathbb{E}": "bold",
    r"a \odot b": "operator",
    r"a \otimes b": "operator",
    r"a_1 + \dots + a_n": "dots",
    r"\|h\|": "brackets",
    r"\lfloor x \rfloor": "brackets",
    r"\langle a, b \rangle": "brackets",
    r"(a, b)": "list",
    r"a, b": "list",
    r"\max(0, z)": "function",
    r"\operatorname{diag} v": "function",
    r"\text{softmax}(z)": "function",
    r"\operatorname{eye}(10^6)": "application",
    r"\tanh": "function",
    r"\tanh + 1": "function",
    r"\tanh'(z)": "prime",
    r"\tanh^{-1}(z)": "inverse",
    r"\ln a b": "argument",
    r"\sin x / y": "argument",
    r"a / b c": "slash",
    r"1/2 (x + 1)": "slash",
    r"x 2": "operator",
    r"2 \frac{1}{2}": "operator",
    r"\pm 1": "sign",
    r"\partial": "symbol",
    r"\infty": "symbol",
    r"2^{*}": "superscript",
    r"\sum_t h_t": "range",
    r"\sum_{t=1}^{2.5} t": "range",
    r"\sum_{t=1}^{\infty} w^t": "symbol",
    r"\sum_{t=1}^{T} h_t": "index",
    r"\sum_{t=1}^{T} \sum_{t=1}^{2} t": "range",
    r"\prod_{k=1}^{3} a_k b": "argument",
    r"\int x": "function",
    r"\begin{pmatrix} 1 & 2 \end{pmatrix}": "matrix",
    r"\begin{cases} 1 & x > 0 \\ 0 & x < 0 \end{cases}": "matrix",
    r"x \big|_{t=1}": "evaluated",
    r"[x + 1]_i": "subscript",
    r"1/0": "undefined",
    r"\frac{x}{1 - 1}": "undefined",
    r"\ln 0": "undefined",
    r"\sqrt{-2}": "undefined",
    r"n!": "function",
    r"x + 5!": "function",
    r"\text{if } x": "list",
    r"\text{as is well known}": "words",
    "": "empty",
}


@pytest.mark.parametrize("latex", WHAT_IT_IS)
def test_what_is_not_plain_algebra_is_refused_with_its_place(latex):
    with pytest.raises(NotPlainError) as refused:
        plain(parse(latex))
    assert refused.value.what == WHAT_IT_IS[latex]
    start, end = refused.value.place
    assert 0 <= start <= end <= len(latex)
    assert isinstance(refused.value, SymbpttError) and "\n" not in str(refused.value)


def test_the_place_is_that_of_the_part():
    latex = r"2 x + \tanh(\sigma'(z))"
    with pytest.raises(NotPlainError) as refused:
        plain(parse(latex))
    start, end = refused.value.place
    assert latex[start:end] == r"\sigma'"


def test_all_reasons_occur():
    assert set(WHAT_IT_IS.values()) == set(WHAT)


def test_errors_survive_pickling():
    for error in (NotPlainError((1, 3), "prime"), TooLargeError((2, 4), "a long number")):
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), copy.place) == (str(error), error.place)
    assert issubclass(TooLargeError, RefusedError)


RIGHT = {
    r"\log x": "log(x)",
    r"\ln(x)^2": "log(x)**2",
    r"\log_2 8": "log(8)/log(2)",
    r"\lg x": "log(x)/log(10)",
    r"I_t": "I_{t}",
    r"i + j + I": "I + i + j",
    r"e_t - e^{-x}": "e_{t} - exp(-x)",
    r"\sum_{t=1}^3 h_t": "h_{1} + h_{2} + h_{3}",
    r"\sum_{t=2}^{3} h_{t-1} w^{3-t}": "h_{1}*w + h_{2}",
    r"\prod_{k=1}^{2} W_{2k}": "W_{2}*W_{4}",
    r"\sum_{i=1}^{2} \sum_{j=1}^{2} W_{ij}": "W_{11} + W_{12} + W_{21} + W_{22}",
    r"\sum_{k=3}^{2} x_k": "0",
    r"\prod_{k=3}^{1} x_k": "1",
    r"\sum_{t=1}^{T} w^{T-t}": "Sum(w**(T - t), (t, 1, T))",
    r"\tanh^2(z) + \tanh z \cdot b": "b*tanh(z) + tanh(z)**2",
    r"\sin x \cos y": "sin(x)*cos(y)",
    r"h_{3-1} + h_2": "2*h_{2}",
    r"h^{(1)} h^{(2)}": "h^{(1)}*h^{(2)}",
    r"y^* - 2y": "-2*y + y^{*}",
    r"0.1 + 0.2": "3/10",
    r"-2^2": "-4",
    r"a - -b": "a + b",
    r"a/b \cdot c": "a*c/b",
    r"a/b/c": "a/(b*c)",
    r"\sqrt[3]{-8}": "-2",
    r"\left|-3\right| \left|x\right|": "3*Abs(x)",
    r"\underbrace{2 x}_{\text{small}}": "2*x",
    r"\pi r^2": "pi*r**2",
    r"0.25^{2}": "1/16",
    r"\text{loss}_1 / 2": r"\text{loss}_{1}/2",
    r"2(x+1)(x-1)": "2*(x - 1)*(x + 1)",
}


@pytest.mark.parametrize("latex", RIGHT)
def test_what_is_plain_algebra_is_read_as_a_person_reads_it(latex):
    assert str(own(latex)) == RIGHT[latex]
    value = plain(parse(latex))
    assert str(value) == RIGHT[latex]


def test_a_name_that_is_known_is_a_factor_and_no_function():
    w, x = sympy.symbols("w x")
    known = {"W": w, "x": x, "e": sympy.Integer(2), r"\mathbf{v}": sympy.Rational(1, 3)}
    for convert in (to_sympy, plain):
        assert convert(parse("W(x + 1)"), known) == w * (x + 1)
        assert convert(parse("e^x"), known) == 2**x
        assert convert(parse(r"3 \mathbf{v}"), known) == 1
        assert convert(parse("W^T"), {**known, "W^{T}": x}) == x


def test_the_base_of_log_is_the_callers_to_say():
    for convert in (to_sympy, plain):
        assert convert(parse(r"\log 7"), log="10") == sympy.log(7) / sympy.log(10)
    with pytest.raises(NotPlainError):
        to_sympy(parse(r"\log 100"), log=None)


def test_names_that_are_printed_alike_are_one_symbol():
    assert own(r"h_{t+1} - h_{1+t} + h_{ t + 2 - 1 } - h_{t+1}") == 0
    assert own("h_t").is_real
    names = [
        "h_t",
        "h_{t-1}",
        "H_t",
        r"\hat h_t",
        r"\hat{h_t}",
        r"\mathrm{h}_t",
        r"\mathcal{h}_t",
        r"h_{\text{t}}",
        "h^{(t)}",
    ]
    assert len({name_of(parse(name)) for name in names}) == len(names)
    assert name_of(parse(r"\sigma_{ij}")) == r"\sigma_{ij}"


def test_a_matrix_of_plain_algebra():
    assert to_matrix(parse(r"\begin{bmatrix} 0.5 & 1 \\ -2 & w \end{bmatrix}"))[1, 0] == -2
    for latex in ("x", r"\begin{bmatrix} 1 & 2 \\ 3 \end{bmatrix}", r"\begin{bmatrix} f(x) \end{bmatrix}"):
        with pytest.raises(NotPlainError):
            to_matrix(parse(latex))


# -- two conversions, each an oracle of the other ------------------------------------------------------------

VALUES = {"w_1": "2/3", "x": "-5/7", "h_{t-1}": "3/11", r"\hat{y}": "-4/3", r"\alpha": "1/5", "I_t": "7/2", "j": "-9/8"}


class Case(NamedTuple):
    """LaTeX; how tightly it binds (1 a sum, 2 a product, 3 neither); its value, by a route of its own."""

    latex: str
    level: int
    value: Callable[[], Any]


def bracketed(case: Case, level: int) -> str:
    return case.latex if case.level >= level else rf"\left({case.latex}\right)"


def _names() -> st.SearchStrategy[Case]:
    def value(name: str) -> Callable[[], Any]:
        exact = Fraction(VALUES[name])
        return lambda: mpmath.mpf(exact.numerator) / exact.denominator

    return st.sampled_from(sorted(VALUES)).map(lambda name: Case(name, 3, value(name)))


def _numbers() -> st.SearchStrategy[Case]:
    texts = st.sampled_from(["0", "1", "2", "3", "0.5", "2.0", "13", "0.125", "1.75"])
    return texts.map(lambda text: Case(text, 3, lambda: mpmath.mpf(text)))


def _sum(a: Case, b: Case, minus: bool) -> Case:
    sign = "-" if minus else "+"
    return Case(
        f"{a.latex} {sign} {bracketed(b, 2)}", 1, lambda: a.value() - b.value() if minus else a.value() + b.value()
    )


def _product(a: Case, b: Case, sign: str) -> Case:
    right = bracketed(b, 3)
    if sign == " " and (not right.startswith(("w", "h", "\\hat", "\\alpha", "\\tanh", "\\exp")) or "/" in a.latex):
        sign = r" \cdot "
    return Case(f"{bracketed(a, 2)}{sign}{right}", 2, lambda: a.value() * b.value())


def _quotient(a: Case, b: Case, slash: bool) -> Case:
    latex = f"{bracketed(a, 3)}/{bracketed(b, 3)}" if slash else rf"\frac{{{a.latex}}}{{{b.latex}}}"
    return Case(latex, 2 if slash else 3, lambda: a.value() / b.value())


def _power(a: Case, n: int) -> Case:
    base = rf"\left({a.latex}\right)"
    return Case(f"{base}^{{{n}}}", 3, lambda: mpmath.mpf(a.value()) ** n)


def _negative(a: Case) -> Case:
    return Case(f"-{bracketed(a, 2)}", 1, lambda: -a.value())


def _called(a: Case, shape: tuple[str, Callable[[Any], Any]]) -> Case:
    return Case(shape[0].replace("#", a.latex), 3, lambda: shape[1](a.value()))


SHAPES: list[tuple[str, Callable[[Any], Any]]] = [
    (r"\left|#\right|", abs),
    (r"\tanh\left(#\right)", mpmath.tanh),
    (r"\tanh^2(#)", lambda v: mpmath.tanh(v) ** 2),
    (r"\sin(#)", mpmath.sin),
    (r"\arctan(#)", mpmath.atan),
    (r"\exp(-|#|)", lambda v: mpmath.exp(-abs(v))),
    (r"e^{-\left|#\right|}", lambda v: mpmath.exp(-abs(v))),
    (r"\ln\left(1 + \left|#\right|\right)", lambda v: mpmath.log(1 + abs(v))),
    (r"\log_2(3 + \left|#\right|)", lambda v: mpmath.log(3 + abs(v), 2)),
    (r"\sqrt{\left|#\right|}", lambda v: mpmath.sqrt(abs(v))),
    (r"\cosh(\cos(#))", lambda v: mpmath.cosh(mpmath.cos(v))),
    (r"{\underbrace{#}_{n}}", lambda v: v),
]


def _cases(children: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    return st.one_of(
        st.builds(_sum, children, children, st.booleans()),
        st.builds(_product, children, children, st.sampled_from([" ", r" \cdot ", r" \times "])),
        st.builds(_quotient, children, children, st.booleans()),
        st.builds(_power, children, st.integers(-2, 3)),
        st.builds(_negative, children),
        st.builds(_called, children, st.sampled_from(SHAPES[:1] * 3 + SHAPES)),
    )


CASES = st.recursive(_names() | _numbers(), _cases, max_leaves=12)


def _at(expression: Any) -> Any:
    exact = {symbol(name_of(parse(name))): sympy.Rational(value) for name, value in VALUES.items()}
    return expression.xreplace(exact)


def _same(left: Any, right: Any) -> bool:
    """Whether two values without names are equal: exactly where they are rational."""
    if left.is_Rational and right.is_Rational:
        return bool(left == right)
    difference = sympy.N(left - right, 30, maxn=400)
    return bool(abs(difference) <= sympy.Float("1e-20") * (1 + abs(sympy.N(right, 30))))


def _reference(case: Case) -> Any:
    """The value by mpmath; formulas that have none, or hardly one, are left out."""
    with mpmath.workdps(60):
        try:
            value = case.value()
        except ZeroDivisionError:
            assume(False)
        assume(mpmath.isfinite(value) and not isinstance(value, mpmath.mpc) and abs(value) < 1e30)
        return sympy.Float(mpmath.mpf(value), 60)


def _convertible(latex: str) -> Any:
    """Our own conversion; 1/(x - x) and the like have no value for any x."""
    try:
        return own(latex)
    except NotPlainError as error:
        assume(error.what != "undefined")
        raise


@given(case=CASES)
def test_our_own_conversion_has_the_value_of_the_formula(case):
    reference = _reference(case)
    value = _at(_convertible(case.latex))
    assert abs(sympy.N(value, 40, maxn=400) - reference) <= sympy.Float("1e-25") * (1 + abs(reference)), case.latex


@given(case=CASES)
def test_latex2sympy2_and_our_own_conversion_agree(require, case):
    require("latex2sympy2")
    _reference(case)
    expected = _convertible(case.latex)
    assume(len(list(recognised(parse(case.latex)).walk())) < 100)
    found = through(case.latex)
    assert _same(_at(found), _at(expected)), case.latex


@pytest.mark.parametrize("function", sorted(READ))
def test_every_function_that_is_handed_over_is_read_rightly(there, function):
    latex = rf"\{function}(x/3) \cdot y"
    assert through(latex) == own(latex) == getattr(sympy, FUNCTIONS[function])(symbol("x") / 3) * symbol("y")


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - READ))
def test_a_function_that_it_reads_wrongly_is_ours(there, function):
    with pytest.raises(latex2sympy.NotConvertedError):
        through(rf"\{function}(x)")
    assert plain(parse(rf"\{function}(x)")) == getattr(sympy, FUNCTIONS[function])(symbol("x"))


def test_nothing_but_canonical_names_is_handed_over(there, monkeypatch):
    import latex2sympy2

    seen = []
    original = latex2sympy2.latex2sympy

    def spy(latex, *values):
        seen.append(latex)
        return original(latex, *values)

    monkeypatch.setattr(latex2sympy2, "latex2sympy", spy)
    plain(parse(r"e^{-i} I_t + \log(j) - \sigma_{d} \cdot 2.5^{T-1} \frac{e}{\lambda}"))
    assert seen
    for latex in seen:
        bare = re.sub(r"\\[a-z]+", "", latex)
        assert set(re.findall("[A-Za-z]", bare)) <= {"x", "s"}, latex
        assert "=" not in latex and "'" not in latex and r"\log" not in latex and "." not in latex


# -- state, threads, checks ---------------------------------------------------------------------------------


def test_a_conversion_depends_on_no_earlier_one_and_not_on_the_users(there):
    import latex2sympy2

    latex = r"\frac{x_1}{2} x_2 + 3 \cdot i - \ln(j)"
    first = through(latex)
    latex2sympy2.set_real(True)
    latex2sympy2.set_variances({sympy.Symbol("x_1"): sympy.eye(2), sympy.Symbol("x_2"): sympy.Integer(7)})
    latex2sympy2.latex2sympy(r"\dfrac{x_2}{2}", {"x_1": 3})
    state = {name: getattr(latex2sympy2, name) for name in latex2sympy._STATE}
    before = {name: str(value) for name, value in state.items()}
    try:
        latex2sympy._converted.cache_clear()
        assert through(latex) == first == own(latex)
        for name, value in state.items():
            assert getattr(latex2sympy2, name) is value and str(value) == before[name]
    finally:
        latex2sympy2.set_real(None)
        latex2sympy2.set_variances({})


def test_every_global_that_latex2sympy2_changes_is_known(there):
    """Read from its source: ``global`` statements, and dictionaries that are written to."""
    import ast
    import inspect

    import latex2sympy2

    tree = ast.parse(inspect.getsource(latex2sympy2))
    changed = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    top = {t.id for node in tree.body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            changed |= {node.value.id} & top
    assert changed == set(latex2sympy._STATE)


def test_conversions_in_several_threads_do_not_mix(there):
    formulas = [rf"{k} x_{{{k}}} + \frac{{h_{k}}}{{{k + 1}}} - \tanh({k} w)" for k in range(1, 9)]
    expected = [own(formula) for formula in formulas]
    found: list[Any] = [None] * len(formulas)

    def work(k: int) -> None:
        found[k] = through(formulas[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(formulas))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


@pytest.mark.parametrize(
    "corrupt",
    [
        lambda whole: whole.args[0],  # the end was not read
        lambda whole: 2 * whole,
        lambda whole: whole - whole.args[0],
        lambda whole: whole.subs(sympy.Symbol("x_1"), sympy.Symbol("x_2")),
        lambda whole: whole + sympy.I,
        lambda whole: whole + sympy.Symbol("d"),
        lambda whole: whole + sympy.Function("f")(sympy.Symbol("x_1")),
        lambda whole: [whole],
        lambda whole: sympy.Eq(whole, 1),
        lambda whole: sympy.Derivative(whole, sympy.Symbol("x_1")),
    ],
)
def test_an_answer_that_fails_a_check_is_not_taken(there, monkeypatch, corrupt):
    import latex2sympy2

    original = latex2sympy2.latex2sympy
    monkeypatch.setattr(latex2sympy2, "latex2sympy", lambda latex: corrupt(original(latex)))
    formula = r"a \cdot b^2 + b"
    try:
        with pytest.raises(latex2sympy.NotConvertedError):
            through(formula)
        assert plain(parse(formula)) == own(formula)
    finally:
        latex2sympy._converted.cache_clear()


def test_nothing_is_printed_and_nothing_left_in_sys_modules(there, capfd):
    through(r"\frac{a}{b} + \sqrt{c}")
    with pytest.raises(latex2sympy.NotConvertedError):
        through(r"\coth(a)")
    assert capfd.readouterr() == ("", "")
    if sys.version_info >= (3, 13):
        assert "typing.io" not in sys.modules


def _run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True)


BOTH_WAYS = r"""
import sys
{block}
from symbptt.reading.notation import parse
from symbptt.reading.plain import plain
for latex in [r"\frac{{a}}{{2}} + 0.25 b^2", r"\tanh(w h_{{t-1}}) - 3", r"\sum_{{t=1}}^3 h_t \cdot 2"]:
    print(plain(parse(latex)))
"""


def test_without_the_extra_the_results_are_the_same_and_it_is_said_once(require):
    require("latex2sympy2")
    with_it = _run(BOTH_WAYS.format(block=""), "-W", "always")
    without = _run(BOTH_WAYS.format(block="sys.modules['latex2sympy2'] = None"), "-W", "always")
    assert with_it.stdout == without.stdout and with_it.stdout.count("\n") == 3
    assert "latex2sympy2" not in with_it.stderr
    assert without.stderr.count("SymbpttWarning") == 1 and "symbptt[latex]" in without.stderr


def test_another_version_is_not_used(monkeypatch):
    monkeypatch.setattr(latex2sympy.importlib.metadata, "version", lambda name: "1.5.4")
    assert latex2sympy.missing.__wrapped__() == "latex2sympy2 1.9.1 is needed and 1.5.4 is installed"


def test_the_notice_is_given_once(monkeypatch):
    monkeypatch.setattr(entry_module, "_noticed", False)
    monkeypatch.setattr(latex2sympy, "missing", lambda: "latex2sympy2 is not installed")
    with pytest.warns(SymbpttWarning, match="symbptt's own conversion") as given:
        assert plain(parse("2 x")) == 2 * symbol("x")
        assert plain(parse("3 x")) == 3 * symbol("x")
    assert len(given) == 1 and given[0].filename == __file__


# -- limits -------------------------------------------------------------------------------------------------

TOO_LARGE = [
    r"10^{10^{10}}",
    r"9^{9^{9}}",
    r"2^{10^{6}}",
    r"0.5^{100000}",
    r"((10^{1000})^{1000})^{1000}",
    r"1 + 10^{-10^{9}}",
    "9" * 5000,
]


SOON = 10_000_000  # calls of functions, those of SymPy included: a few seconds at most


@pytest.mark.parametrize("latex", TOO_LARGE)
@pytest.mark.parametrize("convert", [plain, to_sympy, number_of])
def test_powers_that_nobody_could_write_are_refused_at_once(latex, convert):
    tree = parse(latex)
    with pytest.raises(TooLargeError):
        convert(tree)
    assert calls_within(lambda: convert(tree)) < SOON


@pytest.mark.parametrize(
    "latex",
    [r"\exp(\exp(\exp(100)))", r"e^{10^{9}}", r"2.5^{10^{9} + 0.5}", r"\cosh(10^{10})",
     r"\sum_{k=1}^{10^9} k", r"\sum_{k=1}^{2000} \sum_{j=1}^{2000} k j"],
)  # fmt: skip
def test_numbers_that_take_too_long_are_refused_soon(latex):
    with pytest.raises(TooLargeError):
        number_of(parse(latex))
    assert calls_within(lambda: number_of(parse(latex))) < SOON


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{1}{\exp(\exp(\exp(100))) - 1}",
        r"\left|\exp(\exp(\exp(100))) - 1\right|",
        r"\frac{1}{\sin(\exp(\exp(30)))}",
        r"\exp(10^8 \ln 3)",
        r"\sqrt{\frac{10^{1500}+1}{10^{1500}+3}}",
        r"x^{\exp(\exp(30))}",
        r"2^{x + 10^{9}} 2^{-x}",
        r"e^{10^{9} x \ln 2}",
    ],
)
def test_sympy_is_kept_from_work_that_does_not_end(latex):
    """SymPy looks for the sign of a number, its factors, or its digits, of its own accord."""
    for convert in (to_sympy, plain):
        with pytest.raises(TooLargeError):
            convert(parse(latex))
        assert calls_within(functools.partial(convert, parse(latex))) < SOON


def test_long_chains_of_slashes_and_functions_are_read_or_refused():
    assert own("x" + "/2" * 500) == symbol("x") / 2**500
    with pytest.raises(TooLargeError):
        own(r"\ln " * 2000 + "x")
    assert own(r"\ln \ln \ln x") == sympy.log(sympy.log(sympy.log(symbol("x"))))


_PIECES = r"""x h_t 2 0.5 10 ^ ^2 ^{10} _i ' ( ) [ ] + - = / | ! , \frac{1}{x} \frac \sqrt \tanh \exp \ln{}
\sum_{k=1}^{3} \prod_{k=1}^{k} k \cdot{} \left( \right) \top{} T e d \partial{} \text{if} \dots{} \pi{} {2 {x }"""
PIECES = _PIECES.split()


@given(latex=st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_whatever_is_parsed_is_converted_or_refused_clearly_and_soon(latex):
    try:
        tree = parse(latex)
    except NotationError:
        assume(False)
    for convert in (to_sympy, number_of, digits_of):
        assert calls_within(functools.partial(convert, tree)) < SOON
        try:
            result = convert(tree)
        except (NotPlainError, TooLargeError) as error:
            assert "\n" not in str(error)
        else:
            assert convert is digits_of or result is None or isinstance(result, sympy.Expr)


def test_a_power_of_a_name_is_bounded_too():
    with pytest.raises(TooLargeError):
        plain(parse(r"x^{10^{9}}"))
    assert plain(parse(r"x^{1000}")) == symbol("x") ** 1000


def test_nested_sums_that_are_too_long_are_refused_soon():
    tree = parse(r"\sum_{i=1}^{60} \sum_{j=1}^{60} \sum_{k=1}^{60} x_{i} y_{j} z_{k}")
    with pytest.raises(TooLargeError):
        plain(tree)
    assert calls_within(lambda: plain(tree)) < SOON


def test_a_long_sum_is_read_in_pieces_and_soon(there):
    latex = " + ".join(rf"w_{{{k}}} x_{{{k}}}" for k in range(60))
    assert through(latex) == own(latex)
    assert calls_within(lambda: through(latex)) < SOON
    for piece in pieces(recognised(parse(latex))):
        assert len(piece.names) <= LARGEST_PIECE
    very_long = " + ".join(rf"w_{{{k}}} x_{{{k}}}" for k in range(500))
    with pytest.raises(latex2sympy.NotConvertedError):
        through(very_long)
    assert len(plain(parse(very_long)).args) == 500


def test_deep_brackets_are_read_soon(there):
    latex = "x"
    for k in range(15):
        latex = rf"\tanh(w_{{{k}}} {latex})"
    assert through(latex) == own(latex)
    assert calls_within(lambda: through(latex)) < SOON


# -- figures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"0.25^{100}", sympy.Rational(1, 4) ** 100),
        (r"2.0 \cdot 6.0 + 2.0 \cdot 1.0 + 0.0", 14),
        (r"\frac{1}{2}(1.0 - 14.0)^2", sympy.Rational(169, 2)),
        (r"\sqrt{4} + 8^{1/3} + \sqrt[3]{-27}", 1),
        (r"\sum_{k=0}^{99} 2^k", 2**100 - 1),
        (r"\prod_{k=1}^{5} k", 120),
        (r"\sum_{k=1}^{3} \sum_{j=1}^{k} j", 10),
        (r"1^{10^{10}} + (-1)^{10^{9}}", 2),
        (r"-3^{2}", -9),
        (r"10^{-60}", sympy.Rational(1, 10**60)),
        (r"0^{0}", 1),
    ],
)
def test_arithmetic_is_exact(latex, value):
    assert number_of(parse(latex)) == value


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"1 - \tanh^2(2)", 1 - sympy.tanh(2) ** 2),
        (r"1 - \tanh^2(60)", 1 - sympy.tanh(60) ** 2),
        (r"\frac{1}{1 + e^{-1.5}}", 1 / (1 + sympy.exp(sympy.Rational(-3, 2)))),
        (r"\sqrt{2} - \pi / e", sympy.sqrt(2) - sympy.pi / sympy.E),
        (r"2^{0.5} \ln 3", sympy.sqrt(2) * sympy.log(3)),
        (r"\sum_{k=1}^{9} \sqrt{k}", sum(sympy.sqrt(k) for k in range(1, 10))),
        (r"\sech(1) + \coth(1) + \arctanh(0.5)", sympy.sech(1) + sympy.coth(1) + sympy.atanh(sympy.Rational(1, 2))),
        (r"1.001^{10000}", sympy.Float("1.001", 80) ** 10000),
        (r"0.9^{0.5} \cdot 10^{-300}", sympy.sqrt(sympy.Rational(9, 10)) / 10**300),
    ],
)
def test_what_is_not_rational_has_thirty_digits(latex, value):
    found = number_of(parse(latex))
    assert found.is_Float and abs(found - sympy.N(value, 50)) <= abs(sympy.N(value, 50)) * sympy.Float("1e-28", 30)


def test_what_cancels_altogether_is_zero():
    assert number_of(parse(r"\ln 4 - 2 \ln 2")).is_zero


def test_a_formula_with_a_name_has_no_number():
    assert number_of(parse("2 w")) is None
    assert number_of(parse(r"\sum_{k=1}^{3} k x")) is None
    for latex in (r"\frac{1}{0}", r"\sqrt{-1}", r"\ln(-1)", r"0^{-1}", r"(-2)^{0.5}", r"\arcsin(2)", r"\ln 0"):
        with pytest.raises(NotPlainError) as refused:
            number_of(parse(latex))
        assert refused.value.what == "undefined"


@pytest.mark.parametrize(
    ("latex", "value", "unit"),
    [
        ("2.0", "2", "1/10"),
        ("13", "13", "1"),
        ("-0.1966", "-0.1966", "0.0001"),
        (r"1.2 \times 10^{-5}", "0.000012", "0.000001"),
        (r"-3 \cdot 10^{4}", "-30000", "10000"),
        (r"(-13.0)", "-13", "0.1"),
        (r"\boxed{52}", "52", "1"),
        (".5", "0.5", "0.1"),
    ],
)
def test_the_unit_of_the_last_digit(latex, value, unit):
    digits = digits_of(parse(latex))
    assert digits is not None and (digits.value, digits.unit) == (Fraction(value), Fraction(unit))


def test_a_bare_power_of_ten_is_an_order_of_magnitude():
    digits = digits_of(parse("10^{-60}"))
    assert digits is not None and digits.unit is None and digits.value == Fraction(1, 10**60)
    tree = parse("10^{-60}")
    assert agrees(Fraction(1, 4) ** 100, tree) and agrees(Fraction(1, 10**60), tree)
    assert not agrees(Fraction(1, 4) ** 100, tree, exact=True)
    assert not agrees(6.2e-63, tree) and not agrees(-6.2e-61, tree) and not agrees(0, tree)


@pytest.mark.parametrize(
    "latex", ["x", r"\frac{1}{2}", "2 + 3", r"2 \cdot 3", "2^{10}", r"2 \times 3^{2}", "10^{n}", ""]
)
def test_what_is_no_written_number_has_no_digits(latex):
    assert digits_of(parse(latex)) is None


@pytest.mark.parametrize("latex", [r"10^{99999}", r"1.5 \times 10^{-9999999999}"])
def test_a_written_number_is_bounded(latex):
    with pytest.raises(TooLargeError):
        digits_of(parse(latex))


@pytest.mark.parametrize(
    ("value", "latex", "verdict"),
    [
        (0.19661193, "0.1966", True),
        (0.19661193, "0.197", True),
        (0.19661193, "0.196", False),  # cut off, not rounded
        (0.19661193, "0.2", True),
        (0.19661193, "-0.1966", False),
        (2.675, "2.67", True),  # half a unit, either way
        (2.675, "2.68", True),
        (2.675, "2.66", False),
        (14, "14.0", True),
        (14, "14", True),
        (14.04, "14.0", True),
        (14.06, "14.0", False),
        (1.24e-5, r"1.2 \times 10^{-5}", True),
        (1.26e-5, r"1.2 \times 10^{-5}", False),
        (float("inf"), "13", False),
        (float("nan"), "13", False),
        (sympy.Rational(169, 2), "84.5", True),
        (sympy.sqrt(2).evalf(30), r"\sqrt{2}", True),
        (1.4142, r"\sqrt{2}", False),
        (0.1 + 0.2, r"\frac{3}{10}", True),
        (Fraction(1, 3), r"\frac{1}{3}", True),
        (Fraction(1, 3), r"\frac{2}{3} - 0.3", False),
    ],
)
def test_a_figure_agrees_by_the_digits_that_it_is_given_with(value, latex, verdict):
    assert agrees(value, parse(latex)) is verdict


def test_an_exact_claim_can_be_asked_for():
    assert agrees(0.25, parse("0.25"), exact=True)
    assert not agrees(0.2501, parse("0.25"), exact=True)
    assert agrees(0.1 + 0.2, parse("0.3"), exact=True)
    with pytest.raises(NotPlainError):
        agrees(1, parse("x"))


@given(numerator=st.integers(-(10**6), 10**6), denominator=st.integers(1, 10**4), places=st.integers(0, 8))
def test_a_value_agrees_with_itself_rounded_and_not_with_the_next_figure(numerator, denominator, places):
    value = Fraction(numerator, denominator)
    unit = Fraction(1, 10**places)

    def written(steps: int) -> Any:
        sign, digits = ("-" if steps < 0 else ""), str(abs(steps)).rjust(places + 1, "0")
        return parse(sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits))

    nearest = round(value / unit)
    assert agrees(value, written(nearest))
    assert not agrees(value, written(nearest + 1)) or abs(value / unit - nearest) == Fraction(1, 2)
    assert not agrees(value, written(nearest - 1)) or abs(value / unit - nearest) == Fraction(1, 2)
    assert not agrees(value, written(nearest + 2))
