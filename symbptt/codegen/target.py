"""Targets: which of the admissible forms an array has, and whether its numbers are what the loss needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ValueInputError
from .checks import Array, Intake, Sizes, class_indices, distributions, show, unit
from .plan import Plan


@dataclass
class Lead:
    """The number of steps and the size of the batch, as far as they are known; no batch axis is ``batched`` False."""

    steps: int | None
    batch: int | None = None
    batched: bool | None = None
    source: str = "the model"

    def bind(self, name: str, axes: tuple[int, ...]) -> None:
        """Take the leading axes of an input: (T,) or (T, B).

        Raises
        ------
        ValueInputError
            Where they differ from what is known.
        """
        if 0 in axes:
            raise ValueInputError(f"{name} has {'no steps' if axes[0] == 0 else 'an empty batch'}")
        if self.steps not in (None, axes[0]):
            raise ValueInputError(f"{name} has {axes[0]} steps, but {self.source} has {self.steps}")
        self.steps = axes[0]
        self._settle(name, axes[1:])
        self.source = name

    def bind_batch(self, name: str, size: int) -> None:
        """Take the batch axis of an initial state."""
        if size == 0:
            raise ValueInputError(f"{name} has an empty batch")
        self._settle(name, (size,))

    def _settle(self, name: str, axes: tuple[int, ...]) -> None:
        if self.batched is not None and self.batched != bool(axes):
            more, less = (name, self.source) if axes else (self.source, name)
            raise ValueInputError(f"{more} has an axis of batch, but {less} has none")
        if axes and self.batch not in (None, axes[0]):
            raise ValueInputError(f"{name} has a batch of {axes[0]}, but {self.source} has {self.batch}")
        self.batched, self.batch = bool(axes), axes[0] if axes else None
        if self.source == "the model":
            self.source = name


@dataclass(frozen=True)
class Form:
    """One admissible form: its leading axes (None where a size is not known), and what follows."""

    lead: tuple[int | None, ...]
    symbols: tuple[str, ...]
    final: bool
    classes: bool

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether the leading axes are those of an array."""
        return all(size in (None, actual) for size, actual in zip(self.lead, shape, strict=False))


def read_target(
    plan: Plan,
    sizes: Sizes,
    lead: Lead,
    given: Any,
    column: bool,
    name: str = "target",
    label: str = "",
    intake: Intake | None = None,
) -> Array:
    """Return a target as the generated function takes it; under ``last``, that of the last step.

    Parameters
    ----------
    label : str
        What it is called in messages; its name by default.
    intake : Intake, optional
        How arrays are taken in.

    Raises
    ------
    ValueInputError
        For a target that is missing, of another shape, or not what the loss compares with.
    """
    kind, intake = plan.system.targets[name], intake or Intake()
    forms = _forms(plan, lead, kind)
    shape, name = plan.shape(name), label or name
    if given is None:
        raise ValueInputError(f"{name} is missing; expected {_expected(forms, sizes, shape)}")
    array = intake.numbers(name, given, integers=kind == "distribution")
    if column and array.ndim and array.shape[-1] == 1:
        array = array[..., 0]
    form = _form_of(array, forms, sizes, shape)
    if form is None:
        hint = _hint(array, forms)
        expected = _expected(forms, sizes, shape)
        raise ValueInputError(f"{name} has shape {show(array.shape)}; expected {expected}{hint}")
    _bind(form, lead, array, name)
    if not form.classes:
        array = array if array.dtype.kind == "f" else array.astype(float)
        sizes.check(name, array.shape[len(form.lead) :], shape)
    seen = intake.values(array)
    if seen is not None:
        _check(kind, shape, sizes, form, seen, name)
    taken = np.ones(array.shape) if form.classes and not shape else array
    return taken[-1] if plan.last and not form.final else taken


def _forms(plan: Plan, lead: Lead, kind: str) -> list[Form]:
    batches = [False, True] if lead.batched is None else [lead.batched]
    kinds = [True, False] if kind == "distribution" else [False]
    forms = []
    for final in [False, True] if plan.last else [False]:
        for classes in kinds:
            for batched in batches:
                steps: list[tuple[str, int | None]] = [] if final else [("T", lead.steps)]
                axes = steps + ([("B", lead.batch)] if batched else [])
                forms.append(Form(tuple(n for _, n in axes), tuple(s for s, _ in axes), final, classes))
    return forms


def _form_of(array: Array, forms: list[Form], sizes: Sizes, shape: tuple[Any, ...]) -> Form | None:
    for form in forms:
        rest = () if form.classes else shape
        if array.ndim != len(form.lead) + len(rest) or (form.classes and array.dtype.kind not in "iu"):
            continue
        values = [sizes.value(size) for size in rest]
        inner = array.shape[len(form.lead) :]
        if form.fits(array.shape) and all(v in (None, n) for v, n in zip(values, inner, strict=True)):
            return form
    return None


def _expected(forms: list[Form], sizes: Sizes, shape: tuple[Any, ...]) -> str:
    return " or ".join(dict.fromkeys(_shown(form, sizes, shape) for form in forms))


def _shown(form: Form, sizes: Sizes, shape: tuple[Any, ...]) -> str:
    rest = () if form.classes else shape
    symbols = show((*form.symbols, *rest))
    known = [s if n is None else n for s, n in zip(form.symbols, form.lead, strict=True)]
    inner = [s if sizes.value(s) is None else sizes.value(s) for s in rest]
    numeric = show((*known, *inner))
    text = symbols if numeric == symbols else f"{symbols} = {numeric}"
    return f"class indices {text}" if form.classes else text


def _hint(array: Array, forms: list[Form]) -> str:
    looks = any(f.classes and array.ndim == len(f.lead) and f.fits(array.shape) for f in forms)
    return "; class indices must be integers" if looks and array.dtype.kind == "f" else ""


def _bind(form: Form, lead: Lead, array: Array, name: str) -> None:
    if 0 in array.shape:
        raise ValueInputError(f"{name} is empty: its shape is {show(array.shape)}")
    if "T" in form.symbols:
        lead.steps = array.shape[0]
    if "B" in form.symbols:
        lead.batch = array.shape[len(form.lead) - 1]
    lead.batched = "B" in form.symbols


def _check(kind: str, shape: tuple[Any, ...], sizes: Sizes, form: Form, array: Array, name: str) -> None:
    if form.classes:
        class_indices(name, array, (sizes.value(shape[0]) if shape else 1) or 0)
    elif kind == "distribution":
        distributions(name, array, scalar=not shape)
    elif kind == "unit":
        unit(name, array)
