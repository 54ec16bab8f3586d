"""The stand-in for CuPy refuses what CuPy refuses, and never hands out a NumPy scalar."""

import operator

import numpy as np
import pytest

from minidl.backends.emulated import Array, asarray, memory, to_numpy, xp


@pytest.fixture
def a():
    return asarray(np.arange(6, dtype=np.float32).reshape(2, 3))


REFUSED = {
    "asarray": np.asarray,
    "a NumPy ufunc": np.exp,
    "a NumPy function": np.sum,
    "concatenate": lambda a: np.concatenate([a, a]),
    "a NumPy array on the right": lambda a: a + np.ones(3, np.float32),
    "a NumPy array on the left": lambda a: np.ones(3, np.float32) + a,
    "a 0-d NumPy array": lambda a: a * np.asarray(2.0),
    "a list": lambda a: a + [1, 2, 3],
    "a list in a ufunc": lambda a: xp.add(a, [1, 2, 3]),
    "a NumPy array in a ufunc": lambda a: xp.add(a, np.ones(3)),
    "a NumPy array in a function": lambda a: xp.where(a > 1, a, np.ones(3)),
    "a NumPy array in a list": lambda a: xp.concatenate([a, np.ones((1, 3))]),
    "a list for an array": lambda a: xp.sum([1.0, 2.0]),
    "a NumPy array as index": lambda a: a[np.array([0, 1])],
    "assigning a NumPy array": lambda a: a.__setitem__(0, np.ones(3)),
    "a keyword of NumPy's": lambda a: xp.sum(a, where=a > 1),
    "a keyword of NumPy's ufuncs": lambda a: xp.exp(a, where=a > 1),
    "hashing": hash,
    "an index": operator.index,
}


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED)
def test_refused(attempt, a):
    with pytest.raises(TypeError):
        attempt(a)


@pytest.mark.parametrize("name", ["float128", "einsum_call", "asscalar", "frombuffer_copy", "matrix", "lib2"])
def test_names_that_cupy_lacks(name):
    with pytest.raises(AttributeError, match=name):
        getattr(xp, name)


ZERO_DIMENSIONAL = {
    "sum": lambda a: a.sum(),
    "xp.max": lambda a: xp.max(a),
    "element": lambda a: a[0, 1],
    "arithmetic": lambda a: a[0, 1] + a[1, 1],
    "comparison": lambda a: a[0, 1] < 2,
    "negation": lambda a: -a[0, 1],
    "ufunc": lambda a: xp.exp(a[0, 0]),
    "reduction with axis": lambda a: a[0].argmax(axis=0),
}


@pytest.mark.parametrize("make", ZERO_DIMENSIONAL.values(), ids=ZERO_DIMENSIONAL)
def test_results_are_arrays_of_no_dimension(make, a):
    out = make(a)
    assert type(out) is Array and out.shape == () and type(out.get()) is np.ndarray


def test_one_value_is_read_by_asking(a):
    assert float(a.sum()) == 15.0 and int(a[1, 2]) == 5 and bool(a[0, 0] == 0) and a[1, 0].item() == 3.0


def test_numpy_scalars_and_numbers_meet_arrays(a):
    np.testing.assert_array_equal(to_numpy(np.float32(2) * a + 1), 2 * a.get() + 1)
    assert (a * 2.5).dtype == np.float32


def test_views_share_memory(a):
    row = a[1]
    row += 10
    assert a.get()[1].tolist() == [13.0, 14.0, 15.0]
    assert row.base is not None and row.data.ptr == a.data.ptr + a.strides[0]
    assert a.T.flags.f_contiguous and not a.T.flags.c_contiguous
    assert a.reshape(3, 2).data.ptr == a.data.ptr


def test_copies_to_and_from_the_device_are_copies(a):
    host = np.ones(3, np.float32)
    device = xp.asarray(host)
    host[:] = 2
    got = device.get()
    got[:] = 3
    assert device.get().tolist() == [1.0, 1.0, 1.0]
    assert xp.asarray(a) is a


def test_indices_that_cupy_would_not_check(a):
    far = xp.asarray(np.array([0, 7]))
    for attempt in (lambda: a[far], lambda: xp.take(a, far, axis=0), lambda: xp.add.at(a, far, 1.0)):
        with pytest.raises(AssertionError, match="out of bounds"):
            attempt()
    with pytest.raises(IndexError):
        a[7]


def test_out_is_what_is_returned(a):
    assert xp.add(a, a, out=a) is a and a.get()[1, 2] == 10


def test_new_memory_is_poisoned():
    assert np.isnan(xp.empty((2, 3), np.float32).get()).all()
    assert (xp.empty_like(xp.zeros(4, np.int32)).get() == np.iinfo(np.int32).max).all()


def test_fences_tell_a_stray_write():
    array = memory.empty((4,), np.float32)
    memory.check_fences()
    fence = array.base
    while fence.base is not None:
        fence = fence.base
    fence[-256] ^= 1
    with pytest.raises(RuntimeError, match="after an emulated array of 16 bytes"):
        memory.check_fences()
    fence[-256] ^= 1
