"""TensorBoard's event files, written by hand: records with checksums around protobuf messages.

A record is its length (uint64), the length's masked CRC32C, the data, the data's masked CRC32C. The messages are
``Event``, ``Summary`` and ``HistogramProto`` of TensorBoard's ``event.proto`` and ``summary.proto``.
"""

import os
import socket
import struct
import time

import numpy as np

_POLYNOMIAL = 0x82F63B78  # CRC32C (Castagnoli), reflected


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data):
    """The CRC32C checksum of bytes.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc):
    """The checksum as records hold it: rotated by 15 bits, plus a constant."""
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(data):
    """The bytes of a record."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(crc32c(length))) + data + struct.pack("<I", masked(crc32c(data)))


# --- protobuf -----------------------------------------------------------------------------------------------------


def _varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number, data):
    """A field of bytes, a text or a message."""
    data = data.encode() if isinstance(data, str) else data
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _double(number, value):
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _event(step, body, wall_time=None):
    wall_time = time.time() if wall_time is None else wall_time
    return _double(1, wall_time) + _varint(2 << 3) + _varint(int(step)) + body


def scalar_value(tag, value):
    """A ``Summary.Value`` with ``simple_value``."""
    return _field(1, tag) + _varint(2 << 3 | 5) + struct.pack("<f", float(value))


def histogram_value(tag, values):
    """A ``Summary.Value`` with a ``HistogramProto`` of 30 buckets; of no values, an empty one."""
    values = np.asarray(values, np.float64).reshape(-1)
    values = values[np.isfinite(values)]
    if not values.size:
        values = np.zeros(1)
    counts, edges = np.histogram(values, bins=30)
    limits, counts = np.asarray(edges[1:], "<f8"), np.asarray(counts, "<f8")
    message = b"".join(
        (
            _double(1, values.min()),
            _double(2, values.max()),
            _double(3, values.size),
            _double(4, values.sum()),
            _double(5, (values**2).sum()),
            _field(6, limits.tobytes()),
            _field(7, counts.tobytes()),
        )
    )
    return _field(1, tag) + _field(5, message)


class EventFile:
    """An event file in ``folder``: ``scalar(tag, value, step)``, ``histogram(tag, values, step)``,
    ``flush``, ``close``."""

    _made = 0

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        EventFile._made += 1
        name = (
            f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{EventFile._made}"
        )
        self.path = os.path.join(folder, name)
        self.file = open(self.path, "wb")  # noqa: SIM115
        self.file.write(record(_double(1, time.time()) + _field(3, "brain.Event:2")))
        self.file.flush()

    def _write(self, value, step):
        self.file.write(record(_event(step, _field(5, _field(1, value)))))

    def scalar(self, tag, value, step):
        """A point of a curve."""
        self._write(scalar_value(tag, value), step)

    def histogram(self, tag, values, step):
        """The distribution of values at a step."""
        self._write(histogram_value(tag, values), step)

    def flush(self):
        """Brings everything to the file."""
        self.file.flush()

    def close(self):
        """Ends the file."""
        self.file.close()
