"""Changes of bytes and of JSON, drawn from a ``random.Random``: as blind as damage, or as sly as a person."""

import copy
import json

_NUMBERS = [
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    2**31 - 1,
    2**31,
    2**32,
    2**53,
    2**62,
    2**63 - 1,
    2**63,
    10**30,
    -(2**63),
]
_VALUES = [
    *_NUMBERS, None, True, False, 0.5, -1.5, float("nan"), float("inf"), 1e308, "", "x", "nan", "\x00", "/", [], {},
    [[]], [None], [1, 2], [-1], [2**40], {"": None}, {"class_name": "Dense", "config": {}}, "a" * 1000,
]  # fmt: skip
_TEXTS = [
    b"",
    b"\0",
    b"\xff" * 4,
    b"\xff" * 8,
    b"\0" * 8,
    b"[" * 200,
    b"(" * 20,
    b"9" * 40,
    b"\x80\x02",
    b"PK\x01\x02",
    b"PK\x05\x06",
]


def mutated(data, draw, others=(b"",)):
    """``data`` with one to four changes; a JSON text changes as a tree about half of the time."""
    if data[:1] in (b"{", b"[") and draw.random() < 0.7:
        try:
            return changed_json(data, draw, others)
        except (ValueError, RecursionError, UnicodeError):
            pass
    broken = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        _change_bytes(broken, draw, others)
    return bytes(broken)


def _change_bytes(broken, draw, others):
    at = draw.randrange(len(broken) + 1)
    kind = draw.randrange(7)
    if kind == 0 and broken:
        broken[at % len(broken)] ^= 1 << draw.randrange(8)
    elif kind == 1 and broken:
        broken[at % len(broken)] = draw.randrange(256)
    elif kind == 2:
        del broken[at : at + draw.choice((1, 2, 4, 8, 64, 10**6))]
    elif kind == 3:
        broken[at:at] = draw.choice(_TEXTS)
    elif kind == 4:
        size = draw.choice((1, 2, 4, 8))
        number = draw.choice(_NUMBERS) % 256**size
        broken[at : at + size] = number.to_bytes(size, draw.choice(("little", "big")))
    elif kind == 5:
        size, source = draw.choice((1, 4, 16, 64)), draw.choice(others)
        start = draw.randrange(len(source) + 1)
        broken[at : at + draw.choice((0, size))] = source[start : start + size]
    else:
        size = draw.choice((1, 4, 16, 64))
        broken[at:at] = broken[at : at + size] * draw.choice((1, 2, 50))


def changed_json(data, draw, others=()):
    """JSON text with one to three nodes replaced, removed, repeated or exchanged."""
    root = [json.loads(data)]
    for _ in range(draw.choice((1, 1, 2, 3))):
        places = _places(root)
        holder, key = draw.choice(places)
        kind = draw.randrange(5)
        if kind == 0:
            holder[key] = copy.deepcopy(draw.choice(_VALUES))
        elif kind == 1:
            other, at = draw.choice(places)
            holder[key] = copy.deepcopy(other[at])
        elif kind == 2 and holder is not root:
            del holder[key]
        elif kind == 3 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif isinstance(holder, dict):
            holder[draw.choice(_names(places))] = holder.pop(key)
        elif type(holder[key]) is int:
            holder[key] += draw.choice((-1, 1))
    return json.dumps(root[0]).encode()


def _places(root):
    """``(container, key)`` of every node of a JSON value."""
    found, pending = [], [root]
    while pending:
        holder = pending.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, value in items:
            found.append((holder, key))
            if isinstance(value, (dict, list)):
                pending.append(value)
    return found


def _names(places):
    return [key for _, key in places if isinstance(key, str)] or ["x"]
