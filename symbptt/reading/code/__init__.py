"""The Python of a note, run only if it is asked for: in another process, under limits, to check its gradients."""
