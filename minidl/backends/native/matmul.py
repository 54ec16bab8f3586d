"""Matrix products in C++: small ones at once, float32 of every size; double of more than that belongs to the BLAS."""

from minidl._native import linear, matmul
