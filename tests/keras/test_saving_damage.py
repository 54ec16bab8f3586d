"""Files that are missing, foreign, damaged or hostile: a clear error, no crash, nothing run, nothing huge allocated."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from minidl import keras
from minidl.errors import FileFormatError
from minidl.keras.saving import guard

h5py = pytest.importorskip("h5py")
ALLOWED = (FileFormatError, ValueError, OSError, NotImplementedError)
load = keras.models.load_model


def model():
    made = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, name="a"), keras.layers.Dense(1, name="b")]
    )
    made.compile("adam", "mse")
    made.fit(np.ones((4, 6)), np.ones((4, 1)), verbose=0)
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    made = model()
    for ending in ("h5", "keras"):
        made.save(folder / f"m.{ending}")
    return folder


def test_a_missing_file(tmp_path):
    for ending in ("h5", "keras"):
        for act in (load, model().load_weights):
            with pytest.raises(FileNotFoundError, match=rf"no file .*missing\.{ending}'.*cwd"):
                act(tmp_path / f"missing.{ending}")


class Boom:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def saved_array():
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"), (pickle.dumps(Boom()), r"pickle.*torch"), (saved_array(), r"NumPy array"),
        (b"<!DOCTYPE html>", "HTML"), (b"version https://git-lfs.github.com/spec/v1", "LFS"),
        (b"PK\x03\x04rubbish", "damaged zip"), (zipped(**{"archive/data.pkl": b"x"}), r"torch\.save"),
        (zipped(**{"readme.txt": b"x"}), r"no \.keras file"), (b'{"class_name": 1}', "model_from_json"),
        (b"plain text", r"first bytes are b'plain te'"), (b"\x1f\x8b123", "gzip"),
    ],
)  # fmt: skip
def test_foreign_files(data, text, tmp_path):
    for name in ("m.h5", "m.keras"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FileFormatError, match=text):
            load(tmp_path / name)


def test_folders(tmp_path):
    with pytest.raises(FileFormatError, match="is a folder"):
        load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(FileFormatError, match="SavedModel"):
        load(tmp_path)


def test_an_hdf5_file_that_is_not_of_keras(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["title"] = "x"
    with pytest.raises(FileFormatError, match="none of Keras"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_truncated_files(ending, whole, tmp_path):
    data = (whole / f"m.{ending}").read_bytes()
    for length in {*range(1, 64, 7), len(data) // 4, len(data) // 2, len(data) - 1, len(data) - 30}:
        (tmp_path / f"m.{ending}").write_bytes(data[:length])
        with pytest.raises(ALLOWED):
            load(tmp_path / f"m.{ending}")


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_flipped_bytes_never_give_another_error(ending, whole, tmp_path):
    """Each in the guarded process: the HDF5 library itself may crash."""
    data = (whole / f"m.{ending}").read_bytes()
    draw = np.random.default_rng(3)
    for _ in range(3):
        damaged = bytearray(data)
        for place in draw.integers(0, len(data), 12):
            damaged[place] ^= 1 << draw.integers(8)
        (tmp_path / f"m.{ending}").write_bytes(damaged)
        try:
            load(tmp_path / f"m.{ending}", untrusted=True, compile=False)
        except (*ALLOWED, TypeError, KeyError) as error:
            assert isinstance(error, ALLOWED), error


def changed(whole, path, change):
    """A copy of the .h5 with another config."""
    path.write_bytes((whole / "m.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config, file)
        del file.attrs["model_config"]
        file.attrs["model_config"] = json.dumps(config)
    return path


CHANGES = [
    (lambda c, f: c["config"]["layers"][1].update(class_name="Nonsense"), ValueError,
     r"Unknown layer 'Nonsense' at layer 1 of model .*custom_objects"),
    (lambda c, f: c["config"]["layers"][1]["config"].update(units=10**9), FileFormatError, r"units=1000000000"),
    (lambda c, f: c["config"]["layers"][1]["config"].update(units=5), ValueError, r"Shape mismatch.*\(6, 5\)"),
    (lambda c, f: c["config"]["layers"].pop(), ValueError, r"expected 1 layers, found 2"),
    (lambda c, f: c["config"].update(layers=7), FileFormatError, "no model"),
    (lambda c, f: c["config"]["layers"][1].update(config=[1]), FileFormatError, "not a dict"),
    (lambda c, f: c["config"]["layers"][1]["config"].update(activation="nonsense"), ValueError, "nonsense"),
    (lambda c, f: c["config"]["layers"][1]["config"].update(wrong=3), ValueError, "wrong"),
    (lambda c, f: c.update(class_name="Dense"), ALLOWED, "Dense"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "error", "text"), CHANGES)
def test_changed_configs(change, error, text, whole, tmp_path):
    with pytest.raises(error, match=text):
        load(changed(whole, tmp_path / "m.h5", change))


def bomb(file, path, shape):
    del file[path]
    file.create_dataset(path, shape, "float32", chunks=(1024, *shape[1:]))


def external(file, path):
    del file[path]
    file[path] = h5py.ExternalLink("/etc/passwd", "/x")


def soft(file, path):
    del file[path]
    file[path] = h5py.SoftLink("/model_weights/b/b/bias:0")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda f, p: bomb(f, p, (2**34, 2)), r"claims .* bytes of shape"), (external, "no dataset"),
        (soft, "no dataset"),
        (lambda f, p: f.pop(p), "no dataset"),
        (lambda f, p: (f.pop(p), f.create_dataset(p, data=np.array([b"text"]))), "not numbers"),
        (lambda f, p: (f.pop(p), f.create_group(p)), "no dataset"),
    ],
)  # fmt: skip
def test_changed_weights(change, text, whole, tmp_path):
    path = changed(whole, tmp_path / "m.h5", lambda c, f: change(f, "model_weights/a/a/kernel:0"))
    with pytest.raises(FileFormatError, match=text):
        load(path)


def test_a_bomb_in_a_zip(whole, tmp_path):
    with zipfile.ZipFile(whole / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["model.weights.h5"] = bytes(2**27)
    (tmp_path / "m.keras").write_bytes(zipped(**members))
    with pytest.raises(FileFormatError):  # zeros compress 1000 times, and are no HDF5
        load(tmp_path / "m.keras")


def test_an_untrusted_file_is_read_in_another_process(whole, tmp_path):
    for ending in ("h5", "keras"):
        first, second = load(whole / f"m.{ending}"), load(whole / f"m.{ending}", untrusted=True)
        for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert int(second.optimizer.iterations) == 1
    with pytest.raises(FileNotFoundError, match="no file"):
        load(tmp_path / "missing.h5", untrusted=True)
    (tmp_path / "m.h5").write_bytes(b"plain text")
    with pytest.raises(FileFormatError, match="plain te"):
        load(tmp_path / "m.h5", untrusted=True)


def test_a_reader_that_crashes_or_hangs_ends_alone(whole, monkeypatch):
    monkeypatch.setattr(guard, "_COMMAND", "import os; os.abort()")
    with pytest.raises(FileFormatError, match="signal 6"):
        load(whole / "m.h5", untrusted=True)
    monkeypatch.setattr(guard, "_COMMAND", "import time; time.sleep(60)")
    monkeypatch.setattr(guard, "_SECONDS", 0.5)
    with pytest.raises(FileFormatError, match="seconds"):
        load(whole / "m.h5", untrusted=True)


def test_a_reader_that_swallows_memory_ends_alone(whole, monkeypatch):
    swallow = "guard._limit(sys.argv[1]); x = bytearray(2**33); print(len(x))"
    monkeypatch.setattr(guard, "_COMMAND", f"import sys; from minidl.keras.saving import guard; {swallow}")
    with pytest.raises(FileFormatError, match="MemoryError"):
        load(whole / "m.h5", untrusted=True)
