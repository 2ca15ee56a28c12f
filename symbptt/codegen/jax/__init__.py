"""The program in JAX: two scans of the derived equations."""
