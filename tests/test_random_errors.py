"""Random numbers of bad arguments: PyTorch's exception classes and key words."""

import pytest

import minidl

X = minidl.zeros(3)
INTS = minidl.tensor([1, 2])

ERRORS = [
    (lambda: X.clone().random_(0), RuntimeError, "expects 'from' to be less than 'to', but got from=0 >= to=0"),
    (lambda: X.clone().random_(5, 3), RuntimeError, "from=5 >= to=3"),
    (lambda: minidl.rand(2, dtype=minidl.int64), NotImplementedError, "got minidl.int64"),
    (lambda: minidl.randn_like(INTS), NotImplementedError, "got minidl.int64"),
    (lambda: INTS.clone().uniform_(), NotImplementedError, "got minidl.int64"),
    (lambda: minidl.bernoulli(INTS), NotImplementedError, r"\.float\(\)"),
    (lambda: minidl.normal(minidl.zeros(2), minidl.ones(3)), RuntimeError, r"size of tensor a \(2\)"),
    (lambda: minidl.Generator().set_state(X), TypeError, "ByteTensor"),
    (lambda: minidl.Generator().set_state(minidl.zeros(3, dtype=minidl.uint8)), RuntimeError, r"of shape \(3,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS, ids=range(len(ERRORS)))
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_random_fills_up_to_a_bound_or_the_whole_range():
    assert minidl.empty(100).random_(3).max() < 3
    assert minidl.empty(100, dtype=minidl.uint8).random_().max() > 100
    assert set(minidl.empty(50).random_(-2, 0).tolist()) == {-2.0, -1.0}
