"""Files that are truncated, damaged or hostile: one clear error, nothing executed, little memory; and idx files."""

import contextlib
import gzip
import io
import json

import numpy as np
import pytest

import minidl
from minidl.errors import FileFormatError
from minidl.io import read_idx

# --- damaged and hostile files --------------------------------------------------------------------------------


def container(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(len(text).to_bytes(8, "little") + text + data)


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (io.BytesIO(), "header too small"),
        (io.BytesIO(b"\x80\x02}q\x00."), "header too small"),
        (io.BytesIO((1 << 62).to_bytes(8, "little")), "header too large"),
        (container(b"{"), "invalid JSON"),
        (container(b"[" * 100_000), "invalid JSON"),
        (container(b'{"a":' * 10_000), "invalid JSON"),
        (container(b"\xff\xff"), "invalid UTF-8"),
        (container(b"[1]"), "invalid JSON"),
        (container(b'{"a":1,"a":2}'), "invalid type"),
        (container(b'{"a":' + b"9" * 10_000 + b"}"), "out of range"),
        (container({"__metadata__": {"a": 1}}), "expected a string"),
        (container({"a": 1}), "expected struct TensorInfo"),
        (container({"a": entry(dtype="F8")}), "`F8`"),
        (container({"a": entry("F8_E4M3", (4,))}, b"1234"), "dtype 'F8_E4M3'; supported are BOOL"),
        (container({"a": entry(dtype=["F32"])}), "invalid type"),
        (container({"a": entry(shape=(-1,))}), "invalid value"),
        (container({"a": entry(shape=(1.0,))}), "floating point"),
        (container({"a": entry(shape=(True,))}), "boolean"),
        (container({"a": entry(shape=(1,) * 65)}, b"1234"), "dimension"),
        (container({"a": entry(offsets=(0, 4, 8))}), "invalid length 3"),
        (container({"a": entry(offsets=(4, 0))}), "invalid offset"),
        (container({"a": entry(shape=(1 << 40,), offsets=(0, 1 << 42))}), "not fully covered"),
        (container({"a": entry(shape=(1 << 62, 1 << 62), offsets=(0, 4))}), "overflow"),
        (container({"a": entry(shape=(0, 1 << 62, 1 << 62), offsets=(0, 0))}), "shape"),
        (container({"a": entry()}), "not fully covered"),
        (container({"a": entry()}, b"12345"), "not fully covered"),
        (container({"a": entry(), "b": entry()}, b"1234"), "invalid offset"),
        (container({"a": entry(offsets=(4, 8))}, b"12345678"), "invalid offset"),
        (container({"a": entry("BOOL", (1,), (0, 1))}, b"\x02"), "truth values"),
    ],
)
def test_damaged_containers(file, text):
    file.name = "model.minidl"
    with pytest.raises(FileFormatError, match=f"(?s)model.minidl.*{text}"):
        minidl.load(file)


def described(value, tensors=(), arrays=(), version="1", data=b"\0" * 8):
    tree = json.dumps({"value": value, "tensors": list(tensors), "arrays": list(arrays)})
    return container(
        {
            "__metadata__": {"format": "minidl", "version": version, "tree": tree},
            "r": entry("U8", (len(data),), (0, len(data))),
        },
        data,
    )


def place(**changes):
    return {"in": "r", "dtype": "float32", "shape": [2], "offset": 0, "strides": [4], **changes}


@pytest.mark.parametrize(
    "file",
    [
        described({"tensor": 0}),
        described({"tensor": -1}, [{}]),
        described({"tensor": "0"}),
        described({"array": 0}, arrays=[{"name": "x"}]),
        described({"array": 0}, arrays=[place(offset=4)]),
        described({"array": 0}, arrays=[place(offset=-4)]),
        described({"array": 0}, arrays=[place(strides=[-4])]),
        described({"array": 0}, arrays=[place(strides=[0], shape=[1 << 40])]),
        described({"array": 0}, arrays=[place(strides=[1], shape=[8])]),
        described({"array": 0}, arrays=[place(dtype="object")]),
        described({"array": 0}, arrays=[place(dtype="complex64", shape=[1], strides=[8])]),
        described({"array": 0}, arrays=[place(dtype="bool", shape=[1], strides=[1])], data=b"\7" * 8),
        described({"array": 0}, arrays=[place(shape=[2.0])]),
        described({"unknown": 1}),
        described({"__class__": 1}),
        described({"float": "1"}),
        described({"int": "zz"}),
        described({"bytes": "?"}),
        described({"dict": [[1]]}),
        described({"dict": [[[], 1]]}),
        described({"tuple": 1, "set": 2}),
        described({}),
        described({"dtype": "complex64"}),
        described({"device": "tpu"}),
        described(1, version="2"),
    ],
)
def test_damaged_descriptions(file):
    with pytest.raises(FileFormatError):
        minidl.load(file)


def test_a_shared_region_that_is_right_is_taken():
    assert minidl.load(described({"array": 0}, arrays=[place(strides=[-4], offset=4)])).tolist() == [0, 0]


def test_every_truncation_and_many_flips_are_errors_or_values(tmp_path):
    file = io.BytesIO()
    minidl.save({"w": minidl.ones(3), "n": [1, 2.5, "x"], "v": np.arange(2)}, file)
    raw = file.getvalue()
    for end in range(len(raw)):
        with pytest.raises(FileFormatError):
            minidl.load(io.BytesIO(raw[:end]))
    rng = np.random.default_rng(0)
    for _ in range(500):
        broken = bytearray(raw)
        broken[rng.integers(len(raw))] = rng.integers(256)
        with contextlib.suppress(FileFormatError, minidl.errors.DeviceError):
            minidl.load(io.BytesIO(bytes(broken)))


# --- idx ------------------------------------------------------------------------------------------------------


def idx(array, code):
    head = bytes([0, 0, code, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]
)
def test_idx(code, dtype, tmp_path):
    array = np.arange(24, dtype=dtype).reshape(2, 3, 4)
    plain, packed = tmp_path / "x", tmp_path / "x.gz"
    plain.write_bytes(idx(array, code))
    packed.write_bytes(gzip.compress(idx(array, code)))
    for path in (plain, str(packed)):
        back = read_idx(path)
        assert back.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(back, array)


def test_damaged_idx(tmp_path):
    path = tmp_path / "x"
    good = idx(np.arange(6, dtype="u1").reshape(2, 3), 8)
    packed = gzip.compress(good * 100)
    for raw in (
        b"",
        b"\0\0\7\1",
        good[:6],
        good[:-1],
        good + b"x",
        b"\0\0\x08\x02" + b"\xff" * 8,
        packed[:-9],
        b"\x1f\x8bxx",
    ):
        path.write_bytes(raw)
        with pytest.raises(FileFormatError, match=str(path)):
            read_idx(path)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
