"""minidl._cuda on a machine with or without a GPU, and the arguments that the extensions refuse."""

import numpy as np
import pytest

from minidl.backends import cuda, emulated


def describe(array):
    return array.__array_interface__["data"][0], array.dtype.char, array.shape, array.strides


def test_cuda_imports_without_a_driver():
    if cuda.extension() is None:
        pytest.skip(cuda.extension_reason())
    count, reason = cuda.extension().device_count()
    assert (count == 0) == bool(reason)


def test_a_missing_gpu_has_a_reason():
    reason = cuda.unavailable_reason()
    assert reason is None or reason.endswith((".", "driver."))


def test_both_extensions_have_the_same_functions():
    if cuda.extension() is None or emulated.extension() is None:
        pytest.skip("one of the extensions is not built")
    both = [{n for n in dir(room.extension()) if not n.startswith("_")} for room in (cuda, emulated)]
    assert both[0] == both[1]


x = np.zeros((2, 3), np.float32)
REFUSED = {
    "dtype": (TypeError, "complex64", (0, "F", (2, 3), (24, 8))),
    "null": (ValueError, "address 0", (0, "f", (2, 3), (12, 4))),
    "strides": (ValueError, "differ in length", (describe(x)[0], "f", (2, 3), (4,))),
    "odd stride": (ValueError, "not a multiple", (describe(x)[0], "f", (2, 3), (12, 5))),
    "negative size": (ValueError, "negative size", (describe(x)[0], "f", (2, -3), (12, 4))),
    "parts": (ValueError, "3 parts", (describe(x)[0], "f", (2, 3))),
    "shape": (ValueError, r"\[2, 4\]", (describe(x)[0], "f", (2, 4), (16, 4))),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_arrays_that_the_extension_refuses(case):
    if emulated.extension() is None:
        pytest.skip(emulated.unavailable_reason())
    error, text, array = case
    with pytest.raises(error, match=text if error is not TypeError else "dtype 'F'"):
        emulated.extension().softmax(array, 1, False, describe(x), 0)


def test_faults_in_a_kernel_become_exceptions(monkeypatch):
    if emulated.extension() is None:
        pytest.skip(emulated.unavailable_reason())
    monkeypatch.setenv("MINIDL_EMULATOR_SEED", "many")
    with pytest.raises(ValueError, match="MINIDL_EMULATOR_SEED='many'"):
        emulated.extension().softmax(describe(x), 1, False, describe(x), 0)
