"""Optimizer steps of the native backend beside the reference."""

import numpy as np
import pytest
import thread_counts

from minidl import backends

RNG = np.random.default_rng(0)


def arrays(count, shape, dtype):
    return [RNG.standard_normal(shape).astype(dtype) for _ in range(count)]


SHAPES = [(), (1,), (0,), (3, 5), (70_001,)]
ADAM = [
    (1e-2, 0.9, 0.999, 1e-8, 0.0, False, False),
    (1e-2, 0.5, 0.9, 1e-3, 0.1, False, True),
    (1e-2, 0.0, 0.0, 1e-8, 0.1, True, False),
]
SGD = [
    (0.1, 0.0, 0.0, False, 0.0, False),
    (0.1, 0.9, 0.3, False, 0.1, True),
    (0.1, 0.9, 0.0, True, 0.0, False),
]


def adam_arguments(dtype, amsgrad):
    rng = np.random.default_rng(1)
    columns = [[np.asarray(rng.standard_normal(s)).astype(dtype) for s in SHAPES] for _ in range(5)]
    columns[3:] = [[np.asarray(abs(a)) for a in column] for column in columns[3:]]
    steps = [np.asarray(i, np.float32) for i in range(len(SHAPES))]
    return [*columns[:4], columns[4] if amsgrad else None, steps]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("options", ADAM)
def test_native_adam_agrees_with_reference(native, dtype, amsgrad, options):
    ours, wanted = adam_arguments(dtype, amsgrad), adam_arguments(dtype, amsgrad)
    for _ in range(3):
        with backends.trace_fallbacks() as fallen:
            native.adam_step(*ours, *options)
        assert not fallen
        backends.reference.adam_step(*wanted, *options)
    assert_columns(ours, wanted, dtype)


@pytest.mark.parametrize("column", [0, 1, 2, 3, 4])
def test_a_nan_stays_in_every_column_it_reaches(native, column):
    ours, wanted = adam_arguments(np.float32, True), adam_arguments(np.float32, True)
    for arguments in (ours, wanted):
        arguments[column][-1].reshape(-1)[0] = np.nan
    for _ in range(2):
        native.adam_step(*ours, *ADAM[0])
        backends.reference.adam_step(*wanted, *ADAM[0])
    assert_columns(ours, wanted, np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", SGD)
def test_native_sgd_agrees_with_reference(native, dtype, options):
    def make():
        rng = np.random.default_rng(2)
        columns = [[np.asarray(rng.standard_normal(s)).astype(dtype) for s in SHAPES] for _ in range(3)]
        return [*columns[:2], columns[2] if options[1] else None, [True, False, True, False, True]]

    ours, wanted = make(), make()
    if options[1]:
        ours[2][0][...] = np.nan  # a fresh buffer's content does not count
    for _ in range(3):
        with backends.trace_fallbacks() as fallen:
            native.sgd_step(*ours, *options)
        assert not fallen
        backends.reference.sgd_step(*wanted, *options)
        ours[3] = wanted[3] = [False] * len(SHAPES)
    assert_columns(ours[:3], wanted[:3], dtype)


SIZES = [*range(35), 16_383, 5, 0, 32_769, 1, 50_000]  # tensors end inside pieces, pieces inside tensors


def fenced(rng, dtype):
    """Arrays of all ``SIZES`` in one block, with a canary before and behind each."""
    block = np.full(sum(SIZES) + len(SIZES) + 1, np.nan, dtype)
    ends = np.cumsum([n + 1 for n in SIZES])
    arrays = [block[end - n : end] for n, end in zip(SIZES, ends, strict=True)]
    for array in arrays:
        array[...] = abs(rng.standard_normal(array.shape))
    return block, arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_over_tensors_of_any_size(native, dtype, amsgrad):
    def run(space):
        rng = np.random.default_rng(3)
        blocks, columns = zip(*(fenced(rng, dtype) for _ in range(5)), strict=True)
        steps = [np.asarray(i % 3, np.float32) for i in range(len(SIZES))]
        largest = columns[4] if amsgrad else None
        space.adam_step(*columns[:4], largest, steps, 1e-2, 0.9, 0.99, 1e-8, 0.1, False, False)
        return list(blocks)

    found = thread_counts.assert_no_difference(lambda: run(native))
    assert_columns([found], [run(backends.reference)], dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("momentum, nesterov", [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_over_tensors_of_any_size(native, dtype, momentum, nesterov):
    def run(space):
        rng = np.random.default_rng(3)
        blocks, columns = zip(*(fenced(rng, dtype) for _ in range(3)), strict=True)
        buffers = columns[2] if momentum else None
        fresh = [i % 2 == 0 for i in range(len(SIZES))]
        space.sgd_step(*columns[:2], buffers, fresh, 0.1, momentum, 0.0, nesterov, 0.0, False)
        return list(blocks)

    found = thread_counts.assert_no_difference(lambda: run(native))
    assert_columns([found], [run(backends.reference)], dtype)


def test_adam_passes_on_nan_and_infinity(native):
    param, mean = np.ones(40, np.float32), np.zeros(40, np.float32)
    square, largest, step = mean.copy(), mean.copy(), np.zeros((), np.float32)
    grad = np.ones(40, np.float32)
    grad[3], grad[35] = np.nan, np.inf
    native.adam_step(
        [param], [grad], [mean], [square], [largest], [step], 0.1, 0.9, 0.99, 1e-8, 0.0, False, False
    )
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(param)), [3, 35])
    assert np.isnan(largest[3]) and np.isinf(largest[35])


def assert_columns(ours, wanted, dtype):
    tolerance = 2e-6 if dtype == np.float32 else 1e-14
    for found, expected in zip(ours, wanted, strict=True):
        for a, b in zip(found or [], expected or [], strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_native_reads_gradients_of_any_layout(native):
    base, grad = np.zeros((3, 4)), RNG.standard_normal((4, 3)).T
    native.sgd_step([base], [grad], None, [False], 1.0, 0.0, 0.0, False, 0.0, False)
    np.testing.assert_array_equal(base, -grad)


def test_native_takes_any_order_that_all_share(native):
    """Channels-last parameters: with gradients and state in their order no fallback, whatever the others are."""

    def columns(order):
        made = [arrays(2, (4, 3, 5, 2), np.float32) for _ in range(4)]
        return [[order(array) for array in column] for column in made]

    def pixels(array):
        return np.ascontiguousarray(np.moveaxis(array, 1, -1)).transpose(0, 3, 1, 2)

    for order in (pixels, np.asfortranarray):
        found, steps = columns(order), [np.zeros((), np.float32) for _ in range(2)]
        expected = [[np.ascontiguousarray(array) for array in column] for column in found]
        assert native.overrides["adam_step"](*found, None, steps, *ADAM[0]) is None
        native.adam_step(*expected, None, [np.zeros((), np.float32) for _ in range(2)], *ADAM[0])
        for mine, wanted in zip(found, expected, strict=True):
            for a, b in zip(mine, wanted, strict=True):
                np.testing.assert_array_equal(a, b)
    gaps = columns(lambda array: np.repeat(array, 2, -1)[..., ::2])
    steps = [np.zeros((), np.float32) for _ in range(2)]
    assert native.overrides["adam_step"](*gaps, None, steps, *ADAM[0]) is NotImplemented
    assert steps[0] == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c[0].__setitem__(1, np.ones((4, 3), np.float32).T),  # parameter that is not contiguous
        lambda c: c[1].__setitem__(1, c[1][1].astype(np.float64)),  # gradient of another dtype
        lambda c: c[2].__setitem__(1, np.ones(5, np.float32)),  # state of another size
        lambda c: c[2].pop(),  # lists of different lengths
    ],
)
def test_native_refuses_before_it_writes(native, spoil):
    columns = [arrays(2, (3, 4), np.float32) for _ in range(4)]
    steps = [np.zeros((), np.float32) for _ in range(2)]
    spoil(columns)
    before = [column[0].copy() for column in columns]
    refused = native.overrides["adam_step"](*columns, None, steps, *ADAM[0])
    assert refused is NotImplemented
    assert steps[0] == 0
    for column, kept in zip(columns, before, strict=True):
        np.testing.assert_array_equal(column[0], kept)
