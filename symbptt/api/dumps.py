"""Dumps of other programs: archives of NumPy (.npz) with gradients, and the numbers at which they were computed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import algebra as A
from ..codegen.comparing.arrays import as_array
from ..errors import SymbpttError, UnknownNameError, ValueInputError, nearest
from ..model import CELL
from ..torch_params import is_torch_name

if TYPE_CHECKING:
    from .bptt import Bptt, CompareReport
    from .model import RNN

GROUPS = ("grads", "adjoints", "states", "params", "initial", "x", "target")
"""What stands in front of the slash in the name of an array."""
_PLAIN = ("x", "target", "mask", "steps", "dy", "dh_T", "dc_T")
_LARGEST = 2**32


def compare_dump(
    model: RNN, path: Path, free: bool = False, truncate: Any = None, dtype: Any = None, lang: str = "en"
) -> CompareReport:
    """Compare what a program wrote into a file with the true gradients.

    Parameters
    ----------
    model : RNN
        Its own numbers stand for those that are not in the dump.
    path : Path
        Of the archive.
    free : bool
        Whether the sizes are those of the arrays where all numbers are in the dump, whatever the model has.
    truncate, dtype, lang
        As for :meth:`symbptt.RNN.lambdify` and :meth:`symbptt.api.bptt.Bptt.compare`.

    Raises
    ------
    ValueInputError, UnknownNameError, ShapeError
        For what is no such archive, and for names and shapes that do not fit the model.
    """
    arrays = read_archive(path)
    groups, plain = sorted_arrays(arrays, model.lambdify(truncate))
    system = model.network.system
    given = {*groups["params"], *plain, *groups["x"], *(f"target_{name}" for name in groups["target"])}
    if free and given >= {*system.parameters, *system.inputs, *system.targets}:
        model = open_sizes(model)
    call = _call(model, groups, plain, path)
    grads, adjoints, states = (groups[name] or None for name in ("grads", "adjoints", "states"))
    bptt = model.lambdify(truncate)
    if not (grads or adjoints or states):
        raise ValueInputError(f"{path}: no gradients in it; save them as grads/{bptt.gradients[0]} and so on")
    report = bptt.compare(grads, **call, adjoints=adjoints, states=states, dtype=dtype, lang=lang)
    report.notation = model.notation
    return report


def open_sizes(model: RNN) -> RNN:
    """Return a model without its numbers, and with symbols for its sizes and T."""
    network = model.network
    sizes = {"hidden": "n", "inputs": network.inputs and "m", "outputs": network.outputs and "q", "steps": "T"}
    return model.replace(values={}, **{name: size for name, size in sizes.items() if size is not None})


def read_archive(path: Path) -> dict[str, Any]:
    """Return the arrays of an archive; pickled objects are refused, and nothing in it is run.

    Raises
    ------
    OSError
        Where there is no such file.
    ValueInputError
        For anything but an archive of arrays.
    """
    if path.is_dir():
        raise ValueInputError(f"{path}: it is a directory; give a file that np.savez wrote")
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise ValueInputError(f"{path}: {size} bytes unpacked; compare at smaller sizes")
        with np.load(path, allow_pickle=False) as found:
            return {name: _member(path, found, name) for name in found.files}
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueInputError(f"{path}: no archive of arrays ({error}); write it with np.savez") from None


def _member(path: Path, found: Any, name: str) -> Any:
    try:
        return found[name]
    except ValueError as error:
        if "pickle" in str(error):
            what = f"{path}: {name} holds Python objects, which are not read"
            raise ValueInputError(f"{what}; save arrays of numbers") from None
        raise ValueInputError(f"{path}: {name} cannot be read: {error}") from None


def sorted_arrays(arrays: Mapping[str, Any], bptt: Bptt) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return arrays by what they are: those of groups, and single inputs; a plain parameter's name is its gradient.

    Raises
    ------
    UnknownNameError
        For a name that is nothing of the model.
    """
    groups: dict[str, dict[str, Any]] = {group: {} for group in GROUPS}
    plain: dict[str, Any] = {}
    initial = [f"{state}0" for state in bptt.network.system.states]
    for name, array in arrays.items():
        group, slash, key = name.partition("/")
        if slash:
            if group not in GROUPS:
                raise UnknownNameError(f"{name!r} in the dump: no group {group!r}{nearest(group, GROUPS)}")
            groups[group][key] = array
        elif name in _PLAIN or name in initial or name in bptt.network.system.inputs:
            plain[name] = array
        elif name in bptt.gradients or is_torch_name(name):
            groups["grads"][name] = array
        else:
            known = [*_PLAIN, *initial, *bptt.gradients, *(f"{group}/" for group in GROUPS)]
            raise UnknownNameError(f"{name!r} in the dump is nothing of the model{nearest(name, known)}")
    return groups, plain


def _call(
    model: RNN, groups: dict[str, dict[str, Any]], plain: dict[str, Any], path: Path
) -> dict[str, Any]:  # fmt: skip
    """Return the arguments of a call: those in the dump, and the model's own for what is missing."""
    system = model.network.system
    try:
        call: dict[str, Any] = model.arguments() if model.values else {"params": {}}
    except SymbpttError:  # its numbers are not complete: then the dump's must be
        call = {"params": {}}
    given = {key: as_array(f"params/{key}", value)[0] for key, value in groups["params"].items()}
    if not given and not call["params"] and system.parameters:
        first = next(iter(system.parameters))
        raise ValueInputError(f"{path}: no params/{first} in it, and the model has no numbers of its own; save both")
    call["params"] = {**call["params"], **given}
    states = {key[:-1]: value for key, value in plain.items() if key[:-1] in system.states and key.endswith("0")}
    if states or groups["initial"]:
        call["initial"] = {**call.get("initial", {}), **states, **groups["initial"]}
    inputs = {name: plain[name] for name in system.inputs if name in plain} | groups["x"]
    if inputs:
        call["x"] = inputs["x"] if list(inputs) == ["x"] else inputs
    cotangents: dict[str, Any] = {name: plain[name] for name in ("dy", "dh_T", "dc_T") if name in plain}
    if cotangents:
        call.pop("target", None)
    call |= {name: plain[name] for name in ("target", "mask") if name in plain}
    call |= cotangents
    if groups["target"]:
        call["target"] = groups["target"]
    if "steps" in plain:
        call["steps"] = int(np.asarray(plain["steps"]))
    return call


# -- a program that writes one ---------------------------------------------------------------------------------
_TEMPLATE = '''"""Write what symbptt compare reads: gradients, and the numbers at which they were computed."""

import numpy as np


def array(value):
    """Return an array of NumPy, PyTorch or JAX as one of NumPy; bfloat16 becomes float32."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    kind = str(getattr(value, "dtype", ""))
    if "bfloat16" in kind:  # NumPy has no such type: compare with --dtype bfloat16
        value = value.float() if hasattr(value, "float") else value.astype("float32")
    return np.asarray(value)


def save(path, params, grads, x=None, target=None, initial=None, adjoints=None, states=None):
    """Save a dump; what is not given is left out.

    params, grads
{parameters}
    grads, too
{others}
    x, target
{inputs}
    adjoints (dL/dv_t, from t = 1), states
{variables}
    """
    groups = {{"params": params, "grads": grads, "initial": initial, "adjoints": adjoints, "states": states}}
    arrays = {{"x": x, "target": target}}
    for group, given in groups.items():
        arrays |= {{f"{{group}}/{{name}}": value for name, value in (given or {{}}).items()}}
    arrays = {{name: array(value) for name, value in arrays.items() if value is not None}}
    np.savez(path, **arrays)
'''


def template(model: RNN) -> str:
    """Return a Python file with a function that writes a dump for a model.

    >>> from symbptt import RNN
    >>> [line.strip() for line in template(RNN("tanh")).splitlines() if "W_" in line]
    ['W_h (n, n)', 'W_x (n, m)']
    """
    system = model.network.system
    timed = {name: _shape(system.at(name), "T", "[B]") for name in (*system.inputs, *system.targets)}
    variables = [e.name for e in system.equations if e.stage == CELL]
    return _TEMPLATE.format(
        parameters=_listed({key: _shape(leaf) for key, leaf in system.parameters.items()}),
        others=_listed(
            {
                **{name: timed[name] for name in system.inputs},
                **{f"{state}0": _shape(system.at(state), "[B]") for state in system.states},
            }
        ),
        inputs=_listed(timed),
        variables=_listed({name: _shape(system.at(name), "T", "[B]") for name in variables}),
    )


def _shape(leaf: Any, *lead: str) -> str:
    sizes = [*lead, *map(str, A.shape_of(leaf)[: A.rank_of(leaf)])]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _listed(shapes: dict[str, str]) -> str:
    return "\n".join(f"        {name} {shape}" for name, shape in shapes.items())
