"""What every backward owes: the same bits again, any memory layout, full precision, nothing changed in place."""

import numpy as np

from minidl.errors import GradcheckError


def reentrant(subject):
    """Backward twice gives the same bits, and changes neither the inputs nor the gradient that it is given."""
    ones = np.ones(sum(subject.sizes))
    before = subject.values()
    first = subject.pull_back(ones)
    for (index, _, _), a, b in zip(subject.wanted, before, subject.values()):
        if not np.array_equal(a, b, equal_nan=True):
            raise GradcheckError(
                f"Backward changes input {index} in place, perhaps as a saved tensor. Hint: clone() it."
            )
    for (index, _, _), a, b in zip(subject.wanted, first, subject.pull_back(ones)):
        if not np.array_equal(a, b, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                f"gives different values. Input {index}: by up to {np.abs(a - b).max():.3g}"
            )


def precise(subject):
    """No gradient of float64 was float32 on its way: such a one ends in 29 zero bits in each element."""
    if any(output._array.dtype != np.float64 for _, output in subject.outputs):
        return
    drawn = np.random.default_rng(2).uniform(0.5, 1.5, sum(subject.sizes))
    for (index, _, x), found in zip(subject.wanted, subject.pull_back(drawn)):
        found = found[np.isfinite(found) & (np.abs(found) > 1e-6)]  # what cancels leaves a few bits
        with np.errstate(all="ignore"):
            short = found.size and np.array_equal(found.astype(np.float32).astype(np.float64), found)
        if short and x._array.dtype == np.float64:
            raise GradcheckError(
                f"The gradient of input {index} has the precision of float32, its input is float64. Hint: a rule "
                "computes or returns it in float32; make tensors with dtype=x.dtype there."
            )


def layouts_agree(subject, options):
    """The gradient is the same where the one given is expanded, as ``sum`` gives it, or transposed."""
    drawn = np.random.default_rng(3).uniform(0.5, 1.5, sum(subject.sizes))
    for name, lay, weights in (
        ("expanded", _expanded, np.ones_like(drawn)),
        ("transposed", _transposed, drawn),
    ):
        pairs = zip(subject.wanted, subject.pull_back(weights), subject.pull_back(weights, lay=lay))
        for (index, _, _), plain, laid in pairs:
            if not _close(laid, plain, options):
                raise GradcheckError(
                    f"The gradient of input {index} depends on the memory layout of the gradient that backward is "
                    f"given: where that is {name}, it differs by up to {np.abs(laid - plain).max():.3g}"
                )


def _expanded(weight):
    first = weight.reshape(-1)[:1]
    return first.reshape((1,) * weight.dim()).expand(weight.shape) if weight.numel() else weight


def _transposed(weight):
    order = tuple(reversed(range(weight.dim())))
    return weight.permute(order).contiguous().permute(order)


def separable(subject, options):
    """Backward from all outputs at once is the sum of backward from each."""
    ones = np.ones(sum(subject.sizes))
    if len(subject.sizes) < 2:
        return
    together = subject.pull_back(ones)
    alone = [subject.pull_back(ones, only=i) for i in range(len(subject.sizes))]
    for k, (index, _, _) in enumerate(subject.wanted):
        if not _close(together[k], sum(each[k] for each in alone), options):
            raise GradcheckError(
                f"Backward from all outputs at once differs from the sum over outputs for input {index}: a rule "
                "does not cope with an output that has no gradient"
            )


def _close(found, wanted, options):
    """Whether they agree; where both are the same, NaN and infinities too."""
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= options["atol"] + options["rtol"] * np.abs(wanted)
    return bool((near | (found == wanted) | (np.isnan(found) & np.isnan(wanted))).all())
