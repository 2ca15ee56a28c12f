"""Remedies as derivations, each with a before and an after: clipping, initialisation, and other cells."""

from .clipping import clipping_section
from .comparison import comparison_section
from .initialisation import initialisation_section
from .settings import Remedies

REMEDIES = {"clipping": clipping_section, "initialisation": initialisation_section, "comparison": comparison_section}
"""Section -> what makes it, in printed order."""

__all__ = ["REMEDIES", "Remedies", "clipping_section", "comparison_section", "initialisation_section"]
