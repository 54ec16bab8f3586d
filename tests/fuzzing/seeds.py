"""Right files, small ones, that mutations start from; and the corpus of files that once were findings."""

import functools
import gzip
import importlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import torch_files

import minidl
from minidl import nn

CORPUS = Path(__file__).resolve().parent.parent / "corpus"


def _value():
    shared = minidl.arange(6.0)
    return {
        "w": minidl.ones(2, 3), "h": minidl.ones(2).half(), "b": minidl.ones(2, dtype=minidl.bool), "row": shared[1:3],
        "all": shared, "p": nn.Parameter(minidl.ones(1)), "n": [1, None, 2.5, "x", float("nan"), (1 << 70)],
        "t": (b"ab", {1, 2}, minidl.Size([1]), minidl.float32, minidl.device("cpu")), "a": np.arange(3),
        "s": np.float32(1),
    }  # fmt: skip


def _saved(value, format):
    file = io.BytesIO()
    minidl.save(value, file, format=format)
    return file.getvalue()


def _keras_file(ending):
    return importlib.import_module("fuzzing.reading_keras").small_file(ending)


def _keras_weights(ending):
    reading = importlib.import_module("fuzzing.reading_keras")
    with reading.on_disk(b"", ending) as path:
        reading.small_model().save_weights(path, overwrite=True)
        return Path(path).read_bytes()


def _member(data, name):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(next(n for n in archive.namelist() if n.endswith(name)))


def _idx(array, code):
    head = bytes([0, 0, code, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _training():
    h5py = importlib.import_module("h5py")
    with h5py.File(io.BytesIO(_keras_file(".h5")), "r") as file:
        return str(file.attrs["training_config"]).encode()


def _safetensors():
    return [_saved(_value(), None), _saved({"w": minidl.ones(2)}, None)]


def _tree():
    raw = _safetensors()[0]
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    place = {"in": "r", "dtype": "int16", "shape": [2], "offset": 0, "strides": [2]}
    made = {
        "value": {"dict": [["x", {"tensor": 0}], ["y", {"array": 1}], ["z", {"tuple": [{"float": "nan"}]}]]},
        "tensors": [{"kind": "Parameter", "array": 0, "requires_grad": True, "device": "cpu"}],
        "arrays": [{"name": "w"}, place],
    }  # fmt: skip
    return [header["__metadata__"]["tree"].encode(), json.dumps(made).encode()]


def _pickled():
    return [
        torch_files.tensor(),
        _member(torch_files.ZIP, "data.pkl"),
        _member(_saved(_value(), "pt"), "data.pkl"),
    ]


def _npz():
    value = {"a": minidl.ones(2, 3), "b": np.arange(3, dtype="i2")}
    packed = io.BytesIO()
    np.savez_compressed(packed, a=np.zeros(100))
    return [_saved(value, "npz"), packed.getvalue()]


def _npy():
    found = []
    for array in (np.ones((2, 3), "f4"), np.asfortranarray(np.ones((2, 2))), np.array(True)):
        file = io.BytesIO()
        np.save(file, array)
        found.append(file.getvalue())
    return found


def _idx_files():
    plain = _idx(np.arange(6, dtype="u1").reshape(2, 3), 8), _idx(np.ones((2, 1, 2), "f4"), 13)
    return [*plain, gzip.compress(plain[0])]


_SEEDS = {
    "safetensors": _safetensors,
    "mapped": _safetensors,
    "tree": _tree,
    "pt": lambda: [torch_files.ZIP, torch_files.LEGACY, _saved({"w": minidl.ones(2)}, "pt")],
    "pickled": _pickled,
    "npz": _npz,
    "npy": _npy,
    "idx": _idx_files,
    "keras_config": lambda: [_member(_keras_file(".keras"), "config.json")],
    "keras_training": lambda: [_training()],
    "keras_zip": lambda: [_npz()[0]],
    "keras_config_zip": lambda: [b"{}"],
    "keras_weights": lambda: [_keras_weights(".npz"), _keras_weights(".safetensors")],
    "h5": lambda: [_keras_file(".h5")],
}


@functools.cache
def seeds(name):
    """The right files that a target starts from, and what the corpus holds for it."""
    kept = sorted((CORPUS / name).glob("*")) if (CORPUS / name).is_dir() else []
    return [*_SEEDS[name](), *(path.read_bytes() for path in kept)]


def words(name):
    """Strings and numbers of the seeds, which a blind fuzzer does not guess: libFuzzer's dictionary."""
    found = {
        b'"__metadata__"',
        b'"data_offsets"',
        b'"dtype"',
        b'"shape"',
        b"PK\x01\x02",
        b"PK\x05\x06",
        bytes(8),
    }
    for seed in seeds(name):
        if seed[:1] == b"{":
            pieces = seed.replace(b":", b",").replace(b"{", b",").replace(b"[", b",").split(b",")
            found.update(piece.strip(b" ]}") for piece in pieces)
    return sorted(word for word in found if 1 < len(word) < 40)
