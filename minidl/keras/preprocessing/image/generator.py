"""``ImageDataGenerator``: images moved, flipped, shifted in colour and normalised at random, batch by batch."""

import math
import warnings

import numpy as np

from minidl.keras.config import floatx, standardize_data_format
from minidl.keras.preprocessing.image.affine import affine_batch, affine_matrices
from minidl.keras.preprocessing.image.colors import brightened, shifted
from minidl.keras.preprocessing.image.directories import DataFrameIterator, DirectoryIterator
from minidl.keras.preprocessing.image.iterators import NumpyArrayIterator

__all__ = ["ImageDataGenerator"]


class ImageDataGenerator:
    """Endless batches of images (N, H, W, C), changed at random and normalised, without SciPy.

    A change is, in this order: rotation, shift, shear and zoom as one affine map; a shift of the channels; flips;
    brightness. Then ``preprocessing_function`` (an image in, an image out), ``rescale``, and the normalisers. All
    draws come from NumPy's global generator in Keras' order, so equal seeds give Keras' images. As in Keras' own
    (legacy) generator, ``width_shift_range`` moves rows and ``height_shift_range`` columns. Batches are mapped whole,
    large ones in threads. ``interpolation_order`` is the degree of the splines between pixels, 0 (the nearest pixel)
    to 5. ``ValueError`` for ranges that are none. Source: Keras' ``ImageDataGenerator``.

    >>> import numpy as np
    >>> from minidl.keras.preprocessing.image import ImageDataGenerator
    >>> datagen = ImageDataGenerator(rotation_range=20, width_shift_range=0.2)
    >>> images = np.zeros((10, 8, 8, 3), "float32")
    >>> datagen.fit(images)
    >>> x, y = next(datagen.flow(images, np.arange(10), batch_size=4))
    >>> x.shape, y.shape
    ((4, 8, 8, 3), (4,))
    """

    def __init__(
        self, featurewise_center=False, samplewise_center=False, featurewise_std_normalization=False,
        samplewise_std_normalization=False, zca_whitening=False, zca_epsilon=1e-6, rotation_range=0,
        width_shift_range=0.0, height_shift_range=0.0, brightness_range=None, shear_range=0.0, zoom_range=0.0,
        channel_shift_range=0.0, fill_mode="nearest", cval=0.0, horizontal_flip=False, vertical_flip=False,
        rescale=None, preprocessing_function=None, data_format=None, validation_split=0.0, interpolation_order=1,
        dtype=None,
    ):  # fmt: skip
        self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.channel_shift_range, self.fill_mode, self.cval = channel_shift_range, fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.interpolation_order, self.dtype = interpolation_order, dtype or floatx()
        self.data_format = standardize_data_format(data_format)
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"`validation_split` must be strictly between 0 and 1.  Received: {validation_split}"
            )
        self._validation_split = validation_split
        self.mean = self.std = self.zca_whitening_matrix = None
        if isinstance(zoom_range, (float, int)):
            self.zoom_range = [1 - zoom_range, 1 + zoom_range]
        elif len(zoom_range) == 2 and all(isinstance(value, (float, int)) for value in zoom_range):
            self.zoom_range = list(zoom_range)
        else:
            raise ValueError(
                f"`zoom_range` should be a float or a tuple or list of two floats. Received: {zoom_range}"
            )
        if brightness_range is not None and (
            not isinstance(brightness_range, (tuple, list)) or len(brightness_range) != 2
        ):
            raise ValueError(
                f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}"
            )
        self.brightness_range = brightness_range
        self._settle_normalisers()

    def _settle_normalisers(self):
        """What one normaliser says about another; each change warns."""
        if self.zca_whitening:
            self._turn("zca_whitening", "featurewise_center", True)
            self._turn("zca_whitening", "featurewise_std_normalization", False)
        if self.featurewise_std_normalization:
            self._turn("featurewise_std_normalization", "featurewise_center", True)
        if self.samplewise_std_normalization:
            self._turn("samplewise_std_normalization", "samplewise_center", True)

    def _turn(self, reason, option, value):
        if bool(getattr(self, option)) != value:
            setattr(self, option, value)
            warnings.warn(
                f"This ImageDataGenerator specifies `{reason}`, which overrides setting of `{option}`.",
                stacklevel=4,
            )

    # --- batches ---------------------------------------------------------------------------------------------------

    def flow(
        self, x, y=None, batch_size=32, shuffle=True, sample_weight=None, seed=None, save_to_dir=None, save_prefix="",
        save_format="png", ignore_class_split=False, subset=None,
    ):  # fmt: skip
        """Batches of arrays: x, or (x, y), or (x, y, sample_weight). ``x`` may be a pair of images and further inputs.

        ``subset`` is ``validation``, the first ``validation_split`` of the rows, or ``training``, the rest.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size=batch_size, shuffle=shuffle, sample_weight=sample_weight, seed=seed,
            data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix, save_format=save_format,
            ignore_class_split=ignore_class_split, subset=subset, dtype=self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self, directory, target_size=(256, 256), color_mode="rgb", classes=None, class_mode="categorical",
        batch_size=32, shuffle=True, seed=None, save_to_dir=None, save_prefix="", save_format="png",
        follow_links=False, subset=None, interpolation="nearest", keep_aspect_ratio=False,
    ):  # fmt: skip
        """Batches of image files, a folder a class. ``class_mode``: categorical, binary, sparse, input or None; a
        folder's first files, ``validation_split`` of them, are the subset ``validation``. Needs Pillow."""
        return DirectoryIterator(
            directory, self, target_size=target_size, color_mode=color_mode, classes=classes, class_mode=class_mode,
            batch_size=batch_size, shuffle=shuffle, seed=seed, data_format=self.data_format, save_to_dir=save_to_dir,
            save_prefix=save_prefix, save_format=save_format, follow_links=follow_links, subset=subset,
            interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio, dtype=self.dtype,
        )  # fmt: skip

    def flow_from_dataframe(
        self, dataframe, directory=None, x_col="filename", y_col="class", weight_col=None, target_size=(256, 256),
        color_mode="rgb", classes=None, class_mode="categorical", batch_size=32, shuffle=True, seed=None,
        save_to_dir=None, save_prefix="", save_format="png", subset=None, interpolation="nearest",
        validate_filenames=True, keep_aspect_ratio=False, **kwargs,
    ):  # fmt: skip
        """Batches of image files that a pandas table names. ``class_mode`` may be ``raw`` (numbers) and
        ``multi_output`` (several columns) too. Needs pandas and Pillow."""
        for old in kwargs:
            if old not in ("has_ext", "sort", "drop_duplicates"):
                raise TypeError(f"flow_from_dataframe() got an unexpected keyword argument '{old}'")
            warnings.warn(f"{old} is deprecated and has no effect.", DeprecationWarning, stacklevel=2)
        if class_mode == "other":
            warnings.warn(
                '`class_mode="other"` is deprecated, please use `class_mode="raw"`.', DeprecationWarning, stacklevel=2
            )  # fmt: skip
            class_mode = "raw"
        return DataFrameIterator(
            dataframe, directory, self, x_col=x_col, y_col=y_col, weight_col=weight_col, target_size=target_size,
            color_mode=color_mode, classes=classes, class_mode=class_mode, batch_size=batch_size, shuffle=shuffle,
            seed=seed, data_format=self.data_format, save_to_dir=save_to_dir, save_prefix=save_prefix,
            save_format=save_format, subset=subset, interpolation=interpolation, keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype, validate_filenames=validate_filenames,
        )  # fmt: skip

    # --- one image ---------------------------------------------------------------------------------------------------

    def _shift(self, given, size):
        """A shift in pixels: a float below 1 is a share of the size; an int or a list is chosen from, either way."""
        if isinstance(given, (float, np.floating)):
            given = float(given)
            shift = _uniform(-given, given) if given else 0
            return shift * size if given < 1 else shift
        if not np.any(given):
            return 0
        shift = np.random.choice(given) * np.random.choice([-1, 1])
        return shift * size if np.max(given) < 1 else shift

    def get_random_transform(self, img_shape, seed=None):
        """Draws what ``apply_transform`` takes, a dict, for an image of this shape."""
        if seed is not None:
            np.random.seed(seed)
        rows, columns = img_shape[self.row_axis - 1], img_shape[self.col_axis - 1]
        turn = self.rotation_range
        theta = _uniform(-turn, turn) if turn else 0
        tx = self._shift(self.height_shift_range, rows)
        ty = self._shift(self.width_shift_range, columns)
        shear = _uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
        zx, zy = (
            (1, 1) if self.zoom_range == [1, 1] else (_uniform(*self.zoom_range), _uniform(*self.zoom_range))
        )
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        channel, bright = self.channel_shift_range, self.brightness_range
        intensity = _uniform(-channel, channel) if channel != 0 else None
        brightness = _uniform(*bright) if bright is not None else None
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy,
            "flip_horizontal": flip_horizontal, "flip_vertical": flip_vertical,
            "channel_shift_intensity": intensity, "brightness": brightness,
        }  # fmt: skip

    def apply_transform(self, x, transform_parameters):
        """One image changed as a dict says; keys that are missing change nothing."""
        return self._changed(np.asarray(x)[None], [transform_parameters])[0]

    def random_transform(self, x, seed=None):
        """One image changed at random."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def _changed(self, images, parameters, owned=False):
        """Images changed, each by its dict: one pass of the affine map for all; in place if they are ``owned``."""
        first = self.data_format == "channels_first"
        colours = any(
            values.get(name) is not None
            for values in parameters
            for name in ("channel_shift_intensity", "brightness")
        )
        images = np.asarray(images)
        batch = np.ascontiguousarray(np.moveaxis(images, 1, -1)) if first else images
        matrices = affine_matrices(*batch.shape[1:3], parameters)
        out = affine_batch(batch, matrices, self.interpolation_order, self.fill_mode, self.cval)
        if not owned and np.may_share_memory(out, images):
            out = out.copy()
        out = as_float(out) if colours else out
        backwards = np.arange(batch.shape[2])[::-1]
        for i, values in enumerate(parameters):
            if values.get("channel_shift_intensity") is not None:
                out[i] = shifted(out[i], values["channel_shift_intensity"])
            if values.get("flip_horizontal"):
                out[i] = out[i].take(backwards, axis=1)  # whole pixels at once, as a slice does not
            if values.get("flip_vertical"):
                out[i] = out[i, ::-1]
            if values.get("brightness") is not None:
                out[i] = brightened(out[i], values["brightness"])
        return np.moveaxis(out, -1, 1) if first else out

    def augmented(self, images):
        """A batch (N, ...) of images, each changed at random and normalised, in place where it can be."""
        if self.preprocessing_function:  # it may draw too: image after image
            changed = [self.preprocessing_function(self.random_transform(image)) for image in images]
            images = np.stack(changed).astype(self.dtype, copy=False) if changed else images
        else:
            parameters = [self.get_random_transform(images.shape[1:]) for _ in range(len(images))]
            images = self._changed(images, parameters, owned=True)
        return self._normalised(images, tuple(range(1, images.ndim)))

    # --- normalisation -----------------------------------------------------------------------------------------------

    def standardize(self, x):
        """An array by the function, the scale and the normalisers, changed in place where it holds floats.

        The samplewise ones take it as one sample, also where it is a batch, as Keras does.
        """
        x = np.asarray(x)
        return self._normalised(self.preprocessing_function(x) if self.preprocessing_function else x, None)

    def _normalised(self, batch, axes):
        """Images, in place: rescaled, then by sample, which is what runs along ``axes``, then by feature."""
        batch = as_float(batch)
        if self.rescale:
            batch *= self.rescale
        if self.samplewise_center:
            batch -= batch.mean(axes, keepdims=True)
        if self.samplewise_std_normalization:
            batch /= batch.std(axes, keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            batch -= self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            batch /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            flat = batch.reshape(-1, math.prod(batch.shape[-3:]))
            batch = (flat @ self.zca_whitening_matrix).reshape(batch.shape).astype(batch.dtype)
        return batch

    def _fitted(self, option, value):
        if value is None:
            warnings.warn(
                f"This ImageDataGenerator specifies `{option}`, but it hasn't been fit on any training data. Fit it "
                "first by calling `.fit(numpy_data)`.",
                stacklevel=5,
            )
        return value is not None

    def fit(self, x, augment=False, rounds=1, seed=None):
        """Takes from images (N, ...) what the featurewise normalisers need: mean, deviation, whitening.

        ``augment`` does so from ``rounds`` changed copies. ``ValueError`` for another rank; warns for channels
        other than 1, 3 or 4.
        """
        x = np.array(x, dtype=self.dtype)
        if x.ndim != 4:
            raise ValueError("Input to `.fit()` should have rank 4. Got array with shape: " + str(x.shape))
        warn_of_channels(x.shape, self.channel_axis, self.data_format)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            drawn = [[self.get_random_transform(x.shape[1:]) for _ in x] for _ in range(rounds)]
            x = np.concatenate([self._changed(x, parameters) for parameters in drawn])
        axes = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = x.mean(axes, keepdims=True)[0]
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(axes, keepdims=True)[0]
            x /= self.std + 1e-6
        if self.zca_whitening:
            u, s, _ = np.linalg.svd(x.reshape(len(x), -1).T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _uniform(low, high):
    """The number that ``np.random.uniform`` draws, which takes longer."""
    return low + (high - low) * np.random.random()


def as_float(x):
    """The array itself where it holds floats, else as Keras' ``floatx``."""
    return x if x.dtype.kind == "f" else x.astype(floatx())


def warn_of_channels(shape, axis, data_format):
    """Warns where images have channels other than 1, 3 or 4."""
    if shape[axis] not in (1, 3, 4):
        warnings.warn(
            f'Expected input to be images (as Numpy array) following the data format convention "{data_format}" '
            f"(channels on axis {axis}), i.e. expected either 1, 3 or 4 channels on axis {axis}. However, it was "
            f"passed an array with shape {tuple(shape)} ({shape[axis]} channels).",
            stacklevel=3,
        )
