"""One thread for every library, and what the measurements were made with. Nothing heavy is imported on top."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from pathlib import Path
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGES = ("numpy", "sympy", "torch", "jax", "jaxlib", "autograd", "numba", "scipy", "symengine", "casadi")


def one_thread() -> None:
    """Let BLAS and every framework use one thread; call it before any of them is imported.

    What else the environment says about them holds, such as ``OPENBLAS_CORETYPE=SkylakeX``.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["NPROC"] = "1"  # the thread pools of XLA
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["JAX_ENABLE_X64"] = "1"


def has(module: str | None) -> bool:
    """Whether a module is installed; None stands for nothing that has to be."""
    return module is None or importlib.util.find_spec(module) is not None


def machine() -> dict[str, Any]:
    """Return the processor, the versions of what is installed, and the BLAS of NumPy."""
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "processor": _processor(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES if has(name)},
        "blas": f"{blas['name']} {blas['version']}{_kernels()}",
    }


def _kernels() -> str:
    """Return for which processors the kernels are that BLAS has chosen, where that can be asked."""
    if not has("threadpoolctl"):
        return ""
    from threadpoolctl import threadpool_info

    found = [library["architecture"] for library in threadpool_info() if library["internal_api"] == "openblas"]
    return f" with kernels for {found[0]}" if found else ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return platform.processor() or platform.machine()
