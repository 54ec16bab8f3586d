"""``keras.preprocessing``: images, sequences, text."""

from minidl.keras.preprocessing import image, sequence, text
from minidl.keras.utils.splits import timeseries_dataset_from_array

__all__ = ["image", "sequence", "text", "timeseries_dataset_from_array"]
