"""Files in folders, a class each, as batches: of images, of texts."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from minidl.keras.settings import standardize_data_format
from minidl.keras.utils.batched import Batched
from minidl.keras.utils.images import img_to_array, load_img, resize, smart_resize

__all__ = ["FolderBatches", "image_dataset_from_directory", "text_dataset_from_directory"]

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_MODES = ("int", "categorical", "binary", None)


class FolderBatches(Batched):
    """Batches of files and their labels, in another order every epoch where they are shuffled."""

    def __init__(self, read, file_paths, labels, class_names, batch_size, seed):
        super().__init__()
        self.file_paths, self.class_names, self.labels = file_paths, class_names, labels
        self._read, self._size = read, batch_size or max(len(file_paths), 1)
        self._generator = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(file_paths))

    def __len__(self):
        return math.ceil(len(self.file_paths) / self._size)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        rows = self._order[index * self._size : (index + 1) * self._size]
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
            batch = np.stack(list(pool.map(self._read, [self.file_paths[row] for row in rows])))
        return batch if self.labels is None else (batch, self.labels[rows])

    def on_epoch_end(self):
        """Shuffles anew, where it shuffles."""
        if self._generator is not None:
            self._order = self._generator.permutation(self._order)


def _indexed(directory, labels, class_names, endings, follow_links):
    """The paths, in order of classes and names, with the number of the class of each."""
    if labels == "inferred":
        found = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
        found = [name for name in found if not name.startswith(".")]
        if class_names is not None and set(class_names) != set(found):
            raise ValueError(
                "The `class_names` passed did not match the names of the subdirectories of the target directory. "
                f"Expected: {found} (or a subset of it), but received: class_names={class_names}"
            )
        class_names = list(class_names or found)
        folders = [os.path.join(directory, name) for name in class_names]
    else:
        folders, class_names = [directory], class_names
    paths, numbers = [], []
    for number, folder in enumerate(folders):
        for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
            own = [os.path.join(root, name) for name in sorted(names) if name.lower().endswith(endings)]
            paths += own
            numbers += [number] * len(own)
    if isinstance(labels, (list, tuple)):
        if len(labels) != len(paths):
            raise ValueError(
                f"Expected the lengths of `labels` to match the number of files in the target directory. len(labels) "
                f"is {len(labels)} while we found {len(paths)} files in directory {directory}."
            )
        numbers, class_names = list(labels), [str(label) for label in sorted(set(labels))]
    return paths, numbers, class_names


def _check(labels, label_mode, validation_split, subset, shuffle, seed):
    if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
        raise ValueError(
            "`labels` argument should be a list/tuple of integer labels, of the same size as the number of files in "
            f'the target directory, "inferred" or None. Received: labels={labels}'
        )
    if label_mode not in _MODES:
        raise ValueError(
            f'`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: {label_mode}'
        )
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {validation_split}")
    if (validation_split is None) != (subset is None):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
    if validation_split and shuffle and seed is None:
        raise ValueError(
            "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure that "
            "there is no overlap between the training and validation subset."
        )


def _labels_of(numbers, label_mode, class_names):
    if label_mode is None:
        return None
    if label_mode == "binary":
        if len(class_names) != 2:
            raise ValueError(
                f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: {class_names}'
            )
        return np.asarray(numbers, "float32")[:, None]
    if label_mode == "categorical":
        return np.eye(len(class_names), dtype="float32")[np.asarray(numbers, int)]
    return np.asarray(numbers, "int32")


def _datasets(
    read, directory, endings, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
    follow_links, verbose,
):  # fmt: skip
    _check(labels, label_mode, validation_split, subset, shuffle, seed)
    paths, numbers, class_names = _indexed(directory, labels, class_names, endings, follow_links)
    if not paths:
        raise ValueError(f"No files found in directory {directory}. Allowed formats: {endings}")
    if verbose:
        classes = f" belonging to {len(class_names)} classes" if class_names else ""
        print(f"Found {len(paths)} files{classes}.")
    targets = _labels_of(numbers, None if labels is None else label_mode, class_names or [])
    order = np.arange(len(paths))
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    if shuffle:
        np.random.RandomState(seed).shuffle(order)
    count = int((validation_split or 0) * len(paths))
    kinds = {"training": order[: len(order) - count], "validation": order[len(order) - count :]}
    made = []
    for kind in ("training", "validation") if subset == "both" else (subset,):
        rows = order if kind is None else kinds[kind]
        if kind and verbose:
            print(f"Using {len(rows)} files for {kind}.")
        own = None if targets is None else targets[rows]
        again = seed if shuffle and kind != "validation" else None
        made.append(FolderBatches(read, [paths[row] for row in rows], own, class_names, batch_size, again))
    return made if subset == "both" else made[0]


def image_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, color_mode="rgb", batch_size=32,
    image_size=(256, 256), shuffle=True, seed=None, validation_split=None, subset=None, interpolation="bilinear",
    follow_links=False, crop_to_aspect_ratio=False, data_format=None, verbose=True,
):  # fmt: skip
    """Batches of the images of a folder, (N, H, W, C) float32 of 0 to 255, with the labels of its subfolders.

    Labels are numbers (N,) int32, ``'categorical'`` (N, classes), ``'binary'`` (N, 1), or None. ``validation_split``
    takes the last share for ``subset='validation'``; ``'both'`` gives two. ``.class_names`` and ``.file_paths`` say
    what there is. For ``fit``, or to iterate over, or to ``map`` and ``take``. Raises ``ValueError`` for a folder
    without images.

    >>> import os, tempfile
    >>> import numpy as np
    >>> from minidl import keras
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("cats", "dogs"):
    ...     os.mkdir(os.path.join(folder, name))
    ...     keras.utils.save_img(os.path.join(folder, name, "1.png"), np.zeros((4, 4, 3)))
    >>> batches = keras.utils.image_dataset_from_directory(folder, image_size=(8, 8), verbose=False)
    >>> batches[0][0].shape, batches.class_names
    ((2, 8, 8, 3), ['cats', 'dogs'])
    """
    size, place = tuple(image_size), standardize_data_format(data_format)

    def read(path):
        image = img_to_array(load_img(path, color_mode), "channels_last", "float32")
        if crop_to_aspect_ratio:
            image = smart_resize(image, size, interpolation)
        else:
            image = resize(image[None], size, interpolation)[0]
        image = np.asarray(image, "float32")
        return image.transpose(2, 0, 1) if place == "channels_first" else image

    return _datasets(
        read, directory, _IMAGES, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose,
    )  # fmt: skip


def text_dataset_from_directory(
    directory, labels="inferred", label_mode="int", class_names=None, batch_size=32, max_length=None, shuffle=True,
    seed=None, validation_split=None, subset=None, follow_links=False, verbose=True,
):  # fmt: skip
    """Batches of the ``.txt`` files of a folder, as strings, with the labels of its subfolders.

    As ``image_dataset_from_directory``; ``max_length`` cuts texts after so many bytes.
    """

    def read(path):
        with open(path, "rb") as file:
            content = file.read() if max_length is None else file.read(max_length)
        return np.array(content.decode("utf-8", errors="replace"), object)

    return _datasets(
        read, directory, (".txt",), labels, label_mode, class_names, batch_size, shuffle, seed, validation_split,
        subset, follow_links, verbose,
    )  # fmt: skip
