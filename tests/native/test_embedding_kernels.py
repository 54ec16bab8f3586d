"""Embedding by the native backend beside the reference."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

DTYPES = [np.float32, np.float64]
# rows and width of the table, shape of the indices
CASES = [
    (1, 1, ()), (1, 7, (1,)), (5, 0, (3,)), (5, 3, (0,)), (0, 3, (0,)), (7, 16, (3, 4)), (70, 17, (2, 9)),
    (3, 33, (400,)), (500, 65, (30,)), (400, 128, (20, 100)),
]  # fmt: skip


def draw(dtype, rows, width, shape):
    rng = np.random.default_rng(0)
    indices = np.asarray(rng.integers(0, rows, shape) if rows else np.zeros(shape, np.int64))
    table = rng.standard_normal((rows, width)).astype(dtype)
    return indices, table, np.asarray(rng.standard_normal((*shape, width)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows, width, shape", CASES)
@pytest.mark.parametrize("integers", [np.int64, np.int32, np.uint8])
def test_embedding(native, dtype, rows, width, shape, integers):
    indices, table, _ = draw(dtype, rows, width, shape)
    indices = indices.astype(integers)
    for given in (table, np.asfortranarray(table)):
        found = native.overrides["embedding"](indices, given)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, table[indices.astype(np.int64)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows, width, shape", CASES)
@pytest.mark.parametrize("by_uses", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_gradient_of_the_table(native, dtype, rows, width, shape, by_uses, padded):
    indices, _, grad = draw(dtype, rows, width, shape)
    padding = int(indices.reshape(-1)[0]) if padded and indices.size else -1
    arguments = indices, rows, padding, by_uses
    found = native.overrides["embedding_dense_backward"](grad, *arguments)
    wanted = backends.reference.embedding_dense_backward(grad.astype(np.float64), *arguments)
    assert found.dtype == dtype and found.shape == wanted.shape
    tolerance = 32 * np.finfo(dtype).eps
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_nan_stays_in_its_rows(native):
    grad = np.ones((3, 40), np.float32)
    grad[1, 39] = np.nan
    found = native.embedding_dense_backward(grad, np.array([2, 0, 2]), 4, -1, False)
    np.testing.assert_array_equal(np.argwhere(np.isnan(found)), [[0, 39]])
    np.testing.assert_array_equal(found[[1, 2, 3], 39], [0, 2, 0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same_bits(native, dtype):
    indices, table, grad = draw(dtype, 300, 70, (5, 900))
    thread_counts.assert_no_difference(
        lambda: [
            native.embedding(indices, table),
            native.embedding_dense_backward(grad, indices, 300, 3, True),
        ]
    )


def test_what_is_left_to_the_reference(native):
    table, grad, indices = np.ones((3, 2), np.float32), np.ones((2, 2), np.float32), np.array([0, 2])
    look_up, gradient = native.overrides["embedding"], native.overrides["embedding_dense_backward"]
    refused = [
        look_up(np.array([0, 3]), table),
        look_up(np.array([-1]), table),
        look_up(np.array([0.0]), table),
        look_up(indices, table[0]),
        look_up(indices, table.astype(np.float16)),
        gradient(grad, np.array([0, 3]), 3, -1, False),
        gradient(grad, indices[:1], 3, -1, False),
        gradient(grad, indices, -1, -1, False),
        gradient(grad.astype(np.float16), indices, 3, -1, False),
    ]
    assert all(result is NotImplemented for result in refused)


# bags and indices of a bag, rows and width of the table
BAGS = [
    (0, 3, 5, 4),
    (3, 0, 5, 4),
    (3, 4, 5, 0),
    (4, 1, 1, 1),
    (3, 5, 7, 33),
    (200, 9, 6, 70),
    (500, 4, 900, 32),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count, size, rows, width", BAGS)
def test_bags(native, dtype, count, size, rows, width):
    rng = np.random.default_rng(0)
    indices = rng.integers(0, rows, (count, size))
    weights, table, grad = (
        rng.standard_normal(shape).astype(dtype) for shape in ((count, size), (rows, width), (count, width))
    )
    for name, arguments in {
        "bag_rows": (indices, weights, table),
        "bag_table": (grad, indices, weights, rows),
        "bag_weights": (grad, indices, table),
    }.items():
        found = native.overrides[name](*arguments)
        wide = [a.astype(float) if getattr(a, "dtype", None) == dtype else a for a in arguments]
        wanted = getattr(backends.reference, name)(*wide)
        assert found.dtype == dtype and found.shape == wanted.shape
        tolerance = 256 * np.finfo(dtype).eps
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
        thread_counts.assert_no_difference(
            lambda name=name, arguments=arguments: [getattr(native, name)(*arguments)]
        )


def test_bags_that_do_not_fit_are_refused(native):
    indices, weights, table, grad = np.zeros((2, 3), int), np.ones((2, 3)), np.ones((5, 4)), np.ones((2, 4))
    outside = np.full((2, 3), 5)
    for name, arguments in [
        ("bag_rows", (outside, weights, table)), ("bag_rows", (indices, weights[:, :2], table)),
        ("bag_rows", (indices, weights.astype("f4"), table)), ("bag_rows", (indices[0], weights[0], table)),
        ("bag_table", (grad, indices, weights, 0)), ("bag_table", (grad[:1], indices, weights, 5)),
        ("bag_table", (grad, indices, weights, -5)), ("bag_weights", (grad[:, :3], indices, table)),
        ("bag_weights", (grad, -1 - indices, table)), ("bag_weights", (grad[:1], indices, table)),
    ]:  # fmt: skip
        assert native.overrides[name](*arguments) is NotImplemented
