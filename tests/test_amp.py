"""autocast without PyTorch: what it costs when it is off, threads, kept casts, in-place and out= forms."""

import threading

import pytest

import minidl
from minidl.autograd import autocast as internals
from minidl.nn import functional as F


def product():
    return minidl.ones(2, 2) @ minidl.ones(2, 2)


def test_no_flag_is_set_outside():
    def flags():
        return {space["autocasting"] for space in internals._flagged}

    assert flags() == {False}
    with minidl.autocast("cpu"):
        assert flags() == {True}
        with minidl.autocast("cpu", enabled=False):
            assert product().dtype is minidl.float32
    assert flags() == {False}
    assert product().dtype is minidl.float32


def test_it_is_the_threads_own():
    found, ready, go = [], threading.Event(), threading.Event()

    def other():
        found.append(product().dtype)
        with minidl.autocast("cpu"):
            found.append(product().dtype)
            ready.set()
            go.wait(10)
        found.append(product().dtype)

    with minidl.autocast("cpu"):
        thread = threading.Thread(target=other)
        thread.start()
        ready.wait(10)
        assert product().dtype is minidl.bfloat16
    assert product().dtype is minidl.float32
    go.set()
    thread.join()
    assert found == [minidl.float32, minidl.bfloat16, minidl.float32]
    assert internals._active[0] == 0


def test_the_cast_of_a_parameter_is_kept_and_renewed():
    weight = minidl.nn.Parameter(minidl.ones(2, 2))
    x = minidl.ones(1, 2)
    with minidl.autocast("cpu"):
        with minidl.no_grad():
            F.linear(x, weight)
        assert not internals.state.casts
        first = F.linear(x, weight)
        kept = next(iter(internals.state.casts.values()))[2]
        second = F.linear(x, weight)
        assert next(iter(internals.state.casts.values()))[2] is kept
        with minidl.no_grad():
            weight.mul_(2)
        third = F.linear(x, weight)
    assert not internals.state.casts
    assert (third == 2 * first).all()
    (first + second + third).sum().backward()
    assert weight.grad.dtype is minidl.float32
    assert weight.grad.tolist() == [[3, 3], [3, 3]]
    with minidl.autocast("cpu", cache_enabled=False):
        F.linear(x, weight)
        assert not internals.state.casts


def test_in_place_forms_and_out_keep_their_dtype():
    with minidl.autocast("cpu"):
        third = minidl.full((1, 1), 1 / 3)
        out = minidl.empty(1, 1)
        assert minidl.mm(third, third, out=out).dtype is minidl.float32
        assert out.item() == pytest.approx(1 / 9, rel=1e-6)
        third.addmm_(third, third, beta=0)
        assert third.item() == pytest.approx(1 / 9, rel=1e-6)


def test_second_derivatives_go_through_casts():
    x = minidl.full((1, 1), 3.0, requires_grad=True)
    with minidl.autocast("cpu"):
        y = (x @ x) @ x
        (first,) = minidl.autograd.grad(y.float().sum(), x, create_graph=True)
    (second,) = minidl.autograd.grad(first.sum(), x)
    assert (first.item(), second.item()) == (27, 18)


@pytest.mark.parametrize("name", ["matmul", "softmax", "mse_loss", "exp", "cat", "linear"])
def test_on_a_gpu_the_lists_of_the_gpu_hold(name, device):
    calls = {
        "matmul": (lambda x: x @ x, "float16"),
        "linear": (lambda x: F.linear(x, x), "float16"),
        "softmax": (lambda x: x.softmax(1), "float32"),
        "mse_loss": (lambda x: F.mse_loss(x, x), "float32"),
        "exp": (lambda x: x.exp(), "float32"),
        "cat": (lambda x: minidl.cat([x, x]), "float16"),
    }
    if device == "cpu":
        pytest.skip("a test of GPU devices")
    call, dtype = calls[name]
    x = minidl.ones(2, 2, device=device, dtype=minidl.float16)
    with minidl.autocast(device, dtype=minidl.float16):
        assert call(x).dtype is getattr(minidl, dtype)
        assert product().dtype is minidl.float32  # the CPU's tensors are another matter
        with pytest.raises(RuntimeError, match="unsafe to autocast"):
            F.binary_cross_entropy(x, x)


def test_unknown_device_types_are_named():
    for call in (minidl.autocast, minidl.is_autocast_enabled, minidl.get_autocast_dtype):
        with pytest.raises(RuntimeError, match="unsupported autocast device_type 'tpu'"):
            call("tpu")
