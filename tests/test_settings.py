"""Switches that change nothing, and the classes by which PyTorch once named tensors."""

import pytest

import minidl


def test_the_precision_is_remembered():
    before = minidl.get_float32_matmul_precision()
    minidl.set_float32_matmul_precision("medium")
    assert minidl.get_float32_matmul_precision() == "medium"
    minidl.set_float32_matmul_precision(before)
    with pytest.raises(RuntimeError, match="should be one of"):
        minidl.set_float32_matmul_precision("low")


def test_determinism_is_remembered():
    minidl.use_deterministic_algorithms(True, warn_only=True)
    assert minidl.are_deterministic_algorithms_enabled()
    assert minidl.is_deterministic_algorithms_warn_only_enabled()
    minidl.use_deterministic_algorithms(False)
    assert not minidl.are_deterministic_algorithms_enabled()


def test_compile_gives_the_same_back():
    layer = minidl.nn.Linear(2, 3)
    assert minidl.compile(layer) is layer
    assert minidl.compile(mode="reduce-overhead")(abs) is abs
    with pytest.raises(TypeError):
        minidl.compile(3)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("FloatTensor", "float32"), ("LongTensor", "int64"), ("BoolTensor", "bool"), ("ByteTensor", "uint8")],
)
def test_typed_tensors(name, dtype):
    made = getattr(minidl, name)([1, 0])
    assert made.dtype is getattr(minidl, dtype)
    assert made.tolist() == [1, 0]
    assert getattr(minidl, name)(2, 3).shape == (2, 3)
    assert isinstance(made, getattr(minidl, name))
    assert not isinstance(made, minidl.DoubleTensor)
    assert not isinstance(3, minidl.FloatTensor)


def test_what_is_not_there_says_why():
    with pytest.raises(AttributeError, match="sparse tensors are not supported"):
        minidl.sparse_coo_tensor  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        minidl.nothing  # noqa: B018


@pytest.mark.parametrize("name", ["poisson", "binomial", "geometric_", "cauchy_", "log_normal_"])
def test_distributions_have_their_moments(name):
    minidl.manual_seed(0)
    x = minidl.full((20000,), 3.0, dtype=minidl.float64)
    draws = {
        "poisson": lambda: (minidl.poisson(x), 3.0),
        "binomial": lambda: (minidl.binomial(x * 4, x / 10), 3.6),
        "geometric_": lambda: (x.geometric_(0.25), 4.0),
        "cauchy_": lambda: (x.cauchy_(2.0, 1.0).clamp(-100, 104), 2.0),
        "log_normal_": lambda: (x.log_normal_(0.0, 0.5), 1.1331),
    }
    found, mean = draws[name]()
    centre = found.median() if name == "cauchy_" else found.mean()
    assert abs(float(centre) - mean) < 0.08
