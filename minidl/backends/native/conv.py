"""Convolution in C++ for float32 and float64: the extension's functions themselves."""

from minidl._native import conv_forward, conv_input_grad, conv_weight_grad

__all__ = ["conv_forward", "conv_input_grad", "conv_weight_grad"]
