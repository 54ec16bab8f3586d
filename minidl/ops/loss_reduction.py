"""What losses share: how they are reduced, by name or by PyTorch's two deprecated arguments, and what they check."""

import sys
import warnings

from minidl.ops.reductions import mean, sum
from minidl.ops.windows import is_tensor


def check_reduction(reduction, known=("none", "mean", "sum")):
    """Raises ``ValueError`` for a reduction that is not among ``known``."""
    if reduction not in known:
        raise ValueError(
            f"{reduction} is not a valid value for reduction. Hint: use one of {', '.join(known)}."
        )


def legacy_reduction(size_average, reduce, depth=3):
    """The reduction that ``size_average`` and ``reduce`` name, None counting as true; warns as PyTorch does.

    ``depth`` calls up stands the line that is warned of. Callers come here only where one of the two is given.
    """
    if reduce is not None and not reduce:
        reduction = "none"
    else:
        reduction = "mean" if size_average is None or size_average else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        stacklevel=outside(depth),
    )
    return reduction


def outside(depth):
    """How many calls up a user's line stands, which is ``depth`` calls up or above the function compiled around it."""
    while sys._getframe(depth).f_code.co_filename.startswith("<minidl"):
        depth += 1
    return depth


def reduced(loss, reduction):
    """The elements of a loss, their mean or their sum. Raises ``ValueError`` for another reduction."""
    check_reduction(reduction)
    if reduction == "none":
        return loss
    return mean(loss) if reduction == "mean" else sum(loss)


def check_tensors(name, **given):
    """Raises ``TypeError`` where one of the arguments, given in their order, is no Tensor."""
    for position, (argument, value) in enumerate(given.items(), 1):
        is_tensor(value, name, argument, position)
