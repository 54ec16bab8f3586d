"""Dropout as ``torch`` itself has it: no defaults, ``train`` for ``nn.functional``'s ``training``, and in place."""

from minidl.autograd import function
from minidl.ops import dropout as functional


def _drop(function_of, input, p, train, inplace=False):
    try:
        return function_of(input, p, train, inplace)
    except ValueError as error:
        raise RuntimeError(str(error)) from None


@function(method=False, tensors="input")
def dropout(input, p, train):
    """``nn.functional.dropout`` with PyTorch's other argument names. Raises ``RuntimeError`` for p outside [0, 1].

    Source: ``torch.dropout``.

    >>> import minidl
    >>> minidl.dropout(minidl.ones(2), 1.0, train=True)
    tensor([0., 0.])
    """
    return _drop(functional.dropout, input, p, train)


@function(method=False, tensors="input")
def alpha_dropout(input, p, train):
    """``nn.functional.alpha_dropout`` with PyTorch's other argument names. Source: ``torch.alpha_dropout``."""
    return _drop(functional.alpha_dropout, input, p, train)


@function(method=False, tensors="input")
def feature_alpha_dropout(input, p, train):
    """``nn.functional.feature_alpha_dropout`` with PyTorch's other argument names.

    Source: ``torch.feature_alpha_dropout``.
    """
    return _drop(functional.feature_alpha_dropout, input, p, train)


@function(method=False, tensors="input")
def dropout_(input, p, train):
    """``dropout`` in place. Source: ``torch.dropout_``.

    >>> import minidl
    >>> minidl.dropout_(minidl.ones(2), 1.0, train=True)
    tensor([0., 0.])
    """
    return _drop(functional.dropout, input, p, train, True)


@function(method=False, tensors="input")
def alpha_dropout_(input, p, train):
    """``alpha_dropout`` in place. Source: ``torch.alpha_dropout_``."""
    return _drop(functional.alpha_dropout, input, p, train, True)


@function(method=False, tensors="input")
def feature_alpha_dropout_(input, p, train):
    """``feature_alpha_dropout`` in place. Source: ``torch.feature_alpha_dropout_``."""
    return _drop(functional.feature_alpha_dropout, input, p, train, True)
