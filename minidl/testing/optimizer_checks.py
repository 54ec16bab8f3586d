"""``check_optimizer``: what every optimizer owes its user, in one call; ``check_equivariance`` of any function."""

import copy

import numpy as np

from minidl import dtypes
from minidl.autograd.engine import grad
from minidl.autograd.tensor import Tensor, leaf, make
from minidl.backends import to_numpy
from minidl.nn.parameter import Parameter
from minidl.testing.closeness import assert_close

_TARGETS = (np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]]), np.array([[0.5, -0.75]]))
_SCALES = (1.0, 2.5)


def check_optimizer(make_optimizer, *, steps=25, rtol=1e-3, atol=1e-4):
    """Asserts what an optimizer owes its user, on a convex quadratic of two float64 parameters.

    - it lowers the loss over ``steps`` steps, and gives back what the closure returned;
    - from one start it takes the same steps twice, bit by bit;
    - a parameter without gradient stays as it is, and a step changes no gradient;
    - after ``state_dict`` and ``load_state_dict`` in a fresh optimizer the next steps are bitwise those of the first;
    - one group of two parameters steps as two groups of one do (where it takes groups);
    - ``zero_grad`` leaves no gradient behind;
    - float32 follows float64.

    Args:
        make_optimizer: takes a list of parameters (or of groups), returns the optimizer.
        steps: how many are taken.
        rtol, atol: tolerances of float32 beside float64.

    Raises ``AssertionError``, which says what failed.

    >>> import minidl
    >>> check_optimizer(lambda parameters: minidl.optim.Adam(parameters, lr=0.1))
    """
    first, losses, returned = _train(make_optimizer, steps)
    if not (losses[-1] < losses[0]):
        raise AssertionError(
            f"{steps} steps do not lower the loss of a quadratic: {losses[0]} to {losses[-1]}"
        )
    if not all(isinstance(r, Tensor) for r in returned):
        raise AssertionError("step(closure) does not return what the closure returned")
    again, _, _ = _train(make_optimizer, steps)
    assert_close(again, first, rtol=0.0, atol=0.0, msg=lambda m: f"the same steps taken twice differ: {m}")
    _leaves_alone(make_optimizer)
    _resumes(make_optimizer, steps)
    _groups(make_optimizer, first, steps)
    narrow, _, _ = _train(make_optimizer, steps, np.float32)
    close = {"rtol": rtol, "atol": atol, "check_dtype": False}
    assert_close(narrow, first, **close, msg=lambda m: f"float32 does not follow float64: {m}")


def _parameters(dtype=np.float64):
    return [Parameter(make(np.zeros(t.shape, dtype) + dtype(0.1), None)) for t in _TARGETS]


def _loss(parameters):
    total = None
    for p, target, scale in zip(parameters, _TARGETS, _SCALES):
        gap = p - leaf(target.astype(p._array.dtype))
        part = (gap * gap).sum() * scale
        total = part if total is None else total + part
    return total


def _step(optimizer, parameters):
    def closure():
        optimizer.zero_grad()
        loss = _loss(parameters)
        loss.backward()
        return loss

    return optimizer.step(closure)


def _train(make_optimizer, steps, dtype=np.float64, grouped=False):
    parameters = _parameters(dtype)
    optimizer = make_optimizer([{"params": [p]} for p in parameters] if grouped else parameters)
    losses, returned = [float(_loss(parameters).item())], []
    for _ in range(steps):
        returned.append(_step(optimizer, parameters))
        losses.append(float(_loss(parameters).item()))
    return _values(parameters), losses, returned


def _values(parameters):
    return [to_numpy(p.detach()._array).copy() for p in parameters]


def _leaves_alone(make_optimizer):
    parameters = _parameters()
    idle = Parameter(make(np.ones(2), None))
    optimizer = make_optimizer([*parameters, idle])

    def closure():
        return _loss(parameters)

    gradients = grad(_loss(parameters), parameters)
    for p, g in zip(parameters, gradients):
        p.grad = g
    before = _values(gradients)
    optimizer.step(closure)
    if not np.array_equal(_values([idle])[0], np.ones(2)):
        raise AssertionError("a step moves a parameter that has no gradient")
    after = _values([p.grad for p in parameters])
    assert_close(after, before, rtol=0.0, atol=0.0, msg=lambda m: f"a step changes .grad: {m}")
    optimizer.zero_grad()
    if not all(p.grad is None for p in parameters):
        raise AssertionError("zero_grad leaves a gradient behind")


def _resumes(make_optimizer, steps):
    parameters = _parameters()
    optimizer = make_optimizer(parameters)
    for _ in range(steps // 2):
        _step(optimizer, parameters)
    others = [Parameter(p.detach().clone()) for p in parameters]
    resumed = make_optimizer(others)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for _ in range(3):
        _step(optimizer, parameters)
        _step(resumed, others)
    text = "after load_state_dict the steps differ"
    assert_close(_values(others), _values(parameters), rtol=0.0, atol=0.0, msg=lambda m: f"{text}: {m}")


def _groups(make_optimizer, expected, steps):
    try:
        grouped, _, _ = _train(make_optimizer, steps, grouped=True)
    except ValueError as error:
        if "group" not in str(error):
            raise
        return
    assert_close(grouped, expected, rtol=1e-9, atol=1e-12, msg=lambda m: f"two groups differ from one: {m}")


def check_equivariance(fn, inputs, before, after=None, *, gradients=True, rtol=1e-6, atol=1e-8):
    """Asserts that ``fn(before(x)) == after(fn(x))``: that moving the input moves the result, and no more.

    With ``gradients`` the gradient of the input moves likewise: that of ``fn(before(x))`` weighted by ``after(w)`` is
    that of ``fn(x)`` weighted by ``w``.

    Args:
        fn: takes one tensor (other arguments bound), returns one.
        inputs: the tensor or array; of integers there are no gradients.
        before, after: what moves a tensor (``lambda x: x.roll(1, -1)``); ``after`` is ``before`` by default, and for an
            invariant function ``lambda y: y``.
        rtol, atol: tolerances.

    Raises ``AssertionError`` with the worst element.

    >>> import minidl
    >>> x = minidl.randn(2, 3).double()
    >>> check_equivariance(lambda x: x.softmax(0), x, lambda x: x.flip(1))
    >>> check_equivariance(lambda x: x.sum(0), x, lambda x: x.flip(0), lambda y: y)
    """
    after = before if after is None else after
    array = to_numpy(inputs.detach()._array) if isinstance(inputs, Tensor) else np.asarray(inputs)
    gradients = gradients and dtypes.is_floating(array.dtype)
    here, there = leaf(array.copy(), requires_grad=gradients), leaf(array.copy(), requires_grad=gradients)
    plain, moved = fn(here), fn(before(there))
    close = {"rtol": rtol, "atol": atol, "equal_nan": True}
    assert_close(moved.detach(), after(plain).detach(), **close, msg=lambda m: f"not equivariant: {m}")
    if gradients and plain.requires_grad:
        weights = np.random.default_rng(0).standard_normal(plain._array.shape).astype(plain._array.dtype)
        (wanted,) = grad(plain, here, make(weights, None))
        (found,) = grad(moved, there, after(make(weights, None)))
        assert_close(found, wanted, **close, msg=lambda m: f"the gradient is not equivariant: {m}")
