"""Why gradients vanish or explode: Jacobian products, bounds, spectra, power iteration.

Each module makes one section of a derivation; :mod:`.data` has the same as arrays.
"""

from .bounds import bounds_section
from .common import check_jacobians
from .data import Stability, stability
from .distances import distances_section
from .eigen import Eigenvalue, Spectrum, diagonalise, jordan, power_iteration, spectrum
from .power import power_section
from .products import products_section
from .spectrum import spectrum_section

STABILITY = {
    "products": products_section,
    "bounds": bounds_section,
    "distances": distances_section,
    "spectrum": spectrum_section,
    "power": power_section,
}
"""Section -> what makes it, in printed order."""

__all__ = [
    "STABILITY",
    "Eigenvalue",
    "Spectrum",
    "Stability",
    "bounds_section",
    "check_jacobians",
    "diagonalise",
    "distances_section",
    "jordan",
    "power_iteration",
    "power_section",
    "products_section",
    "spectrum",
    "spectrum_section",
    "stability",
]
