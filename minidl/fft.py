"""``torch.fft`` is not there: its results are complex, and there are no complex tensors.

>>> import minidl
>>> minidl.fft.fft(minidl.ones(2))
Traceback (most recent call last):
AttributeError: module 'minidl.fft' has no attribute 'fft': complex numbers are not supported...
"""

from minidl import absent as _absent


def __getattr__(name):
    raise AttributeError(f"module 'minidl.fft' has no attribute {name!r}: {_absent.COMPLEX}")
