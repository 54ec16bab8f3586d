"""Readers of data sets against Keras', on files of the same make with a few rows."""

import gzip
import io
import pickle
import tarfile

import keras
import numpy as np
import pytest
from keras.src.datasets import boston_housing as _boston  # noqa: F401  (its module is imported with Keras)

from minidl.keras import datasets

R = np.random.default_rng(0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "datasets"
    folder.mkdir()

    def local(fname=None, origin=None, extract=False, cache_subdir="datasets", **_):
        found = tmp_path / cache_subdir / fname
        if extract:
            target = str(found) + "_unpacked"
            with tarfile.open(found) as archive:
                archive.extractall(target, filter="data")
            return target
        return str(found)

    for name in ("mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing",
                 "california_housing"):  # fmt: skip
        module = __import__(f"keras.src.datasets.{name}", fromlist=["get_file"])
        monkeypatch.setattr(module, "get_file", local)
    return folder


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        for x, y in zip(a, b, strict=True):
            assert len(x) == len(y)
            if x.dtype == object:
                assert [list(map(int, words)) for words in x] == [list(map(int, words)) for words in y]
            else:
                assert x.dtype == y.dtype
                np.testing.assert_array_equal(x, y)


def test_mnist(home):
    images = R.integers(0, 255, (5, 28, 28)).astype("uint8")
    np.savez(home / "mnist.npz", x_train=images, y_train=np.arange(5), x_test=images[:2], y_test=np.arange(2))
    same(datasets.mnist.load_data(), keras.datasets.mnist.load_data())


def test_fashion_mnist(home):
    (home / "fashion-mnist").mkdir()
    for kind, count in (("train", 4), ("t10k", 2)):
        labels = bytes(8) + R.integers(0, 9, count).astype("uint8").tobytes()
        images = bytes(16) + R.integers(0, 255, count * 784).astype("uint8").tobytes()
        for name, data in (
            (f"{kind}-labels-idx1-ubyte.gz", labels),
            (f"{kind}-images-idx3-ubyte.gz", images),
        ):
            with gzip.open(home / "fashion-mnist" / name, "wb") as file:
                file.write(data)
    same(datasets.fashion_mnist.load_data(), keras.datasets.fashion_mnist.load_data())


def _archive(path, folder, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = pickle.dumps(content, protocol=3)  # without a call of _codecs.encode for bytes
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_cifar100(home, mode):
    files = {
        name: {
            b"data": R.integers(0, 255, (count, 3072)).astype("uint8"),
            b"fine_labels": list(range(count)),
            b"coarse_labels": list(range(count))[::-1],
        }
        for name, count in (("train", 6), ("test", 3))
    }
    _archive(home / "cifar-100-python-target", "cifar-100-python", files)
    same(datasets.cifar100.load_data(mode), keras.datasets.cifar100.load_data(mode))


def test_cifar10(home):
    files = {
        name: {"data": R.integers(0, 255, (2, 3072)).astype("uint8"), "labels": [i % 10, 3]}
        for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"])
    }
    _archive(home / "cifar-10-batches-py-target", "cifar-10-batches-py", files)
    (x, y), (xt, yt) = datasets.cifar10.load_data()
    assert (x.shape, y.shape, xt.shape, yt.shape) == ((10, 32, 32, 3), (10, 1), (2, 32, 32, 3), (2, 1))
    first = files["data_batch_1"]["data"][0].reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_array_equal(x[0], first)


def _reviews(count):
    lists = np.empty(count, dtype=object)
    lists[:] = [list(map(int, R.integers(1, 40, R.integers(2, 12)))) for _ in range(count)]
    return lists


@pytest.mark.parametrize("options", [{}, {"num_words": 20}, {"num_words": 20, "oov_char": None, "skip_top": 5},
                                     {"start_char": None, "maxlen": 8}, {"start_char": None, "index_from": 0},
                                     {"maxlen": 9, "seed": 3}])  # fmt: skip
def test_words(home, options):
    np.savez(
        home / "imdb.npz",
        x_train=_reviews(9),
        y_train=np.arange(9) % 2,
        x_test=_reviews(7),
        y_test=np.arange(7),
    )
    np.savez(home / "reuters.npz", x=_reviews(12), y=np.arange(12))
    same(datasets.imdb.load_data(**options), keras.datasets.imdb.load_data(**options))
    same(datasets.reuters.load_data(**options), keras.datasets.reuters.load_data(**options))


def test_houses(home):
    for name in ("boston_housing", "california_housing"):
        np.savez(home / f"{name}.npz", x=R.normal(size=(700, 8)), y=R.normal(size=700))
    same(datasets.boston_housing.load_data(), keras.datasets.boston_housing.load_data())
    for version in ("large", "small"):
        same(
            datasets.california_housing.load_data(version, test_split=0.3),
            keras.datasets.california_housing.load_data(version, test_split=0.3),
        )
