"""Memory layouts of arrays: views with other strides onto the same values."""

import numpy as np

LAYOUTS = ("contiguous", "transposed", "sliced", "negative", "expanded", "overlapping")
SHARING = ("expanded", "overlapping")  # several elements lie in one place, so values change


def strided(array, layout):
    """``array``'s values in another memory layout: a view into a larger or reordered buffer.

    ``'expanded'`` repeats the first entry along the first axis with a stride of 0, and ``'overlapping'`` lets each
    entry of the first axis be the window that begins one further along the second, so these two change the values.

    >>> import numpy as np
    >>> strided(np.arange(3), "negative").strides
    (-8,)
    >>> strided(np.array([[1, 2, 3], [0, 0, 4]]), "overlapping").tolist()
    [[1, 2, 3], [2, 3, 4]]
    """
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
