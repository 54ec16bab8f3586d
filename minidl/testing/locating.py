"""Which op on the tape is wrong: each recorded call checked alone, in the order in which they ran."""

import contextlib
import functools
import sys
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import registry
from minidl.autograd.function import Function
from minidl.autograd.tensor import Tensor, leaf
from minidl.backends import is_array, to_numpy
from minidl.errors import GradcheckError
from minidl.testing.striding import restrided, sharing

_MOST = 200  # calls that are looked at


class Call(NamedTuple):
    """One call of an op or of a user's ``Function``: its name, its function, and copies of what it was called with."""

    name: str
    function: Any
    args: tuple
    kwargs: dict

    def shapes(self):
        """The shapes of its arrays, as text."""
        arrays = [value for value in (*self.args, *self.kwargs.values()) if isinstance(value, np.ndarray)]
        return "shapes " + ", ".join(str(array.shape) for array in arrays) if arrays else "a list of tensors"


@contextlib.contextmanager
def recorded_calls():
    """Collects the calls of ops and of ``Function``s inside, in order; not those that a Function's forward makes.

    >>> import minidl
    >>> with recorded_calls() as calls:
    ...     _ = (minidl.ones(2) * 3).tanh()
    >>> [call.name for call in calls]
    ['mul', 'tanh']
    """
    calls, spaces = [], _namespaces()
    kept = [space["forward"] for _, space in spaces]
    home = sys.modules[Function.__module__]
    context, record = home.FunctionCtx, home._record
    for op, space in spaces:
        space["forward"] = _watched(op, space["forward"], calls)

    class Context(context):
        """Knows how many calls there were when its Function began."""

        def __init__(self):
            super().__init__()
            self._began = len(calls)

    def recorded(cls, ctx, args, edges, outputs):
        del calls[ctx._began :]
        calls.append(Call(cls.__name__, cls.apply, _copied(args), {}))
        return record(cls, ctx, args, edges, outputs)

    home.FunctionCtx, home._record = Context, recorded
    try:
        yield calls
    finally:
        home.FunctionCtx, home._record = context, record
        for (_, space), forward in zip(spaces, kept):
            space["forward"] = forward


@functools.cache
def _namespaces():
    """``(op, globals)`` of every compiled function of an op: the public one, and that of its operator."""
    found = {id(op.public.__globals__): (op, op.public.__globals__) for op in registry.OPS.values()}
    for value in vars(Tensor).values():
        space = getattr(value, "__globals__", {})
        if "forward" in space and "op" in space:
            found[id(space)] = space["op"], space
    return list(found.values())


def _watched(op, forward, calls):
    def watched(*args, **kwargs):
        calls.append(Call(op.name, op.public, _copied(args), {k: _copied(v) for k, v in kwargs.items()}))
        return forward(*args, **kwargs)

    return watched


def _copied(value):
    if isinstance(value, Tensor):
        value = value._array
    if is_array(value):
        array = to_numpy(value)
        return array.copy() if sharing(array) else restrided(array)
    return type(value)(map(_copied, value)) if type(value) in (list, tuple) else value


def first_wrong_op(run, generators, check):
    """A sentence on the first op of ``run()`` whose own gradient disagrees with differences at its recorded inputs.

    ``check(function, inputs)`` raises ``GradcheckError`` for a function of tensors that is wrong.
    """
    with recorded_calls() as calls:
        run()
    for number, call in enumerate(calls[:_MOST], 1):
        problem = _disagreement(call, generators, check)
        if problem:
            return (
                f"The first op on the tape that disagrees by itself: {call.name}, call {number} of {len(calls)}, on "
                f"{call.shapes()}. There: {problem}"
            )
    if len(calls) > _MOST:
        return f"None of the first {_MOST} ops on the tape (of {len(calls)}) disagrees by itself."
    return (
        f"Each op on the tape ({len(calls)} calls) agrees by itself at its recorded inputs: the graph is cut somewhere "
        "(detach, .data, .numpy(), no_grad)."
    )


def _disagreement(call, generators, check):
    """What is wrong with the gradient of one call, or None; calls that cannot be repeated have nothing wrong."""
    leaves = []
    args, kwargs = _rebuilt(call.args, leaves), _rebuilt(call.kwargs, leaves)
    if not leaves:
        return None

    def again(*_):
        for generator, state in generators:
            generator.set_state(state)
        found = call.function(*args, **kwargs)
        found = found if isinstance(found, (tuple, list)) else (found,)
        return tuple(f for f in found if isinstance(f, Tensor) and f.is_floating_point())

    try:
        if any(output.requires_grad for output in again()):
            check(again, tuple(leaves))
    except GradcheckError as error:
        return str(error).splitlines()[0]
    except Exception:
        return None
    return None


def _rebuilt(value, leaves):
    """A recorded value with tensors in place of its arrays; float ones become float64 leaves."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            return leaf(value)
        tensor = leaf(restrided(value, np.float64), requires_grad=True)
        leaves.append(tensor)
        return tensor
    if isinstance(value, dict):
        return {key: _rebuilt(each, leaves) for key, each in value.items()}
    return type(value)(_rebuilt(v, leaves) for v in value) if type(value) in (list, tuple) else value
