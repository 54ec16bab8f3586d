"""Keras on its torch backend, beside which this folder compares: its files are skipped where it is not."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")


def pytest_pycollect_makemodule():
    # A name below keras: keras alone may be this folder.
    pytest.importorskip("keras.layers", reason="Keras is not installed: pip install keras")
