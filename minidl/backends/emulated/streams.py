"""Streams and events of the emulated device: what need not have happened has not happened.

Kernels and NumPy's functions run when they are called. A copy from or to page-locked memory waits in its stream until
CUDA promises it: until the host waits for it, or something else runs on that stream (or on one that waits for it).
A program that reads too early, or that gives the memory away, meets garbage here as it might on a GPU.
"""

import threading
import weakref

_local = threading.local()
_streams = weakref.WeakValueDictionary()  # by address


class Event:
    """``cupy.cuda.Event``: a place in a stream."""

    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self._stream, self._mark = None, 0

    @property
    def done(self):
        """Whether the stream has come to the mark. Asking moves nothing."""
        _refuse_capture(self._stream, "asking whether an event is over")
        return self._stream is None or self._stream.passed >= self._mark

    def record(self, stream=None):
        stream = current() if stream is None else stream
        self._stream, self._mark = stream, stream.given

    def synchronize(self):
        _refuse_capture(self._stream, "waiting for an event")
        self.reach()

    def reach(self):
        """Has the stream come to the mark."""
        if self._stream is not None:
            self._stream.run(self._mark)


class Stream:
    """``cupy.cuda.Stream``: work in order. ``log`` says what was given to it."""

    null = None  # the default stream, below
    _made = 0

    def __init__(self, null=False, non_blocking=False, ptds=False, priority=None):
        Stream._made += 0 if null else 1
        self.number = 0 if null else 2**20 + Stream._made  # its address, without running anything
        _streams[self.number or 1] = self
        self._waiting, self._capturing = [], False
        self.given = self.passed = 0  # pieces of work
        self.log = []

    @property
    def ptr(self):
        """The stream's address. Who asks is about to launch a kernel, which runs at once: so what is before it does."""
        self.run()
        return self.number

    def give(self, name, work):
        """Puts a piece of work at the end."""
        self.log.append(name)
        self._waiting.append(work)
        self.given += 1

    def run(self, mark=None):
        """Does what was given, up to a mark."""
        while self._waiting and (mark is None or self.passed < mark):
            work = self._waiting.pop(0)
            self.passed += 1
            work()

    @property
    def done(self):
        return not self._waiting

    def synchronize(self):
        _refuse_capture(self, "waiting for a stream")
        self.run()

    def record(self, event=None):
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        self.give("wait", event.reach)

    def is_capturing(self):
        return self._capturing

    def begin_capture(self, mode=None):
        self._capturing = True

    def end_capture(self):
        self._capturing = False

    def use(self):
        _local.stack = [self]
        return self

    def __enter__(self):
        _stack().append(self)
        return self

    def __exit__(self, *error):
        _stack().pop()


Stream.null = Stream(null=True)


def _stack():
    if not hasattr(_local, "stack"):
        _local.stack = [Stream.null]
    return _local.stack


def current():
    """``cupy.cuda.get_current_stream``."""
    return _stack()[-1]


def numbered(address):
    """The stream at an address; 1 is the default one. Raises ``KeyError`` where there is none."""
    return Stream.null if address in (-1, 1) else _streams[address]


def _refuse_capture(stream, what):
    if stream is not None and stream.is_capturing():
        raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {what} while the stream is captured")


class Device:
    """``cupy.cuda.Device``: there is one."""

    def __init__(self, device=None):
        self.id = 0 if device is None else int(device)
        if self.id:
            raise RuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def use(self):
        return self

    def synchronize(self):
        """Waits for the current stream and the default one; other streams are waited for by themselves."""
        Stream.null.synchronize()
        current().synchronize()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None
