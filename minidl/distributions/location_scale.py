"""What distributions share that a location moves and a scale stretches."""

from typing import ClassVar

from minidl.distributions import constraints
from minidl.distributions.distribution import Distribution
from minidl.distributions.utils import broadcast_all


class LocationScale(Distribution):
    """A distribution of loc + scale z that is symmetric about loc; both broadcast to the batch's shape."""

    arg_constraints: ClassVar = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc, scale, validate_args=None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self):
        """loc."""
        return self.loc

    @property
    def mode(self):
        """loc."""
        return self.loc
