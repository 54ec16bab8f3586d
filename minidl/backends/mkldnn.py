"""``torch.backends.mkldnn``: minidl does not use oneDNN."""


def is_available():
    """False."""
    return False
