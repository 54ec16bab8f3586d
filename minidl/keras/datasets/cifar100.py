"""Small pictures of a hundred kinds, from local files."""

import os

from minidl.keras.datasets.cifar import read_part
from minidl.keras.utils.files import get_file

__all__ = ["load_data"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"


def load_data(label_mode="fine"):
    """``(x_train, y_train), (x_test, y_test)``: uint8 (N, 32, 32, 3) and (N, 1); labels ``fine`` or ``coarse``.

    ``FileNotFoundError`` says where to put the archive: nothing is downloaded.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    folder = os.path.join(
        get_file("cifar-100-python-target", origin=_ORIGIN, extract=True), "cifar-100-python"
    )
    key = f"{label_mode}_labels"
    return read_part(folder, ["train"], key), read_part(folder, ["test"], key)
