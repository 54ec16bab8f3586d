""".pt files without PyTorch, .npz files, mapped files: what others wrote is read, what is written comes back."""

import collections
import io
import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch_files
from torch_files import hostile, written

import minidl
from minidl import nn
from minidl.errors import FileFormatError

RIGHT = {
    "a": [[0, 1, 2], [3, 4, 5]],
    "row": [3, 4, 5],
    "t": [[0, 3], [1, 4], [2, 5]],
    "h": [1.5, -2],
    "p": [1, 1],
}


def through(value, **options):
    return minidl.load(io.BytesIO(written(value)), **options)


@pytest.mark.parametrize("raw", [torch_files.ZIP, torch_files.LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "options", [{}, {"map_location": "cpu"}, {"map_location": lambda storage, where: storage}]
)
def test_files_that_pytorch_wrote(raw, options):
    loaded = minidl.load(io.BytesIO(raw), **options)
    assert list(loaded) == ["a", "row", "t", "h", "p", "n"]
    assert loaded["n"] == [1, None, "x"]
    assert {name: loaded[name].tolist() for name in RIGHT} == RIGHT
    assert loaded["h"].dtype is minidl.bfloat16
    assert type(loaded["p"]) is nn.Parameter
    assert loaded["p"].requires_grad
    loaded["a"][1, 0] = 50.0
    assert loaded["row"].tolist() == [50, 4, 5]
    assert loaded["t"][0].tolist() == [0, 50]
    assert loaded["t"].stride() == (1, 3)
    assert loaded["row"]._version == loaded["a"]._version == 1


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(3, 3), nn.BatchNorm1d(3)
        self.second, self.activation = self.first, nn.functional.relu

    def forward(self, x):
        return self.second(self.activation(self.norm(self.first(x))))


@pytest.mark.parametrize("place", ["model.pt", "model", None])
def test_whole_modules_are_read_where_that_is_asked_for(tmp_path, place):
    model, x = Tied(), minidl.arange(6.0).reshape(2, 3)
    model(x)
    file = io.BytesIO() if place is None else tmp_path / place
    minidl.save(model.eval(), file)
    raw = file.getvalue() if place is None else file.read_bytes()
    for options in ({}, {"weights_only": True}):
        with pytest.raises(FileFormatError, match=r"GLOBAL [\w.]+\.Tied is .*weights_only=False"):
            minidl.load(io.BytesIO(raw), **options)
    loaded = minidl.load(io.BytesIO(raw), map_location="cpu", weights_only=False)
    assert type(loaded) is Tied
    assert not loaded.training
    assert loaded.second is loaded.first
    assert loaded(x).tolist() == model(x).tolist()
    loaded(x).sum().backward()
    assert loaded.first.weight.grad.shape == (3, 3)
    assert model.first.weight.grad is None


def test_whole_modules_of_allowed_classes_and_of_no_others():
    model, x, raw = Tied().eval(), minidl.arange(6.0).reshape(2, 3), io.BytesIO()
    minidl.save(model, raw)
    known = [Tied, nn.modules.linear.Linear, nn.BatchNorm1d]
    for missing, safe in (("relu", known), ("Linear", [*known[::2], nn.functional.relu])):
        with (
            minidl.serialization.safe_globals(safe),
            pytest.raises(pickle.UnpicklingError, match=rf"GLOBAL .*{missing} "),
        ):
            minidl.load(io.BytesIO(raw.getvalue()))
    minidl.serialization.add_safe_globals(known)
    with minidl.serialization.safe_globals([nn.functional.relu]):
        assert len(minidl.serialization.get_safe_globals()) == 4
        loaded = minidl.load(io.BytesIO(raw.getvalue()), weights_only=True)
    assert minidl.serialization.get_safe_globals() == known
    minidl.serialization.clear_safe_globals()
    assert loaded(x).tolist() == model(x).tolist()
    with pytest.raises(FileFormatError, match="Unsupported global"):
        minidl.load(io.BytesIO(raw.getvalue()))


def test_whole_modules_beside_plain_values(tmp_path):
    shared = minidl.arange(4.0)
    minidl.save({"epoch": 3, "model": nn.ReLU(), "row": shared[:2], "all": shared}, tmp_path / "a.pt")
    loaded = minidl.load(tmp_path / "a.pt", weights_only=False)
    loaded["all"][0] = 7
    assert loaded["row"].tolist() == [7, 1]
    assert (loaded["epoch"], type(loaded["model"])) == (3, nn.ReLU)


def test_modules_of_classes_without_a_name_are_refused(tmp_path):
    with pytest.raises(TypeError, match="found by their names"):
        minidl.save(type("Local", (nn.Module,), {})(), tmp_path / "a.pt")
    assert not (tmp_path / "a.pt").exists()


def test_weights_only_false_lets_no_other_file_name_anything():
    with pytest.raises(FileFormatError, match="Unsupported global"):
        minidl.load(io.BytesIO(hostile(pickle.dumps(nn.ReLU(), 2))), weights_only=False)


@pytest.mark.parametrize("mmap", [False, True, None])
@pytest.mark.parametrize("name", ["model.pt", "MODEL.PTH", "model.pth.tar"])
def test_the_ending_of_a_path_means_the_format(tmp_path, name, mmap):
    path = tmp_path / name
    layer = nn.Linear(3, 2)
    minidl.save(layer.state_dict(), path)
    assert os.listdir(tmp_path) == [name]
    assert zipfile.is_zipfile(path)
    loaded = minidl.load(path, mmap=mmap, weights_only=True)
    assert type(loaded) is collections.OrderedDict
    other = nn.Linear(3, 2)
    other.load_state_dict(loaded)
    assert other.weight.tolist() == layer.weight.tolist()
    loaded["weight"].zero_()  # what is loaded can be written to, and the file stays as it was
    assert minidl.load(str(path))["weight"].tolist() == layer.weight.tolist()


def test_a_named_format_wins_over_the_ending(tmp_path):
    minidl.save([1], tmp_path / "a.pt", format="safetensors")
    assert not zipfile.is_zipfile(tmp_path / "a.pt")
    minidl.save([2], tmp_path / "b", format="pt")
    assert [minidl.load(tmp_path / "a.pt"), minidl.load(tmp_path / "b")] == [[1], [2]]
    with pytest.raises(ValueError, match="format should be"):
        minidl.save(1, tmp_path / "c", format="h5")


VALUES = {
    "scalars": [
        None,
        True,
        False,
        0,
        -1,
        255,
        256,
        2**31,
        -(2**31),
        2**40,
        -(2**2000),
        2**3000,
        0.1,
        float("inf"),
    ],
    "text": ["", "\u00e9\U0001f600", "\ud800", "x" * 300],
    "bytes": [b"", b"\x00\xff\x80"],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "dicts": [{}, {1: {"a": [{}]}, (1, "b"): 2, None: 3, False: 4}],
    "sets": [set(), {1, "a"}],
    "ordered": collections.OrderedDict([("b", 1), ("a", [])]),
    "counter": collections.Counter("hello"),
    "minidl's": [minidl.Size([2, 3]), minidl.Size([]), minidl.device("cuda", 1), minidl.device("cpu")],
    "many": list(range(1000)) + [str(i) for i in range(1000)],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_plain_values_come_back(value):
    back = through(value)
    assert repr(back) == repr(value)
    assert type(back) is type(value)


@pytest.mark.parametrize("dtype", [d.name for d in minidl.dtypes.available()])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3, 4)])
def test_tensors_come_back(dtype, shape):
    array = np.random.default_rng(0).integers(0, 2, shape).astype(getattr(minidl, dtype).numpy)
    back = through([minidl.as_tensor(array), getattr(minidl, dtype)])
    assert back[1] is back[0].dtype is getattr(minidl, dtype)
    assert back[0].shape == shape
    np.testing.assert_array_equal(back[0].numpy(), array)


def test_layouts_sharing_and_gradients():
    base = minidl.arange(24.0).reshape(4, 6)
    strange = minidl.as_tensor(np.arange(6.0)[::-1])  # strides that run backwards: saved in order
    saved = {
        **{
            "base": base,
            "t": base.t(),
            "part": base[1:3, ::2],
            "same": base,
            "wide": minidl.ones(1).expand(4),
        },
        **{"strange": strange, "grad": minidl.ones(2, requires_grad=True)},
        **{"frozen": nn.Parameter(minidl.ones(2), requires_grad=False), "buffer": nn.Buffer(minidl.ones(1))},
    }
    back = through(saved)
    for name, value in saved.items():
        np.testing.assert_array_equal(back[name].detach().numpy(), value.detach().numpy())
    assert back["same"] is back["base"]
    assert back["part"].stride() == (6, 2)
    assert back["wide"].stride() == (0,)
    back["base"][1, 2] = -1
    assert back["t"][2, 1].item() == back["part"][0, 1].item() == -1
    assert [back[n].requires_grad for n in ("base", "grad", "frozen")] == [False, True, False]
    assert type(back["frozen"]) is nn.Parameter


def test_a_list_that_contains_itself_comes_back():
    loop = [1]
    loop.append(loop)
    back = through(loop)
    assert back[1] is back
    with pytest.raises(ValueError, match="nested too deeply"):
        deep = []
        for _ in range(100_000):
            deep = [deep]
        written(deep)


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.float32(1.5), np.bool_(True), np.int8([[1], [2]])]
)
def test_numpy_values_come_back(array):
    for raw in (written([array, array]), hostile(pickle.dumps([array, array], 2))):
        first, second = minidl.load(io.BytesIO(raw))
        assert type(first) is type(array)
        assert first.dtype == array.dtype
        np.testing.assert_array_equal(first, array)
        np.testing.assert_array_equal(second, array)


# --- npz and mapped safetensors ---------------------------------------------------------------------------------


def test_npz(tmp_path):
    path, packed = tmp_path / "a.npz", tmp_path / "b.npz"
    arrays = {
        "x": np.arange(6.0).reshape(2, 3)[:, ::-1],
        "f": np.asfortranarray(np.ones((2, 3), ">i4")),
        "s": np.int8(3),
    }
    np.savez(path, **arrays)
    np.savez_compressed(packed, **arrays)
    for found in (minidl.load(path), minidl.load(packed), minidl.load(io.BytesIO(packed.read_bytes()))):
        assert sorted(found) == sorted(arrays)
        for name, array in arrays.items():
            assert found[name].tolist() == array.tolist()
    minidl.save({"w": minidl.ones(2, 3), "n": np.arange(3)}, tmp_path / "c.npz")
    back = np.load(tmp_path / "c.npz")
    assert back["w"].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert back["n"].dtype == np.arange(3).dtype
    for value in ([1], {"a": 1}, {1: minidl.ones(1)}, {"a": minidl.ones(1, dtype=minidl.bfloat16)}):
        with pytest.raises(TypeError, match="npz"):
            minidl.save(value, tmp_path / "c.npz")
    raw = packed.read_bytes()
    for end in range(5, len(raw), 11):
        with pytest.raises(FileFormatError):
            minidl.load(io.BytesIO(raw[:end]))
    np.savez(path, o=np.array([{}], object))
    with pytest.raises(FileFormatError, match=r"a\.npz"):
        minidl.load(path)


def test_an_npz_that_promises_much_allocates_little():
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", header.getvalue())
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="is not 8796093022208 bytes"):
        minidl.load(io.BytesIO(file.getvalue()))
    assert tracemalloc.get_traced_memory()[1] < 5 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.safetensors", "a.pt"])
def test_mapped_files(tmp_path, name):
    path = tmp_path / name
    value = {
        "w": minidl.arange(1000.0),
        "b": minidl.tensor([True]),
        "h": minidl.ones(3, dtype=minidl.bfloat16),
    }
    minidl.save(value, path)
    before = path.read_bytes()
    mapped, copied = minidl.load(path, mmap=True), minidl.load(path)
    for found in (mapped, copied):
        assert {k: t.tolist() for k, t in found.items()} == {k: t.tolist() for k, t in value.items()}
        found["w"].zero_()
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="f must be a path"):
        minidl.load(io.BytesIO(before), mmap=True)


@pytest.mark.parametrize("limit", [zipfile.ZIP64_LIMIT, 100], ids=["small", "as if beyond 2 GiB"])
def test_records_begin_at_multiples_of_64_bytes(limit, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    saved = {f"w{i}": minidl.full((i * 7 + 1,), i) for i in range(10)}
    raw = written(saved)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            header = raw[info.header_offset : info.header_offset + 30]
            lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
            assert (info.header_offset + 30 + lengths) % 64 == 0
    back = minidl.load(io.BytesIO(raw))
    assert {name: t.tolist() for name, t in back.items()} == {name: t.tolist() for name, t in saved.items()}
