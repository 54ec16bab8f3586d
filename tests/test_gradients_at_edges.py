"""Gradients where central differences cannot tell: at ties, at limits, at zero, of one output among several.

The expected values are those of the formulas, and PyTorch's.
"""

import math

import numpy as np
import pytest

import minidl
from minidl import autograd

inf, nan = math.inf, math.nan
special, linalg = minidl.special, minidl.linalg
STAIRS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]

# What is computed, its inputs, and the gradients of its sum by each of them.
EDGES = {
    "maximum_shares_ties": (minidl.maximum, [[1, 2, 3], [1, 3, 2]], [[0.5, 0, 1], [0.5, 1, 0]]),
    "minimum_shares_ties": (minidl.minimum, [[1, 2, 3], [1, 3, 2]], [[0.5, 1, 0], [0.5, 0, 1]]),
    "clamp_passes_at_limits": (lambda x: x.clamp(-1, 1), [[-1, 1, 2, -2, 0]], [[1, 1, 0, 0, 1]]),
    "clamp_above": (lambda x: x.clamp(max=1), [[1, 2]], [[1, 0]]),
    "clamp_below": (lambda x: x.clamp(min=1), [[1, 0]], [[1, 0]]),
    "amax_shares_ties": (lambda x: x.amax(0), [[3, 1, 3]], [[0.5, 0, 0.5]]),
    "amin_shares_ties": (lambda x: x.amin(0, keepdim=True), [[1, 1, 1, 3]], [[1 / 3, 1 / 3, 1 / 3, 0]]),
    "xlogy_at_zero": (special.xlogy, [[0, 0, 0], [2, 0, -1]], [[math.log(2), 0, 0], [0, nan, 0]]),
    "vector_norm_of_zeros": (lambda x: linalg.vector_norm(x), [[0, 0]], [[0, 0]]),
    "vector_norm_near_one": (lambda x: linalg.vector_norm(x), [[0.6, 0.8]], [[0.6, 0.8]]),
    "vector_norm_1": (lambda x: linalg.vector_norm(x, 1), [[0, -2]], [[0, -1]]),
    "vector_norm_3": (lambda x: linalg.vector_norm(x, 3), [[0, 2]], [[0, 1]]),
    "vector_norm_3_of_zeros": (lambda x: linalg.vector_norm(x, 3), [[0, 0]], [[0, 0]]),
    "vector_norm_half": (lambda x: linalg.vector_norm(x, 0.5), [[0, 4]], [[0, 1]]),
    "logsumexp_of_nothing": (lambda x: x.logsumexp(0), [[-inf, -inf]], [[0, 0]]),
    "logsumexp_beside_nothing": (lambda x: x.logsumexp(0), [[-inf, 2]], [[0, 1]]),
    "i1_at_zero": (special.i1, [[0]], [[0.5]]),
    "i1e_at_zero": (special.i1e, [[0]], [[0.5]]),
    "sinc_at_zero_and_one": (minidl.sinc, [[0, 1]], [[0, -1]]),
    "logit_beyond_its_limits": (lambda x: minidl.logit(x, 0.1), [[0.95, 0.5, 0.05]], [[0, 4, 0]]),
    "number_zero_to_a_power": (lambda p: 0**p, [[0, 1, -1]], [[0, 0, -inf]]),
    "number_zero_to_a_power_turned": (lambda p: -(0**p), [[0, 1, -1]], [[0, 0, inf]]),
    "negative_number_to_a_power": (lambda p: (-2) ** p, [[2]], [[nan]]),
    "number_to_a_power": (lambda p: 2**p, [[1]], [[2 * math.log(2)]]),
    "zero_to_a_power": (minidl.pow, [[0, 0], [2, 0]], [[0, 0], [0, 0]]),
    "rounded_quotients": (
        lambda x, y: minidl.div(x, y, rounding_mode="floor") + minidl.div(x, y, rounding_mode="trunc"),
        [[7, 5], [2, 3]],
        [[0, 0], [0, 0]],
    ),
    "copysign": (minidl.copysign, [[3, 0, -2], [-1, -1, -1]], [[-1, 0, 1], [0, 0, 0]]),
    "roll_along_two": (
        lambda x: x.roll((1, 2), (0, 1)) * minidl.tensor(STAIRS, dtype=minidl.float64),
        [[[0, 0, 0], [0, 0, 0]]],
        [[[6, 4, 5], [3, 1, 2]]],
    ),
    "sort_of_a_number": (lambda x: x.sort(0).values * 3, [2], [3]),
    "largest_of_a_number": (
        lambda x: x.max(0).values + x.kthvalue(1, 0).values + x.median(0).values,
        [2],
        [3],
    ),
    "cumsum_of_a_number": (lambda x: x.cumsum(0) * 3, [2], [3]),
    "prod_with_a_zero": (lambda x: x.prod(), [[2, 0, 3]], [[0, 6, 0]]),
    "prod_with_two_zeros": (lambda x: x.prod(0), [[2, 0, 0]], [[0, 0, 0]]),
    "prod_of_a_number": (lambda x: x.prod(0), [2], [1]),
    "scattered_product_with_a_zero": (
        lambda x, y: x.scatter_reduce(0, minidl.tensor([0, 0, 0]), y, "prod"),
        [[5], [2, 0, 3]],
        [[0], [0, 30, 0]],
    ),
    "scattered_maximum_of_a_part": (
        lambda x, y: x.scatter_reduce(0, minidl.tensor([0, 1]), y, "amax"),
        [[1, 9], [2, 3, 4]],
        [[0, 1], [1, 0, 0]],
    ),
    "abs_at_zero": (minidl.abs, [[0, -1]], [[0, -1]]),
    "relu_at_zero": (minidl.relu, [[0, 1]], [[0, 1]]),
    "hardtanh_at_limits": (minidl.nn.functional.hardtanh, [[-1, 0, 1]], [[0, 1, 0]]),
    "where_of_nan": (lambda x: minidl.where(x > 0, x, 0.0), [[nan, 1]], [[0, 1]]),
}


@pytest.mark.parametrize("name", EDGES)
def test_gradient_is_the_formulas(name):
    function, inputs, wanted = EDGES[name]
    tensors = [minidl.tensor(values, dtype=minidl.float64, requires_grad=True) for values in inputs]
    found = autograd.grad(function(*tensors).sum(), tensors, allow_unused=True)
    for gradient, expected in zip(found, wanted, strict=True):
        gradient = np.zeros(np.shape(expected)) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-12)


X = np.random.default_rng(0).normal(size=(3, 5))
FACTORS = {
    "qr": (lambda x: linalg.qr(x), X),
    "qr_tall": (lambda x: linalg.qr(x), X.T),
    "eigh": (lambda x: linalg.eigh(x + x.mT), X[:, :3]),
    "svd_values": (lambda x: linalg.svd(x, False)[1:2], X),
    "slogdet": (lambda x: linalg.slogdet(x)[1:], X[:, :3]),
}


@pytest.mark.parametrize("name", FACTORS)
def test_each_output_of_a_factorisation_has_its_gradient(name):
    function, values = FACTORS[name]
    x = minidl.tensor(values, requires_grad=True)
    for place in range(len(function(x))):

        def alone(x, place=place):
            out = function(x)[place]
            return out * out.detach().sign() if name == "eigh" and place else out

        assert autograd.gradcheck(alone, (x,))


def test_all_columns_of_a_full_svd_give_the_gradients_of_the_reduced_one():
    weights = minidl.tensor(np.random.default_rng(1).normal(size=(3, 5)))
    gradients = []
    for full in (True, False):
        x = minidl.tensor(X, requires_grad=True)
        u, s, vh = linalg.svd(x, full)
        gradients += autograd.grad(
            (vh[:3] * weights).abs().sum() + (u * u * weights[:, :3]).sum() + s.sum(), [x]
        )
    np.testing.assert_allclose(gradients[0].numpy(), gradients[1].numpy(), rtol=1e-9)
    assert np.abs(gradients[0].numpy()).max() > 0.1


def test_a_complete_qr_of_a_tall_matrix_is_not_differentiable():
    x = minidl.tensor(X.T, requires_grad=True)
    q, r = linalg.qr(x, mode="complete")
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete'"):
        (q.sum() + r.sum()).backward()
    square = minidl.tensor(X[:, :3], requires_grad=True)
    assert autograd.gradcheck(lambda x: linalg.qr(x, mode="complete")[1], (square,))
