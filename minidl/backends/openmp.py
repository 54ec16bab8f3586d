"""``torch.backends.openmp``: minidl does not use OpenMP."""


def is_available():
    """False."""
    return False
