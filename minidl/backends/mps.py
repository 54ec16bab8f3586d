"""``torch.backends.mps``: minidl does not use Apple's GPUs."""


def is_available():
    """False."""
    return False


def is_built():
    """False."""
    return False


def is_macos13_or_newer(minor=0):
    """False."""
    return False
