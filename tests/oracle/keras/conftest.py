"""What the comparisons with Keras share: Keras on its torch backend, or a skip that says why."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras", reason="Keras is not installed: pip install keras torch")
