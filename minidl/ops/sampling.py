"""Draws from distributions that tensors describe: bernoulli and multinomial."""

from minidl import backends, dtypes
from minidl.autograd import Tensor, function
from minidl.autograd.tensor import leaf
from minidl.backends import of
from minidl.ops.common import as_index
from minidl.ops.generator import chosen
from minidl.ops.random import draw


def check_probability(p, name):
    """Raises ``RuntimeError`` unless ``p``, a number or a tensor, lies in [0, 1]; an integer tensor has no chances."""
    if not isinstance(p, Tensor):
        if not 0 <= p <= 1:
            raise RuntimeError(f"{name} expects p to be in [0, 1], but got p={p}")
        return
    if not p.is_floating_point():
        raise NotImplementedError(
            f"{name} expects chances of a floating-point dtype, got {p.dtype!r}. Hint: use .float()."
        )
    if not of(p._array).all_within(p._array, 0.0, 1.0):
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false: every chance lies in [0, 1]."
        )


def kept_with_chance(p, shape, generator, device):
    """A bool array, True at chance ``p``: a number, or an array that broadcasts to ``shape``.

    The uniforms are float64 whatever ``p`` is: 2^-24 steps would already be too coarse for a chance of 1e-7.
    """
    uniform = draw("philox_uniform", shape, dtypes.FLOAT64, generator, device)
    space = of(uniform)
    return space.lt(uniform, space.astype(p, dtypes.FLOAT64) if backends.is_array(p) else p)


@function()
def bernoulli(input, p=None, *, generator=None):
    """1 at the chance that ``input`` (or the number ``p``) gives and 0 otherwise, in the dtype of ``input``.

    result_i = 1 with probability input_i. Any shape, floating-point.
    Raises ``RuntimeError`` for a chance outside [0, 1].
    Source: PyTorch's ``torch.bernoulli``.

    >>> import minidl
    >>> minidl.bernoulli(minidl.ones(3))
    tensor([1., 1., 1.])
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"bernoulli(): argument 'input' must be Tensor, not {input.__class__.__name__}")
    check_probability(input if p is None else p, "bernoulli")
    chance = input._array if p is None else p
    kept = kept_with_chance(chance, input._array.shape, generator, input.device)
    return leaf(of(kept).astype(kept, input._array.dtype))


@function()
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices of categories drawn in proportion to the weights in the rows of ``input``.

    ``input``: (K,) or (N, K), floating-point, weights >= 0 that need not sum to 1. Result: int64 (num_samples,) or
    (N, num_samples). Raises ``RuntimeError`` for a negative, infinite or NaN weight, weights that sum to 0, and more
    samples than there are positive weights when drawn without replacement.
    Source: PyTorch's ``torch.multinomial``; without replacement: P. Efraimidis, P. Spirakis, "Weighted random sampling
    with a reservoir", 2006.

    >>> import minidl
    >>> minidl.multinomial(minidl.tensor([0.0, 1.0, 0.0]), 1)
    tensor([1])
    """
    num_samples = as_index(num_samples, "num_samples")
    weights = _weights(input, num_samples, replacement)
    count = weights.size // weights.shape[-1] * (num_samples if replacement else weights.shape[-1])
    seed, offset = chosen(generator, input.device).reserve(count, 2)
    return leaf(of(weights).philox_multinomial(weights, num_samples, bool(replacement), seed, offset))


def _weights(input, num_samples, replacement):
    """The weights as float64, after PyTorch's checks of them."""
    if not isinstance(input, Tensor):
        raise TypeError(f"multinomial(): argument 'input' must be Tensor, not {input.__class__.__name__}")
    if input.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {input.ndim} dimensions")
    if not input.is_floating_point():
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {input.dtype!r}")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {num_samples}")
    categories = input.shape[-1]
    if categories > 1 << 24:
        raise RuntimeError(f"number of categories cannot exceed 2^24, got {categories}")
    if categories == 0 or (not replacement and num_samples > categories):
        raise RuntimeError(
            f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {num_samples} > {categories}"
        )
    space = of(input._array)
    weights = space.astype(input._array, dtypes.FLOAT64)
    if not space.all_within(weights, 0.0, dtypes.finfo(dtypes.float64).max):
        text = "probability tensor contains either `inf`, `nan` or element < 0"
        raise RuntimeError(f"invalid multinomial distribution: {text}" if replacement else text)
    positive = space.sum(space.astype(weights > 0, dtypes.INT64), (weights.ndim - 1,), False)
    needed = 1 if replacement else num_samples
    if not space.all_within(positive, needed, categories):
        if not space.all_within(positive, 1, categories):
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        raise RuntimeError(
            "invalid multinomial distribution (with replacement=False, not enough non-negative category to sample): "
            f"{num_samples} samples need as many weights above 0 in each row"
        )
    return weights
