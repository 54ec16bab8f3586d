"""``check_gradients``: the gradients of any function against central differences, in one line."""

import numpy as np

from minidl import backends
from minidl.autograd.gradcheck import gradcheck, gradgradcheck
from minidl.autograd.tensor import Tensor, make


def check_gradients(fn, *inputs, order=1, eps=1e-6, atol=1e-5, rtol=1e-3, fast_mode=False):
    """Asserts that the gradients of ``fn(*inputs)`` agree with float64 central differences.

    Floating-point tensors and NumPy arrays among ``inputs`` are copied as float64 leaves that require gradients, so
    float32 data can be given; everything else is passed as it is. ``fn`` returns a tensor or a tuple of tensors.

    Args:
        fn: the function. Of a module (float64: ``module.double()``) the parameters' gradients are checked too.
        order: 1 checks the gradient; 2 checks the second gradient too.
        eps, atol, rtol, fast_mode: as of ``autograd.gradcheck``.

    Raises:
        GradcheckError: names output, input and element, and gives both values.
        ValueError: for another order, or if no input is a floating-point tensor or array.

    >>> import minidl
    >>> check_gradients(minidl.tanh, minidl.tensor([0.1, -2.0]), order=2)
    >>> check_gradients(minidl.nn.Linear(3, 2).double(), minidl.ones(4, 3))
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order must be 1 or 2, got {order!r}")
    leaves = tuple(_leaf(value) for value in inputs)
    parameters = tuple(p for p in fn.parameters() if p.requires_grad) if hasattr(fn, "parameters") else ()
    options = {"eps": eps, "atol": atol, "rtol": rtol, "fast_mode": fast_mode}

    def of_inputs(*values):  # gradcheck moves the parameters where they lie, in the module
        return fn(*values[: len(leaves)])

    gradcheck(of_inputs, leaves + parameters, **options)
    if order == 2:
        gradgradcheck(of_inputs, leaves + parameters, **options)


def _leaf(value):
    """A float64 leaf of its own memory for floating-point tensors and arrays; other values as they are."""
    if isinstance(value, Tensor) and value.is_floating_point():
        array = backends.of(value._array).copy(value._array)
        return make(array.astype(np.float64), None).requires_grad_()
    if isinstance(value, np.ndarray):
        if np.issubdtype(value.dtype, np.floating):
            return make(value.astype(np.float64, order="K", copy=True), None).requires_grad_()
        return make(value.copy(order="K"), None)
    return value
