"""``check_module``: what every layer owes its user, in one call."""

import collections
import copy
import functools
import gc
import weakref

import numpy as np

from minidl import backends, dtypes
from minidl.autograd.engine import grad
from minidl.autograd.modes import no_grad
from minidl.autograd.tensor import Tensor, leaf
from minidl.device import device as Device
from minidl.nn.module import Module
from minidl.ops.generator import manual_seed
from minidl.testing.closeness import assert_close
from minidl.testing.gradients import check_gradients
from minidl.testing.kernels import usable
from minidl.testing.reproducing import note, unusual

CHECKS = (  # the gradients' after those that say more plainly why they cannot be right
    "mutation", "determinism", "modes", "state_dict", "gradients", "dtypes", "devices", "batch", "leaks",
)  # fmt: skip


def check_module(
    module, *inputs, order=1, batch_dim=0, devices=("cuda",), rtol=1e-3, atol=1e-4, skip=(), call=None
):
    """Asserts what a module owes its user, on copies of it in float64, with the inputs given.

    - **gradients** of every parameter and floating-point input, in training and in evaluation mode (buffers are put
      back before each call);
    - **determinism**: from the same random numbers, the same bits of results and gradients, and in evaluation mode
      in one call after the other;
    - **mutation**: a call changes no input and no parameter, and in evaluation mode no buffer;
    - **modes**: ``train`` and ``eval`` reach every submodule;
    - **state_dict**: loaded into a copy with other weights and buffers, the same results; the same keys before and
      after a call;
    - **dtypes**: float32 follows float64 in results and gradients, and gives float32;
    - **devices**: each device of ``devices`` that works here follows the CPU;
    - **batch**: in evaluation mode a batch of two or more gives what its samples give one by one (along ``batch_dim``);
    - **leaks**: results and their graph are gone when the last name is, without the garbage collector, and the module
      does not hold more tensors after each call.

    Args:
        module: the module; it is not changed.
        inputs: what it is called with: tensors, arrays, numbers, lists, tuples and dicts of them (as the states of an
            LSTM); or one Hypothesis strategy of tuples of inputs.
        order: 2 checks second gradients too.
        batch_dim: the dimension of samples in inputs and results; None leaves that check out.
        devices: names of devices beside the CPU.
        rtol, atol: tolerances of dtypes and devices.
        skip: names of checks to leave out.
        call: what to call instead, a function of module and inputs, as ``lambda module, x: module(x)[0]``.

    Raises ``AssertionError`` (``GradcheckError`` for gradients), which names the check and has a program that repeats
    it; ``TypeError`` for what is no module, and where a call gives no tensor.

    >>> import minidl
    >>> check_module(minidl.nn.Linear(3, 2), minidl.ones(4, 3))
    >>> check_module(minidl.nn.GRU(2, 3), minidl.ones(4, 1, 2), batch_dim=1)
    """
    if not isinstance(module, Module):
        hint = f" Hint: build it, as {module.__name__}(...)." if isinstance(module, type) else ""
        raise TypeError(f"check_module takes a module, got {module!r}.{hint}")
    unknown = set(skip) - set(CHECKS)
    if unknown:
        raise ValueError(f"check_module: skip must be among {CHECKS}, got {sorted(unknown)}")
    options = {
        "order": order,
        "batch_dim": batch_dim,
        "devices": devices,
        "rtol": rtol,
        "atol": atol,
        "skip": skip,
    }
    if len(inputs) == 1 and hasattr(inputs[0], "example") and hasattr(inputs[0], "flatmap"):
        return _over(module, inputs[0], {**options, "call": call})
    subject = _Module(module, inputs, call)
    for name in CHECKS:
        if name not in skip:
            try:
                getattr(subject, name)(options)
            except Exception as error:
                error.add_note(f"check_module: {name} of {type(module).__name__}")
                given = unusual(check_module, {**options, "call": call})
                note(error, "check_module", module, inputs, given)
                raise


def _over(module, strategy, options):
    """The same for every tuple of inputs that a Hypothesis strategy draws."""
    import hypothesis

    @hypothesis.given(strategy)
    def check(inputs):
        check_module(module, *(inputs if isinstance(inputs, tuple) else (inputs,)), **options)

    check()


class _Module:
    """A module in float64 with its inputs, and the checks."""

    def __init__(self, module, inputs, call):
        self.call = call or (lambda module, *inputs: module(*inputs))
        self.module = copy.deepcopy(module).double()
        self.inputs = [_mapped(_array, value) for value in inputs]

    def run(self, module, dtype=np.float64, device="cpu", inputs=None, grad=False):
        """The tensors that a call gives, in order, from the same random numbers each time; and the call's inputs."""
        manual_seed(0)
        given = self.inputs if inputs is None else inputs
        given = [_mapped(lambda array: _tensor(array, dtype, device, grad), value) for value in given]
        results = _tensors(self.call(module, *given))
        if not results:
            raise TypeError(
                "check_module: a call of the module gives no tensor. Hint: call= says how to call it."
            )
        return results, given

    def copy(self, training=True):
        return copy.deepcopy(self.module).train(training)

    def gradients(self, options):
        for training in (True, False):
            module = self.copy(training)
            if not _floating(self.run(module)[0]) or not (
                _arrays(self.inputs, "f") or [*module.parameters()]
            ):
                continue
            fn = _Callable(module, functools.partial(self._floating_results, module, _buffers(module)))
            check_gradients(fn, *_arrays(self.inputs), order=options["order"], modes=["directional"])

    def _floating_results(self, module, buffers, *tensors):
        with no_grad():
            for buffer, values in buffers:
                if not np.array_equal(
                    _host(buffer), _host(values), equal_nan=True
                ):  # a write would spoil its graph
                    buffer.copy_(values)
        remaining = iter(tensors)
        given = [_mapped(lambda _: next(remaining), value) for value in self.inputs]
        return tuple(_floating(_tensors(self.call(module, *given))))

    def determinism(self, options):
        evaluated = self.copy(False)
        for first, second in ((self.copy(), self.copy()), (evaluated, evaluated)):
            found = self._with_gradients(first), self._with_gradients(second)
            assert_close(*found, rtol=0.0, atol=0.0, equal_nan=True, msg=_prefix("two equal calls differ"))

    def _with_gradients(self, module, dtype=np.float64, device="cpu"):
        results, given = self.run(module, dtype, device, grad=True)
        live = [r for r in results if r.requires_grad]
        wanted = [x for x in (*module.parameters(), *_tensors(given)) if x.requires_grad]
        found = grad([r.sum() for r in live], wanted, allow_unused=True) if live and wanted else []
        return [_host(r) for r in results] + [_host(g) for g in found if g is not None]

    def mutation(self, options):
        for training in (True, False):
            module = self.copy(training)
            state = dict(module.named_parameters()) if training else module.state_dict()
            before = {key: _host(value).copy() for key, value in state.items()}
            _, given = self.run(module)
            for i, pair in enumerate(zip(given, self.inputs)):
                for x, array in zip(_tensors(pair[:1]), _arrays(pair[1:])):
                    if not np.array_equal(_host(x), array, equal_nan=True):
                        raise AssertionError(f"a call changes its input {i}")
            state = dict(module.named_parameters()) if training else module.state_dict()
            for key, value in before.items():
                if not np.array_equal(_host(state[key]), value, equal_nan=True):
                    raise AssertionError(f"a call changes {key}")

    def modes(self, options):
        module = self.copy()
        for training in (False, True):
            if module.train(training) is not module:
                raise AssertionError("train() does not return the module")
            if not all(m.training is training for m in module.modules()):
                raise AssertionError("train(mode) leaves a submodule out")

    def state_dict(self, options):
        module = self.copy()
        keys = list(module.state_dict())
        self.run(module)
        state = {key: value.clone() for key, value in module.state_dict().items()}
        if list(state) != keys:
            raise AssertionError(f"a call changes the keys of state_dict: {keys} became {list(state)}")
        other = self.copy()
        with no_grad():
            for value in (*other.parameters(), *(buffer for buffer, _ in _buffers(other, persistent=True))):
                value.copy_(value + 1 if value.is_floating_point() else value)
        self.run(other.eval())  # what it keeps beside its state is of the other weights
        other.load_state_dict(state)
        results = [[_host(r) for r in self.run(each.eval())[0]] for each in (module, other)]
        assert_close(*results, rtol=0.0, atol=0.0, equal_nan=True, msg=_prefix("after load_state_dict"))

    def dtypes(self, options):
        single = self._with_gradients(self.copy(False).float(), np.float32)
        double = self._with_gradients(self.copy(False))
        if any(array.dtype == np.float64 for array in single):
            raise AssertionError("float32 inputs give a float64 result")
        wide = {"rtol": options["rtol"], "atol": options["atol"], "check_dtype": False, "equal_nan": True}
        assert_close(single, double, **wide, msg=_prefix("float32 beside float64"))

    def devices(self, options):
        for name in options["devices"]:
            if not usable(name):
                continue
            module = self.copy(False).float()
            here, there = (
                self._with_gradients(copy.deepcopy(module).to(d), np.float32, d) for d in ("cpu", name)
            )
            close = {"rtol": options["rtol"], "atol": options["atol"], "equal_nan": True}
            assert_close(there, here, **close, msg=_prefix(f"{name} beside cpu"))

    def batch(self, options):
        dim = options["batch_dim"]
        arrays = _arrays(self.inputs)
        if dim is None or not arrays or any(x.ndim <= dim for x in arrays):
            return
        count = arrays[0].shape[dim]
        results = [_host(r) for r in self.run(self.copy(False))[0]]
        if count < 2 or any(x.shape[dim] != count for x in arrays):
            return
        first = results[0]
        if first.ndim <= dim or first.shape[dim] != count:
            return
        for i in range(count):
            one = [_mapped(lambda x, i=i: np.take(x, [i], dim), value) for value in self.inputs]
            alone = _host(self.run(self.copy(False), inputs=one)[0][0])
            hint = f"sample {i} alone differs from sample {i} in its batch (batch_dim={dim}; None leaves this out)"
            assert_close(
                alone, np.take(first, [i], dim), rtol=1e-9, atol=1e-9, equal_nan=True, msg=_prefix(hint)
            )

    def leaks(self, options):
        module = self.copy()
        self.run(module, grad=True)
        held = _held(module)
        enabled = gc.isenabled()
        gc.disable()
        try:
            results, given = self.run(module, grad=True)
            kept = [weakref.ref(r) for r in results] + [weakref.ref(r.grad_fn) for r in results if r.grad_fn]
            del results, given
            alive = sum(ref() is not None for ref in kept)
            more = _held(module) - held
        finally:
            if enabled:
                gc.enable()
        if alive:
            raise AssertionError(
                f"{alive} of {len(kept)} results and nodes outlive the call: a cycle, or the module keeps them"
            )
        if more > 0:
            raise AssertionError(f"each call leaves {more} tensors more with the module")


class _Callable:
    """A function with the parameters of a module, as ``check_gradients`` looks for them."""

    def __init__(self, module, call):
        self.forward, self.named_parameters = call, module.named_parameters
        functools.update_wrapper(self, call, ())

    def __call__(self, *inputs):
        return self.forward(*inputs)


def _buffers(module, persistent=False):
    """``(buffer, copy)`` of the buffers of a module; ``persistent``: of those that belong into its state."""
    return [
        (buffer, buffer.detach().clone())
        for each in module.modules()
        for name, buffer in each.named_buffers(recurse=False)
        if not (persistent and name in each._non_persistent_buffers_set)
    ]


def _held(module):
    """How many tensors a module and the containers in it hold."""
    seen, left, count = set(), [module], 0
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        count += isinstance(value, Tensor)
        if isinstance(value, Module):
            left.append(vars(value))
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, (list, tuple, set, collections.deque)):
            left.extend(value)
    return count


def _prefix(text):
    return lambda message: f"{text}: {message}"


def _mapped(function, value):
    """``value`` with ``function`` of each tensor or array in it."""
    if isinstance(value, (Tensor, np.ndarray)):
        return function(value)
    if type(value) in (list, tuple):
        return type(value)(_mapped(function, each) for each in value)
    return {k: _mapped(function, each) for k, each in value.items()} if isinstance(value, dict) else value


def _array(value):
    array = backends.to_numpy(value.detach()._array) if isinstance(value, Tensor) else value
    return array.astype(np.float64) if dtypes.is_floating(array.dtype) else array


def _arrays(value, kinds="fiub"):
    """The arrays in nested lists, tuples and dicts, in order."""
    found = []
    _mapped(lambda array: found.append(array) if array.dtype.kind in kinds else None, value)
    return found


def _tensor(array, dtype, device, grad):
    floating = dtypes.is_floating(array.dtype)
    array = array.astype(dtype) if floating else array.copy()
    return leaf(backends.transfer(array, Device(device)), requires_grad=grad and floating)


def _tensors(result):
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    return [t for each in result for t in _tensors(each)] if isinstance(result, (tuple, list)) else []


def _floating(tensors):
    return [t for t in tensors if t.is_floating_point()]


def _host(tensor):
    return backends.to_numpy(tensor.detach()._array)
