"""Images between files, Pillow and arrays. Files need Pillow: ``pip install pillow``."""

import io
import os

import numpy as np

from minidl.extras import need
from minidl.keras.settings import floatx, standardize_data_format
from minidl.keras.tensors import to_tensor

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

_RESAMPLING = {
    "nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "hamming": "HAMMING", "box": "BOX",
    "lanczos": "LANCZOS",
}  # fmt: skip


def _pillow():
    return need("PIL.Image", "pillow", "keras")


def to_bytes_range(x):
    """An image moved and scaled to [0, 255]."""
    x = x - np.min(x)
    most = np.max(x)
    return x / most * 255 if most != 0 else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """A Pillow image of an array (H, W, 1), (H, W, 3) or (H, W, 4), or with channels first.

    ``scale`` moves the values to [0, 255]. ``ValueError`` for other shapes.
    """
    image = _pillow()
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(
            "Expected image array to have rank 3 (single image). Got array with shape: " + str(x.shape)
        )
    if standardize_data_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = to_bytes_range(x)
    channels = x.shape[2]
    if channels in (3, 4):
        return image.fromarray(x.astype("uint8"))
    if channels == 1:
        return image.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))
    raise ValueError(f"Unsupported channel number: {channels}")


def img_to_array(img, data_format=None, dtype=None):
    """An image (of Pillow, or an array) as an array (H, W, C), or with channels first; floatx unless a dtype is named.

    >>> import numpy as np
    >>> from minidl import keras
    >>> keras.utils.img_to_array(np.zeros((2, 3), "uint8")).shape
    (2, 3, 1)
    """
    first = standardize_data_format(data_format) == "channels_first"
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim == 3:
        return x.transpose(2, 0, 1) if first else x
    if x.ndim == 2:
        return x.reshape((1, *x.shape) if first else (*x.shape, 1))
    raise ValueError(f"Unsupported image shape: {x.shape}")


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """A Pillow image from a file (or ``io.BytesIO``), in a colour mode and, if ``target_size`` (H, W) says so, resized.

    ``ValueError`` for a colour mode or interpolation that is none, ``TypeError`` for what is no path.
    """
    image = _pillow()
    if isinstance(path, io.BytesIO):
        img = image.open(path)
    elif isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:
            img = image.open(io.BytesIO(file.read()))
    else:
        raise TypeError(f"path should be path-like or io.BytesIO, not {type(path)}")
    mode = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}.get(color_mode)
    if mode is None:
        raise ValueError('color_mode must be "grayscale", "rgb", or "rgba"')
    if img.mode != mode and not (mode == "L" and img.mode in ("I;16", "I")):
        img = img.convert(mode)
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    if interpolation not in _RESAMPLING:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            f"{', '.join(_RESAMPLING)}"
        )
    resample = getattr(image.Resampling, _RESAMPLING[interpolation])
    box = _centred_box(img.size, target_size) if keep_aspect_ratio else None
    return img.resize((target_size[1], target_size[0]), resample, box=box)


def _centred_box(size, target):
    """The largest centred part of the target's shape: (left, top, right, bottom)."""
    width, height = size
    high, wide = min(height, width * target[0] // target[1]), min(width, height * target[1] // target[0])
    top, left = (height - high) // 2, (width - wide) // 2
    return left, top, left + wide, top + high


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Writes an array as an image; the format is the file's ending unless ``file_format`` names one."""
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format in ("jpg", "jpeg"):
        img = img.convert("RGB")
    file_format = {"jpg": "jpeg"}.get(file_format, file_format)
    img.save(path, format=file_format, **kwargs)


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last", backend_module=None):
    """Images (H, W, C) or (N, H, W, C) cut to the shape of ``size`` around the centre, then resized to it.

    ``bilinear`` and ``nearest`` are there; arrays in, arrays out.
    """
    given = x
    if len(size) != 2:
        raise ValueError(f"Expected `size` to be a tuple of 2 integers, but got: {size}.")
    x = np.asarray(x) if not hasattr(x, "_array") else x.numpy()
    if x.ndim not in (3, 4):
        raise ValueError(
            f"Expected an image array with shape `(height, width, channels)`, or `(batch_size, height, width, "
            f"channels)`, but got input with incorrect rank, of shape {x.shape}."
        )
    first = data_format == "channels_first"
    images = x[None] if x.ndim == 3 else x
    images = np.moveaxis(images, 1, -1) if first else images
    left, top, right, bottom = _centred_box((images.shape[2], images.shape[1]), size)
    out = resize(images[:, top:bottom, left:right].astype(floatx()), size, interpolation)
    out = np.moveaxis(out, -1, 1) if first else out
    out = out[0] if x.ndim == 3 else out
    return out if isinstance(given, np.ndarray) else to_tensor(out)


def resize(images, size, interpolation="bilinear"):
    """Images (N, H, W, C) at another size, by the nearest pixel or between the four nearest."""
    if interpolation not in ("bilinear", "nearest"):
        raise NotImplementedError(
            f"interpolation={interpolation!r} is not supported here: use 'bilinear' or 'nearest', or load_img, which "
            "takes Pillow's methods"
        )
    for axis, count in ((1, size[0]), (2, size[1])):
        images = _resize_axis(images, axis, count, interpolation == "nearest")
    return images


def _resize_axis(images, axis, count, nearest):
    have = images.shape[axis]
    if have == count:
        return images
    place = (np.arange(count) + 0.5) * have / count - 0.5
    if nearest:
        return np.take(images, np.clip(np.floor(place + 0.5).astype(int), 0, have - 1), axis=axis)
    low = np.floor(place).astype(int)
    shape = [1] * images.ndim
    shape[axis] = count
    share = (place - low).astype(images.dtype).reshape(shape)
    below = np.take(images, np.clip(low, 0, have - 1), axis=axis)
    above = np.take(images, np.clip(low + 1, 0, have - 1), axis=axis)
    return below + (above - below) * share
