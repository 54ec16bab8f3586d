"""Changes of an image's values: channels, brightness, flips; and single changes at random, as functions."""

import numpy as np

from minidl.keras.preprocessing.image.affine import apply_affine_transform
from minidl.keras.utils.images import to_bytes_range

__all__ = [
    "apply_brightness_shift", "apply_channel_shift", "flip_axis", "random_brightness", "random_channel_shift",
    "random_rotation", "random_shear", "random_shift", "random_zoom",
]  # fmt: skip


def shifted(image, intensity):
    """All values moved by ``intensity``, held in the image's own range."""
    return np.clip(image + intensity, image.min(), image.max())


def brightened(image, factor, scale=False):
    """An image (H, W, C) as bytes, times ``factor``, held in [0, 255]; a fourth channel stays as it is.

    Values outside [0, 255] are brought there first and back after.
    """
    low, high = image.min(), image.max()
    outside = low < 0 or high > 255
    given = np.floor(to_bytes_range(image) if outside or scale else image).astype(np.float32)
    out = np.floor(np.clip(given * np.float32(factor), 0, 255))
    if image.shape[-1] == 4:
        out[..., 3] = given[..., 3]
    if outside and not scale:
        out = out / 255 * (high - low) + low
    return out.astype(image.dtype) if image.dtype.kind == "f" else out


def flip_axis(x, axis):
    """``x`` turned round along an axis."""
    return np.flip(np.asarray(x), axis)


def apply_channel_shift(x, intensity, channel_axis=0):
    """Values moved by ``intensity``, held in the image's own range."""
    return shifted(np.asarray(x), intensity)


def random_channel_shift(x, intensity_range, channel_axis=0):
    """Values moved by at most ``intensity_range``."""
    return shifted(np.asarray(x), np.random.uniform(-intensity_range, intensity_range))


def apply_brightness_shift(x, brightness, scale=True):
    """An image (H, W, C) times ``brightness``, as bytes."""
    return brightened(np.asarray(x), brightness, scale)


def random_brightness(x, brightness_range, scale=True):
    """An image times a factor drawn from a range of two; else ``ValueError``."""
    if len(brightness_range) != 2:
        raise ValueError(
            f"`brightness_range should be tuple or list of two floats. Received: {brightness_range}"
        )
    return brightened(np.asarray(x), np.random.uniform(*brightness_range), scale)


def random_rotation(
    x, rg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):  # fmt: skip
    """An image turned by at most ``rg`` degrees."""
    theta = np.random.uniform(-rg, rg)
    return apply_affine_transform(
        x, theta=theta, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shift(
    x, wrg, hrg, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):  # fmt: skip
    """An image shifted by at most these shares of its width and height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_affine_transform(
        x, tx=tx, ty=ty, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_shear(
    x, intensity, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):  # fmt: skip
    """An image sheared by at most ``intensity`` degrees."""
    shear = np.random.uniform(-intensity, intensity)
    return apply_affine_transform(
        x, shear=shear, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=interpolation_order,
    )  # fmt: skip


def random_zoom(
    x, zoom_range, row_axis=1, col_axis=2, channel_axis=0, fill_mode="nearest", cval=0.0, interpolation_order=1
):  # fmt: skip
    """An image zoomed by factors of a range of two, one a direction; else ``ValueError``."""
    if len(zoom_range) != 2:
        raise ValueError(f"`zoom_range` should be a tuple or list of two floats. Received: {zoom_range}")
    zx, zy = (1, 1) if zoom_range[0] == zoom_range[1] == 1 else np.random.uniform(*zoom_range, 2)
    return apply_affine_transform(
        x, zx=zx, zy=zy, row_axis=row_axis, col_axis=col_axis, channel_axis=channel_axis, fill_mode=fill_mode,
        cval=cval, order=interpolation_order,
    )  # fmt: skip
