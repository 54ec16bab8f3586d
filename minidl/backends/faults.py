"""Faults that only a kernel sees, such as an index beyond its array: told when results reach the host.

A kernel notes the first one in its device's record (``csrc/cuda/fault.h``) and goes on. ``record`` hands the record to
a launch; ``check``, called where a device's data come to the host or the host waits for it, raises what was noted.
Nothing waits before that, and records of launches that cannot fault are never looked at.
"""

_WORDS = 5  # claimed, kind, index, size, place
_MESSAGES = {
    1: "index {index} is out of bounds for dimension {place} with size {size}",
    2: "index out of range in self. Hint: the table has {size} rows, so indices lie in [0, {last}]; one is {index}"
    " (negative indices do not count from the end).",
    3: "Target {index} is out of bounds. Hint: targets of {size} classes lie in [0, {last}] or equal ignore_index.",
}
_LATE = " (A kernel found it; Python was already further on than the call that is at fault.)"

_records = {}  # by (array module, device number): the record
_asked = set()  # keys of records that were handed to a launch since the last look


def record(xp):
    """The address of the current device's record, for a launch that may fault."""
    key = xp, xp.cuda.runtime.getDevice()
    found = _records.get(key)
    if found is None:
        found = _records[key] = xp.zeros(_WORDS, "int64")
    _asked.add(key)
    return found.data.ptr


def check():
    """Raises ``IndexError`` where a kernel met a bad index since the last look. Waits for those kernels."""
    while _asked:
        found = _records[_asked.pop()]
        claimed, kind, index, size, place = found.get().tolist()
        if claimed:
            found.fill(0)
            text = _MESSAGES[kind].format(index=index, size=size, place=place, last=size - 1)
            raise IndexError(text + _LATE)
