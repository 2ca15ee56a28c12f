"""Functions in JAX: those of ``jax.nn`` where it has them, else those of NumPy under another name.

What is taken from ``jax.nn`` also has, where JAX itself differentiates it, the slopes that the derivation uses: 0 of
relu at 0, where ``jnp.maximum`` has 1/2; 1/4 of sigmoid at 0, where a form with the absolute value has 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..dialect import Dialect
from ..functions import SIGMOID, TABLE, Source
from ..sums import Summation
from ..terms import ATOM, HELPERS, Term

_NN = {"sigmoid": "sigmoid", "softplus'": "sigmoid", "relu": "relu", "elu": "elu", "silu": "silu"}
"""Entry of the table -> function of ``jax.nn``."""


def _translated(text: str) -> str:
    """Return NumPy code in JAX."""
    text = re.sub(r"(?<![\w.])np\.", "jnp.", text)
    return re.sub(r"\bsigmoid\(", "jax.nn.sigmoid(", text)


def _source(name: str, source: Source) -> Source:
    if name in _NN:
        return Source(f"jax.nn.{_NN[name]}({{u}})")
    helpers = (helper for helper in source.helpers if helper != SIGMOID)
    return Source(_translated(source.call), tuple((key, _translated(text)) for key, text in helpers))


JAX = Dialect(
    "jnp",
    {name: _source(name, source) for name, source in TABLE.items()},
    {
        **{name: _translated(text) for name, text in HELPERS.items()},
        "outer_sum": '''def outer_sum(u, v):
    """Return the sum of u v^T over all steps and examples."""
    axes = tuple(range(u.ndim - 1))
    return jnp.tensordot(u, v, (axes, axes))
''',
    },
    {name: f"jax.nn.{name}" for name in ("softmax", "log_softmax", "log_sigmoid")},
    number="{}",
    cast="{}.astype(dtype)",
    laid="{}.astype(dtype)",
    only_last=("{name} = {zeros}.at[-1].set({value})",),
    classes=(
        "# class indices as distributions; nan where there is no such class",
        "if jnp.issubdtype({name}.dtype, jnp.integer):",
        "    {name} = jax.nn.one_hot({name}, {classes}, dtype=dtype)",
        "    {name} = jnp.where({name}.any(-1, keepdims=True), {name}, jnp.nan)",
    ),
)


@dataclass(frozen=True)
class JaxSummation(Summation):
    """Sums that leave the axes of steps and batch apart, so that a batch may be spread over devices."""

    def vector(self, term: Term) -> Term:
        """Return the sum of vectors."""
        return Term(f"{term.at_least(ATOM)}.sum({self.axes})", ATOM, 1, False)

    def paired(self, u: Term, v: Term) -> Term:
        """Return the sum of u v^T, of all vectors on the last axes."""
        return Term(f"{self.writer.need('outer_sum')}({u.text}, {v.text})", ATOM, 2, False)
