"""The notation parser: LaTeX as people write it in notes, to a tree with the place of every part."""

from .grammar import parse
from .show import outline
from .tokens import NotationError

__all__ = ["NotationError", "outline", "parse"]
