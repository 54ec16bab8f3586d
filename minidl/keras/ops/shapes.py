"""What moves entries and leaves them as they are: shapes, joins, splits, orders."""

import operator

import minidl
from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.ops.operation import both, operation, tensor
from minidl.nn import functional as F


def _sizes(shape):
    """A shape's sizes as ints; an int is a shape of one dimension."""
    if isinstance(shape, int):
        return (shape,)
    return tuple(operator.index(size) for size in (shape.tolist() if hasattr(shape, "tolist") else shape))


def shape(x):
    """The sizes of ``x`` as a tuple; None where a symbolic one's is unknown.

    >>> from minidl.keras import ops
    >>> ops.shape(ops.ones((2, 3)))
    (2, 3)
    """
    return tuple(x.shape) if isinstance(x, KerasTensor) else tuple(tensor(x).shape)


def ndim(x):
    """The number of dimensions."""
    return len(shape(x))


@operation
def reshape(x, newshape):
    """The same entries in another shape; one size may be -1."""
    return minidl.reshape(tensor(x), _sizes(newshape))


@operation
def ravel(x):
    """All entries in one dimension."""
    return tensor(x).reshape(-1)


@operation
def transpose(x, axes=None):
    """The dimensions in the order ``axes``, or turned round."""
    x = tensor(x)
    return x.permute(*(reversed(range(x.ndim)) if axes is None else axes))


@operation
def expand_dims(x, axis):
    """A dimension of size 1 at ``axis``, or at several."""
    x = tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = x.ndim + len(axes)
    for place in sorted(a % rank for a in axes):
        x = x.unsqueeze(place)
    return x


@operation
def squeeze(x, axis=None):
    """Without the dimensions of size 1, or those of ``axis``. ``ValueError`` where one of these has another size."""
    x = tensor(x)
    if axis is None:
        return x.squeeze()
    axes = [a % x.ndim for a in ([axis] if isinstance(axis, int) else axis)]
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"Cannot squeeze axis={a}, because the dimension is not 1.")
    return x.reshape([size for a, size in enumerate(x.shape) if a not in axes])


@operation
def moveaxis(x, source, destination):
    """The dimensions ``source`` at ``destination``."""
    return minidl.movedim(tensor(x), source, destination)


@operation
def swapaxes(x, axis1, axis2):
    """Two dimensions exchanged."""
    return minidl.swapaxes(tensor(x), axis1, axis2)


@operation
def broadcast_to(x, shape):
    """The entries repeated to ``shape``."""
    return minidl.broadcast_to(tensor(x), _sizes(shape))


@operation
def concatenate(xs, axis=0):
    """The tensors one after another along ``axis``."""
    return minidl.cat(_joint(xs), axis)


@operation
def stack(x, axis=0):
    """The tensors along a new dimension ``axis``."""
    return minidl.stack(_joint(x), axis)


def _joint(xs):
    """The tensors, in the dtype that all fit in."""
    found = [tensor(x) for x in xs]
    wanted = found[0].dtype
    for x in found[1:]:
        wanted = minidl.promote_types(wanted, x.dtype)
    return [x if x.dtype == wanted else x.to(wanted) for x in found]


@operation
def hstack(xs):
    """The tensors side by side: along dimension 1, or 0 for vectors."""
    return minidl.hstack(_joint(xs))


@operation
def vstack(xs):
    """The tensors below each other."""
    return minidl.vstack(_joint(xs))


@operation
def dstack(xs):
    """The tensors behind each other: along dimension 2."""
    return minidl.dstack(_joint(xs))


@operation
def append(x1, x2, axis=None):
    """x2 after x1 along ``axis``; both flat where that is None."""
    a, b = _joint([x1, x2])
    return minidl.cat([a.reshape(-1), b.reshape(-1)]) if axis is None else minidl.cat([a, b], axis)


@operation
def split(x, indices_or_sections, axis=0):
    """Equal parts, so many, or the parts between the given places. ``ValueError`` where equal parts are impossible."""
    x = tensor(x)
    size = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if size % indices_or_sections:
            raise ValueError(
                f"array split does not result in an equal division: dimension {axis} has {size} entries, "
                f"{indices_or_sections} parts are asked for. Hint: array_split takes unequal parts."
            )
        return list(minidl.split(x, max(size // indices_or_sections, 1), axis))
    return list(minidl.tensor_split(x, _sizes(indices_or_sections), axis))


@operation
def array_split(x, indices_or_sections, axis=0):
    """As ``split``; the first parts are one longer where the entries do not divide."""
    parts = indices_or_sections
    return list(minidl.tensor_split(tensor(x), parts if isinstance(parts, int) else _sizes(parts), axis))


@operation
def unstack(x, num=None, axis=0):
    """The slices along ``axis``."""
    return list(minidl.unbind(tensor(x), axis))


@operation
def flip(x, axis=None):
    """The order turned along ``axis``, or along all."""
    x = tensor(x)
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    return minidl.flip(x, list(axes))


@operation
def rot90(array, k=1, axes=(0, 1)):
    """Turned by 90 degrees, ``k`` times, in the plane of two dimensions."""
    return minidl.rot90(tensor(array), k, list(axes))


@operation
def roll(x, shift, axis=None):
    """The entries moved on by ``shift``; what falls off the end comes in at the start."""
    return minidl.roll(tensor(x), shift, axis)


@operation
def repeat(x, repeats, axis=None):
    """Every entry ``repeats`` times along ``axis``; flat where that is None."""
    x = tensor(x)
    repeats = repeats if isinstance(repeats, int) else tensor(repeats).long()
    return minidl.repeat_interleave(x.reshape(-1) if axis is None else x, repeats, axis or 0)


@operation
def tile(x, repeats):
    """The whole ``repeats`` times along each dimension."""
    return minidl.tile(tensor(x), _sizes(repeats))


@operation
def pad(x, pad_width, mode="constant", constant_values=None):
    """Entries around x, (before, after) for each dimension: 'constant', 'reflect', 'symmetric' or 'edge'."""
    x = tensor(x)
    pairs = _pairs(pad_width, x.ndim)
    if mode != "constant" and constant_values is not None:
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. "
            f"Received: mode={mode}"
        )
    if mode == "constant":
        flat = [size for pair in reversed(pairs) for size in pair]
        return F.pad(x, flat, value=constant_values or 0)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            x = minidl.index_select(x, axis, _places(x.shape[axis], before, after, mode))
    return x


def _pairs(pad_width, rank):
    if isinstance(pad_width, int):
        return [(pad_width, pad_width)] * rank
    pairs = [(p, p) if isinstance(p, int) else tuple(p) for p in pad_width]
    if all(isinstance(p, int) for p in pad_width) and len(pad_width) == 2:
        pairs = [tuple(pad_width)]
    return pairs * rank if len(pairs) == 1 else pairs


def _places(n, before, after, mode):
    """Which entry of ``n`` stands at each place of the padded dimension."""
    at = minidl.arange(-before, n + after)
    if mode == "edge":
        return at.clamp(0, n - 1)
    if mode == "symmetric":
        at = at % (2 * n)
        return minidl.where(at < n, at, 2 * n - 1 - at)
    if mode == "reflect":
        at = at % max(2 * n - 2, 1)
        return minidl.where(at < n, at, 2 * n - 2 - at)
    raise ValueError(f"Unknown mode {mode!r} of pad. Expected 'constant', 'reflect', 'symmetric' or 'edge'.")


@operation
def diff(a, n=1, axis=-1):
    """The differences of neighbours, ``n`` times."""
    return minidl.diff(tensor(a), n, axis)


@operation
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of three."""
    a, b = both(x1, x2)
    a, b = (x.movedim(at if axis is None else axis, -1) for x, at in ((a, axisa), (b, axisb)))
    a, b = minidl.broadcast_tensors(a, b)
    return minidl.linalg.cross(a, b, dim=-1).movedim(-1, axisc if axis is None else axis)


def size(x):
    """The number of entries."""
    found = 1
    for n in shape(x):
        found = None if n is None or found is None else found * n
    return found


@operation
def fliplr(m):
    """The order of dimension 1 turned."""
    return minidl.flip(tensor(m), [1])


@operation
def flipud(m):
    """The order of dimension 0 turned."""
    return minidl.flip(tensor(m), [0])


@operation
def hsplit(x, indices_or_sections):
    """``split`` along dimension 1, or 0 of a vector."""
    return list(minidl.hsplit(tensor(x), indices_or_sections))


@operation
def vsplit(x, indices_or_sections):
    """``split`` along dimension 0."""
    return list(minidl.vsplit(tensor(x), indices_or_sections))


@operation
def dsplit(x, indices_or_sections):
    """``split`` along dimension 2."""
    return list(minidl.dsplit(tensor(x), indices_or_sections))


@operation
def depth_to_space(x, block_size, data_format="channels_last"):
    """Blocks of channels as blocks of pixels: (N, H, W, C b b) as (N, H b, W b, C)."""
    x, b = tensor(x), block_size
    x = x if data_format == "channels_last" else x.permute(0, 2, 3, 1)
    n, h, w, c = x.shape
    x = (
        x.reshape(n, h, w, b, b, c // (b * b))
        .permute(0, 1, 3, 2, 4, 5)
        .reshape(n, h * b, w * b, c // (b * b))
    )
    return x if data_format == "channels_last" else x.permute(0, 3, 1, 2)


@operation
def space_to_depth(x, block_size, data_format="channels_last"):
    """Blocks of pixels as blocks of channels: the way back from ``depth_to_space``."""
    x, b = tensor(x), block_size
    x = x if data_format == "channels_last" else x.permute(0, 2, 3, 1)
    n, h, w, c = x.shape
    x = x.reshape(n, h // b, b, w // b, b, c).permute(0, 1, 3, 2, 4, 5).reshape(n, h // b, w // b, c * b * b)
    return x if data_format == "channels_last" else x.permute(0, 3, 1, 2)


@operation
def extract_sequences(x, sequence_length, sequence_stride):
    """Windows of the last dimension: (..., windows, sequence_length).

    >>> from minidl.keras import ops
    >>> ops.extract_sequences([1, 2, 3, 4], 3, 1).tolist()
    [[1, 2, 3], [2, 3, 4]]
    """
    return tensor(x).unfold(-1, sequence_length, sequence_stride)
