"""Affine maps of images in C++ for float32 and float64: the extension's function itself."""

from minidl._native import affine_images

__all__ = ["affine_images"]
