"""The notation parser: LaTeX as people write it in notes, to a tree with the place of every part."""

from .grammar import parse
from .tokens import NotationError

__all__ = ["NotationError", "parse"]
