"""Prices of houses in Boston, from a local ``boston_housing.npz``."""

from minidl.keras.datasets.reading import arrays_of, split_rows

__all__ = ["load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/boston_housing.npz"


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """``(x_train, y_train), (x_test, y_test)``: float64 (N, 13) and (N,).

    ``FileNotFoundError`` says where to put the file: nothing is downloaded.
    """
    if not 0 <= test_split < 1:
        split_rows([], [], test_split, seed)  # says what is wrong with it
    found = arrays_of(path, _ORIGIN)
    return split_rows(found["x"], found["y"], test_split, seed)
