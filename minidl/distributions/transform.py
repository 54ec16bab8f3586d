"""The base class of transforms of random variables, and their inverses."""

from minidl.distributions import constraints

__all__ = ["Increasing", "Transform"]


class Transform:
    """The base class. A transform defines ``_call`` and ``_inverse``, and ``log_abs_det_jacobian`` where it has one.

    ``domain`` and ``codomain`` are the sets it maps; ``sign`` is 1 where it increases, -1 where it decreases; ``inv``
    is its inverse. With ``cache_size=1`` the inverse of the last result is the input itself, without rounding.
    Raises ``ValueError`` for another size of the cache.

    >>> import minidl
    >>> class Doubling(minidl.distributions.Transform):
    ...     def _call(self, x):
    ...         return 2 * x
    >>> Doubling()(minidl.ones(2))
    tensor([2., 2.])
    """

    bijective = False
    domain = codomain = constraints.real

    def __init__(self, cache_size=0):
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size, self._last, self._opposite = cache_size, (None, None), None

    def _call(self, x):
        raise NotImplementedError

    def _inverse(self, y):
        raise NotImplementedError

    def log_abs_det_jacobian(self, x, y):
        """log |det dy/dx|, without the event's dimensions, if a class defines it."""
        raise NotImplementedError

    @property
    def sign(self):
        """1 where it increases, -1 where it decreases, if it does either."""
        raise NotImplementedError

    @property
    def inv(self):
        """The inverse, one object, whose inverse this is."""
        if self._opposite is None:
            self._opposite = self._inverted()
            self._opposite._opposite = self
        return self._opposite

    def _inverted(self):
        return _InverseTransform(self)

    def __call__(self, x):
        return self._through(self._call, x, forth=True)

    def _back(self, y):
        return self._through(self._inverse, y, forth=False)

    def _through(self, compute, given, forth):
        """What ``compute`` makes of ``given``, or the partner of the pair that was kept."""
        if not self._cache_size:
            return compute(given)
        x, y = self._last
        if given is (x if forth else y):
            return y if forth else x
        found = compute(given)
        self._last = (given, found) if forth else (found, given)
        return found

    def with_cache(self, cache_size=1):
        """The same transform with a cache of this size."""
        if self._cache_size == cache_size:
            return self
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        Transform.__init__(twin, cache_size)
        return twin

    def forward_shape(self, shape):
        """The shape of what becomes of an input of ``shape``."""
        return shape

    def inverse_shape(self, shape):
        """The shape of the input of a result of ``shape``."""
        return shape

    def __eq__(self, other):
        return self is other or (type(self) is type(other) and self._alike(other))

    __hash__ = object.__hash__

    def _alike(self, other):
        """Whether another of the same class does the same."""
        return True

    def __repr__(self):
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """A transform the other way round."""

    def __init__(self, transform):
        super().__init__()
        self._inv = transform

    bijective = property(lambda self: self._inv.bijective)
    domain = property(lambda self: self._inv.codomain)
    codomain = property(lambda self: self._inv.domain)
    sign = property(lambda self: self._inv.sign)

    def __call__(self, x):
        return self._inv._back(x)

    def _back(self, y):
        return self._inv(y)

    def log_abs_det_jacobian(self, x, y):
        return -self._inv.log_abs_det_jacobian(y, x)

    def with_cache(self, cache_size=1):
        return self._inv.with_cache(cache_size).inv

    def forward_shape(self, shape):
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape):
        return self._inv.forward_shape(shape)

    def _alike(self, other):
        return self._inv == other._inv

    def __repr__(self):
        return f"{type(self).__name__}({self._inv!r})"


class Increasing(Transform):
    """What increases everywhere."""

    bijective = True
    sign = 1
