"""Small pictures of ten kinds, from local files."""

import os

from minidl.keras.datasets.cifar import read_part
from minidl.keras.utils.files import get_file

__all__ = ["load_data"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"


def load_data():
    """``(x_train, y_train), (x_test, y_test)``: uint8 (N, 32, 32, 3) and (N, 1), from the archive
    ``~/.keras/datasets/cifar-10-batches-py-target``.

    ``FileNotFoundError`` says where to put it: nothing is downloaded.
    """
    folder = os.path.join(
        get_file("cifar-10-batches-py-target", origin=_ORIGIN, extract=True), "cifar-10-batches-py"
    )
    train = read_part(folder, [f"data_batch_{i}" for i in range(1, 6)])
    test = read_part(folder, ["test_batch"])
    return (train[0], train[1].astype("uint8")), (test[0], test[1].astype("uint8"))
