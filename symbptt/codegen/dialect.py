"""What differs between array libraries: the name of the module, and how a function or a helper is written in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..algebra import ElementwiseFunction
from .functions import TABLE, Source, known_as, own, python_name
from .terms import HELPERS


@dataclass(frozen=True)
class Dialect:
    """How expressions are written for one library.

    Attributes
    ----------
    module : str
        The name that its functions are called under.
    table : mapping
        Function of the catalogue -> source.
    helpers : mapping
        Function of arrays that a module may define -> definition.
    offered : mapping
        Function of arrays that the library has itself -> its name there.
    """

    module: str
    table: Mapping[str, Source]
    helpers: Mapping[str, str]
    offered: Mapping[str, str] = field(default_factory=dict)

    def source_of(self, function: ElementwiseFunction, name: str = "") -> Source:
        """Return the source of a function: the catalogue's where it is the same function, else SymPy's.

        Parameters
        ----------
        function : ElementwiseFunction
        name : str
            What the helper of a function of the user's own is called.

        Examples
        --------
        >>> from symbptt.algebra import named
        >>> NUMPY.source_of(named("relu")).call
        'np.maximum({u}, 0.0)'
        """
        known = known_as(function)
        return self.table[known] if known else own(function, name or python_name(function), self.module)


NUMPY = Dialect("np", TABLE, HELPERS)
