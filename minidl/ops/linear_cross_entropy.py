"""Cross entropy of what a linear map gives."""

from minidl.autograd import function
from minidl.ops.cross_entropy import cross_entropy
from minidl.ops.loss_reduction import check_reduction, check_tensors
from minidl.ops.matmul import linear
from minidl.ops.shapes import reshape


def _check_shapes(input, weight, bias):
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if weight.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {weight.ndim}")
    if input.shape[-1] != weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {weight.shape[-1]}, respectively"
        )
    if weight.ndim > 2 and input.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(weight.shape)} requires batched input, "
            f"(N, {weight.shape[-1]}), got unbatched input with shape {tuple(input.shape)}"
        )
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise RuntimeError(f"expected linear_bias shape {tuple(weight.shape[:-1])}, got {tuple(bias.shape)}")


def check_options(options):
    """Raises ``NotImplementedError`` for options of computing in chunks."""
    if options is not None:
        raise NotImplementedError(
            "linear_cross_entropy(options=...): the logits are not computed in chunks. Hint: options=None."
        )


@function(faces=("functional",), method=False)
def linear_cross_entropy(
    input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean", ignore_index=None,
    label_smoothing=0.0, options=None,
):  # fmt: skip
    """``cross_entropy`` of the logits input linear_weightᵀ + linear_bias.

    Shapes, for I features, C classes and any number of further dimensions d: input (N, I) or (I,), linear_weight (C, I)
    or (C, *d, I), linear_bias (C,) or (C, *d); target (N, *d) or () of class indices, or (N, C, *d) or (C,) of
    probabilities; ``weight`` (C,); output () or, with ``reduction`` 'none', as the class indices. ``ignore_index`` is
    -100 where it is not given.

    Raises ``RuntimeError`` for shapes that do not fit, an ``ignore_index`` beside probabilities,
    ``NotImplementedError`` for ``options``, and as ``cross_entropy``.

    >>> import minidl
    >>> x, w = minidl.tensor([[2.0, 0.0]]), minidl.eye(2)
    >>> minidl.nn.functional.linear_cross_entropy(x, w, minidl.tensor([0]))
    tensor(0.1269)
    """
    check_options(options)
    check_reduction(reduction)
    check_tensors("linear_cross_entropy", input=input, linear_weight=linear_weight, target=target)
    _check_shapes(input, linear_weight, linear_bias)
    if target.is_floating_point() and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    outputs = tuple(linear_weight.shape[:-1])
    matrix = reshape(linear_weight, (-1, linear_weight.shape[-1]))
    logits = linear(input, matrix, None if linear_bias is None else reshape(linear_bias, (-1,)))
    return cross_entropy(
        reshape(logits, (*input.shape[:-1], *outputs)),
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
