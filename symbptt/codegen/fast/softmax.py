"""The softmax of the readout in place of its logits, in blocks that fit into a cache, with its logarithm."""

from __future__ import annotations

BATCH = '''def softmax_into(a, y, log):
    """Write softmax(a) into y; softmax(a) = exp(a - log) of what is left in a and log."""
    size = max(1, 32768 * len(a) // a.size)
    for start in range(0, len(a), size):
        part = slice(start, start + size)
        u, v, total = a[part], y[part], log[part]
        np.subtract(u, u.max(-1, keepdims=True), u)
        np.exp(u, v)
        v.sum(-1, keepdims=True, out=total)
        np.divide(v, total, v)
        np.log(total, total)
'''
"""(T, B, q), and (T, B, 1) for the logarithms."""

SINGLE = '''def softmax_into(a, y, log, ones):
    """Write softmax(a) into y; softmax(a) = exp(a - log) of what is left in a and log."""
    size = max(1, 32768 // len(ones))
    for start in range(0, len(a), size):
        part = slice(start, start + size)
        u, v, total = a[part], y[part], log[part]
        if len(ones) <= 32:
            top = np.maximum.reduce(u.T.copy())[:, None]
        else:
            top = u.max(-1, keepdims=True)
        np.subtract(u, top, u)
        np.exp(u, v)
        v.dot(ones, total[:, 0])
        np.divide(v, total, v)
        np.log(total, total)
'''
"""(T, q), (T, 1), and as many ones as there are classes: for short rows the sum as a product takes a
fifth of the time, and the largest numbers, of columns instead of rows, half."""
