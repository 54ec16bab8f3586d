"""Orthogonal polynomials and Bessel functions, as ``torch.special`` has them: without gradient."""

from minidl import dtypes
from minidl.autograd import Tensor, function, op
from minidl.backends import of
from minidl.ops.arithmetic import mul, sub
from minidl.ops.common import floating
from minidl.ops.special import i0, i1

_SPECIAL = {"faces": ("special",), "method": False}


@op(constant="input n", number="input n", faces=(), method=False)
def _polynomial(input, n, name):
    space = of(input if hasattr(input, "dtype") else n)
    x, degree = (v if hasattr(v, "dtype") else space.full((), v, dtypes.FLOAT64) for v in (input, n))
    if not hasattr(input, "dtype"):
        x = space.astype(x, floating(degree).dtype)
    return _pair_of(space, floating(x), degree, name)


def _pair_of(space, x, degree, name):
    shape = space.add(x, space.astype(degree, x.dtype)).shape
    return space.polynomial(space.broadcast_to(x, shape), space.broadcast_to(degree, shape), name)


def _family(name, who, shifted=""):
    full = shifted + name

    def forward(input, n):
        if isinstance(input, Tensor) and not input.is_floating_point():
            input = input.to(dtypes.get_default_dtype())
        x = (
            sub(mul(input, 2), 1)
            if shifted and isinstance(input, Tensor)
            else 2 * input - 1
            if shifted
            else input
        )
        return _polynomial(x, n, name)

    forward.__name__ = forward.__qualname__ = full
    forward.__doc__ = f"""The polynomial of {who} of degree ``n``{", at 2x - 1" if shifted else ""}.
    Source: ``torch.special.{full}``.

    >>> import minidl
    >>> minidl.special.{full}(minidl.tensor([1.0]), 0)
    tensor([1.])
    """
    return function(**_SPECIAL)(forward)


for _kind, _what in {"t": "first", "u": "second", "v": "third", "w": "fourth"}.items():
    for _shift in ("", "shifted_"):
        _family(f"chebyshev_polynomial_{_kind}", f"Chebyshev of the {_what} kind", _shift)
_family("hermite_polynomial_h", "Hermite (of physics)")
_family("hermite_polynomial_he", "Hermite (of probability)")
_family("laguerre_polynomial_l", "Laguerre")
_family("legendre_polynomial_p", "Legendre")


def _bessel(name, what):
    def forward(input):
        input = floating(input)
        return getattr(of(input), name)(input)

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The {what}, elementwise. Source: ``torch.special.{name}``.

    >>> import minidl
    >>> minidl.special.{name}(minidl.tensor([1.0])).shape
    torch.Size([1])
    """
    return op(constant="input", **_SPECIAL)(forward)


for _order in ("0", "1"):
    _bessel(f"bessel_j{_order}", f"Bessel function of the first kind of order {_order}")
    _bessel(f"bessel_y{_order}", f"Bessel function of the second kind of order {_order}")
    _bessel(f"modified_bessel_k{_order}", f"modified Bessel function of the second kind of order {_order}")
    _bessel(f"scaled_modified_bessel_k{_order}", f"modified Bessel function K{_order}, times exp(x)")
_bessel("spherical_bessel_j0", "spherical Bessel function sin(x) / x")
_bessel("airy_ai", "Airy function Ai, which decays to the right")


def _modified(name, plain):
    def forward(input):
        return plain(input.detach())

    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = f"""The modified Bessel function of the first kind of order {name[-1]}.
    Source: ``torch.special.{name}``.

    >>> import minidl
    >>> minidl.special.{name}(minidl.tensor([1.0])).shape
    torch.Size([1])
    """
    return function(tensors="input", **_SPECIAL)(forward)


modified_bessel_i0, modified_bessel_i1 = (
    _modified("modified_bessel_i0", i0),
    _modified("modified_bessel_i1", i1),
)
