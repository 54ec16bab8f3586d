"""The demo's data: scikit-learn's 1,797 bundled 8x8 digits, or MNIST's idx files."""

import pathlib

import numpy as np

from minidl.extras import need
from minidl.io import read_idx


def load(name, path=None):
    """Images (N, 1, H, W) float32 in [0, 1] and labels (N,) int64 of the data set ``name``: 'digits' or 'mnist'.

    ``path`` is the folder of MNIST's idx files (``*images-idx3-ubyte``, ``*labels-idx1-ubyte``, plain or .gz).
    Raises ``FileNotFoundError`` where a file is missing, ``FileFormatError`` for a damaged one.
    """
    if name == "digits":
        bundle = need("sklearn.datasets", "scikit-learn", "demo").load_digits()
        return (bundle.images / 16.0).astype(np.float32)[:, None], bundle.target.astype(np.int64)
    folder = pathlib.Path(path)
    images, labels = (read_idx(_only(folder, part)) for part in ("images-idx3-ubyte", "labels-idx1-ubyte"))
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{folder}: images of shape {images.shape} do not fit labels of shape {labels.shape}"
        )
    return (images / 255.0).astype(np.float32)[:, None], labels.astype(np.int64)


def _only(folder, part):
    """The file of a data set's ``part``: the training one where both are there."""
    found = sorted(folder.glob(f"*{part}*"), key=lambda f: (not f.name.startswith("train"), f.name))
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no file *{part} or *{part}.gz; download MNIST's idx files there"
        )
    return found[0]


def split(images, labels, seed, held_out=0.2):
    """``(train_images, train_labels, test_images, test_labels)``: a share ``held_out`` of each is kept for testing."""
    order = np.random.default_rng(seed).permutation(len(images))
    cut = round(len(images) * (1 - held_out))
    train, test = order[:cut], order[cut:]
    return images[train], labels[train], images[test], labels[test]
