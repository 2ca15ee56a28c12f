"""Gradients of any program, compared with the true ones: where they first go wrong, and which usual mistake it is."""
