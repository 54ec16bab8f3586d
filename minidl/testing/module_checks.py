"""``check_module``: what every layer owes its user, in one call."""

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
from minidl.ops.generator import manual_seed
from minidl.testing.closeness import assert_close
from minidl.testing.gradients import check_gradients
from minidl.testing.kernels import usable

CHECKS = (
    "gradients", "determinism", "mutation", "modes", "state_dict", "dtypes", "devices", "batch", "leaks",
)  # fmt: skip


def check_module(
    module, *inputs, order=1, batch_dim=0, devices=("cuda",), rtol=1e-3, atol=1e-4, skip=(), call=None
):
    """Asserts what a module owes its user, on copies of it in float64, with the inputs given.

    - **gradients** of every parameter and floating-point input, in training and in evaluation mode;
    - **determinism**: from the same random numbers, the same bits of results and gradients, and in evaluation mode
      in one call after the other;
    - **mutation**: a call changes no input and no parameter, and in evaluation mode no buffer;
    - **modes**: ``train`` and ``eval`` reach every submodule;
    - **state_dict**: loaded into a copy with other weights, the same results; the same keys before and after a call;
    - **dtypes**: float32 follows float64, and gives float32;
    - **devices**: each device of ``devices`` that works here follows the CPU;
    - **batch**: in evaluation mode a batch gives what its samples give one by one (along ``batch_dim``);
    - **leaks**: results and their graph are gone when the last name is, without the garbage collector.

    Args:
        module: the module; it is not changed.
        inputs: what it is called with: tensors, arrays, numbers; or one Hypothesis strategy of tuples of them.
        order: 2 checks second gradients too.
        batch_dim: the dimension of samples in inputs and results; None leaves that check out.
        devices: names of devices beside the CPU.
        rtol, atol: tolerances of dtypes and devices.
        skip: names of checks to leave out.
        call: what to call instead, a function of module and inputs, as ``lambda module, x: module(x)[0]``.

    Raises ``AssertionError`` (``GradcheckError`` for gradients), which names the check.

    >>> import minidl
    >>> check_module(minidl.nn.Linear(3, 2), minidl.ones(4, 3))
    >>> check_module(minidl.nn.GRU(2, 3), minidl.ones(4, 1, 2), batch_dim=1)
    """
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
            except AssertionError as error:
                error.add_note(f"check_module: {name} of {type(module).__name__}")
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
        self.inputs = [_array(value) for value in inputs]

    def run(self, module, dtype=np.float64, device="cpu", inputs=None, grad=False):
        """The tensors that a call gives, in order, from the same random numbers each time; and the call's inputs."""
        manual_seed(0)
        given = [_tensor(v, dtype, device, grad) for v in (self.inputs if inputs is None else inputs)]
        return _tensors(self.call(module, *given)), given

    def copy(self, training=True):
        return copy.deepcopy(self.module).train(training)

    def gradients(self, options):
        for training in (True, False):
            module = self.copy(training)
            if not any(r.requires_grad for r in self.run(module, grad=True)[0]):
                continue
            fn = _Callable(
                module, lambda *inputs, module=module: tuple(_floating(_tensors(self.call(module, *inputs))))
            )
            check_gradients(fn, *self.inputs, order=options["order"], modes=["directional"])

    def determinism(self, options):
        evaluated = self.copy(False)
        for first, second in ((self.copy(), self.copy()), (evaluated, evaluated)):
            found = self._with_gradients(first), self._with_gradients(second)
            assert_close(*found, rtol=0.0, atol=0.0, equal_nan=True, msg=_prefix("two equal calls differ"))

    def _with_gradients(self, module, dtype=np.float64, device="cpu"):
        results, given = self.run(module, dtype, device, grad=True)
        live = [r for r in results if r.requires_grad]
        wanted = [x for x in (*module.parameters(), *given) if isinstance(x, Tensor) and x.requires_grad]
        found = grad([r.sum() for r in live], wanted, allow_unused=True) if live and wanted else []
        return [_host(r) for r in results] + [_host(g) for g in found if g is not None]

    def mutation(self, options):
        for training in (True, False):
            module = self.copy(training)
            state = dict(module.named_parameters()) if training else module.state_dict()
            before = {key: _host(value).copy() for key, value in state.items()}
            _, given = self.run(module)
            for i, (x, array) in enumerate(zip(given, self.inputs)):
                if isinstance(array, np.ndarray) and not np.array_equal(_host(x), array, equal_nan=True):
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
            for value in other.state_dict().values():
                value.copy_(value + 1 if value.is_floating_point() else value)
        self.run(other.eval())  # what it keeps beside its state is of the other weights
        other.load_state_dict(state)
        results = [[_host(r) for r in self.run(each.eval())[0]] for each in (module, other)]
        assert_close(*results, rtol=0.0, atol=0.0, equal_nan=True, msg=_prefix("after load_state_dict"))

    def dtypes(self, options):
        single = [_host(r) for r in self.run(copy.deepcopy(self.copy(False)).float(), np.float32)[0]]
        double = [_host(r) for r in self.run(self.copy(False))[0]]
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
        arrays = [x for x in self.inputs if isinstance(x, np.ndarray)]
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
            one = [np.take(x, [i], dim) if isinstance(x, np.ndarray) else x for x in self.inputs]
            alone = _host(self.run(self.copy(False), inputs=one)[0][0])
            hint = f"sample {i} alone differs from sample {i} in its batch (batch_dim={dim}; None leaves this out)"
            assert_close(
                alone, np.take(first, [i], dim), rtol=1e-9, atol=1e-9, equal_nan=True, msg=_prefix(hint)
            )

    def leaks(self, options):
        module = self.copy()
        self.run(module, grad=True)
        enabled = gc.isenabled()
        gc.disable()
        try:
            results, given = self.run(module, grad=True)
            kept = [weakref.ref(r) for r in results] + [weakref.ref(r.grad_fn) for r in results if r.grad_fn]
            del results, given
            alive = sum(ref() is not None for ref in kept)
        finally:
            if enabled:
                gc.enable()
        if alive:
            raise AssertionError(
                f"{alive} of {len(kept)} results and nodes outlive the call: a cycle, or the module keeps them"
            )


class _Callable:
    """A function with the parameters of a module, as ``check_gradients`` looks for them."""

    def __init__(self, module, call):
        self.forward, self.named_parameters = call, module.named_parameters
        functools.update_wrapper(self, call, ())

    def __call__(self, *inputs):
        return self.forward(*inputs)


def _prefix(text):
    return lambda message: f"{text}: {message}"


def _array(value):
    if isinstance(value, Tensor):
        value = backends.to_numpy(value.detach()._array)
    if isinstance(value, np.ndarray) and dtypes.is_floating(value.dtype):
        return value.astype(np.float64)
    return value


def _tensor(value, dtype, device, grad):
    if not isinstance(value, np.ndarray):
        return value
    floating = dtypes.is_floating(value.dtype)
    array = value.astype(dtype) if floating else value.copy()
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
