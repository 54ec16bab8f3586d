"""How the CIFAR sets lie in files."""

import os

import numpy as np

from minidl.keras.datasets.reading import unpickled
from minidl.keras.settings import image_data_format


def read_batch(path, label_key="labels"):
    """Images (N, 3, 32, 32) and labels of a batch's file."""
    with open(path, "rb") as file:
        found = unpickled(file.read(), encoding="bytes")
    found = {key.decode() if isinstance(key, bytes) else key: value for key, value in found.items()}
    images = np.asarray(found["data"])
    return images.reshape(len(images), 3, 32, 32), np.asarray(found[label_key])


def read_part(folder, names, label_key="labels"):
    """Images in the program's layout and labels (N, 1), uint8, of several batches."""
    batches = [read_batch(os.path.join(folder, name), label_key) for name in names]
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches]).reshape(-1, 1)
    if image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images.astype("uint8"), labels
