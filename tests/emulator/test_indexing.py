"""Reading, writing and adding at indices by the CUDA kernels against NumPy; bad indices are told at the next look."""

import ml_dtypes
import numpy as np
import pytest

import minidl
from minidl import backends
from minidl.backends import determinism

VALUES = [bool, np.uint8, np.float16, ml_dtypes.bfloat16, np.float32, np.int32, np.float64, np.int64]
ADDED = [d for d in VALUES if d is not bool]
values = pytest.mark.parametrize("dtype", VALUES, ids=lambda d: np.dtype(d).name)
added = pytest.mark.parametrize("dtype", ADDED, ids=lambda d: np.dtype(d).name)
indices = pytest.mark.parametrize("kind", [np.int32, np.int64], ids=["int32", "int64"])
RNG = np.random.default_rng


@pytest.fixture
def backend(gpu):
    return backends.on(gpu)


def served(backend, name, *args):
    """The result of a function of the backend on NumPy arrays, which no part of it may leave to the reference."""
    xp = backend.xp

    def moved(value):
        if isinstance(value, tuple):
            return tuple(map(moved, value))
        if not isinstance(value, np.ndarray):
            return value
        spread = np.zeros([2 * n for n in value.shape[::-1]], value.dtype)
        spread[(slice(None, None, 2),) * value.ndim] = value.transpose()
        return xp.asarray(spread)[(slice(None, None, 2),) * value.ndim].transpose()

    args = [moved(value) for value in args]
    with backends.trace_fallbacks() as fallen:
        out = getattr(backend, name)(*args)
    assert not fallen
    return args[0].get() if out is None else backends.to_numpy(out)


def whole(dtype, *shape):
    """Small whole numbers: sums of them are exact in every dtype."""
    return RNG(sum(shape)).integers(0, 5, shape).astype(dtype)


def exactly(found, expected):
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.astype(float), expected.astype(float))


@indices
@values
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_gather_and_scatter(dim, dtype, kind, backend):
    input = whole(dtype, 5, 6, 7)
    shape = [4, 5, 6]
    shape[dim] = 9
    index = RNG(dim).integers(0, input.shape[dim], shape).astype(kind)
    reference = backends.reference
    exactly(served(backend, "take_along", input, dim, index), reference.take_along(input, dim, index))
    source = whole(dtype, *shape)
    exactly(
        served(backend, "put_along", input, dim, index, source),
        reference.put_along(input, dim, index, source),
    )
    exactly(served(backend, "put_along", input, dim, index, 3), reference.put_along(input, dim, index, 3))
    if dtype is not bool:
        found = served(backend, "add_along", input, dim, index, source)
        exactly(found, reference.add_along(input, dim, index, source))


FULL = slice(None)
INDICES = [
    lambda n: (n(3),),
    lambda n: (FULL, n(2, 3)),
    lambda n: (FULL, FULL, n(4)),
    lambda n: (n(3), n(3)),
    lambda n: (n(2, 1), FULL, n(3)),
    lambda n: (FULL, n(2, 1), n(1, 3)),
    lambda n: (n(2), n(3, 2), n(3, 1)),
    lambda n: n(4),
    lambda n: (n(0),),
    lambda n: (n(3).astype(np.int16), FULL, n(3)),
]


@indices
@added
@pytest.mark.parametrize("place", range(len(INDICES)))
def test_indexing(place, dtype, kind, backend):
    index = INDICES[place](lambda *shape: RNG(sum(shape)).integers(-5, 5, shape).astype(kind))
    input = whole(dtype, 5, 6, 8)
    exactly(served(backend, "getitem", input, index), input[index])
    g = whole(dtype, *input[index].shape)
    expected = np.zeros_like(input)
    np.add.at(expected, index, g)
    exactly(served(backend, "index_add", g, index, input.shape), expected)
    target = input.copy()
    target[index] = g
    exactly(served(backend, "setitem", input, index, g), target)


def test_rows_move_in_packs(backend):
    xp, table = backend.xp, whole(np.float32, 9, 16)
    pick = RNG(1).integers(0, 9, (3, 5))
    for columns in (16, 12, 6, 3):
        out = backend.getitem(xp.asarray(table)[:, :columns], (xp.asarray(pick),))
        exactly(out.get(), table[pick, :columns])


@pytest.fixture(params=[False, True], ids=["fixed order", "any order"])
def order(request):
    determinism.allow_any_order(request.param)
    yield
    determinism.allow_any_order(False)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("freq", [False, True])
def test_embedding_and_its_gradient(freq, dtype, order, backend):
    table = RNG(2).standard_normal((11, 6)).astype(dtype)
    for kind, shape in (
        (np.int32, (7,)),
        (np.int64, (40, 9)),
        (np.uint8, (2, 3)),
        (np.int64, ()),
        (np.int64, (0,)),
    ):
        pick = RNG(3).integers(0, 11, shape).astype(kind)
        exactly(served(backend, "embedding", pick, table), table[pick])
        g = RNG(4).standard_normal((*shape, 6)).astype(dtype)
        found = served(backend, "embedding_dense_backward", g, pick, 11, 3, freq)
        wide = backends.reference.embedding_dense_backward(g.astype(float), pick, 11, 3, freq)
        limit = {2: 2e-2, 4: 1e-5, 8: 1e-12}[np.dtype(dtype).itemsize]
        np.testing.assert_allclose(found.astype(float), wide, rtol=limit, atol=limit)
        assert found.dtype == dtype and not found[3].any()


def test_one_place_that_all_share(backend):
    g = RNG(5).standard_normal((700, 3))
    pick = np.full(700, 70000)
    pick[::50] = 300
    found = served(backend, "embedding_dense_backward", g, pick, 70001, -1, False)
    expected = np.zeros((70001, 3))
    np.add.at(expected, pick, g)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_additions_have_the_same_bits_whatever_the_schedule(backend, monkeypatch):
    g = RNG(6).standard_normal((500, 2)).astype(np.float32)
    pick = RNG(7).integers(0, 3, 500)
    found = set()
    for seed in ("", "4", "5"):
        monkeypatch.setenv("MINIDL_EMULATOR_SEED", seed)
        found.add(served(backend, "embedding_dense_backward", g, pick, 3, -1, False).tobytes())
    assert len(found) == 1


def test_the_last_write_stays(backend):
    for _ in range(2):
        found = served(backend, "put_along", np.zeros(3), 0, np.zeros(300, int), np.arange(300.0))
        assert found.tolist() == [299, 0, 0]


def test_masks_are_left_to_the_reference(backend):
    x = backend.xp.asarray(np.arange(4.0))
    with backends.trace_fallbacks() as fallen:
        assert backend.getitem(x, (x > 1,)).get().tolist() == [2, 3]
        assert backend.getitem(x, (slice(1, 3),)).get().tolist() == [1, 2]
    assert [name for _, name in fallen] == ["getitem"]


def late(device, call, text):
    """``call`` goes through; its bad index is told when a result reaches the host, and then is forgotten."""
    out = call()
    with pytest.raises(IndexError, match=text):
        out.cpu()
    assert minidl.ones(2).to(device).sum().item() == 2


def test_bad_indices_are_told_when_results_reach_the_host(gpu):
    table = minidl.arange(12.0).reshape(4, 3).to(gpu)

    def bad(*numbers):
        return minidl.tensor(numbers).to(gpu)

    functional = minidl.nn.functional
    late(gpu, lambda: functional.embedding(bad(1, 4), table), "table has 4 rows.*one is 4")
    late(gpu, lambda: functional.embedding(bad(-1), table), "one is -1")
    late(gpu, lambda: functional.cross_entropy(table, bad(0, 1, 3, 2)), "Target 3 .* 3 classes")
    late(gpu, lambda: functional.nll_loss(table, bad(0, -1, -100, 2)), "Target -1 .* 3 classes")
    late(gpu, lambda: table.gather(0, bad(0, 9, 1).reshape(1, 3)), "index 9 .* dimension 0 with size 4")
    late(gpu, lambda: table.index_select(1, bad(0, 3)), "index 3 .* dimension 1 with size 3")
    late(gpu, lambda: table[bad(-5)], "index -5 .* dimension 0 with size 4")
    late(gpu, lambda: table.scatter_add(1, bad(7).reshape(1, 1), table), "index 7 .* dimension 1 with size 3")
    late(gpu, lambda: table.index_add(0, bad(4), table[:1]), "index 4 .* dimension 0 with size 4")


def test_gradients_with_a_bad_index_go_through(gpu):
    table = minidl.ones(4, 3).to(gpu).requires_grad_()
    minidl.nn.functional.embedding(minidl.tensor([0, 5]).to(gpu), table).sum().backward()
    with pytest.raises(IndexError, match="one is 5"):
        table.grad.cpu()
    np.testing.assert_array_equal(table.grad.cpu().numpy(), [[1] * 3, [0] * 3, [0] * 3, [0] * 3])


@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_a_bad_target_counts_as_ignored_until_it_is_told(loss, gpu):
    logits = minidl.ones(3, 2).to(gpu).requires_grad_()
    target = minidl.tensor([1, 2, 0], dtype=minidl.int32)
    getattr(minidl.nn.functional, loss)(logits, target.to(gpu)).backward()
    with pytest.raises(IndexError, match="Target 2"):
        logits.grad.cpu()
    assert logits.grad.cpu()[1].tolist() == [0, 0]
    assert logits.grad.cpu()[0].tolist() != [0, 0]
