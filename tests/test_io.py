"""save and load: everything comes back, no failure harms the old file, no file harms the reader."""

import collections
import io
import math
import os
import pathlib
import signal
import stat
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl
from minidl import nn

ROOT = pathlib.Path(__file__).resolve().parent.parent


def through(value, **options):
    """``value`` saved and loaded."""
    file = io.BytesIO()
    minidl.save(value, file)
    file.seek(0)
    return minidl.load(file, **options)


def same(a, b):
    """Whether two nested values are equal, types, nan and the sign of zero included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return a == b


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
keys = st.text() | st.integers() | st.booleans() | st.none()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.lists(inner).map(tuple),
    max_leaves=20,
)


@given(values)
def test_plain_values_come_back(value):
    assert same(through(value), value)


def test_other_types_come_back():
    value = {
        "size": minidl.Size([2, 3]),
        "dtype": minidl.bfloat16,
        "device": minidl.device("cuda", 1),
        "set": {1, "a"},
        "frozen": frozenset({(1, 2)}),
        "ordered": collections.OrderedDict([("b", 1), ("a", -0.0)]),
        "huge": -(10**5000),
        "surrogate": "\ud800",
    }
    back = through(value)
    assert same(back, value)
    assert back["dtype"] is minidl.bfloat16


@pytest.mark.parametrize("dtype", [d.name for d in minidl.dtypes.available()])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_tensors_come_back(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(getattr(minidl, dtype).numpy)
    tensor, back = minidl.as_tensor(array), None
    back = through([tensor, array])
    assert back[0].dtype is tensor.dtype
    assert back[0].shape == shape
    np.testing.assert_array_equal(back[0].numpy(), array)
    assert back[1].dtype == array.dtype
    np.testing.assert_array_equal(back[1], array)
    back[0].zero_()  # what is loaded can be written to


def test_names_of_tensors_are_any_text():
    names = ["", "__metadata__", "a.b", "\ud800", "\\ud800", "\0", "x" * 2000, "x" * 2001]
    back = through({name: minidl.full((1,), i) for i, name in enumerate(names)})
    assert [(name, tensor.item()) for name, tensor in back.items()] == list(zip(names, range(8)))


def test_special_floats_and_layouts():
    tensor = minidl.tensor([[math.nan, math.inf, -math.inf], [-0.0, 1e-45, 1.0]])
    for layout in (tensor, tensor.t(), tensor[:, ::2], minidl.ones(1).expand(4)):
        assert through(layout).numpy().tobytes() == np.ascontiguousarray(layout.numpy()).tobytes()
    reversed_ = np.arange(6)[::-2]
    np.testing.assert_array_equal(through(reversed_), reversed_)
    big_endian = np.arange(3, dtype=">i4")
    np.testing.assert_array_equal(through(big_endian), big_endian)
    scalar = through(np.float32(1.5))
    assert type(scalar) is np.float32
    assert scalar == 1.5


def test_parameters_keep_what_they_are():
    parameter = nn.Parameter(minidl.ones(2))
    frozen = nn.Parameter(minidl.ones(2), requires_grad=False)
    back = through(
        [parameter, frozen, minidl.ones(1, requires_grad=True), nn.Buffer(minidl.zeros(1), persistent=False)]
    )
    assert [type(t) for t in back] == [nn.Parameter, nn.Parameter, minidl.Tensor, nn.Buffer]
    assert [t.requires_grad for t in back] == [True, False, True, False]
    assert back[3].persistent is False
    assert all(t.is_leaf for t in back)


def test_shared_memory_stays_shared():
    weight = minidl.arange(6, dtype=minidl.float32).reshape(2, 3)
    array = np.arange(3)
    saved = {
        "a": weight,
        "again": weight,
        "row": weight[1],
        "t": weight.t(),
        "n": array,
        "m": array,
        "other": weight + 0,
    }
    back = through(saved)
    assert back["a"] is back["again"]
    assert back["n"] is back["m"]
    back["a"][1, 0] = 50.0
    assert back["row"][0].item() == 50
    assert back["t"][0, 1].item() == 50
    assert back["other"][1, 0].item() == 3
    assert back["row"]._version == back["a"]._version > 0
    for name in saved:
        fresh = through(saved)
        np.testing.assert_array_equal(np.asarray(fresh[name]), np.asarray(saved[name]))


def test_a_state_dict_is_a_plain_safetensors_file(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    layer = nn.Linear(3, 2)
    minidl.save(layer.state_dict(), tmp_path / "layer.safetensors")
    foreign = safetensors.load_file(tmp_path / "layer.safetensors")
    assert sorted(foreign) == ["bias", "weight"]
    np.testing.assert_array_equal(foreign["weight"], layer.weight.detach().numpy())
    other = nn.Linear(3, 2)
    other.load_state_dict(minidl.load(tmp_path / "layer.safetensors"))
    np.testing.assert_array_equal(other.weight.detach().numpy(), layer.weight.detach().numpy())
    safetensors.save_file({"x": np.arange(3.0)}, tmp_path / "foreign.safetensors")
    assert minidl.load(tmp_path / "foreign.safetensors")["x"].tolist() == [0, 1, 2]


def test_places(tmp_path):
    path = tmp_path / "a.minidl"
    minidl.save(1, path)
    assert minidl.load(str(path)) == 1
    with open(path, "rb") as file:
        assert minidl.load(file) == 1
    file = io.BytesIO(b"before")
    file.seek(6)
    minidl.save([2], file)
    file.seek(6)
    assert minidl.load(file) == [2]
    with pytest.raises(FileNotFoundError):
        minidl.load(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        minidl.save(1, tmp_path / "none" / "file")
    with pytest.raises(IsADirectoryError):
        minidl.save(1, tmp_path)


def test_map_location(device):
    tensor = minidl.ones(2, device=device)
    assert through(tensor).device.type == device
    assert through(tensor, map_location="cpu").device.type == "cpu"
    assert through(tensor, map_location={str(tensor.device): "cpu"}).device.type == "cpu"
    with pytest.raises(TypeError, match="map_location should be"):
        through(tensor, map_location=3)
    file = io.BytesIO()
    minidl.save(minidl.ones(1), file)
    raw = file.getvalue().replace(rb"\"device\":\"cpu\"", rb"\"device\":\"cuda:7\"")
    raw = (int.from_bytes(raw[:8], "little") + 3).to_bytes(8, "little") + raw[8:]
    if not minidl.cuda.is_available():
        with pytest.raises(RuntimeError, match="map_location='cpu'"):
            minidl.load(io.BytesIO(raw))
    assert minidl.load(io.BytesIO(raw), map_location="cpu").tolist() == [1.0]


# --- what cannot be saved -------------------------------------------------------------------------------------


class Custom:
    pass


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, Custom()]}, r"at \[a\]\[1\].*Custom is none of"),
        ({Custom: 1}, r"key"),
        ([1j], r"at \[0\].*complex"),
        ([np.array(["a"])], r"dtype <U1"),
        ([np.complex64(1)], r"dtype complex64"),
    ],
)
def test_unsupported_values_are_named(value, text, tmp_path):
    path = tmp_path / "file"
    minidl.save("old", path)
    with pytest.raises(TypeError, match=text):
        minidl.save(value, path)
    assert minidl.load(path) == "old"


def test_values_that_contain_themselves():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="contains itself"):
        minidl.save(loop, io.BytesIO())
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        minidl.save(deep, io.BytesIO())
    twice = [1]
    assert through([twice, twice]) == [[1], [1]]


def test_text_files_and_missing_folders_are_named(tmp_path):
    for call in (lambda file: minidl.save(1, file), minidl.load):
        with pytest.raises(TypeError, match="mode 'rb' or 'wb'"):
            call(io.StringIO("x"))
    path = tmp_path / "none" / "model"
    with pytest.raises(FileNotFoundError) as raised:
        minidl.save(1, path)
    assert raised.value.filename == str(path)


# --- the old file is intact -----------------------------------------------------------------------------------

STEPS = ["open", "write", "fsync", "chmod", "replace"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["error", "killed"])
def test_a_failure_at_any_step_leaves_the_old_file(step, kind, tmp_path):
    path = tmp_path / "model"
    minidl.save({"old": minidl.ones(3)}, path)
    script = f"""
import os, signal, sys
import minidl
from minidl.io import atomic, checkpoint
def fail(*args, **kwargs):
    if {kind!r} == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(28, "no space left")
if {step!r} == "write":
    checkpoint.write_container = lambda file, *rest: (file.write(b"half"), file.flush(), fail())
else:
    setattr(atomic.os, {step!r}, fail)
minidl.save({{"new": minidl.zeros(3)}}, sys.argv[1])
"""
    run = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert run.returncode == (-signal.SIGKILL if kind == "killed" else 1)
    assert kind == "killed" or b"no space left" in run.stderr
    assert minidl.load(path)["old"].tolist() == [1, 1, 1]
    if kind == "error":
        assert os.listdir(tmp_path) == ["model"]


def test_mode_bits_and_links_are_kept(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    minidl.save(1, path)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    link.symlink_to(path)
    minidl.save(2, link)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert minidl.load(path) == 2
