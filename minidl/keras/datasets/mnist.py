"""Handwritten digits, 28 by 28, from a local ``mnist.npz``."""

from minidl.keras.datasets.reading import arrays_of

__all__ = ["load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"


def load_data(path="mnist.npz"):
    """``(x_train, y_train), (x_test, y_test)``: uint8 (N, 28, 28) and (N,), from ``~/.keras/datasets`` or a path.

    ``FileNotFoundError`` says where to put the file: nothing is downloaded.
    """
    found = arrays_of(path, _ORIGIN)
    return (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
