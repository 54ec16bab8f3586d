"""``torch.utils.tensorboard``: writes the event files that TensorBoard shows, without TensorBoard or protobuf.

A file is a row of records: the length of a message, a checksum of that, the message, and a checksum of the message. It
is an ``Event``, spelt by protobuf's rules: a field is its number and kind in one byte, then its value.
Source: TensorFlow's ``event.proto``, ``summary.proto`` and ``record_writer.cc``.
"""

import itertools
import math
import os
import socket
import struct
import time

import numpy as np

__all__ = ["SummaryWriter"]

_serial = itertools.count()
_NOT = "{} is not supported: scalars, texts and histograms are. Hint: save the data and show it with another program."


def _table():
    """CRC-32C of every byte (Castagnoli's polynomial, reflected)."""
    values = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        values = np.where(values & 1, (values >> 1) ^ np.uint32(0x82F63B78), values >> 1)
    return values.tolist()


_CRC = _table()


def _checksum(data):
    """The masked CRC-32C that records carry."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number, value):
    """A field of a message: a float is a double, an int a varint; a text, a message, packed numbers are bytes."""
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _scalar(value):
    return _varint(2 << 3 | 5) + struct.pack("<f", value)


def _text(text):
    """A tensor of one string, for TensorBoard's plugin of texts."""
    tensor = _field(1, 7) + _field(2, _field(2, _field(1, 1))) + _field(8, text)
    return _field(8, tensor) + _field(9, _field(1, _field(1, "text")))


def _histogram(values, bins):
    counts, edges = np.histogram(values, bins=bins)
    moments = (values.min(), values.max(), values.size, values.sum(), values @ values)
    numbers = b"".join(_field(number, float(moment)) for number, moment in enumerate(moments, 1))
    packed = [np.asarray(each, "<f8").tobytes() for each in (edges[1:], counts)]
    return _field(5, numbers + _field(6, packed[0]) + _field(7, packed[1]))


class SummaryWriter:
    """Writes scalars, texts and histograms to an event file in ``log_dir`` (default: ``runs/``, the time and host).

    ``purge_step`` has TensorBoard drop what a crashed run wrote from that step on; every ``flush_secs`` seconds, at
    ``flush`` and at ``close`` what was added is on disk. ``max_queue`` is taken and not needed. Images, figures, graphs
    and the like raise ``NotImplementedError``. Source: ``torch.utils.tensorboard.SummaryWriter``.

    >>> import os, tempfile
    >>> from minidl.utils.tensorboard import SummaryWriter
    >>> folder = tempfile.mkdtemp()
    >>> with SummaryWriter(folder) as writer:
    ...     writer.add_scalar("loss", 0.5, global_step=1)
    >>> [name[:19] for name in os.listdir(folder)]
    ['events.out.tfevents']
    """

    def __init__(
        self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""
    ):
        host = socket.gethostname()
        self.log_dir = os.fspath(log_dir or f"runs/{time.strftime('%b%d_%H-%M-%S')}_{host}{comment}")
        self._flush_secs, self._suffix, self._writers = flush_secs, filename_suffix, {}
        os.makedirs(self.log_dir, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{host}.{os.getpid()}.{next(_serial)}{filename_suffix}"
        self._path, self._file = os.path.join(self.log_dir, name), None
        self._write(_field(3, "brain.Event:2"))
        if purge_step is not None:
            self._write(_field(2, int(purge_step)) + _field(7, _field(1, 1)))  # SessionLog: START

    def _write(self, fields, walltime=None):
        if self._file is None:  # closed: what is added now goes behind
            self._file, self._flushed = open(self._path, "ab"), time.monotonic()  # noqa: SIM115
        event = _field(1, float(time.time() if walltime is None else walltime)) + fields
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))
        if time.monotonic() - self._flushed > self._flush_secs:
            self.flush()

    def _add(self, tag, value, step, walltime):
        self._write(
            _field(2, int(step or 0)) + _field(5, _field(1, _field(1, str(tag).lstrip("/")) + value)),
            walltime,
        )

    def get_logdir(self):
        """The folder of the event file."""
        return self.log_dir

    def add_scalar(
        self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False
    ):
        """A number (or a tensor of one) at a step. ``new_style`` and ``double_precision`` change nothing: float32."""
        number = float(scalar_value)
        try:
            value = _scalar(number)
        except OverflowError:
            value = _scalar(math.copysign(math.inf, number))
        self._add(tag, value, global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Several numbers in one chart: each has a writer of its own in a folder beside."""
        for tag, number in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            if folder not in self._writers:
                self._writers[folder] = SummaryWriter(
                    folder, flush_secs=self._flush_secs, filename_suffix=self._suffix
                )
            self._writers[folder].add_scalar(main_tag, number, global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """A text, shown as Markdown."""
        self._add(f"{tag}/text_summary", _text(text_string), global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """How values (a tensor or an array) are spread. ``bins`` is a rule or the edges of ``numpy.histogram``;
        'tensorflow' is 30 bins. Raises ``ValueError`` where there are no values, or some are not finite.
        """
        values = values.detach().cpu().double().numpy() if hasattr(values, "detach") else values
        values = np.asarray(values, np.float64).reshape(-1)
        if not values.size:
            raise ValueError("The input has no element.")
        if not np.isfinite(values).all():
            raise ValueError("autodetected range is not finite: the histogram is of finite values")
        value = _histogram(
            values, (max_bins or 30) if isinstance(bins, str) and bins == "tensorflow" else bins
        )
        self._add(tag, value, global_step, walltime)

    def flush(self):
        """Puts on disk what was added."""
        for writer in (self, *self._writers.values()):
            if writer._file is not None:
                writer._file.flush()
                writer._flushed = time.monotonic()

    def close(self):
        """Ends the file; what is added afterwards opens it again."""
        for writer in (self, *self._writers.values()):
            if writer._file is not None:
                writer._file.close()
                writer._file = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __getattr__(self, name):
        if name.startswith("add_"):
            raise NotImplementedError(_NOT.format(f"SummaryWriter.{name}"))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
