"""The demo: trains a small network on real handwritten digits. ``python -m minidl demo --help`` says how."""

from minidl.demo.run import run

__all__ = ["run"]
