"""Exception classes of minidl. Each is also the built-in class that PyTorch raises in its place."""

import pickle


class DeviceError(RuntimeError):
    """Arrays of one operation live on different devices, or a device cannot be used."""


class FileFormatError(RuntimeError):
    """A file is truncated, damaged or of another format; nothing of it was used."""


class UnsafePickleError(FileFormatError, pickle.UnpicklingError):
    """A pickle names something beyond tensors and plain containers; nothing of it was executed."""


class OutOfMemoryError(RuntimeError):
    """A device has no room for an allocation."""


class GradcheckError(RuntimeError):
    """An analytic gradient and a numeric one disagree."""


class NotDifferentiableError(GradcheckError):
    """A gradient was asked for where the function has none: at a kink, a jump, or the edge of its domain."""


class MissingDependencyError(ImportError):
    """An optional dependency is not installed; the message says what to install."""


class LinAlgError(RuntimeError):
    """A decomposition that a matrix has not: it is singular, or not positive definite."""
