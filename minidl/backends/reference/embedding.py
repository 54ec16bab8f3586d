"""Rows of a table by index, and the gradient of the table; one-hot rows.

Indices are checked by the caller, with ``first_out_of_range``.
"""

import numpy as np

from minidl.backends.reference.precision import _wide


def first_out_of_range(xp, indices, limit, ignore):
    """Where, in the flattened ``indices``, the first lies that is outside [0, limit) and not ``ignore``; or -1."""
    outside = (indices < 0) | (indices >= limit)
    if ignore is not None:
        outside &= indices != ignore
    return int(xp.argmax(outside)) if outside.any() else -1


def only_classes(xp, targets, classes, ignore):
    """``targets`` in int64, with ``ignore`` in the place of those outside [0, classes)."""
    outside = (targets < 0) | (targets >= classes)
    return xp.where(outside, ignore, targets).astype(np.int64)


def one_hot(xp, input, num_classes):
    """1 in the place of each index along a new last axis, 0 elsewhere; int64. Indices lie in [0, num_classes)."""
    return (xp.expand_dims(input, -1) == xp.arange(num_classes)).astype(np.int64)


def embedding(xp, indices, weight):
    """weight[indices]: indices of any shape (...), weight (V, D), output (..., D)."""
    return xp.take(weight, indices, axis=0)


def embedding_dense_backward(xp, grad, indices, num_weights, padding_idx, scale_grad_by_freq):
    """The gradient of the table, (V, D): each row the sum of the gradients where it was used.

    Row ``padding_idx`` (-1: none) gets zero; with ``scale_grad_by_freq`` a sum is divided by its number of uses.
    """
    flat = indices.reshape(-1)
    rows = grad.reshape(flat.shape[0], grad.shape[-1])
    out = xp.zeros((num_weights, grad.shape[-1]), np.float32 if grad.dtype.itemsize == 2 else grad.dtype)
    xp.add.at(out, flat, rows.astype(out.dtype, copy=False))
    if scale_grad_by_freq:
        out /= xp.maximum(xp.bincount(flat, minlength=num_weights), 1).astype(out.dtype)[:, None]
    if padding_idx >= 0:
        out[padding_idx] = 0
    return out.astype(grad.dtype, copy=False)


def embedding_dense_double_backward(xp, grad, indices, padding_idx, scale_grad_by_freq):
    """The transpose of ``embedding_dense_backward``: from a gradient of its result (V, D) to one of ``grad``."""
    out = xp.take(grad, indices, axis=0)
    if scale_grad_by_freq:
        uses = xp.bincount(indices.reshape(-1), minlength=grad.shape[0])
        out = out / uses[indices].astype(out.dtype)[..., None]
    if padding_idx >= 0:
        out = out * (indices != padding_idx)[..., None].astype(out.dtype)
    return out


def bag_rows(xp, indices, weights, table):
    """The sum over k of weights[b, k] table[indices[b, k]]: (B, K), (B, K) and (V, D) give (B, D)."""
    taken = _wide(xp.take(table, indices, axis=0)) * _wide(weights)[..., None]
    return taken.sum(axis=1).astype(table.dtype, copy=False)


def bag_table(xp, grad, indices, weights, rows):
    """The gradient of ``bag_rows`` by its table, (V, D), from one of its result, (B, D)."""
    terms = (_wide(grad)[:, None] * _wide(weights)[..., None]).reshape(indices.size, grad.shape[1])
    return embedding_dense_backward(xp, terms, indices, rows, -1, False).astype(grad.dtype, copy=False)


def bag_weights(xp, grad, indices, table):
    """The gradient of ``bag_rows`` by its weights, (B, K)."""
    terms = _wide(xp.take(table, indices, axis=0)) * _wide(grad)[:, None]
    return terms.sum(axis=2).astype(grad.dtype, copy=False)


def embedding_renorm(xp, weight, indices, max_norm, norm_type):
    """Scales every used row of ``weight`` whose p-norm exceeds ``max_norm`` by max_norm / (norm + 1e-7), in place."""
    used = xp.unique(indices)
    rows = weight[used]
    wide = xp.abs(rows.astype(np.float32) if rows.dtype.itemsize == 2 else rows)
    if norm_type == np.inf:
        norm = wide.max(axis=1)
    elif norm_type == 0:
        norm = (wide != 0).sum(axis=1).astype(wide.dtype)
    else:
        norm = (wide**norm_type).sum(axis=1) ** (1 / norm_type)
    scale = xp.where(norm > max_norm, max_norm / (norm + 1e-7), xp.ones_like(norm))
    weight[used] = (rows * scale[:, None]).astype(weight.dtype)
