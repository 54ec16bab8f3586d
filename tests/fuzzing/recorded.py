"""Right calls of ``minidl._native``, recorded while rows of ``tests/cases`` run: calls that nearly fit come of them."""

import contextlib
import functools
import sys
import warnings

import driving
import numpy as np
from cases import CASES

import minidl
from minidl import _native, backends, nn, optim

_KEPT = 12  # calls of a function


class _Recorder:
    """Stands for the extension: keeps the arguments of calls of its functions."""

    def __init__(self):
        self.calls = {}

    def __getattr__(self, name):
        found = getattr(_native, name)
        return self.recording(name, found) if callable(found) else found

    def recording(self, name, function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            kept = self.calls.setdefault(name, [])
            if len(kept) < _KEPT:
                kept.append(copied(args))
            return function(*args, **kwargs)

        return call


def copied(value):
    """Arguments with arrays of their own."""
    if isinstance(value, np.ndarray):
        return value.copy("K")
    return type(value)(map(copied, value)) if isinstance(value, (list, tuple)) else value


def record(every=1):
    """``{function: [arguments]}`` of the calls that rows make, each ``every``-th row. Leaves the recorder in place: for
    a process of its own."""
    recorder = _Recorder()
    for name, module in list(sys.modules.items()):
        if name.startswith("minidl.backends.native."):
            for key, value in list(vars(module).items()):
                if value is _native:
                    setattr(module, key, recorder)
                elif getattr(value, "__module__", None) == "minidl._native":
                    setattr(module, key, recorder.recording(value.__name__, value))
    for key, fast in backends.cpu.overrides.items():
        if fast.__module__ == "minidl._native":
            fast = recorder.recording(fast.__name__, fast)
        setattr(backends.cpu, key, _falling(fast, getattr(backends.reference, key)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in CASES[::every]:
            with contextlib.suppress(Exception):
                driving.outputs(case, driving.tensors(case, case.arrays(np.float32)))
                if case.grad:
                    driving.gradients(case, case.arrays(np.float64))
        _train()
    return {**_others(), **recorder.calls}


def _falling(fast, slow):
    def call(*args):
        out = fast(*args)
        return slow(*args) if out is NotImplemented else out

    return call


def _train():
    """The optimizers' steps, which no row calls."""
    for make in (optim.Adam, optim.AdamW, functools.partial(optim.SGD, momentum=0.9)):
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2))
        optimizer = make(model.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(
                model(minidl.ones(5, 3)), minidl.zeros(5, dtype=minidl.int64)
            ).backward()
            optimizer.step()


def _others():
    """Functions that no row calls."""
    a, b, c = np.ones((4, 3), np.float32), np.ones((3, 5), np.float32), np.zeros((4, 5), np.float32)
    image, window = (1, 2, 5, 5), (3, 2, 3, 3)
    return {
        "gemm_into": [(c, a, b)],
        "random_bits": [(np.zeros(5, np.uint32), 1, 0), (np.zeros(5, np.uint64), 1, 0)],
        "cube": [(a,)],
        "conv_select": [("forward", image, window, (1, 1), (0, 0), (1, 1), 1)],
        "probe_copy": [(np.zeros(9, np.uint8), np.ones(9, np.uint8), 4)],
        "philox_block": [((1, 2, 3, 4), (5, 6))],
        "gemm_plan": [(1, 4, 5, 3, 2)],
    }
