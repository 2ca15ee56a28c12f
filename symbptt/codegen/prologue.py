"""The first lines of the generated function: arrays, their type, the axis of batch, and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .layout import WIDTH
from .page import Page


def prologue(page: Page) -> None:
    """Put down what comes before the forward pass, once it is known which sizes the rest reads."""
    keys, dialect = list(page.system.parameters), page.dialect
    np = dialect.module
    for name in page.system.targets:
        if _takes_classes(page, name):
            page.all.number(page.plan.shape(name)[0])
    inputs = [page.arguments[name] for name in page.system.inputs]
    page.put("wrt = GRADIENTS if wrt is None else wrt")
    if keys:
        page.put(f"params = {{key: {np}.asarray(params[key]) for key in PARAMETERS}}")
    for name in inputs:
        page.put(f"{name} = {np}.asarray({name})")
    kinds = [f"{name}.dtype" for name in inputs]
    kinds += ["*(part.dtype for part in params.values())"] if keys else []
    page.put(f"dtype = {np}.result_type({', '.join([f'{np}.float32' if kinds else 'float', *kinds])})")
    if keys:
        _unpack(page, dialect.cast.format("part"))
    for name in inputs:
        page.put(f"{name} = {dialect.laid.format(name)}")
    _put_sizes(page, lambda text: not text.startswith(tuple(_late(page))))
    for name in page.system.targets:
        _target(page, name)
    _batch(page)
    if page.plan.has_mask:
        _mask(page)
    _put_sizes(page, lambda text: text.startswith(tuple(_late(page))))


def _unpack(page: Page, cast: str) -> None:
    """Give the parameters names of their own."""
    keys = [page.names(key) for key in page.system.parameters]
    left = ", ".join(keys) if len(keys) > 1 else f"({keys[0]},)"
    text = f"{left} = ({cast} for part in params.values())"
    if len(text) + 4 <= WIDTH:
        page.put(text)
    else:
        page.put(f"params = {{key: {cast} for key, part in params.items()}}")
        for key in page.system.parameters:
            page.put(f'{page.names(key)} = params["{key}"]')


def _late(page: Page) -> list[str]:
    """Return how the sources of sizes begin that are only known once the batch is there."""
    return [f"{name}.shape[" for name in page.arguments.values()] + ["np.shape("]


def _put_sizes(page: Page, wanted: Callable[[str], bool]) -> None:
    """Name the sizes whose source is wanted."""
    for symbol, name in page.sizes.items():
        source = size_source(page, symbol)
        if wanted(source):
            page.put(f"{name} = {source}")


def size_source(page: Page, symbol: Any) -> str:
    """Return where the value of a size comes from: a parameter, an input, the target, a state, or the model."""
    plan = page.plan
    for key in page.system.parameters:
        for i, size in enumerate(plan.shape(key)):
            if size == symbol:
                return f"{page.names(key)}.shape[{i}]"
    named = [*page.system.inputs, *page.system.targets]
    for name in named:
        shape = plan.shape(name)
        for i, size in enumerate(shape):
            if size == symbol:
                return f"{page.arguments[name]}.shape[{i - len(shape)}]"
    known = page.network.system.sizes.get(str(symbol))
    if known is not None and known.is_Integer:
        return str(known)
    state = next(s for s in page.system.states if symbol in plan.shape(s))
    return f"np.shape({page.arguments[f'{state}0']})[{plan.shape(state).index(symbol) - len(plan.shape(state))}]"


def _batch(page: Page) -> None:
    """Give every array an axis of batch, and name T and B."""
    plan, names = page.plan, page.arguments
    inputs = [names[name] for name in page.system.inputs]
    target = [names[name] for name in page.system.targets]
    if inputs or target:
        first = (*page.system.inputs, *page.system.targets)[0]
        lead = 1 if not inputs and plan.last else 2
        page.put(f"batched = {names[first]}.ndim == {lead + len(plan.shape(first))}")
        page.put("if not batched:")
        for name in inputs:
            page.put(f"{name} = {name}[:, None]", 8)
        for name in target:
            page.put(f"{name} = {name}[{'None' if plan.last else ':, None'}]", 8)
    else:
        _batch_of_states(page)
        return
    if page.needs_steps:
        page.put(f"{page.T}, {page.B} = steps, {target[0]}.shape[0]")
    else:
        whole = (inputs + target)[0]
        page.put(f"{page.T}, {page.B} = {whole}.shape[:2]" if page.counts else f"{page.B} = {whole}.shape[1]")


def _batch_of_states(page: Page) -> None:
    shapes = []
    for state in page.system.states:
        rank = len(page.plan.shape(state))
        shapes.append(f"np.shape({page.arguments[f'{state}0']})" + (f"[:-{rank}]" if rank else ""))
    page.put(f"lead = np.broadcast_shapes({', '.join(shapes)})")
    page.put("batched = len(lead) == 1")
    page.put(f"{page.T}, {page.B} = steps, lead[0] if batched else 1")


def _mask(page: Page) -> None:
    name, np = page.arguments["mask"], page.dialect.module
    page.put(f"{name} = {np}.asarray({name}, dtype)")
    page.put(f"{name} = {np}.broadcast_to({name} if {name}.ndim == 2 else {name}[:, None], ({page.T}, {page.B}))")


def _takes_classes(page: Page, key: str) -> bool:
    """Whether a target may be class indices."""
    return page.system.targets[key] == "distribution" and bool(page.plan.shape(key))


def _target(page: Page, key: str) -> None:
    name, dialect = page.arguments[key], page.dialect
    if not _takes_classes(page, key):
        page.put(f"{name} = {dialect.module}.asarray({name}, dtype)")
        return
    classes = page.all.number(page.plan.shape(key)[0])
    page.put(f"{name} = {dialect.module}.asarray({name})")
    for line in dialect.classes:
        page.put(line.format(name=name, classes=classes))
    page.put(f"{name} = {dialect.cast.format(name)}")
