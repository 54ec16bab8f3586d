"""Hostile and damaged .pt files: one clear error, nothing executed, little memory."""

import contextlib
import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch_files
from torch_files import hostile, storage, tensor, text, written

import minidl
from minidl import nn
from minidl.errors import FileFormatError, UnsafePickleError


class Evil:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def test_programs_are_refused_by_name_and_not_run(tmp_path):
    mark = tmp_path / "mark"
    for call, name in (
        (Evil(os.mkdir, str(mark)), "mkdir"),
        (Evil(eval, f"__import__('os').mkdir({str(mark)!r})"), "eval"),
        (Evil(getattr, dict, "keys"), "getattr"),
        (Evil(np.load, str(mark)), "numpy"),
        (nn.Linear(1, 1), "minidl.nn"),
    ):
        for protocol in (2, 3, 4, 5):
            raw = hostile(pickle.dumps({"weights": [call]}, protocol))
            with pytest.raises(UnsafePickleError, match=f"Unsupported global: GLOBAL .*{name}") as raised:
                minidl.load(io.BytesIO(raw), weights_only=False)
            assert isinstance(raised.value, pickle.UnpicklingError)
    assert not mark.exists()


HUGE = b"\x8a\x08" + struct.pack("<q", 1 << 61)
BROKEN = {
    "empty": b"",
    "no stop": b"\x80\x02N",
    "no value": b"\x80\x02.",
    "two values": b"\x80\x02NN.",
    "a mark": b"\x80\x02(.",
    "protocol": b"\x80\x09N.",
    "a huge string": b"\x80\x02X\xff\xff\xff\xff.",
    "huge bytes": b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    "huge integer": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "a negative length": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "no such memory": b"\x80\x02h\x07.",
    "not utf-8": b"\x80\x02" + text(b"\xff") + b".",
    "a list as key": b"\x80\x02}]Ns.",
    "an odd dict": b"\x80\x02}(NNNu.",
    "items of a tuple": b"\x80\x02)NNs.",
    "appended to None": b"\x80\x02NNa.",
    "a deep key": b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.",
    "a wide key": b"\x80\x02})q\x00(" + b"h\x00" * 1000 + b"tq\x01(" + b"h\x01" * 1000 + b"tNs.",
    "offset": tensor(offset=b"K\x01"),
    "negative offset": tensor(offset=b"J\xff\xff\xff\xff"),
    "size": tensor(size=b"K\x03\x85"),
    "negative size": tensor(size=b"J\xff\xff\xff\xff\x85"),
    "huge size": tensor(size=HUGE + b"\x85"),
    "stride": tensor(stride=b"K\x02\x85"),
    "negative stride": tensor(offset=b"K\x01", stride=b"J\xff\xff\xff\xff\x85"),
    "dimensions": tensor(stride=b"K\x01K\x01\x86"),
    "too many dimensions": tensor(size=b"(" + b"K\x01" * 100 + b"t", stride=b"(" + b"K\x01" * 100 + b"t"),
    "size of floats": tensor(size=b"G" + struct.pack(">d", 2.0) + b"\x85"),
    "no tuple": tensor(size=b"K\x02"),
    "no bool": tensor(grad=b"K\x01"),
    "no storage": tensor(place=b"N"),
    "integer gradient": tensor(place=storage(b"IntStorage"), grad=b"\x88"),
    "another count": tensor(place=storage(count=b"K\x03")),
    "a huge count": tensor(place=storage(count=HUGE)),
    "another type": tensor(place=storage(b"DoubleStorage")),
    "no such record": tensor(place=storage(key=b"7")),
    "the pickle as storage": tensor(place=storage(key=b"../data.pkl")),
    "no such device": tensor(place=storage(where=b"tpu")),
    "an id of text": b"\x80\x02" + text(b"storage") + b"Q.",
}


@pytest.mark.parametrize("pickled", BROKEN.values(), ids=BROKEN)
def test_damaged_pickles_are_one_clear_error_and_little_memory(pickled):
    file = io.BytesIO(hostile(pickled, {"data/0": b"\0" * 8}))
    file.name = "model.pt"
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=r"model\.pt"):
        minidl.load(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_python_attributes_of_tensors_come_back():
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
    arguments = b"(" + storage() + b"K\x00K\x02\x85K\x01\x85\x89}t"
    head = b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(" + rebuild + b"ctorch\nTensor\n" + arguments
    loaded = minidl.load(
        io.BytesIO(hostile(head + b"}" + text(b"mark") + b"K\x07stR.", {"data/0": b"\0" * 8}))
    )
    assert loaded.tolist() == [0, 0]
    assert loaded.mark == 7
    with pytest.raises(UnsafePickleError, match="attribute 'shape'"):
        minidl.load(io.BytesIO(hostile(head + b"}" + text(b"shape") + b"K\x07stR.", {"data/0": b"\0" * 8})))


def test_a_right_one_is_read():
    assert minidl.load(io.BytesIO(hostile(tensor(), {"data/0": b"\0" * 8}))).tolist() == [0, 0]


REFUSED = {
    "persistent id of protocol 0": b"\x80\x02Pstorage\n.",
    "extension": b"\x80\x02\x82\x01.",
    "instance": b"(ios\nsystem\n.",
    "object": b"\x80\x02(cos\nsystem\no.",
    "a call of None": b"\x80\x02N)R.",
    "a call of a dtype": b"\x80\x02ctorch\nfloat32\n)R.",
    "a call of a class": b"\x80\x02ctorch\nTensor\n)R.",
    "a state of a list": b"\x80\x02]}b.",
    "attributes of a dict": b"\x80\x02ccollections\nOrderedDict\n)R}" + text(b"keys") + b"Nsb.",
    "complex numbers": b"\x80\x02ctorch\ncomplex64\n.",
    "complex storage": b"\x80\x02" + storage(b"ComplexFloatStorage") + b".",
    "sparse tensors": b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n)R.",
    "a numpy array of objects": b"\x80\x02cnumpy\ndtype\n" + text(b"O8") + b"\x85R.",
    "an encoding": b"\x80\x02c_codecs\nencode\n" + text(b"x") + text(b"rot13") + b"\x86R.",
}


@pytest.mark.parametrize("pickled", REFUSED.values(), ids=REFUSED)
def test_other_instructions_and_names_are_refused(pickled):
    with pytest.raises(UnsafePickleError, match="Weights only load failed"):
        minidl.load(io.BytesIO(hostile(pickled, {"data/0": b"\0" * 8})))


def test_damaged_archives():
    good = written({"w": minidl.ones(100), "n": [1, "x"]})
    for end in range(0, len(good), 7):
        with pytest.raises(FileFormatError):
            minidl.load(io.BytesIO(good[:end]))
    for raw, message in (
        (hostile(tensor(), {"data/0": b"\0" * 8}, zipfile.ZIP_DEFLATED), "compressed"),
        (hostile(tensor()), "no record 'data/0'"),
        (hostile(tensor(), {"data/0": b"\0" * 8, "byteorder": b"middle"}), "byte order"),
        (hostile(tensor(place=storage(b"BoolStorage")), {"data/0": b"\2\2"}), "truth values"),
        (b"PK\x03\x04" + b"\0" * 100, "no zip file"),
    ):
        with pytest.raises(FileFormatError, match=message):
            minidl.load(io.BytesIO(raw))


@pytest.mark.parametrize("raw", [torch_files.ZIP, torch_files.LEGACY], ids=["zip", "legacy"])
def test_flipped_bits_are_errors_or_values(raw):
    rng = np.random.default_rng(0)
    for _ in range(400):
        broken = bytearray(raw)
        broken[rng.integers(len(raw))] ^= 1 << rng.integers(8)
        with contextlib.suppress(FileFormatError, minidl.errors.DeviceError):
            minidl.load(io.BytesIO(bytes(broken)))
    for end in range(1, len(raw) - 1, 5):
        with pytest.raises(FileFormatError):
            minidl.load(io.BytesIO(raw[:end]))


def test_flipped_weights_are_noticed():
    good = written({"w": minidl.ones(100)})
    at = good.index(b"\0\0\x80\x3f")
    with pytest.raises(FileFormatError, match="checksum"):
        minidl.load(io.BytesIO(good[:at] + b"\1" + good[at + 1 :]))


def test_records_that_lie_on_each_other_are_not_read_many_times():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/data/0", b"\0" * 800_000)
        storages = b"".join(
            storage(key=str(i).encode(), count=b"J" + struct.pack("<i", 200_000)) for i in range(100)
        )
        archive.writestr("a/data.pkl", b"\x80\x02](" + storages + b"e.")
        for i in range(1, 100):
            archive.filelist.append(info := zipfile.ZipInfo(f"a/data/{i}"))
            for name in ("header_offset", "CRC", "compress_size", "file_size"):
                setattr(info, name, getattr(archive.filelist[0], name))
    with pytest.raises(FileFormatError, match="beyond the file's end"):
        minidl.load(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(
    "place",
    [
        "cpu",
        minidl.device("cpu"),
        {"cuda:0": "cpu"},
        lambda storage, where: storage,
        lambda storage, where: storage.cpu(),
    ],
)
def test_map_location_says_where_tensors_are_to_be(place):
    raw = hostile(tensor(place=storage(where=b"cuda:0")), {"data/0": b"\0" * 8})
    assert minidl.load(io.BytesIO(raw), map_location=place).device.type == "cpu"
    if not minidl.cuda.is_available():
        for elsewhere in (None, "cuda", {"cuda:1": "cpu"}, lambda storage, where: None):
            with pytest.raises(
                RuntimeError, match=r"Attempting to deserialize object on a CUDA device.*map_location"
            ):
                minidl.load(io.BytesIO(raw), map_location=elsewhere)
    with pytest.raises(TypeError, match="map_location should be"):
        minidl.load(io.BytesIO(raw), map_location=3)
