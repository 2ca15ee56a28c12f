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
    number : str
        How the value of an array without axes is returned.
    cast : str
        What makes an array one of a type.
    laid : str
        What makes an array one of a type that lies in memory without gaps.
    only_last : tuple of str
        The lines for an array that is zero but at the last step.
    classes : tuple of str
        The lines that make class indices distributions.
    """

    module: str
    table: Mapping[str, Source]
    helpers: Mapping[str, str]
    offered: Mapping[str, str] = field(default_factory=dict)
    number: str = "float({})"
    cast: str = "{}.astype(dtype, copy=False)"
    laid: str = "np.ascontiguousarray({}, dtype)"
    only_last: tuple[str, ...] = ("{name} = {zeros}", "{name}[-1] = {value}")
    classes: tuple[str, ...] = (
        "if np.issubdtype({name}.dtype, np.integer):  # class indices",
        "    {name} = np.eye({classes})[{name}]",
    )

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
