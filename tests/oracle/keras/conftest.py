"""What the comparisons with Keras share: Keras on its torch backend, or a skip that says why."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
for _name in ("torch", "keras.layers"):  # a name below keras: this folder's own name would do for keras
    pytest.importorskip(_name, reason="Keras or PyTorch is not installed: pip install keras torch")
