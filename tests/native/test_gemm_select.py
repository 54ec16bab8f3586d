"""How products are cut between threads: a pure function of the problem and the number of threads."""

import math

import pytest

_native = pytest.importorskip("minidl._native", exc_type=ImportError)


def plan(m, n, k, count=1, threads=2):
    return _native.gemm_plan(count, m, n, k, threads)


def test_small_products_stay_on_the_caller():
    for shape in [(64, 64, 64), (1, 1000, 200), (10, 64, 256), (0, 5, 5), (5, 0, 5), (5, 5, 0)]:
        assert plan(*shape)["cut"] == "none"
    assert plan(512, 512, 512, threads=1)["cut"] == "none"


def test_the_larger_of_rows_and_columns_is_cut():
    assert plan(8192, 64, 64)["cut"] == "rows"
    assert plan(64, 4096, 4096)["cut"] == "cols"
    assert plan(1, 4096, 4096)["cut"] == "cols"


def test_batches_are_cut_where_there_are_enough_products():
    assert plan(128, 128, 32, count=64)["cut"] == "batch"
    assert plan(4, 4, 4, count=100)["cut"] == "none"
    assert plan(16, 16, 16, count=1000) == plan(16, 16, 16, count=1000)
    assert plan(512, 512, 512, count=2)["cut"] == "rows"  # each is shared: two tasks could not be even


@pytest.mark.parametrize("threads", [2, 3, 8, 64])
def test_tasks_are_even(threads):
    for m, n, k in [
        (256, 256, 256),
        (512, 512, 512),
        (1000, 300, 300),
        (8192, 64, 64),
        (64, 4096, 4096),
        (333, 1777, 90),
    ]:
        chosen = plan(m, n, k, threads=threads)
        lines, tile = (m, 1) if chosen["cut"] == "rows" else (n, chosen["tile"][1])
        assert chosen["grain"] > 0 and chosen["grain"] % tile == 0
        tasks = math.ceil(lines / chosen["grain"])
        slowest = math.ceil(tasks / threads) * chosen["grain"]
        # No thread has more than its share, a tile more, and what the last task lacks.
        assert slowest <= math.ceil(lines / threads / tile) * tile * 1.15 + 16


def test_says_what_it_refuses():
    with pytest.raises(ValueError, match="gemm_plan"):
        plan(-1, 2, 3)
    with pytest.raises(ValueError, match="gemm_plan"):
        plan(1, 2, 3, threads=0)
