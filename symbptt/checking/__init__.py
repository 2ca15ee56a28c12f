"""Gradients that somebody else wrote, compared with differences of the loss; needs NumPy and nothing of the model."""
