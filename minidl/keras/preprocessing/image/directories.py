"""Batches of image files: from folders, a class each, or from a table of names."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from minidl.keras.config import floatx, standardize_data_format
from minidl.keras.preprocessing.image.iterators import Iterator
from minidl.keras.utils.images import img_to_array, load_img

__all__ = ["DataFrameIterator", "DirectoryIterator"]

ENDINGS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}
_UNLABELLED = ("input", "multi_output", "raw", None)


class FileIterator(Iterator):
    """Base: files by number, read in threads, with the labels that ``class_mode`` asks for."""

    def _take_options(
        self, generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
        interpolation, keep_aspect_ratio, dtype,
    ):  # fmt: skip
        if color_mode not in _CHANNELS:
            raise ValueError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".')
        self.image_data_generator, self.target_size = generator, tuple(target_size)
        self.color_mode, self.data_format = color_mode, standardize_data_format(data_format)
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self.dtype = dtype or floatx()
        channels = (_CHANNELS[color_mode],)
        first = self.data_format == "channels_first"
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        if subset not in (None, "training", "validation"):
            raise ValueError(f'Invalid subset name: {subset};expected "training" or "validation"')
        fraction = getattr(generator, "_validation_split", 0.0)
        spans = {None: None, "validation": (0, fraction), "training": (fraction, 1)}
        self.subset, self.split = subset, spans[subset]
        self._sample_weight = None

    def _read(self, path):
        img = load_img(path, self.color_mode, self.target_size, self.interpolation, self.keep_aspect_ratio)
        return img_to_array(img, self.data_format)

    def _get_batches_of_transformed_samples(self, index_array):
        batch = np.zeros((len(index_array), *self.image_shape), floatx())
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
            for i, image in enumerate(pool.map(self._read, [self.filepaths[j] for j in index_array])):
                batch[i] = image
        if self.image_data_generator:
            batch = self.image_data_generator.augmented(batch)
        batch = batch.astype(self.dtype, copy=False)
        self._save(batch, index_array, 10**7)
        if self.class_mode is None:
            return batch
        labels = self._labels_of(index_array, batch)
        if self._sample_weight is None:
            return batch, labels
        return batch, labels, self._sample_weight[index_array]

    def _labels_of(self, rows, batch):
        mode = self.class_mode
        if mode == "input":
            return batch.copy()
        if mode == "multi_output":
            return [target[rows] for target in self._targets]
        if mode == "raw":
            return self._targets[rows]
        if mode in ("binary", "sparse"):
            return np.asarray([self.classes[row] for row in rows], self.dtype)
        hot = np.zeros((len(rows), len(self.class_indices)), self.dtype)
        for i, row in enumerate(rows):
            hot[i, self.classes[row]] = 1.0
        return hot

    @property
    def filepaths(self):
        """Paths of the files."""
        return self._filepaths

    @property
    def labels(self):
        """Class numbers, or the raw targets."""
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self):
        """Weights of the files, or None."""
        return self._sample_weight


def _files_of_class(directory, name, split, follow_links):
    """Names of a class's images, sorted folder by folder, relative to the directory; the part that ``split`` says."""
    found = []
    root = os.path.join(directory, name)
    for folder, _, files in sorted(os.walk(root, followlinks=follow_links), key=lambda item: item[0]):
        for file in sorted(files):
            if file.lower().endswith(".tiff"):
                warnings.warn(
                    'Using ".tiff" files with multiple bands will cause distortion. Please verify your output.',
                    stacklevel=4,
                )
            if file.lower().endswith(ENDINGS):
                found.append(os.path.join(name, os.path.relpath(os.path.join(folder, file), root)))
    if split:
        found = found[int(split[0] * len(found)) : int(split[1] * len(found))]
    return found


def _check_mode(class_mode, allowed):
    if class_mode not in allowed:
        raise ValueError(f"Invalid class_mode: {class_mode}; expected one of: {allowed}")


class DirectoryIterator(FileIterator):
    """What ``flow_from_directory`` gives. ``classes``, ``class_indices``, ``filenames``, ``samples`` and
    ``num_classes`` say what was found; folders are classes, in alphabetical order."""

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self, directory, image_data_generator, target_size=(256, 256), color_mode="rgb", classes=None,
        class_mode="categorical", batch_size=32, shuffle=True, seed=None, data_format=None, save_to_dir=None,
        save_prefix="", save_format="png", follow_links=False, subset=None, interpolation="nearest",
        keep_aspect_ratio=False, dtype=None,
    ):  # fmt: skip
        self._take_options(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio, dtype,
        )  # fmt: skip
        _check_mode(class_mode, self.allowed_class_modes)
        self.directory, self.class_mode = directory, class_mode
        names = classes or sorted(
            name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name))
        )
        self.num_classes = len(names)
        self.class_indices = {name: i for i, name in enumerate(names)}
        found = [_files_of_class(directory, name, self.split, follow_links) for name in names]
        self.filenames = [name for files in found for name in files]
        self.classes = np.repeat(np.arange(len(names), dtype="int32"), [len(files) for files in found])
        self.samples = len(self.filenames)
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        self._filepaths = [os.path.join(directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)


class DataFrameIterator(FileIterator):
    """What ``flow_from_dataframe`` gives. ``TypeError`` for columns of another type than ``class_mode`` needs."""

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self, dataframe, directory=None, image_data_generator=None, x_col="filename", y_col="class", weight_col=None,
        target_size=(256, 256), color_mode="rgb", classes=None, class_mode="categorical", batch_size=32, shuffle=True,
        seed=None, data_format="channels_last", save_to_dir=None, save_prefix="", save_format="png", subset=None,
        interpolation="nearest", keep_aspect_ratio=False, dtype="float32", validate_filenames=True,
    ):  # fmt: skip
        self._take_options(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio, dtype,
        )  # fmt: skip
        _check_mode(class_mode, self.allowed_class_modes)
        self.directory, self.class_mode = directory or "", class_mode
        table = dataframe.copy()
        _check_columns(table, x_col, y_col, weight_col, classes, class_mode)
        if validate_filenames:
            table = self._with_files(table, x_col)
        if class_mode not in _UNLABELLED:
            table, names = _with_classes(table, y_col, classes)
            self.class_indices = {name: i for i, name in enumerate(names)}
        if self.split:
            table = table.iloc[int(self.split[0] * len(table)) : int(self.split[1] * len(table))]
        if class_mode not in _UNLABELLED:
            self.classes = [_numbers(label, self.class_indices) for label in table[y_col]]
        self.filenames = table[x_col].tolist()
        self._sample_weight = table[weight_col].to_numpy() if weight_col else None
        if class_mode == "multi_output":
            self._targets = [np.array(table[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._targets = table[y_col].to_numpy()
        self.samples = len(self.filenames)
        checked = "validated" if validate_filenames else "non-validated"
        belonging = "" if class_mode in _UNLABELLED else f" belonging to {len(self.class_indices)} classes"
        print(f"Found {self.samples} {checked} image filenames{belonging}.")
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _with_files(self, table, x_col):
        paths = [os.path.join(self.directory, name) for name in table[x_col]]
        there = np.array([p.lower().endswith(ENDINGS) and os.path.isfile(p) for p in paths], bool)
        if not there.all():
            warnings.warn(
                f'Found {(~there).sum()} invalid image filename(s) in x_col="{x_col}". These filename(s) will be '
                "ignored.",
                stacklevel=4,
            )
        return table[there]


def _all(column, types):
    return all(isinstance(value, types) for value in column)


def _check_columns(table, x_col, y_col, weight_col, classes, mode):
    if mode == "multi_output" and not isinstance(y_col, list):
        raise TypeError(f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.')
    if not _all(table[x_col], str):
        raise TypeError(f"All values in column x_col={x_col} must be strings.")
    if mode in ("binary", "sparse") and not _all(table[y_col], str):
        raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be strings.')
    if mode == "binary":
        count = len(set(classes)) if classes else table[y_col].nunique()
        if count != 2:
            raise ValueError(f'If class_mode="binary" there must be 2 classes. Found {count} classes.')
    if mode == "categorical" and not _all(table[y_col], (str, list, tuple)):
        raise TypeError(
            f'If class_mode="{mode}", y_col="{y_col}" column values must be type string, list or tuple.'
        )
    if classes and mode in _UNLABELLED:
        warnings.warn(f'`classes` will be ignored given the class_mode="{mode}"', stacklevel=4)
    if weight_col and not issubclass(table[weight_col].dtype.type, np.number):
        raise TypeError(f"Column weight_col={weight_col} must be numeric.")


def _with_classes(table, y_col, classes):
    """The rows that have a class, and the classes."""
    several = (list, tuple)
    if not classes:
        names = set()
        for label in table[y_col]:
            names.update(label if isinstance(label, several) else [label])
        return table.dropna(subset=[y_col]), sorted(names)
    known = list(dict.fromkeys(classes))

    def kept(label):
        if isinstance(label, several):
            return [one for one in label if one in known] or None
        if isinstance(label, str):
            return label if label in known else None
        raise TypeError(f"Expect string, list or tuple but found {type(label)} in {y_col} column ")

    table = table.copy()
    table[y_col] = table[y_col].map(kept)
    return table.dropna(subset=[y_col]), known


def _numbers(label, indices):
    if isinstance(label, (list, tuple)):
        return [indices[one] for one in label]
    return indices[label]
