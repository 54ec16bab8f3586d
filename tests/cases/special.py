"""Rows of minidl/ops/special.py: values at fixed points, to all digits; the gradients are those of differences."""

import math

import numpy as np

from .case import Case, constant, positive, values

# fmt: off
TABLE = {
    "erfc": ([-2.0, -0.3, 0.1, 1.5, 3.0],
             [1.9953222650189528, 1.3286267594591274, 0.887537083981715, 0.033894853524689274, 2.209049699858544e-05]),
    "erfinv": ([-0.9, -0.2, 0.1, 0.5, 0.99],
               [-1.1630871536766743, -0.1791434546212917, 0.08885599049425769, 0.4769362762044699, 1.8213863677184494]),
    "erfcx": ([-1.0, 0.1, 2.0, 4.0, 30.0],
              [5.008980080762283, 0.8964569799691268, 0.2553956763105058, 0.1369994576250614, 0.018795888861416754]),
    "log_ndtr": ([-30.0, -3.0, -0.5, 0.5, 3.0],
                 [-454.32124395634327, -6.60772622151035, -1.1759117615936185, -0.36894641528865635,
                  -0.0013508099647481923]),
    "ndtri": ([0.01, 0.1, 0.4, 0.6, 0.99],
              [-2.3263478740408408, -1.2815515655446004, -0.2533471031357997, 0.2533471031357997, 2.3263478740408408]),
    "lgamma": ([-1.5, 0.3, 1.2, 5.5, 40.0],
               [0.860047015376481, 1.0957979948180756, -0.08537409000331583, 3.9578139676187165, 106.63176026064346]),
    "digamma": ([-1.5, 0.3, 1.2, 5.5, 40.0],
                [0.7031566406452433, -3.502524222200133, -0.28903989659218843, 1.611093148581751, 3.6763273740348428]),
    "i0": ([-2.0, 0.5, 4.0, 12.0], [2.279585302336067, 1.0634833707413236, 11.30192195213633, 18948.92534929631]),
    "i0e": ([-2.0, 0.5, 12.0, 40.0],
            [0.308508322553671, 0.6450352704491501, 0.11642622121344044, 0.06327827987523532]),
    "i1": ([-2.0, 0.5, 4.0, 12.0], [-1.5906368546373295, 0.25789430539089636, 9.759465153704449, 18141.348781638833]),
    "i1e": ([-2.0, 0.5, 12.0, 40.0],
            [-0.2152692892489377, 0.15642080318487173, 0.111464299290181, 0.06248222907444206]),
}
POLYGAMMA = {
    1: [12.245364544940365, 1.2673772060383834, 0.19934238699894422],
    2: [-75.27253658872601, -1.478036114435933, -0.03960894752130204],
    3: [743.1417646550497, 3.2449948647257805, 0.01569059267588282],
}
# fmt: on
BORDERS = {
    "erfc": ([-math.inf, 0.0, math.inf], [2, 1, 0]),
    "erfinv": ([-1.0, 0.0, 1.0, 2.0], [-math.inf, 0, math.inf, math.nan]),
    "lgamma": ([-2.0, 0.0, 1.0, math.inf], [math.inf, math.inf, 0, math.inf]),
    "digamma": ([-1.0, 0.0, math.inf], [math.nan, -math.inf, math.inf]),
    "ndtri": ([0.0, 0.5, 1.0, 2.0], [-math.inf, 0, math.inf, math.nan]),
}


def fixed(results):
    return lambda *_: np.array(results)


def home(name):
    return f"special.{name}"


CASES = [
    *(
        Case(name, (values(at),), fixed(y), torch=home(name), tolerance=5)
        for name, (at, y) in TABLE.items()
        if name != "lgamma"
    ),
    Case("lgamma", (values(TABLE["lgamma"][0]),), fixed(TABLE["lgamma"][1])),
    *(
        Case(name, (values(at),), fixed(y), id="border", grad=False)
        for name, (at, y) in BORDERS.items()
        if name != "ndtri"
    ),
    Case(
        "ndtri",
        (values(BORDERS["ndtri"][0]),),
        fixed(BORDERS["ndtri"][1]),
        id="border",
        grad=False,
        torch="special.ndtri",
    ),
    *(
        Case(
            "_polygamma",
            (values([0.3, 1.2, 5.5]), n),
            fixed(y),
            torch=lambda torch, x, n: torch.polygamma(n, x),
            id=str(n),
        )
        for n, y in POLYGAMMA.items()
    ),
    Case("polygamma", (2, values([0.3, 1.2, 5.5])), fixed(POLYGAMMA[2])),
    Case("mvlgamma", (values([2.5, 4.0]), 2), fixed([0.8570478133976193, 3.565098014499829])),
    Case(
        "igamma",
        (constant(values([0.5, 2.0, 5.0])), values([0.3, 4.0, 3.0])),
        fixed([0.5614219739190003, 0.9084218055563291, 0.18473675547622787]),
    ),
    Case(
        "igamma",
        (values([0.5, 2.0, 0.0]), values([0.0, math.inf, 3.0])),
        fixed([0, 1, 1]),
        id="border",
        grad=False,
    ),
    Case(
        "igammac",
        (constant(values([0.5, 2.0, 5.0])), values([0.3, 4.0, 3.0])),
        fixed([0.4385780260809997, 0.0915781944436709, 0.8152632445237722]),
    ),
    Case(
        "zeta",
        (constant(values([1.5, 3.0, 6.0])), values([0.3, 4.0, 3.0])),
        fixed([8.237761671459724, 0.04001986612255725, 0.0017180619844491393]),
        torch="special.zeta",
    ),
    Case(
        "ndtr",
        (values([-1.0, 0.5, 2.0]),),
        fixed([0.15865525393145702, 0.6914624612740131, 0.9772498680518208]),
        torch="special.ndtr",
    ),
    Case("entr", (positive(2, 3),), lambda x: -x * np.log(x), torch="special.entr"),
    Case(
        "entr", (values([0.0, -1.0]),), fixed([0, -math.inf]), torch="special.entr", id="border", grad=False
    ),
]
