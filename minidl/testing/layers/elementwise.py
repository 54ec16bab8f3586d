"""Examples of layers of features: activations, softmaxes, dropout, linear layers, shapes, distances."""

from hypothesis import strategies as st

from minidl.testing.layers.registry import entry, small
from minidl.testing.strategies import arrays, distinct_arrays, elements, shapes

KINKS = {
    "ReLU": (0,), "ReLU6": (0, 6), "LeakyReLU": (0,), "PReLU": (0,), "RReLU": (0,), "ELU": (0,), "CELU": (0,),
    "SELU": (0,), "Hardtanh": (-1, 1), "Hardsigmoid": (-3, 3), "Hardswish": (-3, 3), "Hardshrink": (-0.5, 0.5),
    "Softshrink": (-0.5, 0.5), "Tanhshrink": (), "Softsign": (0,), "Sigmoid": (), "Tanh": (), "GELU": (), "SiLU": (),
    "Mish": (), "Softplus": (), "LogSigmoid": (), "Identity": (),
}  # fmt: skip


def _activation(draw, kinks):
    return (), {}, (draw(arrays(shapes(1, 3, max_side=3), elements=elements(-4, 4, kinks))),), 0


@entry("Threshold")
def _threshold(draw):
    bound = draw(st.sampled_from([-1, 0, 0.5]))
    return (bound, 2.0), {}, (draw(arrays(shapes(1, 3, max_side=3), elements=elements(-4, 4, (bound,)))),), 0


@entry("GLU")
def _glu(draw):
    lead, half = draw(shapes(0, 2, max_side=3)), draw(small)
    return (), {}, (draw(arrays((*lead, 2 * half))),), 0 if lead else None


def _softmax(draw):
    shape = draw(shapes(2, 3, max_side=3))
    return (len(shape) - 1,), {}, (draw(arrays(shape)),), 0


@entry("Softmax2d")
def _softmax2d(draw):
    return (), {}, (draw(arrays(shapes(4, 4, max_side=3))),), 0


def _dropout(draw, dims):
    shape = shapes(1, 3, max_side=3) if dims is None else shapes(dims + 2, dims + 2, max_side=2)
    return (draw(st.sampled_from([0.0, 0.3, 1.0])),), {}, (draw(arrays(shape)),), 0


@entry("Linear")
def _linear(draw):
    i, lead = draw(small), draw(shapes(0, 2, max_side=3))
    return (i, draw(small)), {"bias": draw(st.booleans())}, (draw(arrays((*lead, i))),), 0 if lead else None


@entry("Bilinear")
def _bilinear(draw):
    i, j, n = draw(small), draw(small), draw(small)
    return (i, j, draw(small)), {}, (draw(arrays((n, i))), draw(arrays((n, j)))), 0


def _layer_norm(draw):
    sides = draw(shapes(1, 2, min_side=2, max_side=3))
    lead = draw(shapes(0, 2, max_side=2))
    kwargs = {"elementwise_affine": draw(st.booleans())}
    return (sides,), kwargs, (draw(distinct_arrays((*lead, *sides))),), 0 if lead else None


@entry("Flatten")
def _flatten(draw):
    return (), {}, (draw(arrays(shapes(2, 4, max_side=3))),), 0


@entry("Unflatten")
def _unflatten(draw):
    sides = draw(shapes(2, 2, max_side=3))
    return (1, sides), {}, (draw(arrays((draw(small), sides[0] * sides[1]))),), 0


def _distance(draw):
    shape = draw(shapes(2, 2, max_side=3))
    pair = draw(arrays(shape, elements=elements(0.5, 3))), draw(arrays(shape, elements=elements(-3, -0.5)))
    return (), {}, pair, 0


for _name, _kinks in KINKS.items():
    entry(_name, _kinks)(_activation)
for _name in ("Softmax", "LogSoftmax", "Softmin"):
    entry(_name)(_softmax)
for _name, _dims in {
    "Dropout": None, "AlphaDropout": None, "FeatureAlphaDropout": 1, "Dropout1d": 1, "Dropout2d": 2, "Dropout3d": 3,
}.items():  # fmt: skip
    entry(_name, _dims)(_dropout)
for _name in ("LayerNorm", "RMSNorm"):
    entry(_name)(_layer_norm)
for _name in ("PairwiseDistance", "CosineSimilarity"):
    entry(_name)(_distance)
