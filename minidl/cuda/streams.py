"""``minidl.cuda.streams``: queues of work on a GPU, and marks in them."""

import contextlib

from minidl.backends import faults
from minidl.cuda import _gpu
from minidl.device import device as _device

__all__ = ["Event", "Stream", "current_stream", "default_stream", "set_stream", "stream"]


class Event:
    """A mark in a stream. ``enable_timing`` lets ``elapsed_time`` measure from it.

    ``blocking`` lets ``synchronize`` sleep instead of spin; ``interprocess`` and ``external`` are not supported.
    """

    def __init__(self, enable_timing=False, blocking=False, interprocess=False, external=False):
        if interprocess:
            raise NotImplementedError("interprocess events are not supported; share data through the host")
        if external:
            raise NotImplementedError(
                "external events are not supported; record and wait outside of the capture"
            )
        self._event = _gpu.cupy().cuda.Event(block=blocking, disable_timing=not enable_timing)

    @property
    def cuda_event(self):
        """The event's address."""
        return self._event.ptr

    def record(self, stream=None):
        """Sets the mark behind what the stream (the current one) has been given."""
        self._event.record(_raw(stream))

    def wait(self, stream=None):
        """Has the stream (the current one) wait for the mark."""
        _raw(stream).wait_event(self._event)

    def synchronize(self):
        """Waits until the mark is reached. Raises ``IndexError`` where a kernel met a bad index."""
        self._event.synchronize()
        faults.check()

    def query(self):
        """Whether the mark is reached."""
        return self._event.done

    def elapsed_time(self, end_event):
        """Milliseconds from this mark to another, both reached and made with ``enable_timing``."""
        return _gpu.cupy().cuda.get_elapsed_time(self._event, end_event._event)


class Stream:
    """A queue of work on a GPU, beside others. ``priority`` is lower for what is more urgent.

    ``with minidl.cuda.stream(s):`` gives what is started within to it.
    """

    def __init__(self, device=None, priority=0):
        cupy = _gpu.cupy()
        with cupy.cuda.Device(_gpu.number(device)):
            self._stream = cupy.cuda.Stream(non_blocking=True, priority=priority)

    @classmethod
    def _of(cls, raw):
        made = cls.__new__(cls)
        made._stream = raw
        return made

    @property
    def cuda_stream(self):
        """The stream's address."""
        return self._stream.ptr

    @property
    def device(self):
        """The GPU whose work it queues; the default stream is every GPU's, and names the current one."""
        number = self._stream.device_id
        return _device("cuda", number if number >= 0 else _gpu.current_device())

    @property
    def priority(self):
        """How urgent its work is: the lower, the sooner."""
        return self._stream.priority

    def synchronize(self):
        """Waits for what the stream has been given. Raises ``IndexError`` where a kernel met a bad index."""
        self._stream.synchronize()
        faults.check()

    def query(self):
        """Whether the stream has nothing left to do."""
        return self._stream.done

    def record_event(self, event=None):
        """Sets a mark behind what the stream has been given, and returns it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event):
        """Has the stream wait for a mark."""
        self._stream.wait_event(event._event)

    def wait_stream(self, stream):
        """Has the stream wait for what another one has been given."""
        self.wait_event(stream.record_event())

    def __eq__(self, other):
        return isinstance(other, Stream) and self.cuda_stream == other.cuda_stream

    def __hash__(self):
        return hash(self.cuda_stream)


def _raw(stream):
    return _gpu.cupy().cuda.get_current_stream() if stream is None else stream._stream


def current_stream(device=None):
    """The stream that work is given to."""
    with _gpu.cupy().cuda.Device(_gpu.number(device)):
        return Stream._of(_gpu.cupy().cuda.get_current_stream())


def default_stream(device=None):
    """The stream that work is given to unless another is chosen."""
    return Stream._of(_gpu.cupy().cuda.Stream.null)


@contextlib.contextmanager
def stream(stream):
    """Gives what is started within to a stream; None changes nothing."""
    if stream is None:
        yield
        return
    with stream._stream:
        yield


def set_stream(stream):
    """Gives what this thread starts from now on to a stream; None changes nothing."""
    if stream is not None:
        stream._stream.use()
