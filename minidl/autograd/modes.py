"""Grad mode, inference mode and anomaly mode: one state a thread, and one flag that says whether any
differs from the default.
"""

import contextlib
import functools
import inspect
import threading
import traceback

special = 0  # how many threads are in a mode other than the default: ops take their fast path while it is 0
_lock = threading.Lock()


class _State(threading.local):
    grad = True
    inference = False
    anomaly = False
    packing = None
    running = None
    counted = False
    keeping = False


_state = _State()


def _update(**changes):
    global special
    for name, value in changes.items():
        setattr(_state, name, value)
    differs = not _state.grad or _state.inference or _state.anomaly or _state.packing is not None
    if differs != _state.counted:
        with _lock:
            special += 1 if differs else -1
        _state.counted = differs


def is_grad_enabled():
    """Whether operations of this thread are recorded for backward."""
    return _state.grad


def is_inference_mode_enabled():
    """Whether this thread is inside ``inference_mode``."""
    return _state.inference


def is_anomaly_enabled():
    """Whether ``set_detect_anomaly`` is on in this thread."""
    return _state.anomaly


def is_keeping_graphs():
    """Whether every backward of this thread keeps its graph, as another pass over it follows."""
    return _state.keeping


@contextlib.contextmanager
def keeping_graphs(wanted):
    """Where ``wanted``, backwards inside keep their graphs, as with ``retain_graph=True``."""
    before, _state.keeping = _state.keeping, _state.keeping or wanted
    try:
        yield
    finally:
        _state.keeping = before


def is_capturing():
    """Whether the backward that runs in this thread gives the gradients of chosen tensors, leaving ``.grad`` alone."""
    return _state.running is not None and _state.running[1] is not None


def running():
    """The backward that runs in this thread, (roots, captured edges or None, its number), or None."""
    return _state.running


def set_running(value):
    """Says which backward begins. Returns what was said before."""
    before, _state.running = _state.running, value
    return before


def packing():
    """What packs the saved tensors of new nodes in this thread, or None."""
    return _state.packing


def set_packing(value):
    """Says what packs the saved tensors of new nodes: called with a node and the arrays that its op computed."""
    _update(packing=value)


def remember(node, output=None):
    """Keeps the caller's stack on a node under anomaly mode, and hands it to what packs saved tensors."""
    if _state.packing is not None and _state.grad:
        _state.packing(node, output)
    if _state.anomaly:
        node.trace = "".join(
            f for f in traceback.format_stack() if "/minidl/autograd/" not in f and "<minidl op" not in f
        )


class _Mode:
    """A context manager that also decorates functions, generator functions and, as PyTorch's do, takes none."""

    def __init_subclass__(cls):
        cls._changes = {}

    def __new__(cls, *args, **kwargs):
        if args and callable(args[0]):  # @no_grad without parentheses
            return cls()(args[0])
        return super().__new__(cls)

    def __enter__(self):
        self._previous = {name: getattr(_state, name) for name in self._wanted()}
        _update(**self._wanted())
        return self

    def __exit__(self, *exc):
        _update(**self._previous)

    def clone(self):
        return self.__class__()

    def __call__(self, fn):
        if inspect.isgeneratorfunction(fn):
            return self._decorate_generator(fn)

        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            with self.clone():
                return fn(*args, **kwargs)

        return wrapper

    def _decorate_generator(self, fn):
        """The mode holds while the generator runs, not between its yields."""

        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            generator = fn(*args, **kwargs)
            send, value = generator.send, None
            try:
                while True:
                    with self.clone():
                        item = send(value)
                    try:
                        send, value = generator.send, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        send, value = generator.throw, error
            except StopIteration as stop:
                return stop.value
            finally:
                generator.close()

        return wrapper


class no_grad(_Mode):
    """Operations inside are not recorded; results do not require gradients.

    >>> import minidl
    >>> x = minidl.ones(2, requires_grad=True)
    >>> with minidl.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def _wanted(self):
        return {"grad": False}

    def __enter__(self):  # what the base does, without a dict: training loops come here all the time
        self._before = _state.grad
        if self._before:
            _update(grad=False)
        return self

    def __exit__(self, *exc):
        if _state.grad is not self._before:
            _update(grad=self._before)


class enable_grad(_Mode):
    """Operations inside are recorded, also within ``no_grad``."""

    def _wanted(self):
        return {"grad": True}


class inference_mode(_Mode):
    """As ``no_grad``, and results are inference tensors: they keep no version and cannot be used in autograd later."""

    def __init__(self, mode=True):
        self.mode = True if callable(mode) else bool(mode)

    def _wanted(self):
        if self.mode:
            return {"grad": False, "inference": True}
        return {"grad": True, "inference": False}

    def clone(self):
        return inference_mode(self.mode)


class set_grad_enabled(_Mode):
    """Sets grad mode at once; as a context manager, restores it at the end."""

    def __new__(cls, mode):
        return object.__new__(cls)

    def __init__(self, mode):
        self.mode = bool(mode)
        self._before = _state.grad
        _update(grad=self.mode)

    def _wanted(self):
        return {"grad": self.mode}

    def __enter__(self):
        _update(grad=self.mode)
        self._previous = {"grad": self._before}
        return self

    def clone(self):
        return set_grad_enabled(self.mode)

    def __call__(self, fn):
        _update(grad=self._before)
        return super().__call__(fn)


class set_detect_anomaly(_Mode):
    """Anomaly mode: backward names the op and the user's line that made the first NaN, or that raised.

    It slows everything down: each op records where it was called.
    """

    def __new__(cls, mode, check_nan=True):
        return object.__new__(cls)

    def __init__(self, mode, check_nan=True):
        self.mode, self._before = bool(mode), _state.anomaly
        self.value = ("nan" if check_nan else "trace") if mode else False
        _update(anomaly=self.value)

    def _wanted(self):
        return {"anomaly": self.value}

    def __enter__(self):
        _update(anomaly=self.value)
        self._previous = {"anomaly": self._before}
        return self

    def clone(self):
        return set_detect_anomaly(self.mode, self.value != "trace")


class detect_anomaly(set_detect_anomaly):
    """``set_detect_anomaly(True)`` as a context manager."""

    def __new__(cls, check_nan=True):
        return object.__new__(cls)

    def __init__(self, check_nan=True):
        super().__init__(True, check_nan)
