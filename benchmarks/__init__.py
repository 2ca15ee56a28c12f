"""What the package promises about time, measured: ``python -m benchmarks``."""
