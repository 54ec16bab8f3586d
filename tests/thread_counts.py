"""The demand that a result has the same bits on any number of threads."""

import numpy as np

import minidl


def assert_no_difference(compute):
    """Runs ``compute``, which gives a list of arrays, on 1, 2 and 5 threads; gives one of the equal lists."""
    before = minidl.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            minidl.set_num_threads(count)
            assert minidl.get_num_threads() == count
            results.append(compute())
    finally:
        minidl.set_num_threads(before)
    for other in results[1:]:
        for mine, theirs in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    return results[0]
