"""Two methods for the adjoints: path expansion, chain by chain, and the recursion; their equality and their cost."""

from .chains import LISTED, Chain, Paths, chain, no_chains, paths
from .cost import METHODS, Cost, Costs, costs
from .insertion import PROVED, Pair, pair, pairs, recursion_at

__all__ = [
    "LISTED",
    "METHODS",
    "PROVED",
    "Chain",
    "Cost",
    "Costs",
    "Pair",
    "Paths",
    "chain",
    "costs",
    "no_chains",
    "pair",
    "pairs",
    "paths",
    "recursion_at",
]
