"""Pictures of clothes, 28 by 28, from local IDX files."""

import gzip
import os

import numpy as np

from minidl.keras.utils.files import get_file

__all__ = ["load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _read(name, offset):
    path = get_file(name, origin=_ORIGIN + name, cache_subdir=os.path.join("datasets", "fashion-mnist"))
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset).copy()


def load_data():
    """``(x_train, y_train), (x_test, y_test)``: uint8 (N, 28, 28) and (N,), from ``~/.keras/datasets/fashion-mnist``.

    ``FileNotFoundError`` says where to put the files: nothing is downloaded.
    """
    parts = []
    for kind in ("train", "t10k"):
        labels = _read(f"{kind}-labels-idx1-ubyte.gz", 8)
        images = _read(f"{kind}-images-idx3-ubyte.gz", 16).reshape(len(labels), 28, 28)
        parts.append((images, labels))
    return tuple(parts)
