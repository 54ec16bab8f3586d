"""What programs set, ask and decorate with: backends, default devices, jit, compiler, profiler."""

import json
import pickle

import pytest

import minidl
from minidl import nn, testing
from minidl.utils import model_zoo

# --- devices ----------------------------------------------------------------------------------------------------


def test_the_default_device_is_the_one_of_new_tensors(device):
    made = [
        lambda: minidl.zeros(2),
        lambda: minidl.tensor([1.0]),
        lambda: minidl.as_tensor([1.0]),
        lambda: minidl.rand(2),
        lambda: minidl.randint(3, (2,)),
        lambda: minidl.arange(3),
        lambda: minidl.eye(2),
    ]
    assert minidl.get_default_device() == minidl.device("cpu")
    with minidl.device(device) as chosen:
        assert minidl.get_default_device() == chosen
        assert {make().device.type for make in made} == {device}
        assert minidl.zeros(1, device="cpu").device.type == "cpu"
        with minidl.device("cpu"):
            assert minidl.zeros(1).device.type == "cpu"
        assert minidl.zeros(1).device.type == device
    minidl.set_default_device(device)
    try:
        assert {make().device.type for make in made} == {device}
    finally:
        minidl.set_default_device(None)
    assert {make().device.type for make in made} == {"cpu"}
    with pytest.raises(RuntimeError, match="device type"):
        minidl.set_default_device("tpu")


def test_an_accelerator_is_a_gpu():
    found = minidl.accelerator.current_accelerator()
    assert (found is None) == (not minidl.accelerator.is_available())
    assert minidl.accelerator.device_count() == minidl.cuda.device_count()
    name = found.type if found is not None else "cpu"
    assert minidl.ones(1, device=name).device.type == name
    assert minidl.Stream is minidl.cuda.Stream
    assert minidl.Event is minidl.cuda.Event
    assert minidl.OutOfMemoryError is minidl.cuda.OutOfMemoryError


# --- names of memory --------------------------------------------------------------------------------------------


def test_layouts_and_memory_formats():
    assert minidl.ones(1).layout is minidl.strided
    assert isinstance(minidl.strided, minidl.layout)
    for name in ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d"):
        value = getattr(minidl, name)
        assert isinstance(value, minidl.memory_format)
        assert repr(value) == str(value) == f"minidl.{name}"
        assert value == name
        assert pickle.loads(pickle.dumps(value)) == value
    assert len({minidl.channels_last, minidl.channels_last_3d}) == 2


def test_tensors_are_cast_by_class_and_name():
    x = minidl.tensor([1.5])
    assert x.type(minidl.LongTensor).type() == "torch.LongTensor"
    assert x.type("torch.DoubleTensor").dtype is minidl.float64
    assert nn.Linear(1, 1).type(minidl.DoubleTensor).weight.dtype is minidl.float64
    assert not isinstance(x, minidl.cuda.FloatTensor) and isinstance(x, minidl.FloatTensor)
    for wrong in ("float64", "torch.float64", "torch.NoTensor"):
        with pytest.raises(ValueError, match=f"invalid type: '{wrong}'"):
            x.type(wrong)
    try:
        minidl.set_default_tensor_type("torch.DoubleTensor")
        assert minidl.ones(1).dtype is minidl.float64
        with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
            minidl.set_default_tensor_type(minidl.LongTensor)
        with pytest.raises(TypeError, match="invalid type object"):
            minidl.set_default_tensor_type(minidl.float32)
    finally:
        minidl.set_default_tensor_type(minidl.FloatTensor)
    assert minidl.ones(1).dtype is minidl.float32


# --- switches ---------------------------------------------------------------------------------------------------


def test_tf32_is_one_setting_by_two_names():
    matmul = minidl.backends.cuda.matmul
    minidl.set_float32_matmul_precision("highest")
    try:
        assert matmul.allow_tf32 is False
        matmul.allow_tf32 = True
        assert minidl.get_float32_matmul_precision() == "high"
        minidl.set_float32_matmul_precision("highest")
        assert matmul.allow_tf32 is False
        minidl.set_float32_matmul_precision("medium")
        assert matmul.allow_tf32 is True
        matmul.allow_tf32 = False
        assert minidl.get_float32_matmul_precision() == "highest"
    finally:
        minidl.set_float32_matmul_precision("highest")


def test_backends_have_their_switches():
    cudnn = minidl.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    with cudnn.flags(enabled=True, benchmark=True, deterministic=True):
        assert cudnn.benchmark is cudnn.deterministic is True
    assert (cudnn.benchmark, cudnn.deterministic) == before
    assert not cudnn.is_available()
    assert cudnn.version() is None
    for room in ("mps", "mkl", "mkldnn", "openmp"):
        assert getattr(minidl.backends, room).is_available() is False
    assert minidl.backends.mps.is_built() is False
    cuda = minidl.backends.cuda
    for name in ("flash_sdp", "mem_efficient_sdp", "math_sdp", "cudnn_sdp"):
        assert getattr(cuda, f"{name}_enabled")() is True
        getattr(cuda, f"enable_{name}")(False)
        assert getattr(cuda, f"{name}_enabled")() is False
        getattr(cuda, f"enable_{name}")(True)
    with cuda.sdp_kernel(enable_flash=False):
        assert not cuda.flash_sdp_enabled()
    assert cuda.flash_sdp_enabled()
    assert cuda.is_built() in (True, False)


def test_anomaly_mode_is_told():
    assert not minidl.is_anomaly_enabled()
    with minidl.autograd.detect_anomaly():
        assert minidl.is_anomaly_enabled() is minidl.is_anomaly_check_nan_enabled() is True
    with minidl.autograd.set_detect_anomaly(True, check_nan=False):
        assert (minidl.is_anomaly_enabled(), minidl.is_anomaly_check_nan_enabled()) == (True, False)


def test_the_version():
    assert minidl.version.__version__ == minidl.__version__
    assert minidl.version.cuda is None or isinstance(minidl.version.cuda, str)
    assert minidl.version.hip is None


# --- what passes programs through -------------------------------------------------------------------------------


def test_jit_gives_programs_back():
    jit = minidl.jit

    class Layer(minidl.nn.Module):
        __constants__ = ("size",)
        size: jit.Final[int] = 3

        @jit.ignore
        def one(self, x):
            return x

        @jit.ignore(drop=True)
        def two(self, x):
            return x

        @jit.unused
        def three(self, x):
            return x

        @jit.export
        def four(self, x):
            return x

        def forward(self, x):
            return self.one(self.two(self.three(self.four(x))))

    layer = Layer()
    x = minidl.ones(2)
    assert jit.script(layer) is layer
    assert jit.trace(layer, x) is layer
    assert jit.trace(layer, (x,), check_trace=False, strict=False) is layer
    assert jit.freeze(jit.script(layer.eval())) is layer
    assert jit.optimize_for_inference(layer) is layer
    assert layer(x) is x
    assert not jit.is_scripting()
    assert not jit.is_tracing()
    assert jit.annotate(int, 3) == 3
    with pytest.raises(RuntimeError, match="training mode"):
        jit.freeze(layer.train())
    with pytest.raises(TypeError, match="script"):
        jit.script(3)
    for call in (lambda: jit.save(layer, "x"), lambda: jit.load("x")):
        with pytest.raises(NotImplementedError, match="state_dict"):
            call()


def test_devices_that_are_not_used_say_so():
    for absent in (minidl.mps, minidl.xpu):
        assert not absent.is_available() and absent.device_count() == 0
        assert absent.manual_seed(0) is absent.empty_cache() is absent.synchronize() is None
    assert minidl.cpu.is_available() and minidl.cpu.is_initialized() and minidl.cpu.device_count() == 1
    assert minidl.cpu.current_device() == "cpu" and minidl.cpu.synchronize() is None


def test_determinism_is_asked_for_by_a_word_or_number():
    assert minidl.get_deterministic_debug_mode() == 0
    try:
        for mode, number in (("error", 2), (1, 1), ("default", 0), (2, 2), ("warn", 1)):
            minidl.set_deterministic_debug_mode(mode)
            assert minidl.get_deterministic_debug_mode() == number
            assert minidl.are_deterministic_algorithms_enabled() is (number > 0)
        for wrong, error in ((3, RuntimeError), ("warning", RuntimeError), (None, TypeError)):
            with pytest.raises(error, match="debug_mode"):
                minidl.set_deterministic_debug_mode(wrong)
    finally:
        minidl.set_deterministic_debug_mode("default")


def test_names_that_pytorch_has_removed_say_where_to_go():
    for name, instead in (
        ("symeig", "linalg.eigh"),
        ("solve", "linalg.solve"),
        ("view_as_complex", "real and imaginary"),
    ):
        with pytest.raises(AttributeError, match=instead):
            getattr(minidl, name)


def test_the_compiler_gives_programs_back():
    compiler = minidl.compiler

    def double(x):
        return 2 * x

    assert compiler.compile(double) is compiler.disable(double) is compiler.allow_in_graph(double) is double
    assert compiler.disable(recursive=False)(double) is double
    assert not compiler.is_compiling()
    minidl._assert(minidl.tensor(True), "not raised")
    with pytest.raises(AssertionError, match="too small"):
        minidl._assert(False, "too small")
    assert compiler.reset() is compiler.cudagraph_mark_step_begin() is None
    assert compiler.list_backends() == []


def test_what_is_not_there_says_what_to_do():
    with pytest.raises(NotImplementedError, match="load_state_dict"):
        minidl.hub.load("a/b", "c")
    with pytest.raises(NotImplementedError, match=r"minidl\.save"):
        minidl.onnx.export(minidl.nn.Linear(1, 1), minidl.ones(1), "x.onnx")


def test_the_hub_reads_what_is_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = "https://example.org/models/small.pth?x=1"
    place = tmp_path / "hub" / "checkpoints"
    assert minidl.hub.get_dir() == str(tmp_path / "hub")
    with pytest.raises(NotImplementedError, match=r"put it at .*small\.pth"):
        minidl.hub.load_state_dict_from_url(url)
    place.mkdir(parents=True)
    minidl.save({"weight": minidl.ones(2)}, place / "small.pth")
    assert model_zoo.load_url(url)["weight"].tolist() == [1, 1]
    minidl.hub.set_dir(tmp_path)
    try:
        with pytest.raises(NotImplementedError, match="fetch https"):
            minidl.hub.load_state_dict_from_url(url, file_name="other.pth")
    finally:
        minidl.hub.set_dir(None)


def test_profiles(tmp_path):
    profiler, seen = minidl.profiler, []

    @profiler.record_function("inner")
    def inner():
        return minidl.ones(2) * 2

    with profiler.profile(
        activities=[profiler.ProfilerActivity.CPU], on_trace_ready=seen.append, record_shapes=True
    ) as prof:
        for _ in range(3):
            with profiler.record_function("outer"):
                inner()
            prof.step()
    inner()
    parts = {part.key: part for part in prof.key_averages()}
    assert {key: part.count for key, part in parts.items()} == {"inner": 3, "outer": 3}
    assert parts["outer"].cpu_time_total >= parts["inner"].cpu_time_total > 0
    table = prof.key_averages().table(sort_by="cpu_time_total", row_limit=1).splitlines()
    assert len(table) == 2
    assert table[1].startswith("outer")
    assert seen == [prof]
    assert prof.step_num == 3
    prof.export_chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == 6
    assert all(event["dur"] > 0 for event in events)


# --- make_tensor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", minidl.dtypes.available(), ids=lambda d: d.name)
def test_made_tensors_are_in_their_range(dtype):
    minidl.manual_seed(0)
    made = testing.make_tensor(40, 5, dtype=dtype, device="cpu")
    assert made.shape == (40, 5)
    assert made.dtype is dtype
    low, high = (0, 2) if dtype is minidl.bool else (0 if dtype.name.startswith("uint") else -9, 10)
    assert low <= float(made.double().min()) < float(made.double().max()) < high
    narrow = testing.make_tensor((100,), dtype=dtype, device="cpu", low=0, high=2, exclude_zero=True)
    assert bool((narrow.double() > 0).all())
    strided = testing.make_tensor([3, 4], dtype=dtype, device="cpu", noncontiguous=True)
    assert not strided.is_contiguous()
    assert strided.shape == (3, 4)


def test_made_tensors_refuse():
    assert testing.make_tensor((), dtype=minidl.float64, device="cpu", requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="`requires_grad=True` is not supported"):
        testing.make_tensor(2, dtype=minidl.int64, device="cpu", requires_grad=True)
    with pytest.raises(ValueError, match="less than"):
        testing.make_tensor(2, dtype=minidl.float32, device="cpu", low=2, high=1)
    with pytest.raises(ValueError, match="mutually exclusive"):
        testing.make_tensor(
            2, dtype=minidl.float32, device="cpu", noncontiguous=True, memory_format=minidl.contiguous_format
        )
    with pytest.raises(TypeError, match="not supported"):
        testing.make_tensor(2, dtype="float32", device="cpu")


def test_generators_on_their_own():
    state = minidl.random.get_rng_state()
    first = minidl.rand(3)
    with minidl.random.fork_rng(devices=[]):
        minidl.rand(100)
    second = minidl.rand(3)
    minidl.random.set_rng_state(state)
    assert minidl.rand(3).tolist() == first.tolist()
    assert minidl.rand(3).tolist() == second.tolist()


def test_only_a_gpu_is_a_place_for_cuda():
    for moved in (minidl.ones(2), nn.Linear(1, 1)):
        with pytest.raises(RuntimeError, match="Invalid device, must be cuda device"):
            moved.cuda("cpu")
