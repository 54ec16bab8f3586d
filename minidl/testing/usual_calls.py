"""What drawn examples of ops, layers and optimizers ask of backends: the calls that ``check_kernel`` has by itself."""

import functools

import hypothesis
import numpy as np

import minidl
from minidl import autograd, backends, nn, random
from minidl.autograd.tensor import Tensor, leaf
from minidl.nn.parameter import Parameter
from minidl.testing.kernels import kernel_calls
from minidl.testing.layers import REGISTRY, modules
from minidl.testing.op_examples import op_examples, op_names
from minidl.testing.small_networks import OPTIMIZERS, optimizers

_FEW = hypothesis.settings(
    max_examples=3,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
)


def usual_calls(name):
    """Calls of a backend's function, of examples of what is called like it, or of any; none where nothing calls it.

    >>> [len(args) for args, _ in usual_calls("gelu_grad")][:1]
    [3]
    """
    sources = [
        *((op_examples, op, _run_op) for op in op_names()),
        *((modules, layer, _run_layer) for layer in sorted(REGISTRY)),
        *((optimizers, optimizer, _run_optimizer) for optimizer in sorted(OPTIMIZERS)),
    ]
    wanted = _plain(name)
    alike = sorted(
        sources, key=lambda source: not (_plain(source[1]) in wanted or wanted in _plain(source[1]))
    )
    found = next((calls[name] for calls in (_calls_of(*source) for source in alike) if name in calls), None)
    return _calls_beside_examples().get(name, []) if found is None else found


def _plain(name):
    return name.lower().replace("_", "")


@functools.cache
def _calls_of(strategy, name, run):
    """Calls of backends' functions by three examples in float32, with their gradients."""
    drawn = []

    def collect(example):
        drawn.append(example)

    _FEW(hypothesis.given(strategy(name) if strategy is op_examples else strategy([name]))(collect))()
    return kernel_calls(lambda: [run(example) for example in drawn])


@functools.cache
def _calls_beside_examples():
    """Calls of what no example reaches: cells, remainders, indices and tables, random numbers, images."""
    return kernel_calls(lambda: [_backward(outputs) for outputs in _beside_examples()])


def _beside_examples():
    x = leaf(np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4), requires_grad=True)
    places = leaf(np.array([[0, 2, 1, 0]]))
    yield minidl.fmod(x, x + 0.3), minidl.remainder(x, x + 0.3), minidl.erfc(x)
    yield minidl.topk(x, 2).values, x.scatter(0, places, x[:1]), x[:, places[0]], x.kthvalue(2).values
    yield nn.functional.interpolate(x[None], size=7, mode="linear")
    yield nn.functional.pad(x[None], (1, 2), mode="reflect")
    for cell in (nn.RNNCell(4, 5), nn.LSTMCell(4, 5), nn.GRUCell(4, 5)):
        yield cell(x)
    yield nn.functional.max_unpool1d(*nn.functional.max_pool1d(x, 2, return_indices=True), 2)
    pooled = nn.functional.max_pool1d(x, 2).square().sum()
    yield autograd.grad(pooled, x, create_graph=True)
    with random.fork_rng():
        yield minidl.empty(5).exponential_(), minidl.randint(9, (5,))
    images, maps = np.ones((2, 5, 6, 3), np.float32), np.full((2, 2, 3), 0.7)
    backends.cpu.affine_images(images, maps, 1, "mirror", 0.0)
    backends.cpu.philox_bits((7,), np.dtype(np.uint64), 1, 0)


def _run_op(example):
    _backward(example(*map(_narrow, example.arrays)))


def _run_layer(example):
    for training in (True, False):
        module = example.build().train(training)
        _backward(module(*map(_narrow, example.inputs)))


def _run_optimizer(example):
    weight = Parameter(_narrow(np.ones((2, 3))).detach())
    optimizer = example([weight])

    def closure():
        optimizer.zero_grad()
        loss = (weight * weight).sum()
        loss.backward()
        return loss

    optimizer.step(closure)


def _narrow(array):
    floating = array.dtype.kind == "f"
    return leaf(array.astype(np.float32) if floating else array, requires_grad=floating)


def _backward(outputs):
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    live = [each for each in outputs if isinstance(each, Tensor) and each.requires_grad]
    if live:
        sum(each.sum() for each in live).backward()
