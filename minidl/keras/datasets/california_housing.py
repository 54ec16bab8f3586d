"""Prices of houses in California, from a local ``california_housing.npz``."""

from minidl.keras.datasets.reading import arrays_of, split_rows

__all__ = ["load_data"]

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/california_housing.npz"


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """``(x_train, y_train), (x_test, y_test)``: float (N, 8) and (N,); ``version`` is ``large`` or ``small``, the first
    600 rows.

    ``FileNotFoundError`` says where to put the file: nothing is downloaded.
    """
    if version not in ("large", "small"):
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: {version}")
    if not 0 <= test_split < 1:
        split_rows([], [], test_split, seed)  # says what is wrong with it
    found = arrays_of(path, _ORIGIN)
    rows = slice(600 if version == "small" else None)
    return split_rows(found["x"][rows], found["y"][rows], test_split, seed)
