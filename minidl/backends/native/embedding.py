"""Embedding in C++ for float32 and float64: the extension's functions themselves."""

from minidl._native import bag_rows, bag_table, bag_weights, embedding, embedding_dense_backward
