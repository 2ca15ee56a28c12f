"""The public objects: thin facades that hold frozen data and call the layers below."""

from ..model import Cell, Loss
from ..model.from_latex import register
from ..model.truncation import Randomised, Segments, Window
from .derivation import Derivation, StabilityDerivation
from .from_latex import read_cell, read_loss
from .gradients import GradientReport, check_gradients
from .model import RNN, load
from .notes import NoteReport, check_notes

__all__ = [
    "RNN",
    "Cell",
    "Derivation",
    "GradientReport",
    "Loss",
    "NoteReport",
    "Randomised",
    "Segments",
    "StabilityDerivation",
    "Window",
    "check_gradients",
    "check_notes",
    "load",
]

register("cell", read_cell)
register("loss", read_loss)
