"""``make_tensor``: tensors of drawn elements for tests."""

from minidl import dtypes
from minidl.ops.create import empty
from minidl.ops.joining import stack
from minidl.ops.random import rand, randint


def make_tensor(
    *shape, dtype, device="cpu", low=None, high=None, requires_grad=False, noncontiguous=False, exclude_zero=False,
    memory_format=None,
):  # fmt: skip
    """A tensor whose elements are drawn from [low, high).

    Args:
        shape: ints, or one sequence of them.
        low, high: by default -9 and 9 for floats, -9 and 10 for signed integers, 0 and 10 for uint8, 0 and 2 for bool.
        requires_grad: whether gradients are wanted; floats only.
        noncontiguous: every other element of memory twice as large.
        exclude_zero: zeros become the smallest positive number, for integers 1.

    Raises ``ValueError`` for an empty range or options that exclude each other, ``TypeError`` for a bad dtype.
    Source: ``torch.testing.make_tensor``.

    >>> import minidl
    >>> x = minidl.testing.make_tensor(2, 3, dtype=minidl.float32, device="cpu", low=0, high=1)
    >>> x.shape, bool((x >= 0).all()), bool((x < 1).all())
    (torch.Size([2, 3]), True, True)
    """
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got noncontiguous=True and "
            f"memory_format={memory_format!r}"
        )
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"The requested dtype '{dtype}' is not supported by minidl.testing.make_tensor()")
    shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if requires_grad and not dtype.is_floating_point:
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype!r}"
        )
    made = _drawn(shape, dtype, device, *_range(dtype, low, high))
    if exclude_zero:
        smallest = dtypes.finfo(dtype).tiny if dtype.is_floating_point else 1
        made = made.masked_fill(made == 0, smallest)
    if noncontiguous and made.numel() > 1:
        made = stack([made, empty(shape, dtype=dtype, device=device)], -1)[..., 0]
    return made.requires_grad_() if requires_grad else made


_RANGES = {"bool": (0, 2), "uint8": (0, 10)}


def _range(dtype, low, high):
    least, most = _RANGES.get(dtype.name, (-9, 9) if dtype.is_floating_point else (-9, 10))
    if dtype.name.startswith("uint"):
        least = 0
    low, high = least if low is None else low, most if high is None else high
    if low != low or high != high:
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={low!r} and high={high!r}")
    if low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    return low, high


def _drawn(shape, dtype, device, low, high):
    if not dtype.is_floating_point:
        return randint(int(low), int(high), shape, device=device).to(dtype)
    wide = dtypes.float64 if dtype is dtypes.float64 else dtypes.float32
    return (rand(shape, dtype=wide, device=device) * (high - low) + low).clamp(low, high).to(dtype)
