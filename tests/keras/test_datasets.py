"""Data sets without Keras: nothing is downloaded, nothing in a file is run."""

import json
import os

import numpy as np
import pytest

from minidl.keras import datasets


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


@pytest.mark.parametrize("name", datasets.__all__)
def test_a_missing_file_is_named(name):
    with pytest.raises(FileNotFoundError, match="downloads nothing"):
        getattr(datasets, name).load_data()


def test_a_path_may_be_given(tmp_path):
    x = np.zeros((3, 28, 28), "uint8")
    np.savez(tmp_path / "own.npz", x_train=x, y_train=np.arange(3), x_test=x, y_test=np.arange(3))
    (images, labels), _ = datasets.mnist.load_data(str(tmp_path / "own.npz"))
    assert images.shape == (3, 28, 28)
    assert labels.tolist() == [0, 1, 2]


class Bomb:
    def __reduce__(self):
        return os.system, ("touch exploded",)


def test_a_pickle_that_acts_is_refused(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bombs = np.empty(1, dtype=object)
    bombs[0] = Bomb()
    np.savez(home / "reuters.npz", x=bombs, y=np.zeros(1))
    with pytest.raises(Exception, match="arrays and lists only"):
        datasets.reuters.load_data()
    assert not (tmp_path / "exploded").exists()


def test_word_index(home):
    (home / "imdb_word_index.json").write_text(json.dumps({"the": 1}))
    assert datasets.imdb.get_word_index() == {"the": 1}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: datasets.boston_housing.load_data(test_split=2), ValueError, "test_split"),
        (lambda: datasets.california_housing.load_data("huge"), ValueError, "version"),
        (lambda: datasets.cifar100.load_data("x"), ValueError, "label_mode"),
        (lambda: datasets.imdb.load_data(wrong=1), TypeError, "Unrecognized"),
    ],
)
def test_refusals(call, error, text):
    with pytest.raises(error, match=text):
        call()
