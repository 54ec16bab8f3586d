"""Random numbers: the published vectors, the same stream everywhere, and the distributions that they claim."""

import copy
import math
import os
import pickle
import statistics
import threading

import numpy as np
import pytest
import thread_counts
from accelerators import ACCELERATORS, usable

import minidl
from minidl import backends
from minidl.backends.reference import random as reference

SIZES = (0, 1, 3, 4, 5, 33, 70_001)
FLOATS = ("float16", "bfloat16", "float32", "float64")


# --- the generator itself -------------------------------------------------------------------------------------

# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, result.
VECTORS = [
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), VECTORS)
def test_published_vectors(counter, key, result):
    arrays = [np.array([word], np.uint64) for word in counter]
    block = reference._philox(*arrays, key[0] | key[1] << 32)
    assert tuple(int(word[0]) for word in block) == result


@pytest.mark.parametrize(("counter", "key", "result"), VECTORS)
def test_published_vectors_in_c(native, counter, key, result):
    from minidl import _native

    assert tuple(_native.philox_block(counter, key)) == result


def test_words_are_numbered_as_documented():
    seed, offset = (5 << 32) | 7, (3 << 32) | 0xFFFFFFFE
    words = reference.philox_bits(np, (16,), np.uint32, seed, offset)
    for i in range(4):
        block = (offset + i) % 2**64
        counter = [np.array([word], np.uint64) for word in (block & 0xFFFFFFFF, block >> 32, 0, 0)]
        wanted = [int(word[0]) for word in reference._philox(*counter, seed)]
        assert words[4 * i : 4 * i + 4].tolist() == wanted


@pytest.mark.parametrize("span", [1, 7, 2**32, 2**32 + 1, 3 * 2**62, 2**64 - 1, 2**64])
def test_integers_are_exact(span):
    words = reference.philox_bits(np, (400,), np.uint32, 1, 9).tolist()
    drawn = reference.philox_randint(np, (50,), np.int64, 1, 9, -5, span).tolist()
    for i, value in enumerate(drawn):
        if span <= 2**32:
            wanted = (words[2 * i] | words[2 * i + 1] << 32) * span >> 64
        else:
            wanted = sum(words[4 * i + j] << 32 * j for j in range(4)) * span >> 128
        assert value % 2**64 == (wanted - 5) % 2**64


# --- every backend gives the same -----------------------------------------------------------------------------


def draws(space, size, seed, offset):
    """(name, exact, array) of each function of a namespace."""
    for bits in (np.uint32, np.uint64):
        yield f"bits {bits}", True, space.philox_bits((size,), np.dtype(bits), seed, offset)
    for name in FLOATS:
        dtype = getattr(minidl, name).numpy
        yield f"uniform {name}", True, space.philox_uniform((size,), dtype, seed, offset)
        yield f"normal {name}", False, space.philox_normal((size,), dtype, seed, offset)
        yield f"exponential {name}", False, space.philox_exponential((size,), dtype, seed, offset)
    for span in (10, 2**40, 2**64):
        yield (
            f"integers {span}",
            True,
            space.philox_randint((size,), np.dtype(np.int64), seed, offset, -(2**63), span),
        )
    yield "permutation", True, space.philox_randperm(size, np.dtype(np.int32), seed, offset)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("seed", "offset"), [(0, 0), (2**64 - 1, 2**32 - 2), (12345678901234567, 2**64 - 3)])
@pytest.mark.parametrize("where", ["native", *ACCELERATORS])
def test_backends_agree(where, size, seed, offset, request):
    request.getfixturevalue("native") if where == "native" else usable(where)
    if where == "emulated" and size > 100:
        size = 500
    space = backends.cpu if where == "native" else backends.on(where)
    pairs = zip(draws(backends.reference, size, seed, offset), draws(space, size, seed, offset), strict=True)
    for (name, exact, wanted), (_, _, found) in pairs:
        found = backends.to_numpy(found)
        assert found.dtype == wanted.dtype
        if exact or not size:
            np.testing.assert_array_equal(found, wanted, err_msg=name)
        else:
            wide = (found.astype(np.float64), wanted.astype(np.float64))
            spacing = np.abs(np.spacing(wanted).astype(np.float64))
            assert bool((np.abs(wide[0] - wide[1]) <= 4 * spacing).all()), name


def test_threads_do_not_matter(native):
    thread_counts.assert_no_difference(lambda: [native.philox_normal((200_003,), np.dtype(np.float32), 3, 4)])


def test_a_draw_is_a_prefix_of_a_longer_one():
    for name in ("philox_uniform", "philox_normal", "philox_exponential"):
        short, long = (getattr(backends.cpu, name)((n,), np.dtype(np.float32), 1, 2) for n in (7, 100))
        np.testing.assert_array_equal(short, long[:7])


# --- distributions --------------------------------------------------------------------------------------------

COUNT = 100_000


def assert_follows(samples, cdf):
    """Kolmogorov and Smirnov: the largest distance of the distributions, at a chance of 1e-6 of being wrong."""
    samples = np.sort(np.asarray(samples, np.float64))
    expected = cdf(samples)
    steps = np.arange(len(samples) + 1) / len(samples)
    distance = max(np.abs(expected - steps[1:]).max(), np.abs(expected - steps[:-1]).max())
    assert distance < math.sqrt(math.log(2 / 1e-6) / 2 / len(samples))


normal_cdf = np.vectorize(lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions(dtype):
    kind = getattr(minidl, dtype)
    empty = minidl.empty(COUNT, dtype=kind)
    assert_follows(minidl.rand(COUNT, dtype=kind).numpy(), lambda x: x)
    assert_follows(minidl.randn(COUNT, dtype=kind).numpy(), normal_cdf)
    assert_follows(empty.exponential_(2.0).numpy(), lambda x: 1 - np.exp(-2 * x))
    assert_follows(empty.normal_(3, 0.5).numpy(), lambda x: normal_cdf((x - 3) / 0.5))
    assert_follows(empty.uniform_(-2, 5).numpy(), lambda x: (x + 2) / 7)


def test_neighbours_are_independent():
    for draw in (minidl.rand, minidl.randn):
        sample = draw(COUNT, dtype=minidl.float64).numpy()
        sample = (sample - sample.mean()) / sample.std()
        for lag in (1, 2, 3, 4, 8):
            assert abs((sample[lag:] * sample[:-lag]).mean()) < 5 / math.sqrt(COUNT)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniforms_stay_inside(dtype):
    kind = getattr(minidl, dtype)
    sample = minidl.rand(COUNT, dtype=kind)
    bits = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[dtype]
    values = sample.numpy().astype(np.float64) * 2.0**bits
    assert values.min() >= 0
    assert values.max() < 2.0**bits
    np.testing.assert_array_equal(values, np.floor(values))
    stretched = minidl.empty(COUNT, dtype=kind).uniform_(1, 2).numpy().astype(np.float64)
    assert stretched.min() >= 1
    assert stretched.max() < 2
    assert minidl.empty(3, dtype=kind).uniform_(2, 2).tolist() == [2, 2, 2]
    assert np.isfinite(minidl.randn(COUNT, dtype=kind).numpy().astype(np.float64)).all()
    assert minidl.empty(COUNT, dtype=kind).exponential_().numpy().astype(np.float64).min() > 0


def test_integers_and_permutations():
    drawn = minidl.randint(-3, 4, (70_000,)).numpy()
    counts = np.bincount(drawn + 3, minlength=7)
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 50  # chi squared, 6 degrees of freedom: 5e-9
    assert minidl.randint(10, (2, 3)).shape == (2, 3)
    assert minidl.randint(2, (5,), dtype=minidl.uint8).dtype is minidl.uint8
    places = np.stack([minidl.randperm(5).numpy() for _ in range(2000)])
    assert (np.sort(places) == np.arange(5)).all()
    for column in places.T:
        assert ((np.bincount(column, minlength=5) - 400) ** 2 / 400).sum() < 50
    assert minidl.randperm(0).tolist() == []
    assert sorted(minidl.randperm(1000, dtype=minidl.int16).tolist()) == list(range(1000))


def test_random_in_place():
    assert set(minidl.empty(1000, dtype=minidl.int64).random_(3).tolist()) == {0, 1, 2}
    assert set(minidl.empty(1000).random_(-1, 2).tolist()) == {-1.0, 0.0, 1.0}
    assert set(minidl.empty(100, dtype=minidl.bool).random_().tolist()) == {False, True}
    wide = minidl.empty(1000, dtype=minidl.int64).random_().numpy()
    assert wide.min() >= 0
    assert wide.max() > 2**61
    full = minidl.empty(1000, dtype=minidl.int64).random_(-(2**63), 2**63).numpy()
    assert full.min() < -(2**61)
    assert minidl.empty(1000).random_().max().item() <= 2**24


def test_bernoulli():
    chances = minidl.tensor([0.0, 0.25, 1.0]).reshape(3, 1).expand(3, COUNT)
    rates = minidl.bernoulli(chances).numpy().mean(1)
    assert rates[0] == 0
    assert rates[2] == 1
    assert abs(rates[1] - 0.25) < 0.01
    assert abs(minidl.empty(COUNT).bernoulli_(0.3).numpy().mean() - 0.3) < 0.01
    assert minidl.empty(3, dtype=minidl.int64).bernoulli_(1.0).tolist() == [1, 1, 1]
    assert abs(minidl.empty(2, COUNT).bernoulli_(minidl.tensor([[0.1], [0.9]])).numpy().mean() - 0.5) < 0.01
    rare = minidl.zeros(10 * COUNT) + 1e-9  # below the step of a float32 uniform
    assert minidl.bernoulli(rare).sum().item() == 0


def test_multinomial():
    weights = minidl.tensor([[0.0, 1.0, 3.0, 0.0], [2.0, 0.0, 0.0, 2.0]])
    drawn = minidl.multinomial(weights, 20_000, replacement=True).numpy()
    assert abs((drawn[0] == 2).mean() - 0.75) < 0.02
    assert abs((drawn[1] == 0).mean() - 0.5) < 0.02
    assert set(drawn[0]) == {1, 2}
    without = np.stack([minidl.multinomial(weights[0], 2).numpy() for _ in range(3000)])
    assert set(map(tuple, without)) == {(1, 2), (2, 1)}
    assert abs((without[:, 0] == 2).mean() - 0.75) < 0.04
    assert minidl.multinomial(weights.double(), 1).shape == (2, 1)


def test_normal_of_tensors():
    mean, std = minidl.tensor([[0.0], [100.0]]), minidl.tensor([1.0, 0.0])
    drawn = minidl.normal(mean, std)
    assert drawn.shape == (2, 2)
    assert drawn[1, 1].item() == 100
    assert abs(minidl.normal(5.0, minidl.ones(COUNT)).numpy().mean() - 5) < 0.02
    assert abs(minidl.normal(minidl.ones(COUNT), 2.0).numpy().std() - 2) < 0.02
    assert minidl.normal(0.0, 1.0, (2, 3)).shape == (2, 3)


def test_like_and_options():
    source = minidl.empty(2, 3, dtype=minidl.float64)
    for make in (minidl.rand_like, minidl.randn_like):
        assert make(source).dtype is minidl.float64
        assert make(source, dtype=minidl.float16).dtype is minidl.float16
        assert make(source, requires_grad=True).requires_grad
    assert minidl.randint_like(source, 3).shape == (2, 3)
    assert minidl.randint_like(source, 5, 6).tolist() == [[5.0] * 3] * 2
    assert minidl.rand((2, 3)).shape == minidl.rand([2, 3]).shape == minidl.rand(2, 3).shape == (2, 3)
    assert minidl.rand(()).shape == ()
    assert minidl.rand(0, 3).shape == (0, 3)


# --- generators -----------------------------------------------------------------------------------------------


def test_seeds_and_states():
    first = minidl.manual_seed(5)
    assert first is minidl.default_generator
    assert minidl.initial_seed() == 5
    a = minidl.rand(3).tolist()
    state = minidl.get_rng_state()
    assert state.dtype is minidl.uint8
    b = minidl.rand(3).tolist()
    minidl.set_rng_state(state)
    assert minidl.rand(3).tolist() == b != a
    minidl.manual_seed(5)
    assert minidl.rand(3).tolist() == a
    with minidl.random.fork_rng():
        minidl.rand(100)
    assert minidl.rand(3).tolist() == b
    assert minidl.seed() == minidl.initial_seed() != minidl.seed()
    minidl.manual_seed(-1)
    assert minidl.initial_seed() == 2**64 - 1


def test_generators_are_their_own():
    minidl.manual_seed(1)
    generator = minidl.Generator().manual_seed(1)
    own = minidl.randn(4, generator=generator).tolist()
    assert minidl.randn(4).tolist() == own
    twins = generator.clone_state(), copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))
    following = minidl.rand(2, generator=generator).tolist()
    for twin in twins:
        assert minidl.rand(2, generator=twin).tolist() == following
    assert generator.initial_seed() == 1
    assert repr(generator).startswith("<minidl.Generator device=cpu seed=1")


def test_threads_share_a_generator_without_overlap():
    generator = minidl.Generator().manual_seed(0)
    drawn = [[] for _ in range(4)]

    def draw(mine):
        for _ in range(300):
            mine.append(generator.reserve(3)[1])

    threads = [threading.Thread(target=draw, args=(mine,)) for mine in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(offset for mine in drawn for offset in mine) == list(range(1200))


def test_a_fork_while_the_lock_is_held_can_draw():
    from minidl.ops import generator

    with generator._lock:
        child = os.fork()
        if child == 0:
            minidl.rand(2)
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: minidl.rand(-1), RuntimeError, "negative dimension -1"),
        (lambda: minidl.rand(2, dtype=minidl.int64), RuntimeError, "floating-point dtypes, got minidl.int64"),
        (lambda: minidl.rand(1.5), TypeError, "float"),
        (lambda: minidl.randint(3, 3, (1,)), RuntimeError, "from=3 >= to=3"),
        (
            lambda: minidl.randint(0, 300, (1,), dtype=minidl.uint8),
            RuntimeError,
            r"to - 1 is out of bounds.*299",
        ),
        (lambda: minidl.randint(5), TypeError, "size is missing"),
        (lambda: minidl.randperm(-1), RuntimeError, "non-negative, got -1"),
        (lambda: minidl.randperm(300, dtype=minidl.uint8), RuntimeError, "too large"),
        (lambda: minidl.empty(1).uniform_(2, 1), RuntimeError, "from=2 > to=1"),
        (lambda: minidl.empty(1).uniform_(0, math.inf), RuntimeError, "out of bounds"),
        (lambda: minidl.empty(1).normal_(0, -1), RuntimeError, "std >= 0.0, but found std -1"),
        (lambda: minidl.empty(1).normal_(0, math.nan), RuntimeError, "found std nan"),
        (lambda: minidl.normal(0.0, minidl.tensor([-1.0])), RuntimeError, "all elements of std"),
        (lambda: minidl.empty(1).exponential_(0), RuntimeError, "lambda > 0.0"),
        (lambda: minidl.empty(1).bernoulli_(1.5), RuntimeError, r"\[0, 1\], but got p=1.5"),
        (lambda: minidl.bernoulli(minidl.tensor([math.nan])), RuntimeError, "p_in >= 0"),
        (lambda: minidl.bernoulli(minidl.tensor([1])), RuntimeError, "floating-point"),
        (lambda: minidl.empty(1, dtype=minidl.int64).normal_(), RuntimeError, "floating-point"),
        (lambda: minidl.multinomial(minidl.ones(2), 3), RuntimeError, "without replacement: 3 > 2"),
        (lambda: minidl.multinomial(minidl.ones(2), 0), RuntimeError, "n_sample <= 0"),
        (lambda: minidl.multinomial(minidl.zeros(2), 1), RuntimeError, "sum of probabilities <= 0"),
        (lambda: minidl.multinomial(minidl.tensor([1.0, 0.0]), 2), RuntimeError, "not enough non-negative"),
        (lambda: minidl.multinomial(minidl.tensor([1.0, -1.0]), 1), RuntimeError, "element < 0"),
        (lambda: minidl.multinomial(minidl.tensor([1.0, math.inf]), 1), RuntimeError, "inf"),
        (lambda: minidl.multinomial(minidl.ones(1, 1, 1), 1), RuntimeError, "1 or 2 dim"),
        (lambda: minidl.manual_seed(2**64), ValueError, "Overflow"),
        (lambda: minidl.manual_seed("1"), TypeError, "got str"),
        (lambda: minidl.set_rng_state(minidl.zeros(16)), TypeError, "ByteTensor"),
        (lambda: minidl.rand(1, generator=3), TypeError, "must be a minidl.Generator"),
        (
            lambda: minidl.rand(1, generator=minidl.Generator("cuda")),
            RuntimeError,
            "'cpu' device type for generator",
        ),
        (lambda: minidl.ones(2, requires_grad=True).uniform_(), RuntimeError, "leaf Variable"),
        (lambda: minidl.ones(1).expand(2).uniform_(), RuntimeError, "more than one element"),
    ],
)
def test_refusals(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_a_refused_write_draws_nothing():
    state = minidl.get_rng_state().tolist()
    with pytest.raises(RuntimeError):
        minidl.ones(2, requires_grad=True).normal_()
    assert minidl.get_rng_state().tolist() == state


def test_the_standard_library_agrees_on_the_normal_distribution():
    sample = minidl.randn(COUNT, dtype=minidl.float64).numpy()
    for quantile in (0.001, 0.1, 0.5, 0.9, 0.999):
        rate = (sample < statistics.NormalDist().inv_cdf(quantile)).mean()
        assert abs(rate - quantile) < 5 * math.sqrt(quantile * (1 - quantile) / COUNT)
