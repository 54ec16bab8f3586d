"""A pickle machine that can build plain values and nothing else.

It knows the instructions that lists, tuples, dicts, sets, numbers and strings are made of. A name that a pickle gives
is looked up in a table of the caller's; what is not in the table is refused before anything is made of it. There are
no imports, no calls of what a pickle names, no attributes. What it allocates is bounded by the pickle's length.
Source: the module ``pickletools`` of Python, which says what each instruction does.
"""

import collections
import pickle
import struct


class Refused(Exception):
    """The pickle wants more than plain values; the text names what."""


class Constructor:
    """What a name in a pickle stands for that may be called: ``build(*arguments)`` gives the value."""

    def __init__(self, build):
        self.build = build


def check_key(value, left=None, depth=0):
    """Raises ``ValueError`` for a key so deep or wide that hashing it would take Python's stack or ages."""
    left = [10_000] if left is None else left
    left[0] -= 1
    if depth > 16 or left[0] < 0:
        raise ValueError("a key is nested too deeply")
    if isinstance(value, (tuple, frozenset)):
        for item in value:
            check_key(item, left, depth + 1)


_MARK = object()
_CONSTANTS = {
    pickle.NONE: None, pickle.NEWTRUE: True, pickle.NEWFALSE: False, pickle.EMPTY_TUPLE: (),
}  # fmt: skip
_NUMBERS = {
    pickle.BININT: "<i", pickle.BININT1: "<B", pickle.BININT2: "<H", pickle.BINFLOAT: ">d",
}  # fmt: skip
_COUNTED = {  # how long what follows is, and what it becomes
    pickle.BINUNICODE: ("<I", lambda raw: raw.decode("utf-8", "surrogatepass")),
    pickle.BINUNICODE8: ("<Q", lambda raw: raw.decode("utf-8", "surrogatepass")),
    pickle.SHORT_BINUNICODE: ("<B", lambda raw: raw.decode("utf-8", "surrogatepass")),
    pickle.BINSTRING: ("<i", lambda raw: raw.decode("latin-1")),
    pickle.SHORT_BINSTRING: ("<B", lambda raw: raw.decode("latin-1")),
    pickle.BINBYTES: ("<I", bytes),
    pickle.BINBYTES8: ("<Q", bytes),
    pickle.SHORT_BINBYTES: ("<B", bytes),
    pickle.BYTEARRAY8: ("<Q", bytearray),
    pickle.LONG1: ("<B", lambda raw: int.from_bytes(raw, "little", signed=True)),
    pickle.LONG4: ("<i", lambda raw: int.from_bytes(raw, "little", signed=True)),
}
_EMPTY = {pickle.EMPTY_LIST: list, pickle.EMPTY_DICT: dict, pickle.EMPTY_SET: set}
_TUPLES = {pickle.TUPLE1: 1, pickle.TUPLE2: 2, pickle.TUPLE3: 3}
_PUTS = {pickle.BINPUT: "<B", pickle.LONG_BINPUT: "<I"}
_GETS = {pickle.BINGET: "<B", pickle.LONG_BINGET: "<I"}


class Machine:
    """Reads one pickle of ``data`` (bytes), from ``position`` on; afterwards ``position`` is behind it.

    ``resolve(module, name)`` gives the value or ``Constructor`` that a name stands for, or raises ``Refused``.
    ``persistent(value)`` gives what a persistent id stands for. ``build(target, state)`` gives a value its state.
    A damaged pickle raises one of ``ERRORS``.
    """

    ERRORS = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, struct.error)

    def __init__(self, data, position, resolve, persistent, build):
        self._data, self.position = data, position
        self._resolve, self._persistent, self._build = resolve, persistent, build
        self._stack, self._memo = [], {}

    def run(self):
        """The value of the pickle."""
        while (code := self.take(1)) != pickle.STOP:
            self._step(code)
        (value,) = self._last(len(self._stack))
        return value

    def take(self, count):
        """The next ``count`` bytes."""
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise ValueError("the pickle ends too early")
        raw = self._data[self.position : end]
        self.position = end
        return raw

    def _line(self):
        end = self._data.index(b"\n", self.position)
        return self.take(end + 1 - self.position)[:-1].decode("utf-8")

    def number(self, layout):
        """The next number, of a layout of ``struct``."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def _to_mark(self):
        """What was pushed since the last mark, which goes too."""
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        values = self._stack[place + 1 :]
        del self._stack[place:]
        return values

    def _step(self, code):
        push = self._stack.append
        if code in _CONSTANTS:
            push(_CONSTANTS[code])
        elif code in _NUMBERS:
            push(self.number(_NUMBERS[code]))
        elif code in _COUNTED:
            layout, made = _COUNTED[code]
            push(made(self.take(self.number(layout))))
        elif code in _EMPTY:
            push(_EMPTY[code]())
        elif code in _TUPLES:
            count = _TUPLES[code]
            self._stack[-count:] = [tuple(self._last(count))]
        elif code in _PUTS:
            self._memo[self.number(_PUTS[code])] = self._last(1)[0]
        elif code in _GETS:
            push(self._memo[self.number(_GETS[code])])
        elif code in _OTHERS:
            _OTHERS[code](self)
        else:
            raise Refused(f"the instruction {code!r}")

    def _last(self, count):
        values = self._stack[-count:]
        if len(values) < count or any(v is _MARK for v in values):
            raise ValueError("values are missing")
        return values

    def _mark(self):
        self._stack.append(_MARK)

    def _proto(self):
        if self.number("<B") > 5:
            raise ValueError("a protocol above 5")

    def _frame(self):
        self.take(8)

    def _memoize(self):
        self._memo[len(self._memo)] = self._last(1)[0]

    def _pop(self):
        self._stack.pop()

    def _dup(self):
        self._stack.append(self._last(1)[0])

    def _long_tuple(self):
        values = self._to_mark()
        self._stack.append(tuple(values))

    def _append(self):
        self._extend([self._stack.pop()])

    def _appends(self):
        self._extend(self._to_mark())

    def _extend(self, values):
        target = self._last(1)[0]
        if type(target) is not list or any(v is _MARK for v in values):
            raise ValueError("only lists are appended to")
        target.extend(values)

    def _additems(self):
        values = self._to_mark()
        target = self._last(1)[0]
        if type(target) is not set:
            raise ValueError("only sets are added to")
        self._check_keys(values)
        target.update(values)

    @staticmethod
    def _check_keys(values):
        for value in values:
            check_key(value)

    def _frozenset(self):
        values = self._to_mark()
        self._check_keys(values)
        self._stack.append(frozenset(values))

    def _setitem(self):
        pair = self._last(2)
        del self._stack[-2:]
        self._set_pairs(pair)

    def _setitems(self):
        self._set_pairs(self._to_mark())

    def _set_pairs(self, values):
        target = self._last(1)[0]
        if type(target) not in (dict, collections.OrderedDict) or len(values) % 2:
            raise ValueError("only dicts get items")
        self._check_keys(values[::2])
        target.update(zip(values[::2], values[1::2], strict=True))

    def _global(self):
        module = self._line()
        self._stack.append(self._resolve(module, self._line()))

    def _stack_global(self):
        module, name = self._last(2)
        if type(module) is not str or type(name) is not str:
            raise ValueError("a name is text")
        self._stack[-2:] = [self._resolve(module, name)]

    def _call(self):
        function, arguments = self._last(2)
        if type(arguments) is not tuple or not isinstance(function, Constructor):
            raise Refused(f"a call of a {type(function).__name__}")
        self._stack[-2:] = [function.build(*arguments)]

    def _give_state(self):
        target, state = self._last(2)
        self._stack[-2:] = [self._build(target, state)]

    def _persistent_id(self):
        self._stack[-1:] = [self._persistent(self._last(1)[0])]


_OTHERS = {
    pickle.MARK: Machine._mark,
    pickle.PROTO: Machine._proto,
    pickle.FRAME: Machine._frame,
    pickle.MEMOIZE: Machine._memoize,
    pickle.POP: Machine._pop,
    pickle.DUP: Machine._dup,
    pickle.TUPLE: Machine._long_tuple,
    pickle.APPEND: Machine._append,
    pickle.APPENDS: Machine._appends,
    pickle.ADDITEMS: Machine._additems,
    pickle.FROZENSET: Machine._frozenset,
    pickle.SETITEM: Machine._setitem,
    pickle.SETITEMS: Machine._setitems,
    pickle.GLOBAL: Machine._global,
    pickle.STACK_GLOBAL: Machine._stack_global,
    pickle.REDUCE: Machine._call,
    pickle.NEWOBJ: Machine._call,
    pickle.BUILD: Machine._give_state,
    pickle.BINPERSID: Machine._persistent_id,
}
