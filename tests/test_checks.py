"""check_module, check_optimizer, check_kernel, check_equivariance, functions of other libraries: what they catch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl import backends, nn, optim
from minidl.autograd import Function
from minidl.errors import GradcheckError
from minidl.testing import (
    arrays,
    check_equivariance,
    check_gradients,
    check_kernel,
    check_module,
    check_optimizer,
    from_vjp,
    modules,
    networks,
    register_module,
    tensors,
)
from minidl.testing.kernels import kernel_calls, serving
from minidl.testing.layers import REGISTRY


class Scaled(nn.Module):
    """x * weight, with one thing wrong."""

    def __init__(self, fault=""):
        super().__init__()
        self.weight = nn.Parameter(minidl.tensor([0.5, 2.0]))
        self.fault, self.calls, self.kept = fault, 0, None
        self.inner = nn.Dropout(0.0)

    def forward(self, x):
        self.calls += 1
        out = x * self.weight
        if self.fault == "gradients":
            out = (
                x * self.weight.detach()
                + x.detach() * self.weight * 1.01
                - x.detach() * self.weight.detach() * 1.01
            )
        if self.fault == "determinism":
            out = out + self.calls
        if self.fault == "mutation" and not self.training:
            x.detach().add_(1)
        if self.fault == "state_dict" and not self.training:
            self.kept = self.weight.detach().clone() if self.kept is None else self.kept
            out = x * self.kept
        if self.fault == "dtypes":
            out = out.double()
        if self.fault == "batch":
            out = out - out.mean(0)
        if self.fault == "leaks":
            self.kept = out
        if self.fault == "hidden leak":
            self.kept = [*(self.kept or []), x * 2]
        if self.fault == "cut in evaluation" and not self.training:
            out = out.detach()
        if self.fault == "no tensor":
            return "out"
        return out

    def train(self, mode=True):
        if self.fault != "modes":
            return super().train(mode)
        self.training = mode
        return self


FAULTS = ("gradients", "determinism", "mutation", "modes", "state_dict", "dtypes", "batch", "leaks")


def test_a_right_module_passes():
    check_module(Scaled(), minidl.ones(3, 2), order=2)
    check_module(nn.LSTM(2, 3), minidl.randn(4, 2, 2), batch_dim=1)
    check_module(nn.Linear(2, 1), arrays((2, 2)))


class Forgetful(nn.BatchNorm1d):
    """A buffer is missing in its state_dict."""

    def state_dict(self):
        return {key: value for key, value in super().state_dict().items() if key != "running_var"}

    def load_state_dict(self, state):
        return super().load_state_dict(state, strict=False)


class Halved(Function):
    """x^2, whose gradient is wrong in float32 alone."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return ctx.saved_tensors[0] * g * (2 if g.dtype == minidl.float64 else 1)


@pytest.mark.parametrize(
    ("module", "call", "error", "text"),
    [
        (Scaled("hidden leak"), None, AssertionError, "each call leaves 1 tensors more with the module"),
        (Scaled("cut in evaluation"), None, GradcheckError, "analytical 0"),
        (Scaled("no tensor"), None, TypeError, "a call of the module gives no tensor"),
        (Scaled, None, TypeError, r"takes a module, got .* Hint: build it, as Scaled\(...\)"),
        (Forgetful(2), None, AssertionError, "after load_state_dict"),
        (nn.Linear(2, 2), lambda m, x: Halved.apply(m(x)), AssertionError, "float32 beside float64"),
        (nn.ReLU(inplace=True), None, AssertionError, "a call changes its input 0"),
    ],
)
def test_less_plain_faults_are_caught_too(module, call, error, text):
    with pytest.raises(error, match=text) as caught:
        check_module(module, minidl.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.75]]), call=call)
    if error is AssertionError:
        assert "check_module(" in caught.value.__notes__[-1]


def test_inputs_may_lie_in_tuples():
    states = (minidl.randn(1, 2, 3), minidl.randn(1, 2, 3))
    check_module(nn.LSTM(2, 3), minidl.randn(4, 2, 2), states, batch_dim=1)
    wrong = lambda module, x, pair: x * pair[0] * pair[1].detach()  # noqa: E731
    with pytest.raises(GradcheckError, match="with respect to input 2"):
        check_module(nn.Identity(), minidl.ones(2), (minidl.ones(2), minidl.ones(2)), call=wrong)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_module_with_one_fault_is_caught_and_the_check_named(fault):
    rest = [name for name in FAULTS if name != fault]
    x = minidl.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])
    with pytest.raises((AssertionError, GradcheckError)) as caught:
        check_module(Scaled(fault), x, skip=rest)
    assert f"check_module: {fault} of Scaled" in caught.value.__notes__


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="skip must be among"):
        check_module(Scaled(), minidl.ones(1, 2), skip=["nothing"])
    with pytest.raises(ValueError, match="no entry named Nothing"):
        modules(["Nothing"])
    with pytest.raises(ValueError, match="registered already"):
        register_module("Linear", st.nothing())
    with pytest.raises(ValueError, match="no backend 'cuda'"), serving("cuda"):
        pass


def test_every_layer_has_a_strategy_but_what_holds_other_modules():
    layers = {
        name for name, kind in vars(nn).items() if isinstance(kind, type) and issubclass(kind, nn.Module)
    }
    holders = {
        *(
            "Module",
            "Sequential",
            "ModuleList",
            "ModuleDict",
            "ParameterList",
            "ParameterDict",
            "DataParallel",
        ),
        *("RNNBase", "RNNCellBase", "TransformerEncoder", "TransformerDecoder"),
    }
    former = {"NLLLoss2d"}
    lazy = {name for name in layers if name.startswith("Lazy")}
    assert layers - holders - former - lazy == set(REGISTRY)


@settings(max_examples=5)
@given(networks(smooth=False))
def test_drawn_networks_learn(example):
    (x,) = example.inputs
    network = example.build()
    optimizer = optim.SGD(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(2):
        loss = (network(minidl.tensor(x).float()) ** 2).sum()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[1] <= losses[0]


class Faulty(optim.SGD):
    """Momentum, with one thing wrong."""

    fault = ""

    def __init__(self, parameters, fault):
        super().__init__(parameters, lr=0.05, momentum=0.9)
        self.fault, self.steps = fault, 0

    def step(self, closure=None):
        loss = super().step(closure)
        self.steps += 1
        with minidl.no_grad():
            for p in (p for group in self.param_groups for p in group["params"]):
                if self.fault == "climbs" and p.grad is not None:
                    p.add_(p.grad)
                if self.fault == "moves all":
                    p.mul_(0.9)
                if self.fault == "spoils" and p.grad is not None:
                    p.grad.mul_(2)
                if self.fault == "forgets" and p.grad is not None:
                    p.sub_(p.grad * (0.001 * min(self.steps, 3)))
        return None if self.fault == "silent" else loss


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("climbs", "do not lower the loss"),
        ("moves all", "moves a parameter that has no gradient"),
        ("spoils", "a step changes .grad"),
        ("forgets", "after load_state_dict the steps differ"),
        ("silent", "does not return what the closure returned"),
    ],
)
def test_an_optimizer_with_one_fault_is_caught(fault, text):
    check_optimizer(lambda parameters: Faulty(parameters, ""))
    with pytest.raises(AssertionError, match=text):
        check_optimizer(lambda parameters: Faulty(parameters, fault))


def beyond(x):
    out = np.tanh(x)
    np.ndarray(1, x.dtype, x.base, (x.ctypes.data - x.base.ctypes.data) + x.nbytes)[0] = 1
    return out


@pytest.mark.parametrize(
    ("kernel", "text"),
    [
        (lambda x: np.tanh(x) * x.dtype.type(1.01), "not close"),
        (beyond, "memory beside an argument was written"),
        (lambda x: np.nan_to_num(np.tanh(x)), "not close"),
        (lambda x: np.tanh(np.ascontiguousarray(x.T).reshape(x.shape)), "not close"),
        (lambda x: np.tanh(x, out=x), "argument after the call"),
        (lambda x: np.tanh(x).astype(np.float64), "dtype float64, the reference gives float32"),
    ],
)
def test_a_kernel_with_one_fault_is_caught(kernel, text, monkeypatch, native):
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    check_kernel("tanh", calls=[((x,), {})])
    monkeypatch.setattr(backends.cpu, "tanh", kernel)
    with pytest.raises(AssertionError, match=text) as caught:
        check_kernel("tanh", calls=[((x,), {})])
    assert any(".tanh(float32[3, 4])" in note for note in caught.value.__notes__)


def test_a_kernel_that_gives_its_argument_back_is_caught(monkeypatch, native):
    x = np.linspace(1, 2, 4, dtype=np.float32)
    monkeypatch.setattr(backends.cpu, "abs", lambda x: x)
    with pytest.raises(AssertionError, match=r"shares memory with argument \[0\]"):
        check_kernel("abs", calls=[((x,), {})], nan=False)


def test_calls_of_kernels_are_found_and_nothing_stays_watched():
    calls = kernel_calls(lambda: minidl.ones(2, 3).softmax(1))
    assert [args[0].shape for args, _ in calls["softmax"]] == [(2, 3)]
    assert "watched" not in repr(backends.cpu.softmax)
    with pytest.raises(ValueError, match="never calls 'tanh'"):
        check_kernel("tanh", lambda: minidl.ones(2))


def test_a_kernel_is_checked_by_its_name_alone(native):
    for name in (
        "softmax",
        "gelu_grad",
        "group_norm_backward",
        "sgd_step",
        "affine_images",
        "max_pool_gather",
    ):
        check_kernel(name)
    with pytest.raises(ValueError, match="no function 'sfotmax'; there is softmax"):
        check_kernel("sfotmax")
    with pytest.raises(ValueError, match="give workload or calls, not both"):
        check_kernel("softmax", lambda: minidl.ones(2).softmax(0), calls=[])
    with pytest.raises(ValueError, match="the reference's own"):
        check_kernel("eye", calls=[((3, 3, np.dtype(np.float32)), {})])


def test_what_lies_between_the_elements_of_a_view_is_guarded(monkeypatch, native):
    def careless(x):
        if x.strides == (72, 8):  # sliced: writes the place after its first element
            np.lib.stride_tricks.as_strided(x, (2,), (4,))[1] = 1
        return np.tanh(x)

    monkeypatch.setattr(backends.cpu, "tanh", careless)
    x = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    with pytest.raises(AssertionError, match="memory beside an argument") as caught:
        check_kernel("tanh", calls=[((x,), {})], layouts=["sliced"])
    assert caught.value.__notes__[-1].endswith("with sliced arguments")


def test_a_nan_is_put_into_lists_too(monkeypatch, native):
    monkeypatch.setattr(backends.cpu, "concatenate", lambda xs, dim: np.nan_to_num(np.concatenate(xs, dim)))
    monkeypatch.setattr(backends.cpu, "overrides", {**backends.cpu.overrides, "concatenate": None})
    with pytest.raises(AssertionError, match="expected nan"):
        check_kernel("concatenate", calls=[(([np.ones(2), np.ones(3)], 0), {})])


def test_integers_have_no_gradients_to_move():
    check_equivariance(lambda x: x * 2, minidl.arange(3), lambda x: x.flip(0))


def test_check_equivariance_tells_what_moves_from_what_does_not():
    x = np.arange(6.0).reshape(2, 3)
    check_equivariance(lambda x: x.cumsum(0), x, lambda x: x.flip(1))
    with pytest.raises(AssertionError, match="not equivariant"):
        check_equivariance(lambda x: x.cumsum(1), x, lambda x: x.flip(1))

    class Lopsided(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * minidl.tensor([1.0, 2.0, 3.0], dtype=minidl.float64)

    with pytest.raises(AssertionError, match="the gradient is not equivariant"):
        check_equivariance(Lopsided.apply, x, lambda x: x.flip(1))


def test_functions_of_numpy_arrays_are_checked():
    check_gradients(from_vjp(np.multiply, lambda x, y, g: (g * y, g * x)), np.ones(2), np.full(2, 3.0))
    with pytest.raises(GradcheckError, match="input 1"):
        check_gradients(from_vjp(np.multiply, lambda x, y, g: (g * y, g * y)), np.ones(2), np.full(2, 3.0))
    with pytest.raises(NotImplementedError, match="no second gradient"):
        check_gradients(from_vjp(np.sin, lambda x, g: (g * np.cos(x),)), np.ones(2), order=2)
    for wrong in (lambda x, y, g: g * y, lambda x, y, g: (g * y, g * x, g)):
        with pytest.raises(
            ValueError, match=r"the gradient of multiply gives . arrays for 2 floating-point inputs"
        ):
            check_gradients(from_vjp(np.multiply, wrong), np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="multiply takes its arguments by position"):
        from_vjp(np.multiply, wrong)(minidl.ones(1), y=minidl.ones(1))


@settings(max_examples=3)
@given(tensors((2,)))
def test_jax_functions_are_checked_to_second_order(x):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    check_gradients(minidl.testing.from_jax(jax.numpy.tanh), x, order=2)
