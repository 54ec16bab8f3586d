"""``keras.preprocessing.image``: images from files and arrays, and their changes at random."""

from minidl.keras.preprocessing.image.affine import apply_affine_transform
from minidl.keras.preprocessing.image.colors import (
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from minidl.keras.preprocessing.image.directories import DataFrameIterator, DirectoryIterator
from minidl.keras.preprocessing.image.generator import ImageDataGenerator
from minidl.keras.preprocessing.image.iterators import Iterator, NumpyArrayIterator
from minidl.keras.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "flip_axis",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
