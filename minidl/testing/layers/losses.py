"""Examples of losses, away from their kinks: pairs of values, classes, labels, distances, alignments."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from minidl.testing.layers.registry import entry, small
from minidl.testing.strategies import arrays, distinct_arrays, elements, index_arrays, shapes

MARGIN = 0.05  # how far from a kink


def _reduction(draw):
    return {"reduction": draw(st.sampled_from(["mean", "sum", "none"]))}


def _pair_loss(draw, low, high):
    shape = draw(shapes(1, 2, max_side=3))
    pair = draw(distinct_arrays(shape)) * 0.37, draw(arrays(shape, elements=elements(low, high)))
    return (), _reduction(draw), pair


def _difference_loss(draw, kinks):
    args, kwargs, (x, y) = _pair_loss(draw, -3, 3)
    assume(all((np.abs(np.abs(x - y) - kink) >= MARGIN).all() for kink in kinks))
    return args, kwargs, (x, y)


def _probability_loss(draw):
    shape = draw(shapes(1, 2, max_side=3))
    x, y = (draw(arrays(shape, elements=elements(*bounds))) for bounds in ((0.1, 0.9), (MARGIN, 1 - MARGIN)))
    return (), _reduction(draw), (x, y)


@entry("KLDivLoss")
def _divergence(draw):
    shape = draw(shapes(2, 2, max_side=3))
    x, y = (draw(arrays(shape, elements=elements(*bounds))) for bounds in ((-3, 0), (0.1, 1)))
    return (), {"reduction": draw(st.sampled_from(["batchmean", "sum", "none"]))}, (x, y)


@entry("PoissonNLLLoss")
def _poisson_loss(draw):
    shape = draw(shapes(1, 2, max_side=3))
    x, y = (draw(arrays(shape, elements=elements(0.5, 3))) for _ in range(2))
    return (), {**_reduction(draw), "log_input": draw(st.booleans())}, (x, y)


@entry("GaussianNLLLoss")
def _gaussian_loss(draw):
    args, kwargs, (x, y) = _pair_loss(draw, -3, 3)
    return (
        args,
        {**kwargs, "full": draw(st.booleans())},
        (x, y, draw(arrays(x.shape, elements=elements(0.5, 3)))),
    )


def _class_loss(draw):
    n, c = draw(small), draw(st.integers(2, 4))
    return (), _reduction(draw), (draw(arrays((n, c))), draw(index_arrays(c, (n,))))


@entry("MultiMarginLoss")
def _multi_margin_loss(draw):
    args, kwargs, (x, targets) = _class_loss(draw)
    room = x - np.take_along_axis(x, targets[:, None], 1) + 1  # a kink where it is 0
    assume((np.abs(room) >= MARGIN).all())
    return args, kwargs, (x, targets)


@entry("MultiLabelMarginLoss")
def _multi_label_margin_loss(draw):
    """One label of each sample: -1 ends the list of labels."""
    args, kwargs, (x, labels) = _class_loss(draw)
    room = x - np.take_along_axis(x, labels[:, None], 1) + 1
    assume((np.abs(room) >= MARGIN).all())
    targets = np.full(x.shape, -1)
    targets[:, 0] = labels
    return args, kwargs, (x, targets)


def _signs(draw, n):
    return np.where(draw(arrays((n,), elements=elements(0, 1, ties=True))) > 0, 1, -1)


@entry("HingeEmbeddingLoss")
def _hinge_loss(draw):
    n = draw(small)
    return (), _reduction(draw), (draw(arrays((n,), elements=elements(-3, 3, (1,)))), _signs(draw, n))


@entry("MarginRankingLoss")
def _ranking_loss(draw):
    args, kwargs, pair = _difference_loss(draw, (0,))
    x, y = (each.ravel() for each in pair)
    return args, kwargs, (x, y, _signs(draw, len(x)))


@entry("CosineEmbeddingLoss")
def _cosine_loss(draw):
    shape = draw(shapes(2, 2, max_side=3))
    x, y = (draw(arrays(shape, elements=elements(0.5, 3))) for _ in range(2))  # their cosine is positive
    return (), _reduction(draw), (x, y, _signs(draw, len(x)))


def _triplet_loss(draw):
    """The negative is near, so that the loss is positive."""
    shape = draw(shapes(2, 2, max_side=3))
    anchor, positive = (draw(arrays(shape, elements=elements(*b))) for b in ((0.5, 1), (2, 3)))
    return (), _reduction(draw), (anchor, positive, draw(arrays(shape, elements=elements(1.1, 1.4))))


@entry("CTCLoss")
def _alignment_loss(draw):
    """Log-probabilities (T, N, C), targets (N, S) without the blank 0, and the lengths of both."""
    n, steps, classes = draw(small), draw(st.integers(3, 4)), 3
    x = draw(arrays((steps, n, classes)))
    x = x - np.log(np.exp(x).sum(-1, keepdims=True))
    targets = draw(index_arrays(classes - 1, (n, 1))) + 1
    return (), _reduction(draw), (x, targets, np.full(n, steps), np.ones(n, np.int64))


@entry("LinearCrossEntropyLoss")
def _linear_class_loss(draw):
    features = draw(small)
    _, kwargs, (x, targets) = _class_loss(draw)
    return (features, x.shape[1]), kwargs, (draw(arrays((len(x), features))), targets)


@entry("AdaptiveLogSoftmaxWithLoss")
def _adaptive_softmax(draw):
    n, features = draw(small), draw(st.integers(2, 3))
    args = (features, 4, (draw(st.integers(1, 3)),))
    return args, {"div_value": 1.0}, (draw(arrays((n, features))), draw(index_arrays(4, (n,))))


for _name, _bounds in {"MSELoss": (-3, 3), "BCEWithLogitsLoss": (0, 1), "SoftMarginLoss": (1, 1)}.items():
    entry(_name, *_bounds)(_pair_loss)
entry("MultiLabelSoftMarginLoss")(lambda draw: (
    (), _reduction(draw), tuple(draw(arrays((2, 3), elements=elements(0, 1))) for _ in range(2))
))  # fmt: skip
for _name, _kinks in {"L1Loss": (0,), "SmoothL1Loss": (1,), "HuberLoss": (1,)}.items():
    entry(_name, _kinks)(_difference_loss)
entry("BCELoss")(_probability_loss)
for _name in ("CrossEntropyLoss", "NLLLoss"):
    entry(_name)(_class_loss)
for _name in ("TripletMarginLoss", "TripletMarginWithDistanceLoss"):
    entry(_name)(_triplet_loss)
