"""The first lines of a generated JAX function: arrays, their type, the axis of batch, and sizes."""

from __future__ import annotations

from ..page import Page
from ..prologue import batch, late, put_sizes, takes_classes, unpack


def prologue(page: Page) -> None:
    """Put down what comes before the forward pass, once it is known which sizes the rest reads."""
    keys = list(page.system.parameters)
    for name in page.system.targets:
        if takes_classes(page, name):
            page.all.number(page.plan.shape(name)[0])
    inputs = [page.arguments[name] for name in page.system.inputs]
    page.put("wrt = GRADIENTS if wrt is None else wrt")
    if keys:
        page.put("params = {key: jnp.asarray(params[key]) for key in PARAMETERS}")
    for name in inputs:
        page.put(f"{name} = jnp.asarray({name})")
    kinds = [f"{name}.dtype" for name in inputs]
    kinds += ["*(part.dtype for part in params.values())"] if keys else []
    page.put(f"dtype = jnp.result_type({', '.join(['jnp.float32' if kinds else 'float', *kinds])})")
    if keys:
        unpack(page, "astype(dtype)")
    for name in inputs:
        page.put(f"{name} = {name}.astype(dtype)")
    put_sizes(page, lambda text: not text.startswith(tuple(late(page))))
    for name in page.system.targets:
        _target(page, name)
    batch(page)
    if page.plan.has_mask:
        _mask(page)
    put_sizes(page, lambda text: text.startswith(tuple(late(page))))


def _mask(page: Page) -> None:
    name = page.arguments["mask"]
    page.put(f"{name} = jnp.asarray({name}, dtype)")
    page.put(f"{name} = jnp.broadcast_to({name} if {name}.ndim == 2 else {name}[:, None], ({page.T}, {page.B}))")


def _target(page: Page, key: str) -> None:
    name = page.arguments[key]
    if not takes_classes(page, key):
        page.put(f"{name} = jnp.asarray({name}, dtype)")
        return
    classes = page.all.number(page.plan.shape(key)[0])
    page.put(f"{name} = jnp.asarray({name})")
    page.say("class indices as distributions; nan where there is no such class")
    page.put(f"if jnp.issubdtype({name}.dtype, jnp.integer):")
    page.put(f"{name} = jax.nn.one_hot({name}, {classes}, dtype=dtype)", 8)
    page.put(f"{name} = jnp.where({name}.any(-1, keepdims=True), {name}, jnp.nan)", 8)
    page.put(f"{name} = {name}.astype(dtype)")
