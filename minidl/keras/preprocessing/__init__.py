"""``keras.preprocessing``: images, sequences, text."""

from minidl.keras.preprocessing import image, sequence, text
from minidl.keras.utils.directories import image_dataset_from_directory, text_dataset_from_directory
from minidl.keras.utils.splits import timeseries_dataset_from_array

__all__ = [
    "image", "image_dataset_from_directory", "sequence", "text", "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]  # fmt: skip
