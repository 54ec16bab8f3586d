"""Results whose memory is recycled: ordinary arrays, correct bytes, a bounded store."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

native = pytest.importorskip("minidl._native", reason="needs the compiled extension")

_LARGE = (256, 1024)  # 1 MiB of float32


@pytest.fixture(autouse=True)
def nothing_idle():
    gc.collect()
    native.release_blocks()
    yield
    native.release_blocks()


@pytest.mark.skipif(os.environ.get("MINIDL_CPU_CACHE") == "0", reason="nothing is kept here")
def test_a_freed_result_serves_the_next():
    made = native.empty(_LARGE, np.dtype(np.float32))
    address = made.ctypes.data
    del made
    assert native.idle_bytes() >= 2**20
    again = native.empty(_LARGE, np.dtype(np.float32))
    assert again.ctypes.data == address and native.idle_bytes() == 0


def test_two_live_results_never_share_memory():
    made = [native.empty(_LARGE, np.dtype(np.float32)) for _ in range(8)]
    for value, array in enumerate(made):
        array[...] = value
    assert [float(a.min()) for a in made] == [float(a.max()) for a in made] == list(range(8))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 5), (1,), (16384,), (16385,), (70000, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_is_an_ordinary_array(shape, dtype):
    made = native.empty(shape, np.dtype(dtype))
    assert made.shape == shape and made.dtype == dtype
    assert made.flags.owndata and made.flags.c_contiguous and made.flags.writeable and made.base is None
    made[...] = 1
    assert np.all(made == 1)


@pytest.mark.parametrize("size", [10, 2**18, 2**20])
def test_resize_keeps_the_values(size):
    made = native.empty((2**18,), np.dtype(np.float32))
    made[:] = np.arange(2**18)
    made.resize(size, refcheck=False)
    kept = min(size, 2**18)
    assert np.array_equal(made[:kept], np.arange(kept, dtype=np.float32))
    del made
    other = native.empty((size,), np.dtype(np.float32))
    other[:] = 1


def test_an_array_outlives_a_release():
    made = native.empty(_LARGE, np.dtype(np.float32))
    made[...] = 3
    native.release_blocks()
    assert np.all(made == 3)


@pytest.mark.parametrize(("limit", "most"), [("0", 0), ("3", 3 * 2**20)])
def test_the_environment_bounds_what_lies_idle(limit, most):
    code = (
        "import numpy as np; from minidl import _native as n\n"
        "arrays = [n.empty((2**18,), np.dtype(np.float32)) for _ in range(6)]\n"
        "del arrays; print(n.idle_bytes())"
    )
    environment = {**os.environ, "MINIDL_CPU_CACHE": limit}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == most


def test_too_large_a_result_is_a_memory_error():
    with pytest.raises(MemoryError):
        native.empty((2**50,), np.dtype(np.float32))
