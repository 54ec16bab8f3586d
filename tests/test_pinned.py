"""Page-locked memory, and copies that do not wait: on the emulator, which lets them happen as late as CUDA may."""

import collections
import gc

import numpy as np
import pytest

import minidl
from minidl import backends, nn
from minidl.backends import pinned
from minidl.errors import DeviceError
from minidl.utils.data import DataLoader, TensorDataset
from minidl.utils.data.pin import pin_memory

Pair = collections.namedtuple("Pair", "first second")


@pytest.fixture
def cuda(emulated):
    """``cupy.cuda`` or its stand-in; nothing is left to do on the current stream, before and after."""
    room = backends.on(emulated).xp.cuda
    room.get_current_stream().synchronize()
    pinned.release()
    yield room
    room.get_current_stream().synchronize()


def numbers(*shape):
    return minidl.arange(np.prod(shape), dtype=minidl.float32).reshape(*shape)


def test_pinned_memory_is_a_copy_with_the_same_layout(emulated):
    x = numbers(2, 3, 4)
    p = x.pin_memory(emulated)
    assert p.is_pinned() and not x.is_pinned() and p.device.type == "cpu" and (p == x).all()
    assert p.pin_memory(emulated) is p
    assert p[1:, ::2].is_pinned() and p.numpy() is not None and not p.clone().is_pinned()
    turned = x.permute(2, 0, 1).pin_memory(emulated)
    assert turned.stride() == (1, 12, 4) and (turned == x.permute(2, 0, 1)).all()
    assert (x[:, ::2].pin_memory(emulated) == x[:, ::2]).all()
    assert x[:0].pin_memory(emulated).shape == (0, 3, 4) and not x[:0].is_pinned()


def test_a_pinned_copy_passes_gradients(emulated):
    x = numbers(3).requires_grad_()
    (x.pin_memory(emulated).to(emulated, non_blocking=True) * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "uint8", "float16"])
def test_a_copy_that_does_not_wait_arrives(emulated, cuda, dtype):
    x = (numbers(4, 5) % 7).to(getattr(minidl, dtype))
    there = x.pin_memory(emulated).to(emulated, non_blocking=True)
    assert (there + there).device.type == emulated
    back = there.to("cpu", non_blocking=True)
    assert back.is_pinned()
    cuda.get_current_stream().synchronize()
    assert back.dtype is x.dtype and (back == x).all()


def test_copies_keep_the_order_of_dense_axes(emulated, cuda):
    x = numbers(2, 3, 4, 5).permute(0, 3, 1, 2)
    for source in (x, x.pin_memory(emulated)):
        for lazy in (False, True):
            there = source.to(emulated, non_blocking=lazy)
            assert there.stride() == x.stride()
            back = there.to("cpu", non_blocking=lazy)
            cuda.get_current_stream().synchronize()
            assert back.stride() == x.stride() and (back == x).all()
    assert x[:, ::2].to(emulated).is_contiguous()


def test_only_the_emulator_is_as_late_as_it_may_be(emulated, cuda):
    if emulated != "emulated":
        pytest.skip("a GPU is not late on purpose")
    x = numbers(3).pin_memory(emulated)
    there = x.to(emulated, non_blocking=True)
    x.fill_(7)  # a program that writes too early
    assert there.cpu().tolist() == [7.0, 7.0, 7.0]
    back = there.to("cpu", non_blocking=True)
    assert np.isnan(back.numpy()).all()  # and one that reads too early


def test_without_non_blocking_the_source_may_be_written_at_once(emulated):
    x = numbers(3).pin_memory(emulated)
    there = x.to(emulated)
    x.fill_(7)
    assert there.cpu().tolist() == [0.0, 1.0, 2.0]
    target = minidl.zeros(3, device=emulated).copy_(x)
    x.fill_(8)
    assert target.cpu().tolist() == [7.0, 7.0, 7.0]
    host = minidl.zeros(3).pin_memory(emulated).copy_(there)
    assert host.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("lazy", [False, True])
def test_ordinary_memory_is_read_before_the_call_returns(emulated, lazy):
    x = numbers(3)
    there = x.to(emulated, non_blocking=lazy)
    target = minidl.zeros(3, device=emulated).copy_(x, non_blocking=lazy)
    x.fill_(7)
    assert there.cpu().tolist() == target.cpu().tolist() == [0.0, 1.0, 2.0]
    host = minidl.zeros(3).copy_(there, non_blocking=lazy)
    assert host.tolist() == [0.0, 1.0, 2.0]


def test_a_pinned_source_that_is_dropped_is_kept_until_the_copy_is_over(emulated, cuda):
    there = [numbers(5).add_(i).pin_memory(emulated).to(emulated, non_blocking=True) for i in range(4)]
    gc.collect()
    others = [minidl.full((5,), 99.0).pin_memory(emulated) for _ in range(6)]  # would take its place
    assert [t.cpu().tolist()[0] for t in there] == [0.0, 1.0, 2.0, 3.0]
    cuda.get_current_stream().synchronize()
    assert pinned.release() == 0 and len(others) == 6


def test_a_pinned_target_that_is_dropped_is_kept_until_the_copy_is_over(emulated, cuda):
    there = numbers(5).to(emulated)
    there.to("cpu", non_blocking=True)
    gc.collect()
    later = numbers(5).pin_memory(emulated)
    cuda.get_current_stream().synchronize()
    assert later.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_the_emulator_tells_of_memory_given_away_too_early(emulated, cuda):
    if emulated != "emulated":
        pytest.skip("a GPU does not tell")
    space = backends.on(emulated).xp
    host = pinned.empty(space, (4,), "float32")
    host[:] = 1
    target = space.empty((4,), "float32")
    target.set(host, stream=cuda.get_current_stream())
    del host
    with pytest.raises(RuntimeError, match="given away before its copy was over"):
        target.get()
    host = pinned.empty(space, (4,), "float32")
    target.set(host)
    del host
    taken = pinned.empty(space, (4,), "float32")  # the same memory, for somebody else
    with pytest.raises(RuntimeError, match="given away before its copy was over"):
        cuda.get_current_stream().synchronize()
    assert taken is not None


def test_streams_run_beside_each_other(emulated, cuda):
    x = numbers(3).pin_memory(emulated)
    side = cuda.Stream(non_blocking=True)
    with side:
        there = x.to(emulated, non_blocking=True)
        behind = side.record()
    cuda.get_current_stream().wait_event(behind)
    assert (there * 2).cpu().tolist() == [0.0, 2.0, 4.0]
    if emulated == "emulated":
        with side:
            there = x.to(emulated, non_blocking=True)
        assert np.isnan((there * 2).cpu().numpy()).all()  # nobody waited for the side stream
        side.synchronize()
        assert there.cpu().tolist() == [0.0, 1.0, 2.0] and side.log == ["set", "set"]


def test_memory_used_on_another_stream_stays_until_that_is_done(emulated, cuda):
    side = cuda.Stream(non_blocking=True)
    x = numbers(4).pin_memory(emulated)
    with side:
        there = x.to(emulated, non_blocking=True)
    cuda.get_current_stream().synchronize()
    side.synchronize()
    assert pinned.release() == 0
    there[1:].record_stream(side)
    with side:
        x.to(emulated, non_blocking=True)  # the side stream is busy when the tensor goes
    view = there[2:]
    del there
    gc.collect()
    before = len(pinned._flying)
    del view
    gc.collect()
    if emulated == "emulated":  # a GPU may be done already
        assert len(pinned._flying) == before + 1
    side.synchronize()
    assert pinned.release() == 0
    with pytest.raises(NotImplementedError, match="GPU"):
        x.record_stream(side)


def test_a_prefetching_loop_as_programs_write_it(emulated, monkeypatch):
    monkeypatch.setattr(minidl.cuda._gpu, "cupy", lambda: backends.on(emulated).xp)
    loader = DataLoader(numbers(12, 2), batch_size=3, pin_memory=True, pin_memory_device=emulated)
    side, batches, ahead, totals = minidl.cuda.Stream(), iter(loader), None, []

    def preload():
        batch = next(batches, None)
        if batch is None:
            return None
        with minidl.cuda.stream(side):
            return batch.to(emulated, non_blocking=True)

    ahead = preload()
    while ahead is not None:
        minidl.cuda.current_stream().wait_stream(side)
        batch = ahead
        batch.record_stream(minidl.cuda.current_stream())
        ahead = preload()
        totals.append(batch.sum())
        del batch
    assert [t.item() for t in totals] == numbers(12, 2).reshape(4, 6).sum(1).tolist()


def test_copy_writes_straight_into_memory_that_stays(emulated, cuda):
    target, host = minidl.zeros(2, 3, device=emulated), minidl.zeros(2, 3).pin_memory(emulated)
    places, version = (target.data_ptr(), host.data_ptr()), target._version
    target.copy_(numbers(2, 3).pin_memory(emulated), non_blocking=True)
    assert target._version == version + 1
    host.copy_(target, non_blocking=True)
    cuda.get_current_stream().synchronize()
    assert host.tolist() == numbers(2, 3).tolist() and (target.data_ptr(), host.data_ptr()) == places


def test_copy_casts_across_devices(emulated, cuda):
    whole = minidl.arange(3).pin_memory(emulated)
    there = minidl.zeros(3, device=emulated).copy_(whole, non_blocking=True)
    assert there.cpu().tolist() == [0.0, 1.0, 2.0]
    host = minidl.zeros(3, dtype=minidl.int64).pin_memory(emulated).copy_(there + 0.5, non_blocking=True)
    cuda.get_current_stream().synchronize()
    assert host.tolist() == [0, 1, 2]
    strided = minidl.zeros(6, device=emulated)
    strided[::2].copy_(numbers(3).pin_memory(emulated), non_blocking=True)
    assert strided.cpu().tolist() == [0.0, 0.0, 1.0, 0.0, 2.0, 0.0]


def test_copy_casts_and_broadcasts_across_devices(emulated):
    x = minidl.arange(3).pin_memory(emulated)
    assert (
        minidl.zeros(2, 3, device=emulated).copy_(x, non_blocking=True).cpu().tolist()
        == [[0.0, 1.0, 2.0]] * 2
    )
    host = minidl.zeros(2, 3).pin_memory(emulated).copy_(x.to(emulated), non_blocking=True)
    assert host.tolist() == [[0.0, 1.0, 2.0]] * 2
    assert (
        minidl.zeros(3, 2).T.copy_(numbers(2, 3).to(emulated), non_blocking=True).tolist()
        == numbers(2, 3).tolist()
    )
    w = numbers(3).requires_grad_()
    y = minidl.zeros(3, device=emulated).copy_(w, non_blocking=True)
    y.sum().backward()
    assert w.grad.tolist() == [1.0] * 3 and w.grad.is_cpu and not y.is_leaf
    leaf = minidl.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        leaf.copy_(y.detach())


def test_a_cast_on_the_way_to_the_host_comes_before_the_copy(emulated, cuda):
    back = numbers(3).to(emulated).to("cpu", minidl.int64, non_blocking=True)
    cuda.get_current_stream().synchronize()
    assert back.dtype is minidl.int64 and back.tolist() == [0, 1, 2]


def test_arguments_of_to_by_place(emulated):
    x = numbers(3).pin_memory(emulated)
    assert x.to("cpu", minidl.float32, True, True) is not x
    assert x.to("cpu", True) is x and x.to(minidl.float32, False, True) is not x
    assert x.to(emulated, minidl.float64, True).cpu().tolist() == [0.0, 1.0, 2.0]


def test_a_module_moves_without_waiting(emulated, cuda):
    net = nn.Linear(3, 2)
    before = {name: value.tolist() for name, value in net.state_dict().items()}
    for parameter in net.parameters():
        parameter.data = parameter.data.pin_memory(emulated)
    net.to(emulated, non_blocking=True)
    assert {p.device.type for p in net.parameters()} == {emulated}
    assert {name: value.cpu().tolist() for name, value in net.state_dict().items()} == before
    net.to("cpu", minidl.float64, True)
    cuda.get_current_stream().synchronize()
    assert net.weight.is_pinned() and net.weight.tolist() == before["weight"]


def test_a_capture_neither_waits_nor_asks(emulated, cuda, monkeypatch):
    if emulated != "emulated":
        pytest.skip("the emulator tells what CUDA forbids")
    monkeypatch.setattr(pinned, "_captured", [])
    source, target = numbers(3).pin_memory(emulated), minidl.zeros(3, device=emulated)
    numbers(3).pin_memory(emulated).to(emulated, non_blocking=True)  # a copy still under way
    host = minidl.zeros(3).pin_memory(emulated)
    stream = cuda.get_current_stream()
    stream.begin_capture()
    try:
        target.copy_(source, non_blocking=True)
        host.copy_(target, non_blocking=True)
        kept = [id(array) for arrays in pinned._captured for array in arrays]
        assert id(source._array) in kept and id(host._array) in kept
        with pytest.raises(RuntimeError, match="StreamCaptureUnsupported"):
            target.copy_(source)
    finally:
        stream.end_capture()
    stream.synchronize()
    assert host.tolist() == [0.0, 1.0, 2.0]


def test_a_captured_copy_reads_what_is_there_when_it_runs(emulated, cuda):
    if emulated != "cuda":
        pytest.skip("the emulator captures no graphs")
    source, target = numbers(3).pin_memory(), minidl.zeros(3, device="cuda")
    stream = cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        target.copy_(source, non_blocking=True)
        graph = stream.end_capture()
        source.fill_(3)
        graph.launch(stream)
    stream.synchronize()
    assert target.tolist() == [3.0, 3.0, 3.0]


class Own:
    """A batch that knows how it is pinned."""

    def __init__(self, x):
        self.x = x

    def pin_memory(self):
        return "pinned"


def test_structures_are_pinned(emulated):
    x, y = numbers(2), numbers(3)
    ordered = collections.OrderedDict(a=x, b=[y, "text", 3, None])
    data = {"pair": Pair(x, (y, b"bytes")), "own": Own(x), "more": ordered, "n": 1.5}
    out = pin_memory(data, emulated)
    assert type(out) is dict and type(out["pair"]) is Pair and type(out["pair"].second) is tuple
    assert (
        out["pair"].first.is_pinned()
        and out["pair"].second[0].is_pinned()
        and out["pair"].second[1] == b"bytes"
    )
    assert type(out["more"]) is collections.OrderedDict and out["more"]["b"][0].is_pinned()
    assert out["more"]["b"][1:] == ["text", 3, None] and out["own"] == "pinned" and out["n"] == 1.5


@pytest.mark.parametrize("workers", [{}, {"num_workers": 2, "worker_type": "thread"}, {"num_workers": 1}])
def test_a_loader_gives_pinned_batches(emulated, workers):
    data = TensorDataset(numbers(7, 2), minidl.arange(7))
    loader = DataLoader(data, batch_size=3, pin_memory=True, pin_memory_device=emulated, **workers)
    seen = []
    for x, y in loader:
        assert x.is_pinned() and y.is_pinned()
        seen.append((x.to(emulated, non_blocking=True), y.to(emulated, non_blocking=True)))
    assert minidl.cat([y for _, y in seen]).cpu().tolist() == list(range(7))
    assert minidl.cat([x for x, _ in seen]).cpu().tolist() == numbers(7, 2).tolist()


def test_without_an_accelerator():
    if minidl.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match="Cannot access accelerator device when none is available"):
        minidl.ones(2).pin_memory()
    with pytest.raises(RuntimeError, match="accelerator"):
        minidl.tensor([1.0], pin_memory=True)
    makers = minidl.zeros, minidl.ones, minidl.empty, minidl.rand, minidl.randn, minidl.randperm
    for make in (
        *makers,
        lambda n, **kw: minidl.full((n,), 1, **kw),
        lambda n, **kw: minidl.randint(n, (2,), **kw),
    ):
        assert not make(2, pin_memory=False).is_pinned()
        with pytest.raises(DeviceError, match="accelerator"):
            make(2, pin_memory=True)
    with pytest.raises(DeviceError, match="accelerator"):
        minidl.zeros_like(minidl.ones(2), pin_memory=True)
    loader = DataLoader(TensorDataset(minidl.arange(2)), pin_memory=True)
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        assert not next(iter(loader))[0].is_pinned()
    assert not minidl.ones(2).is_pinned()


def test_what_cannot_be_pinned(emulated):
    with pytest.raises(RuntimeError, match="only dense CPU tensors can be pinned"):
        minidl.ones(2, device=emulated).pin_memory(emulated)
    with pytest.raises(RuntimeError, match="pinned"):
        minidl.ones(2).pin_memory("cpu")
    assert not minidl.ones(2, device=emulated).is_pinned()
