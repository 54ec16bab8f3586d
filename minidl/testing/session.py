"""What the pytest plugin does once one of its options is given: device, backend, seed, gradient coverage."""

import contextlib

from minidl import backends
from minidl.device import device as Device
from minidl.device import get_default_device, set_default_device
from minidl.ops.generator import manual_seed
from minidl.testing.gradient_coverage import GradientCoverage
from minidl.testing.kernels import serving


class Session:
    """The options of one run of pytest. Raises ``ValueError`` or ``DeviceError`` for what cannot be used here."""

    def __init__(self, device=None, backend=None, seed=None, coverage=False):
        self.seed = seed
        self.stack = contextlib.ExitStack()
        self.coverage = self.stack.enter_context(GradientCoverage()) if coverage else None
        if backend is not None:
            self.stack.enter_context(serving(backend))
        self.device = device
        if device is not None:
            backends.on(Device(device))  # or the reason why not
            self.stack.callback(set_default_device, get_default_device())

    def begin_test(self):
        """What holds for each test, whatever the one before has set."""
        if self.device is not None:
            set_default_device(self.device)
        if self.seed is not None:
            manual_seed(self.seed)

    def state(self):
        """What a worker process tells the one that reports."""
        return None if self.coverage is None else self.coverage.state()

    def merge(self, state):
        """Adds what a worker process has seen."""
        self.coverage.merge(state)

    def close(self):
        """Puts everything back."""
        self.stack.close()
