"""Rows of minidl/ops/polynomials.py."""

import functools

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre

from .case import Case, integers, unit, values

Plain = functools.partial(Case, grad=False)
SERIES = {
    "chebyshev_polynomial_t": chebyshev.chebval,
    "hermite_polynomial_h": hermite.hermval,
    "hermite_polynomial_he": hermite_e.hermeval,
    "laguerre_polynomial_l": laguerre.lagval,
    "legendre_polynomial_p": legendre.legval,
}
# Of x = cos(t): the kinds after the first are quotients of these.
KINDS = {
    "u": lambda n, t: np.sin((n + 1) * t) / np.sin(t),
    "v": lambda n, t: np.cos((n + 0.5) * t) / np.cos(t / 2),
    "w": lambda n, t: np.sin((n + 0.5) * t) / np.sin(t / 2),
}
POINTS = [0.3, 2.0, 7.5, 60.0]
# fmt: off
BESSEL = {
    "bessel_j0": [0.9776262465382961, 0.22389077914123562, 0.2663396578803784, -0.09147180408906201],
    "bessel_j1": [0.148318816273104, 0.5767248077568734, 0.13524842757970554, 0.046598383758166224],
    "bessel_y0": [-0.8072735778045195, 0.5103756726497451, 0.11731328614820863, 0.047358952209449155],
    "bessel_y1": [-2.2931051383885293, -0.10703243154093756, -0.25912851048611624, 0.09186960936986693],
    "modified_bessel_k0": [1.3724600605442983, 0.1138938727495334, 0.00024917761635611437, 1.4138978405591074e-27],
    "modified_bessel_k1": [3.055992033457325, 0.13986588181652246, 0.00026529739012528955, 1.4256320265171041e-27],
    "scaled_modified_bessel_k0": [1.8526273007720155, 0.8415682150707712, 0.45052369910491563, 0.1614681782362939],
    "scaled_modified_bessel_k1": [4.12515776224447, 1.0334768470686888, 0.47966893379102066, 0.16280823094404426],
    "airy_ai": [0.2788064819550049, 0.03492413042327436, 1.9172560675134298e-07, 2.7831487094969454e-136],
    "spherical_bessel_j0": [0.9850673555377986, 0.45464871341284085, 0.12506666356996518, -0.005080177018370278],
}
# fmt: on


def fixed(results):
    return lambda x: np.array(results)


def of_degree(series):
    return lambda x, n: series(x, [0] * n + [1])


def at_cosine(kind):
    return lambda x, n: KINDS[kind](n, np.arccos(x))


def shifted(function):
    return lambda x, n: function(2 * x - 1, n)


CASES = [
    *(Plain(f"special.{name}", (unit(2, 3), 5), of_degree(series)) for name, series in SERIES.items()),
    *(Plain(f"special.chebyshev_polynomial_{kind}", (unit(2, 3), 5), at_cosine(kind)) for kind in KINDS),
    *(
        Plain(
            f"special.shifted_chebyshev_polynomial_{kind}",
            (values([0.1, 0.4, 0.9]), 4),
            shifted(at_cosine(kind)),
        )
        for kind in KINDS
    ),
    Plain(
        "special.shifted_chebyshev_polynomial_t",
        (values([0.1, 0.4, 0.9]), 4),
        shifted(of_degree(chebyshev.chebval)),
    ),
    Plain(
        "special.legendre_polynomial_p",
        (unit(3), integers(0, 6, 2, 1)),
        lambda x, n: np.array([legendre.legval(x, [0] * k + [1]) for k in n[:, 0]]),
        id="degrees",
    ),
    # PyTorch's own differ from these values by up to 1e-4.
    *(Plain(f"special.{name}", (values(POINTS),), fixed(y), torch=False) for name, y in BESSEL.items()),
    Plain("special.bessel_y0", (values([0.0, -1.0]),), fixed([-np.inf, np.nan]), id="border"),
    Plain("special.modified_bessel_i0", (values([-2.0, 0.5, 4.0]),), np.i0),
    Plain(
        "special.modified_bessel_i1",
        (values([-2.0, 0.5]),),
        fixed([-1.5906368546373295, 0.25789430539089636]),
    ),
]
