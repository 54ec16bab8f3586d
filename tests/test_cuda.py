"""``minidl.cuda`` on a pretended GPU, on a machine without one, and on a GPU where there is one."""

import ast
import gc
import inspect
import threading
import types
from pathlib import Path

import pytest

import minidl
from minidl import backends, cuda, nn
from minidl.backends import device_memory, faults, pinned
from minidl.cuda import _gpu, memory, nvtx, streams
from minidl.errors import DeviceError, OutOfMemoryError

MIB = 2**20


class Pool:
    used, kept, room = 3 * MIB, 5 * MIB, 100 * MIB

    def malloc(self, size):
        if size > self.room:
            raise PretendedOutOfMemory
        self.used += size
        return types.SimpleNamespace(device_id=0)

    def get_limit(self):
        return 90 * MIB

    def used_bytes(self):
        return self.used

    def free_bytes(self):
        return self.kept

    def total_bytes(self):
        return self.used + self.kept

    def free_all_blocks(self):
        self.kept = 0


class PretendedOutOfMemory(Exception):
    pass


class Raw:
    """A stream, an event or a device, which notes what is asked of it."""

    done, ptr, device_id, priority = True, 7, 1, -1

    def __init__(self, log, *args, **kwargs):
        self.log = log
        log.append((*args, *sorted(kwargs.items())))

    def __getattr__(self, name):
        return lambda *args: self.log.append((name, *(type(a).__name__ for a in args)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


@pytest.fixture
def cupy(monkeypatch):
    """A module with the parts of CuPy that ``minidl.cuda`` uses."""
    log, pool = [], Pool()
    raw = lambda *args, **kwargs: Raw(log, *args, **kwargs)  # noqa: E731
    stream = type(
        "Stream", (Raw,), {"null": Raw(log), "__init__": lambda self, **kw: Raw.__init__(self, log, **kw)}
    )
    runtime = types.SimpleNamespace(
        getDevice=lambda: 0,
        getDeviceCount=lambda: 2,
        memGetInfo=lambda: (10 * MIB, 80 * MIB),
        getDeviceProperties=lambda index: {
            "name": b"Pretended", "major": 9, "minor": 0, "totalGlobalMem": 80 * MIB, "multiProcessorCount": 132,
            "warpSize": 32, "l2CacheSize": 50 * MIB, "integrated": 0, "isMultiGpuBoard": 0,
            "maxThreadsPerBlock": 1024, "maxThreadsPerMultiProcessor": 2048, "regsPerMultiprocessor": 65536,
            "sharedMemPerBlock": 49152, "sharedMemPerBlockOptin": 232448, "sharedMemPerMultiprocessor": 233472,
        },
    )  # fmt: skip
    room = types.SimpleNamespace(
        runtime=runtime, Device=raw, Event=raw, Stream=stream, get_current_stream=lambda: Raw(log),
        get_elapsed_time=lambda a, b: 1.5, set_allocator=lambda f: setattr(room, "allocate", f),
        memory=types.SimpleNamespace(OutOfMemoryError=PretendedOutOfMemory),
    )  # fmt: skip
    made = types.SimpleNamespace(cuda=room, get_default_memory_pool=lambda: pool, log=log, pool=pool)
    monkeypatch.setattr(_gpu, "cupy", lambda: made)
    monkeypatch.setattr(_gpu, "is_available", lambda: True)
    return made


def test_devices(cupy):
    assert cuda.device_count() == 2 and cuda.current_device() == 0
    assert cuda.get_device_name() == "Pretended" and cuda.get_device_capability("cuda:1") == (9, 0)
    assert cuda.get_device_properties(0).multi_processor_count == 132
    assert cuda.get_device_properties().shared_memory_per_block_optin == 232448
    before = len(cupy.log)
    cuda.set_device(-1)
    with cuda.device(-1), cuda.device(None):
        assert len(cupy.log) == before
    with cuda.device(1):
        assert (1,) in cupy.log
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        cuda.set_device("cpu")


def test_architectures_are_those_of_the_install(cupy, monkeypatch):
    record = {"archs": "75-real 90a-real 80-virtual"}  # as csrc/CMakeLists.txt writes it
    monkeypatch.setattr(cuda.build_info, "extension", lambda name: record)
    assert cuda.get_arch_list() == ["sm_75", "sm_90a", "compute_80"]
    record.clear()
    assert cuda.get_arch_list() == []


def test_streams_and_events(cupy):
    side, start, stop = (
        cuda.Stream(priority=-1),
        cuda.Event(enable_timing=True),
        cuda.Event(enable_timing=True),
    )
    assert (("non_blocking", True), ("priority", -1)) in cupy.log
    assert side.device == minidl.device("cuda:1") and side.priority == -1 and start.cuda_event == 7
    for refused in ({"interprocess": True}, {"external": True}):
        with pytest.raises(NotImplementedError, match="not supported"):
            cuda.Event(**refused)
    assert (("block", False), ("disable_timing", False)) in cupy.log
    with cuda.stream(side):
        start.record()
    side.record_event(stop)
    side.wait_stream(cuda.current_stream())
    assert start.elapsed_time(stop) == 1.5 and start.query() and side.query()
    assert side == cuda.Stream._of(side._stream) and len({side, cuda.default_stream()}) == 1
    for waits in (side.synchronize, stop.synchronize, cuda.synchronize):
        waits()
    assert [entry[0] for entry in cupy.log if entry].count("synchronize") == 3


@pytest.mark.parametrize("wait", ["device", "stream", "event"])
def test_whoever_waits_hears_of_bad_indices(wait, cupy, monkeypatch):
    def check():
        raise IndexError("index 7")

    waits = {
        "device": cuda.synchronize,
        "stream": cuda.Stream().synchronize,
        "event": cuda.Event().synchronize,
    }
    monkeypatch.setattr(faults, "check", check)
    with pytest.raises(IndexError, match="index 7"):
        waits[wait]()


def test_memory_is_counted(cupy):
    device_memory.watch(cupy)
    cupy.cuda.allocate(20 * MIB)
    cupy.pool.used -= 20 * MIB
    assert cuda.memory_allocated() == 3 * MIB and cuda.max_memory_allocated() == 23 * MIB
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == 3 * MIB and cuda.memory_reserved() == 8 * MIB
    assert "arrays hold                   3.0 MiB" in cuda.memory_summary()
    cuda.empty_cache()
    assert cuda.max_memory_reserved() == 8 * MIB and cuda.memory_reserved() == 3 * MIB
    assert cuda.memory_stats()["reserved_bytes.all.peak"] == 8 * MIB
    assert cuda.memory_stats()["allocated_bytes.all.current"] == 3 * MIB
    assert cuda.memory_reserved() == 3 * MIB and cuda.mem_get_info() == (10 * MIB, 80 * MIB)
    assert cuda.max_memory_reserved() == 8 * MIB


def test_an_allocation_asks_the_pool_for_one_counter(cupy, monkeypatch):
    asked = []
    monkeypatch.setattr(Pool, "used_bytes", lambda self: asked.append("used") or self.used)
    for other in ("free_bytes", "total_bytes", "get_limit"):
        monkeypatch.setattr(Pool, other, lambda self: pytest.fail("not on the way of an allocation"))
    device_memory.watch(cupy)
    for _ in range(3):
        cupy.cuda.allocate(MIB)
    assert asked == ["used"] * 3


def test_peaks_of_threads_are_not_lost(cupy):
    device_memory.watch(cupy)
    record = device_memory.record(cupy, 0)

    def raise_often(start):
        for used in range(start, 2000, 2):
            record.raise_to(used)

    threads = [threading.Thread(target=raise_often, args=(start,)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert record.peak == 1999


def test_an_allocation_too_large_says_what_is_held_and_the_process_goes_on(cupy):
    device_memory.watch(cupy)
    with pytest.raises(OutOfMemoryError) as error:
        cupy.cuda.allocate(200 * MIB)
    for text in (
        "CUDA out of memory. Tried to allocate 200.00 MiB. GPU 0 has a total capacity of 80.00 MiB",
        "of which 10.00 MiB is free",
        "Arrays hold 3.00 MiB",
        "5.00 MiB more for reuse; it may take 90.00 MiB at most",
        "smaller batch",
    ):
        assert text in str(error.value)
    assert cupy.cuda.allocate(MIB) and cuda.memory_allocated() == 4 * MIB
    assert cuda.memory_stats()["num_ooms"] == 1 and "out of memory 1 times" in cuda.memory_summary()


@pytest.fixture
def pool(emulated, monkeypatch):
    """The memory pool of what runs the kernels; ``minidl.cuda`` tells of it."""
    xp = backends.on(emulated).xp
    monkeypatch.setattr(_gpu, "cupy", lambda: xp)
    monkeypatch.setattr(_gpu, "is_available", lambda: True)
    gc.collect()
    cuda.empty_cache()
    cuda.reset_peak_memory_stats()
    yield xp.get_default_memory_pool()
    xp.get_default_memory_pool().set_limit(size=0)


def test_kernels_outputs_are_counted_while_they_live(emulated, pool):
    before = cuda.memory_allocated()
    x = minidl.empty(2**18, device=emulated)
    y = minidl.empty(2**18 + 1, device=emulated)
    assert cuda.memory_allocated() == before + 2 * MIB + 512
    view = y[1:]
    del x, y
    assert (
        cuda.memory_allocated() == before + MIB + 512
        and cuda.max_memory_allocated() == before + 2 * MIB + 512
    )
    del view
    stats = cuda.memory_stats()
    assert stats["allocated_bytes.all.current"] == before == cuda.memory_allocated()
    assert stats["allocated_bytes.all.peak"] == before + 2 * MIB + 512
    assert stats["reserved_bytes.all.peak"] == cuda.max_memory_reserved() >= before + 2 * MIB + 512
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == before


def test_a_program_goes_on_after_it_ran_out_of_memory(emulated, pool):
    model = nn.Linear(64, 64).to(emulated)
    refused = cuda.memory_stats()["num_ooms"]
    cuda.empty_cache()
    pool.set_limit(size=cuda.memory_reserved() + 3 * MIB)
    held = cuda.memory_allocated()
    batch, tries = 2**16, []
    while True:
        try:
            model(minidl.empty(batch, 64, device=emulated).zero_()).sum().backward()
            break
        except RuntimeError as error:  # as programs catch PyTorch's
            assert "CUDA out of memory. Tried to allocate" in str(error) and "at most" in str(error)
            tries.append(batch)
        gc.collect()
        assert cuda.memory_allocated() <= held + 2**16  # nothing of the batch; a GPU keeps a record or two
        batch //= 4
    assert len(tries) >= 2 and cuda.memory_stats()["num_ooms"] == refused + len(tries)
    assert model.weight.grad.cpu().abs().sum().item() == 0.0


def test_a_fraction_of_the_memory(emulated, pool):
    cuda.set_per_process_memory_fraction(0.5)
    assert 0 < pool.get_limit() <= cuda.mem_get_info()[1] / 2 + 1
    cuda.set_per_process_memory_fraction(0.0)
    assert pool.get_limit() == 1
    with pytest.raises(TypeError, match="must be `float`"):
        cuda.set_per_process_memory_fraction(1)
    with pytest.raises(ValueError, match="Invalid fraction value"):
        cuda.set_per_process_memory_fraction(1.5)


def test_without_a_gpu_questions_are_answered_and_requests_say_why():
    if cuda.is_available():
        pytest.skip("there is a GPU")
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == cuda.memory_reserved() == 0
    assert cuda.max_memory_reserved() == 0 and cuda.memory_stats() == {} and cuda.get_arch_list() == []
    assert not cuda.is_bf16_supported() and not cuda.is_tf32_supported()
    assert cuda.device_count() == 0 and cuda.manual_seed_all(1) is None and cuda.empty_cache() is None
    assert cuda.get_rng_state_all() == [] and cuda.set_rng_state_all([]) is None
    assert cuda.seed() is None and cuda.seed_all() is None
    for call in (
        cuda.synchronize,
        cuda.init,
        cuda.get_rng_state,
        cuda.mem_get_info,
        cuda.Stream,
        cuda.Event,
        cuda.get_device_name,
    ):
        with pytest.raises(DeviceError, match=r"cuda.*doctor"):
            call()


def test_on_a_gpu():
    if not cuda.is_available():
        pytest.skip("there is no GPU")
    x = minidl.ones(1024, 1024, device="cuda")
    assert cuda.memory_allocated() >= 4 * MIB and cuda.max_memory_allocated() >= cuda.memory_allocated()
    start, stop = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    y = x @ x
    stop.record()
    stop.synchronize()
    assert start.elapsed_time(stop) > 0 and y.sum().item() == 2.0**30
    with pytest.raises(OutOfMemoryError, match="out of memory"):
        backends.on("cuda").xp.empty(2**50, "uint8")
    assert cuda.get_device_capability() >= (7, 5) and cuda.get_device_name() in cuda.memory_summary()


def _chains(tree):
    """Every ``_gpu.cupy().a.b``, ``cupy.a.b`` and ``xp.a.b`` of a module, as a tuple of names."""
    for node in ast.walk(tree):
        names, base = [], node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        called = isinstance(base, ast.Call) and ast.unparse(base.func) in ("cupy", "_gpu.cupy")
        if called or getattr(base, "id", "") in ("cupy", "xp"):
            yield tuple(reversed(names))


@pytest.mark.parametrize(
    "module",
    [_gpu, cuda, memory, nvtx, streams, device_memory, pinned],
    ids=lambda module: module.__name__,
)
def test_names_of_cupy_exist(module):
    cupy = pytest.importorskip("cupy")
    found = {
        chain
        for chain in _chains(ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8")))
        if chain
    }
    assert found
    for chain in found:
        value = cupy
        for name in chain:
            assert hasattr(value, name), f"cupy.{'.'.join(chain)} does not exist"
            value = getattr(value, name)
