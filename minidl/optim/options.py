"""Checks of the options that optimizers share, with PyTorch's texts."""

from minidl.autograd.tensor import Tensor

__all__ = []


def check_rate(lr, text="Invalid learning rate: "):
    """Raises ``ValueError`` for a negative rate, NaN, or a tensor of several elements."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"{text}{lr}")


def check_not_negative(**options):
    """Raises ``ValueError`` for a negative option or NaN."""
    for name, value in options.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {'epsilon' if name == 'eps' else name} value: {value}")


def check_betas(betas):
    """Raises ``ValueError`` for decay rates of running means outside [0, 1)."""
    for index in (0, 1):
        if not 0.0 <= betas[index] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")


def check_beta_kinds(betas, foreach, capturable):
    """Decay rates as floats. Raises ``ValueError`` where they are neither floats nor tensors of one element, which
    ``foreach`` takes only with ``capturable``.
    """
    if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
        raise ValueError(f"betas must be either both floats or both Tensors, but they are {betas}")
    for index, beta in enumerate(betas):
        if not isinstance(beta, Tensor):
            continue
        if not capturable and foreach:
            raise ValueError(
                f"betas[{index}] as a Tensor is not supported for capturable=False and foreach=True"
            )
        if beta.numel() != 1:
            raise ValueError(f"Tensor betas[{index}] must be 1-element")
    return tuple(float(beta) for beta in betas)
