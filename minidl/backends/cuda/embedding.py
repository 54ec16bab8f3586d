"""Rows of a table by index, and the gradient of the table, added in a fixed order unless any order is allowed."""

from minidl.backends import faults
from minidl.backends.device_calls import add_at, index_array, stream, view

_EMBEDDING, _TARGET = 2, 3  # kinds of fault (csrc/cuda/fault.h)


def _rows(table, indices):
    """``table`` with the shape of its rows at ``indices``, and the indexed axis."""
    index = indices.data.ptr, indices.dtype.char, (*indices.shape, 1), (*indices.strides, 0)
    shape, steps = (*indices.shape, table.shape[1]), (*(0,) * indices.ndim, table.strides[1])
    axis = index, table.shape[0], table.strides[0] // table.itemsize, 0
    return (table.data.ptr, table.dtype.char, shape, steps), [axis]


def only_classes(xp, ext, targets, classes, ignore):
    out = xp.empty(targets.shape, "int64")
    targets = index_array(targets)
    rules = False, _TARGET, faults.record(xp), ignore
    ext.check_index(view(targets), classes, view(out), rules, stream(xp))
    return out


def embedding(xp, ext, indices, weight):
    out = xp.empty((*indices.shape, weight.shape[1]), weight.dtype)
    if not out.size:
        return out
    if not weight.size:
        return NotImplemented
    rules = False, _EMBEDDING, faults.record(xp), None
    indices = index_array(indices)
    ext.gather(*_rows(weight, indices), view(out), rules, stream(xp))
    return out


def embedding_dense_backward(xp, ext, grad, indices, num_weights, padding_idx, scale_grad_by_freq):
    if grad.dtype.char not in "feEd":
        return NotImplemented
    out = xp.zeros((num_weights, grad.shape[-1]), grad.dtype)
    if not grad.size or not out.size:
        return out
    indices = index_array(indices)
    rules = False, _EMBEDDING, faults.record(xp), padding_idx if padding_idx >= 0 else None
    add_at(xp, ext, out, *_rows(out, indices), view(grad), rules)
    if scale_grad_by_freq:
        uses = xp.zeros((num_weights, 1), "float32")
        ones = xp.broadcast_to(xp.ones((), "float32"), (*indices.shape, 1))
        add_at(xp, ext, uses, *_rows(uses, indices), view(ones), rules)
        out /= xp.maximum(uses, 1).astype(out.dtype)
    return out
