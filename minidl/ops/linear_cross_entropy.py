"""Cross entropy of what a linear map gives."""

import dataclasses
import re
import warnings

from minidl import dtypes
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


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch's ``linear_cross_entropy`` may cut the batch in chunks to save memory, and the dtype of their sums.

    Here all logits are computed at once, and so is the loss: the options are checked and change no number.
    Raises ``ValueError`` for values that PyTorch refuses. Source: ``torch.nn.LinearCrossEntropyOptions``.

    >>> import minidl
    >>> minidl.nn.LinearCrossEntropyOptions(batch_chunk_size=8).acc_policy
    'auto'
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: dtypes.dtype | None = None

    def __post_init__(self):
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method is not None and not re.fullmatch(
            r"auto|aspect_ratio(:0*[1-9]\d*)?", self.chunking_method
        ):
            raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if not (size is None or (isinstance(size, int) and size > 0)):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and not self.acc_dtype.is_floating_point:
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, torch.float64}, got "
                f"{self.acc_dtype!r}. Pass acc_dtype=None to let the op pick automatically."
            )


def _warn_of_options(reduction, label_smoothing, target, outputs):
    """PyTorch's warning that it, too, computes at once."""
    if label_smoothing != 0 or target.dtype is not dtypes.int64 or len(outputs) > 1:
        warnings.warn(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, "
            "label_smoothing == 0, target.dtype == int64, out_features == (). Got "
            f"reduction={reduction!r}, label_smoothing={label_smoothing}, target.dtype={target.dtype}, "
            f"out_features={outputs[1:]}.",
            stacklevel=4,
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

    ``options`` change no number (see ``LinearCrossEntropyOptions``).

    Raises ``RuntimeError`` for shapes that do not fit, an ``ignore_index`` beside probabilities, and as
    ``cross_entropy``.

    >>> import minidl
    >>> x, w = minidl.tensor([[2.0, 0.0]]), minidl.eye(2)
    >>> minidl.nn.functional.linear_cross_entropy(x, w, minidl.tensor([0]))
    tensor(0.1269)
    """
    check_reduction(reduction)
    check_tensors("linear_cross_entropy", input=input, linear_weight=linear_weight, target=target)
    _check_shapes(input, linear_weight, linear_bias)
    if target.is_floating_point() and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    outputs = tuple(linear_weight.shape[:-1])
    if options is not None:
        _warn_of_options(reduction, label_smoothing, target, outputs)
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
