"""What values a parameter or a sample may have: ``check`` answers for each of them. Source: Pyro's and
``torch.distributions.constraints``.

>>> import minidl
>>> minidl.distributions.constraints.positive.check(minidl.tensor([-1.0, 0.0, 2.0]))
tensor([False, False,  True])
"""

from minidl.ops.factors import cholesky_ex

__all__ = [
    "Constraint", "boolean", "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval",
    "interval", "is_dependent", "less_than", "lower_cholesky", "multinomial", "nonnegative", "nonnegative_integer",
    "one_hot", "positive", "positive_definite", "positive_integer", "real", "real_vector", "simplex", "symmetric",
    "unit_interval",
]  # fmt: skip


class Constraint:
    """A set of values. ``event_dim`` last dimensions are one value; ``is_discrete`` says that they are separate ones.

    >>> import minidl
    >>> minidl.distributions.constraints.interval(0, 1)
    Interval(lower_bound=0, upper_bound=1)
    """

    is_discrete = False
    event_dim = 0

    def __init__(self, name, check, event_dim=0, is_discrete=False, **bounds):
        self._name, self._check, self._bounds = name, check, bounds
        self.event_dim, self.is_discrete = event_dim, is_discrete
        vars(self).update(bounds)

    def check(self, value):
        """Whether each value belongs to the set: booleans, ``value``'s shape without the event's dimensions."""
        return self._check(value)

    def __repr__(self):
        if self._name.endswith(")"):
            return self._name
        return f"{self._name}({', '.join(f'{name}={bound}' for name, bound in self._bounds.items())})"


def is_dependent(constraint):
    """False: a set that depends on the parameters is made from them here, not by name."""
    return False


def greater_than(lower_bound):
    """x > lower_bound."""
    return Constraint("GreaterThan", lambda x: x > lower_bound, lower_bound=lower_bound)


def greater_than_eq(lower_bound):
    """x >= lower_bound."""
    return Constraint("GreaterThanEq", lambda x: x >= lower_bound, lower_bound=lower_bound)


def less_than(upper_bound):
    """x < upper_bound."""
    return Constraint("LessThan", lambda x: x < upper_bound, upper_bound=upper_bound)


def interval(lower_bound, upper_bound):
    """lower_bound <= x <= upper_bound."""

    def check(x):
        return (x >= lower_bound) & (x <= upper_bound)

    return Constraint("Interval", check, lower_bound=lower_bound, upper_bound=upper_bound)


def half_open_interval(lower_bound, upper_bound):
    """lower_bound <= x < upper_bound."""

    def check(x):
        return (x >= lower_bound) & (x < upper_bound)

    return Constraint("HalfOpenInterval", check, lower_bound=lower_bound, upper_bound=upper_bound)


def integer_interval(lower_bound, upper_bound):
    """Whole numbers with lower_bound <= x <= upper_bound."""

    def check(x):
        return (x % 1 == 0) & (x >= lower_bound) & (x <= upper_bound)

    bounds = {"lower_bound": lower_bound, "upper_bound": upper_bound}
    return Constraint("IntegerInterval", check, is_discrete=True, **bounds)


def multinomial(upper_bound):
    """Rows of whole numbers, none negative, whose sum is ``upper_bound`` at most."""

    def check(x):
        return (x >= 0).all(-1) & (x.sum(-1) <= upper_bound)

    return Constraint("Multinomial()", check, event_dim=1, is_discrete=True, upper_bound=upper_bound)


def independent(base_constraint, reinterpreted_batch_ndims):
    """All of the last ``reinterpreted_batch_ndims`` dimensions satisfy ``base_constraint``."""

    def check(x):
        found = base_constraint.check(x)
        dims = tuple(range(-reinterpreted_batch_ndims, 0))
        return found.all(dims) if dims else found

    event_dim = base_constraint.event_dim + reinterpreted_batch_ndims
    name = f"IndependentConstraint({base_constraint}, {reinterpreted_batch_ndims})"
    return Constraint(name, check, event_dim, base_constraint.is_discrete)


def _symmetric(x):
    return x.isclose(x.mT, atol=1e-6).all((-2, -1))


def _positive_definite(x):
    return _symmetric(x) & (cholesky_ex(x).info == 0)


def _lower_cholesky(x):
    return (x.tril() == x).all((-2, -1)) & (x.diagonal(0, -2, -1) > 0).all(-1)


real = Constraint("Real", lambda x: x == x)
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
boolean = Constraint("Boolean", lambda x: (x == 0) | (x == 1), is_discrete=True)
one_hot = Constraint(
    "OneHot", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), event_dim=1, is_discrete=True
)
simplex = Constraint("Simplex", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), event_dim=1)
nonnegative_integer = Constraint(
    "IntegerGreaterThan", lambda x: (x % 1 == 0) & (x >= 0), is_discrete=True, lower_bound=0
)
positive_integer = Constraint(
    "IntegerGreaterThan", lambda x: (x % 1 == 0) & (x >= 1), is_discrete=True, lower_bound=1
)
symmetric = Constraint("Symmetric", _symmetric, event_dim=2)
positive_definite = Constraint("PositiveDefinite", _positive_definite, event_dim=2)
lower_cholesky = Constraint("LowerCholesky", _lower_cholesky, event_dim=2)
