"""Memory layouts of arrays: views with other strides onto the same values."""

import numpy as np

LAYOUTS = ("contiguous", "transposed", "sliced", "negative", "expanded", "overlapping")
SHARING = ("expanded", "overlapping")  # several elements lie in one place, so values change


def strided(array, layout):
    """``array``'s values in another memory layout: a view into a larger or reordered buffer.

    ``'expanded'`` repeats the first entry along the first axis with a stride of 0, and ``'overlapping'`` lets each
    entry of the first axis be the window that begins one further along the second, so these two change the values.
    Raises ``ValueError`` for another name.

    >>> import numpy as np
    >>> strided(np.arange(3), "negative").strides
    (-8,)
    >>> strided(np.array([[1, 2, 3], [0, 0, 4]]), "overlapping").tolist()
    [[1, 2, 3], [2, 3, 4]]
    """
    if layout not in LAYOUTS:
        raise ValueError(f"strided: layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
    if layout == "transposed":
        return np.array(array.T, order="C").T
    if layout == "sliced":
        room = np.zeros(tuple(2 * side + 1 for side in array.shape), array.dtype)
        view = room[(..., *(slice(1, 2 * side + 1, 2) for side in array.shape))]
    elif layout == "negative":
        view = np.zeros_like(array, order="C")[(..., *(slice(None, None, -1) for _ in array.shape))]
    elif layout == "overlapping" and array.ndim > 1 and array.size:
        row = np.concatenate([array[0], array[1:, -1]])
        strides = (row.strides[0], *row.strides)
        return np.lib.stride_tricks.as_strided(row, array.shape, strides)
    elif layout in SHARING and array.ndim and array.shape[0] > 1:
        return np.broadcast_to(array[:1], array.shape)
    else:
        return array
    view[...] = array
    return view


def layout_of(array):
    """The name of the layout by which ``strided`` gives an array of these strides; None where none does.

    >>> layout_of(strided(np.ones((2, 3)), "sliced"))
    'sliced'
    """
    plain = np.ascontiguousarray(array).reshape(array.shape)
    return next((layout for layout in LAYOUTS if strided(plain, layout).strides == array.strides), None)


def restrided(array, dtype=None, *, room=None):
    """A copy of an array in memory of its own: of the same strides, counted in elements, and perhaps another dtype.

    Where its strides are no multiple of an element the copy is compact. ``room(count, dtype)`` makes the memory, zeros
    by default.

    >>> restrided(strided(np.arange(3, dtype=np.int32), "negative"), np.float64).strides
    (-8,)
    """
    dtype = array.dtype if dtype is None else np.dtype(dtype)
    steps = [stride // array.itemsize for stride in array.strides]
    whole = all(stride % array.itemsize == 0 for stride in array.strides)
    if not array.size or not whole:
        return array.astype(dtype, order="K", copy=True)
    reach = [(side - 1) * step for side, step in zip(array.shape, steps)]
    low, high = sum(min(0, far) for far in reach), sum(max(0, far) for far in reach)
    memory = (room or np.zeros)(high - low + 1, dtype)
    strides = tuple(step * dtype.itemsize for step in steps)
    view = np.ndarray(array.shape, dtype, memory, -low * dtype.itemsize, strides)
    view[...] = array
    return view


def sharing(array):
    """Whether elements of an array may share a place in memory, as those of an expanded one do.

    >>> sharing(np.broadcast_to(np.ones(1), (3,)))
    True
    """
    reach = sorted((abs(s), (n - 1) * abs(s)) for n, s in zip(array.shape, array.strides) if n > 1)
    return not all(stride > sum(far for _, far in reach[:i]) for i, (stride, _) in enumerate(reach))
