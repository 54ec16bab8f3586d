"""Connectionist temporal classification beside PyTorch: values, gradients behind a log_softmax, texts of errors."""

import inspect
import itertools

import numpy as np
import pytest
import torch
from beside_torch import refusal

import minidl
from minidl import nn

RNG = np.random.default_rng(8)
LOGITS = RNG.standard_normal((30, 5, 7)) * 2
PADDED = RNG.integers(1, 7, (5, 10))
INPUTS, LENGTHS = [30, 25, 30, 11, 20], [10, 3, 0, 10, 7]
ROW = np.concatenate([row[:n] for row, n in zip(PADDED, LENGTHS, strict=True)])


def run(library, targets, inputs, lengths, dtype="float64", logits=LOGITS, **options):
    x = library.tensor(logits, dtype=getattr(library, dtype), requires_grad=True)
    logs = x.log_softmax(-1)
    out = library.nn.functional.ctc_loss(
        logs, library.tensor(targets), inputs(library), lengths(library), **options
    )
    out.sum().backward()
    return out.detach().numpy(), x.grad.numpy()


FORMS = {
    "tuples": (lambda lib: tuple(INPUTS), lambda lib: tuple(LENGTHS)),
    "tensors": (lambda lib: lib.tensor(INPUTS), lambda lib: lib.tensor(LENGTHS)),
    "int32": (lambda lib: lib.tensor(INPUTS, dtype=lib.int32), lambda lib: lib.tensor(LENGTHS, dtype=lib.int32)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "row", "reduction"), list(itertools.product(FORMS, (False, True), ("none", "mean", "sum")))
)
def test_values_and_gradients(form, row, reduction):
    targets = ROW if row else PADDED
    found, expected = (run(lib, targets, *FORMS[form], reduction=reduction) for lib in (minidl, torch))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_float32():
    found, expected = (run(lib, PADDED, *FORMS["tuples"], dtype="float32") for lib in (minidl, torch))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("zero_infinity", [False, True])
def test_without_a_path(zero_infinity):
    """Five labels in two steps, and a sample without steps."""
    lengths = (lambda lib: (2, 0, 0, 30, 30)), (lambda lib: (5, 2, 0, 3, 4))
    found, expected = (
        run(lib, PADDED, *lengths, reduction="none", zero_infinity=zero_infinity) for lib in (minidl, torch)
    )
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-9)
    assert np.isinf(found[0]).sum() == (0 if zero_infinity else 2)
    np.testing.assert_allclose(found[1][:, 2:], expected[1][:, 2:], rtol=1e-9, atol=1e-12)
    if zero_infinity:
        assert not found[1][:, :2].any()


def test_probabilities_of_zero():
    with np.errstate(divide="ignore"):
        logs = np.log([[[0.5, 0.5, 0.0]], [[0.0, 1.0, 0.0]], [[0.25, 0.0, 0.75]]])
    results = []
    for library in (minidl, torch):
        for labels in ([[1]], [[1, 2]], [[2, 1]]):
            out = library.nn.functional.ctc_loss(
                library.tensor(logs), library.tensor(labels), (3,), (len(labels[0]),), reduction="sum"
            )
            results.append(out.item())
    np.testing.assert_allclose(results[:3], results[3:], rtol=1e-9)


@pytest.mark.parametrize("size", [(2,), (2, 1)])
def test_second_derivatives_agree_with_differences(size):
    labels = minidl.tensor(PADDED[: len(size), :2])

    def loss(logits):
        return nn.functional.ctc_loss(
            logits.log_softmax(-1), labels, (4,) * len(size), size, reduction="none"
        )

    x = minidl.tensor(LOGITS[:4, : len(size), :], requires_grad=True)
    assert minidl.autograd.gradcheck(loss, (x,))
    assert minidl.autograd.gradgradcheck(loss, (x,))


def test_long_sequences_do_not_underflow():
    logits = RNG.standard_normal((400, 1, 20))
    labels = RNG.integers(1, 20, (1, 120))
    found, expected = (
        run(lib, labels, lambda lib: (400,), lambda lib: (120,), logits=logits) for lib in (minidl, torch)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)


def call(lib, *args, log_probs=None, **options):
    logs = lib.zeros(5, 2, 4) if log_probs is None else log_probs
    targets, inputs, lengths = args
    return lib.nn.functional.ctc_loss(logs, lib.tensor(targets), inputs, lengths, **options)


TWO = [[1, 2], [3, 1]]
BAD = {
    "blank": lambda lib: call(lib, TWO, (5, 5), (2, 2), blank=4),
    "negative blank": lambda lib: call(lib, TWO, (5, 5), (2, 2), blank=-1),
    "inputs": lambda lib: call(lib, TWO, (5,), (2, 2)),
    "lengths": lambda lib: call(lib, TWO, (5, 5), (2,)),
    "long input": lambda lib: call(lib, TWO, (6, 5), (2, 2)),
    "long target": lambda lib: call(lib, TWO, (5, 5), (2, 3)),
    "short row": lambda lib: call(lib, [1, 2, 3], (5, 5), (2, 2)),
    "long row": lambda lib: call(lib, [1, 2, 3, 1, 1], (5, 5), (2, 2)),
    "rows": lambda lib: call(lib, [*TWO, [1, 1]], (5, 5), (2, 2)),
    "negative input": lambda lib: call(lib, TWO, (-1, 5), (2, 2)),
    "negative target": lambda lib: call(lib, TWO, (5, 5), (-1, 2)),
    "float inputs": lambda lib: call(lib, TWO, lib.ones(2), lib.tensor([2, 2])),
    "float lengths": lambda lib: call(lib, TWO, lib.tensor([5, 5]), lib.ones(2)),
    "half": lambda lib: call(lib, TWO, (5, 5), (2, 2), log_probs=lib.zeros(5, 2, 4, dtype=lib.float16)),
    "reduction": lambda lib: call(lib, TWO, (5, 5), (2, 2), reduction="bad"),
    "empty": lambda lib: call(lib, TWO, (0, 0), (2, 2), log_probs=lib.zeros(0, 2, 4)),
    "target rank": lambda lib: call(lib, [TWO], (5, 5), (2, 2)),
}


@pytest.mark.parametrize("name", BAD)
def test_texts_begin_as_pytorch_s(name):
    kind, text = refusal(lambda: BAD[name](minidl))
    theirs, expected = refusal(lambda: BAD[name](torch))
    expected = expected.partition(" (while checking")[0]  # names a function of PyTorch's own
    assert issubclass(kind, theirs)
    assert text.startswith(expected.rstrip(".")), f"{text!r}\ndoes not begin with\n{expected!r}"


@pytest.mark.parametrize("label", [4, -1])
def test_a_label_that_is_no_class_is_refused(label):
    """PyTorch reads other memory."""
    with pytest.raises(RuntimeError, match=r"targets must lie in \[0, 4\)"):
        call(minidl, [[1, label], [3, 1]], (5, 5), (2, 2))
    call(minidl, [[1, label], [3, 1]], (5, 5), (1, 2))  # it is padding


def test_a_vector_is_refused():
    for library in (minidl, torch):
        with pytest.raises(RuntimeError, match="Expected 3-dimensional tensor, but got"):
            call(library, [1, 2], (4,), (2,), log_probs=library.zeros(4))


def test_the_layer_has_pytorchs_parameters():
    ours, theirs = (inspect.signature(library.nn.CTCLoss).parameters for library in (minidl, torch))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]
