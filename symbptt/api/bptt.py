"""The generated function with a voice: it also says what is wrong with gradients of another program."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..codegen import bptt as generated
from ..codegen import compile_for, compile_network
from ..codegen.comparing.compare import TOLERANCE, compare
from ..codegen.comparing.result import Compared, First, Item
from ..codegen.jax import bptt as jax
from ..model import Network, one_example
from ..model.truncation import Truncation
from ..torch_params import gradients_from_torch


class CompareReport:
    """What was found about the arrays of a program: true if none is wrong.

    Attributes
    ----------
    data : symbptt.codegen.comparing.result.Compared
    lang : str
    notation : str or mapping
        Of equations.
    """

    def __init__(self, data: Compared, network: Network, lang: str = "en") -> None:
        self.data, self.lang = data, lang
        self.notation: Any = "textbook"
        self._network = network

    @property
    def items(self) -> dict[str, Item]:
        """What was found about each gradient by its name; adjoints as ``adjoints.h`` and states as ``states.h``."""
        places = {"gradient": "", "adjoint": "adjoints.", "state": "states."}
        return {f"{places[item.kind]}{item.name}": item for item in self.data.items}

    @property
    def first(self) -> First | None:
        """Where the given states, or else adjoints, first go wrong in the order of computation."""
        return self.data.first

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and something was shown to be right."""
        return self.data.ok

    def __bool__(self) -> bool:
        return self.ok

    def to_text(self, lang: str | None = None) -> str:
        """Return what was found as plain text."""
        from ..render.compared import compared_text

        return compared_text(self._words(lang))

    def to_markdown(self, lang: str | None = None) -> str:
        """Return what was found as Markdown."""
        from ..render.compared import compared_markdown

        return compared_markdown(self._words(lang))

    def to_json(self, lang: str | None = None) -> str:
        """Return what was found as JSON; names of verdicts and causes are the same in every language."""
        from ..render.compared import compared_json

        return compared_json(self._words(lang))

    def to_html(self, lang: str | None = None) -> str:
        """Return what was found as a complete page."""
        from ..render.compared import compared_html

        return compared_html(self._words(lang))

    def _words(self, lang: str | None) -> Any:
        from ..render.compared_words import Words

        return Words(self.data, one_example(self._network).system, lang or self.lang, self.notation)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


class Bptt(generated.Bptt):
    """Loss and gradients of a network as a function of numbers; see :class:`symbptt.codegen.bptt.Bptt`."""

    def __reduce__(self) -> Any:
        return bptt_of, ("numpy", self.network, self.truncate)

    def compare(
        self,
        grads: Mapping[str, Any] | None,
        params: Mapping[str, Any],
        x: Any = None,
        target: Any = None,
        *,
        adjoints: Mapping[str, Any] | None = None,
        states: Mapping[str, Any] | None = None,
        dtype: Any = None,
        tolerance: float = TOLERANCE,
        lang: str = "en",
        **call: Any,
    ) -> CompareReport:
        """Compare gradients of any program with the true ones, and say what is wrong with them.

        The true ones come from the derived equations, in float64. Each entry is compared in units of the error that
        rounding is expected to leave in it, which is measured by passes with rounding errors in everything. Where
        something is wrong, the usual mistakes are tried, alone and two together, and the one that explains it is named.

        Parameters
        ----------
        grads : mapping
            Key -> array, of all gradients or of some: those by parameters, ``x``, ``h0``, ... Arrays of NumPy, PyTorch
            or JAX, or lists; the names may also be those of ``torch.nn``, ``weight_hh_l0``.
        params, x, target, **call
            The numbers at which the gradients were computed, as for a call: ``h0=``, ``c0=``, ``initial=``, ``mask=``,
            ``steps=``. In place of a target, cotangents as for :meth:`vjp`: ``dy=``, ``dh_T=``, ``dc_T=``, ``final=``.
        adjoints : mapping, optional
            Variable of the cell -> dL/dv_t, (T, ...) or (T, B, ...), index 0 is t = 1. The first wrong one is named,
            with its equation.
        states : mapping, optional
            Variable -> its values in the forward pass: states from t = 0 or 1 on, others from t = 1.
        dtype : type, optional
            ``float64``, ``float32``, ``bfloat16`` or ``float16``: whose rounding is expected. By default that of each
            array; give it where results in low precision are stored in a wider type.
        tolerance : float
            What counts as wrong, in units of the expected rounding error.
        lang : {"en", "zh"}
            Of the result.

        Returns
        -------
        CompareReport
            Prints itself.

        Raises
        ------
        ValueInputError, UnknownNameError, ShapeError
            For names, numbers or shapes that do not fit the model; a shape that comes from a usual mistake, such as a
            sum that was forgotten, is compared and reported.

        Examples
        --------
        >>> from symbptt import RNN
        >>> import numpy as np
        >>> bptt = RNN("tanh", 2, 1, steps=3).lambdify()
        >>> numbers = {"params": {"W_h": np.eye(2) / 2, "W_x": np.ones((2, 1)), "b_h": np.zeros(2)}}
        >>> numbers |= {"x": np.ones((3, 1)), "target": np.zeros((3, 2))}
        >>> right = bptt(**numbers).grads
        >>> found = bptt.compare({"W_h": right["W_h"], "b_h": -right["b_h"]}, **numbers)
        >>> found.ok, found.items["b_h"].causes[0].name
        (False, 'sign')
        """
        from ..render.phrases import check_language

        check_language(lang)
        numbers = {"params": params, "x": x, "target": target, **call}
        keys: dict[str, str] = {}
        if isinstance(grads, Mapping):
            named = gradients_from_torch(grads)
            keys = {name: key for name, (key, _) in named.items()}
            grads = {name: array for name, (_, array) in named.items()}
        found = compare(
            compile_network(self.network, self.truncate), grads, numbers, adjoints, states, dtype, tolerance, keys
        )
        return CompareReport(found, self.network, lang)


class JaxBptt(Bptt, jax.JaxBptt):
    """The same of JAX arrays; see :class:`symbptt.codegen.jax.bptt.JaxBptt`."""

    def __reduce__(self) -> Any:
        return bptt_of, ("jax", self.network, self.truncate)


@lru_cache(maxsize=64)
def bptt_of(backend: str, network: Network, truncate: Truncation | None = None) -> Bptt:
    """Return loss and gradients of a network as a function of numbers, compiled once for each network.

    Raises
    ------
    UnknownNameError, RefusedError
        As :func:`symbptt.codegen.compile_for`.
    """
    compile_for(backend, network, truncate)
    return JaxBptt(network) if backend == "jax" else Bptt(network, truncate)
