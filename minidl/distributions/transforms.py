"""Transforms of random variables: invertible functions that know how they change volumes.

``log_abs_det_jacobian(x, y)`` is the logarithm of ``|det dy/dx|``, by which a density changes. Source: Pyro's and
``torch.distributions.transforms``.

>>> import minidl
>>> from minidl.distributions.transforms import ExpTransform
>>> y = ExpTransform()(minidl.tensor(2.0))
>>> ExpTransform().inv(y)
tensor(2.)
"""

from minidl.distributions.compound_transforms import (
    ComposeTransform,
    IndependentTransform,
    ReshapeTransform,
    identity_transform,
)
from minidl.distributions.pointwise_transforms import (
    AbsTransform,
    AffineTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    LowerCholeskyTransform,
    PowerTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StickBreakingTransform,
    TanhTransform,
)
from minidl.distributions.transform import Transform

__all__ = [
    "AbsTransform", "AffineTransform", "ComposeTransform", "CumulativeDistributionTransform", "ExpTransform",
    "IndependentTransform", "LowerCholeskyTransform", "PowerTransform", "ReshapeTransform", "SigmoidTransform",
    "SoftmaxTransform", "SoftplusTransform", "StickBreakingTransform", "TanhTransform", "Transform",
    "identity_transform",
]  # fmt: skip
