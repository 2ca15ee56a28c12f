"""Run every benchmark."""

from __future__ import annotations

from . import derivation

if __name__ == "__main__":
    derivation.main()
