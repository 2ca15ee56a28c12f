"""From an expression to its layout, with the layouts of all kinds of nodes: one table, node by node."""

from __future__ import annotations

from functools import partial

from . import present_arithmetic, present_arrays, present_rows, present_time  # noqa: F401 - they register their layouts
from .measures import layouts
from .present_arithmetic import call_layout
from .present_random import CHANCE_TABLE
from .present_rules import DEFAULT, TABLE, present
from .present_time import MODE_MARKS, joint

TABLE.update(layouts(present))
TABLE.update({kind: (level, partial(make, write=present)) for kind, (level, make) in CHANCE_TABLE.items()})

__all__ = ["DEFAULT", "MODE_MARKS", "call_layout", "joint", "present"]
