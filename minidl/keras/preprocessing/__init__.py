"""``keras.preprocessing``: images, sequences, text."""

from minidl.keras.preprocessing import image

__all__ = ["image"]
