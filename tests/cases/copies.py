"""Rows of the views as copies."""

import numpy as np

from .case import Case, normal

CASES = [
    Case("alias_copy", (normal(2, 3),), numpy=lambda x: x),
    Case(
        "as_strided_copy", (normal(6), (2, 2), (1, 2)), layouts=False,
        numpy=lambda x, size, stride: np.stack([x[[0, 2]], x[[1, 3]]]),
    ),
    Case("detach_copy", (normal(2, 3),), numpy=lambda x: x, grad=False),
    Case("diagonal_copy", (normal(3, 3), 1), numpy=lambda x, offset: np.diagonal(x, offset)),
    Case("expand_copy", (normal(2, 1), (3, 2, 4)), numpy=np.broadcast_to),
    Case("permute_copy", (normal(2, 3, 4), (2, 0, 1)), numpy=np.transpose),
    Case("select_copy", (normal(2, 3), 1, 2), numpy=lambda x, dim, index: x[:, index]),
    Case("slice_copy", (normal(2, 5), 1, 1, 4, 2), numpy=lambda x, *_: x[:, 1:4:2]),
    Case("split_copy", (normal(5, 2), 2), numpy=lambda x, _: (x[:2], x[2:4], x[4:])),
    Case("split_with_sizes_copy", (normal(5, 2), [2, 3]), numpy=lambda x, _: (x[:2], x[2:])),
    Case("squeeze_copy", (normal(2, 1, 3),), numpy=np.squeeze),
    Case("squeeze_copy", (normal(2, 1, 3), 1), numpy=np.squeeze, id="dim"),
    Case("t_copy", (normal(2, 3),), numpy=np.transpose),
    Case("transpose_copy", (normal(2, 3, 4), 0, 2), numpy=np.swapaxes),
    Case("unbind_copy", (normal(2, 3),), numpy=tuple),
    Case(
        "unfold_copy", (normal(2, 5), 1, 2, 2),
        numpy=lambda x, *_: np.stack([x[:, 0:2], x[:, 2:4]], 1),
    ),
    Case("unsqueeze_copy", (normal(2, 3), 1), numpy=np.expand_dims),
    Case("view_copy", (normal(2, 3), (3, 2)), numpy=np.reshape, layouts=False),
]  # fmt: skip
