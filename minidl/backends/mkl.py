"""``torch.backends.mkl``: minidl does not use Intel's MKL."""


def is_available():
    """False."""
    return False
