"""The matmul kernel for Hopper's tensor cores against NumPy in float64: layouts, odd sizes, stacks, NaN, refusals."""

import ml_dtypes
import numpy as np
import pytest

from minidl import backends
from minidl.backends import cuda, emulated
from minidl.backends.device_calls import stream, view

DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def operand(xp, shape, dtype, turned, seed):
    """Random values on the device and on the host; lines of memory are padded to multiples of 16 bytes."""
    values = np.random.default_rng(seed).standard_normal(shape).astype(DTYPES[dtype])
    axes = (*range(values.ndim - 2), values.ndim - 1, values.ndim - 2)
    stored = values.transpose(axes) if turned else values
    padded = np.zeros((*stored.shape[:-1], -(-stored.shape[-1] // 8) * 8), values.dtype)
    padded[..., : stored.shape[-1]] = stored
    device = xp.asarray(padded)[..., : stored.shape[-1]]
    return (device.transpose(axes) if turned else device), values.astype(float)


def multiply(device, a, b, out):
    extension = (emulated if device == "emulated" else cuda).extension()
    return extension.matmul_wgmma(view(a), view(b), view(out), stream(backends.on(device).xp))


@pytest.fixture
def hopper(gpu):
    if gpu == "cuda" and backends.on("cuda").xp.cuda.Device().compute_capability != "90":
        pytest.skip("the GPU is no Hopper")
    return gpu


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("turned", [(False, True), (False, False), (True, True), (True, False)], ids=str)
@pytest.mark.parametrize("shape", [(1, 70, 136, 200), (2, 17, 9, 33)], ids=str)
def test_every_layout(hopper, dtype, turned, shape):
    xp = backends.on(hopper).xp
    batch, m, n, k = shape
    a, a_values = operand(xp, (batch, m, k), dtype, turned[0], 1)
    b, b_values = operand(xp, (batch, k, n), dtype, turned[1], 2)
    out = xp.empty((batch, m, n), a.dtype)
    assert multiply(hopper, a, b, out)
    tolerance = 4e-3 if dtype == "float16" else 2e-2
    np.testing.assert_allclose(out.get().astype(float), a_values @ b_values, rtol=tolerance, atol=tolerance)


def test_nan_spreads_to_its_row_only(hopper):
    xp = backends.on(hopper).xp
    a, a_values = operand(xp, (8, 64), "bfloat16", False, 1)
    a_values[3, 5] = np.nan
    a = xp.asarray(a_values.astype(DTYPES["bfloat16"]))
    b, _ = operand(xp, (64, 8), "bfloat16", False, 2)
    out = xp.empty((8, 8), a.dtype)
    assert multiply(hopper, a, b, out)
    found = np.isnan(out.get().astype(float))
    assert found[3].all() and found.sum() == 8


def test_what_the_kernel_does_not_take(hopper):
    xp = backends.on(hopper).xp
    a, _ = operand(xp, (8, 16), "float16", False, 1)
    b, _ = operand(xp, (16, 8), "float16", False, 2)
    out = xp.empty((8, 8), a.dtype)
    assert multiply(hopper, a, b, out)
    assert not multiply(hopper, a[:, 1:], b[1:], out)  # 2 bytes beyond a multiple of 16
    assert not multiply(hopper, a[:, :0], b[:0], out)
    assert not multiply(hopper, xp.empty((8, 16), "float32"), xp.empty((16, 8), "float32"), out)
