"""How training shows its progress: a live bar on a terminal or in a notebook, plain lines anywhere else."""

import os
import shutil
import sys
import time

from minidl.keras.settings import is_interactive_logging_enabled

_INTERVAL = 0.05  # at most 20 updates a second
_WIDTH = 20


def is_live(stream=None):
    """Whether a bar that overwrites itself makes sense: on a terminal or in a notebook, or MINIDL_PROGRESS=rich."""
    wish = os.environ.get("MINIDL_PROGRESS", "")
    if wish in ("0", "plain") or not is_interactive_logging_enabled():
        return False
    stream = sys.stdout if stream is None else stream
    if wish == "rich":
        return True
    terminal = bool(getattr(stream, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"
    return terminal or ("ipykernel" in sys.modules and type(stream).__module__.startswith("ipykernel"))


def is_silent():
    """Whether MINIDL_PROGRESS=0 asks for no display at all."""
    return os.environ.get("MINIDL_PROGRESS") == "0"


def value_text(name, value):
    """``accuracy: 0.6000``; small values as ``1.0000e-05``; a vector's values in brackets.

    >>> value_text("loss", 0.67284), value_text("loss", 5e-5)
    ('loss: 0.6728', 'loss: 5.0000e-05')
    """
    if hasattr(value, "__len__") and not isinstance(value, str):
        return f"{name}: [{', '.join(_number(v) for v in value)}]"
    return f"{name}: {_number(value)}"


def _number(value):
    if isinstance(value, str):
        return value
    value = float(value)
    return f"{value:.4e}" if abs(value) <= 1e-3 else f"{value:.4f}"


def step_time(seconds):
    """``3ms/step``: seconds, milliseconds or microseconds, whichever has digits before the point.

    >>> step_time(0.0032), step_time(2.4), step_time(4e-5)
    ('3ms/step', '2s/step', '40us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def clock(seconds):
    """``45s``, ``2:05``, ``1:02:05``.

    >>> clock(45), clock(125), clock(3725)
    ('45s', '2:05', '1:02:05')
    """
    seconds = int(seconds)
    if seconds > 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds > 60 else f"{seconds}s"


class Progress:
    """The display of one pass over the data: ``update(done, logs)`` as it goes, ``finish(done, logs)`` once.

    ``target`` is the number of steps, None where it is unknown. ``verbose`` 1 is a live bar where the
    stream can show one
    and else what 2 is: one line at the end. Nothing is asked of ``logs``, a function, between two updates.
    """

    def __init__(self, target=None, verbose=1, stream=None):
        self.target, self.stream = target, sys.stdout if stream is None else stream
        self.live = verbose == 1 and is_live(self.stream)
        self.silent = verbose not in (1, 2) or is_silent()
        self.start = time.perf_counter()
        self.shown = self.start if self.live else float("inf")
        self.length = 0

    def update(self, done, logs):
        """Shows ``done`` steps, if the last update was long enough ago. ``logs`` is a function that gives
        the values."""
        now = time.perf_counter()
        if not self.live or self.silent or now - self.shown < _INTERVAL:
            return
        self.shown = now
        self._write(self._line(done, now, logs(), running=True))

    def finish(self, done, values):
        """Shows the end."""
        if self.silent:
            return
        if self.target is None:
            self.target = done
        now = time.perf_counter()
        if self.live:
            self._write(self._line(done, now, values, running=False))
            self.stream.write("\n")
        else:
            spent = now - self.start
            parts = [f"{done}/{self.target}", f"{spent:.0f}s", step_time(spent / max(done, 1))]
            parts += [value_text(name, value) for name, value in values.items()]
            self.stream.write(" - ".join(parts) + "\n")
        self.stream.flush()

    # --- the live line --------------------------------------------------------------------------------------------

    def _line(self, done, now, values, running):
        spent = now - self.start
        each = spent / max(done, 1)
        if self.target is None:
            count, bar, left = f"{done}/Unknown", "", f"{spent:.0f}s"
        else:
            count = f"{done:{len(str(self.target))}d}/{self.target}"
            bar = self._bar(done)
            left = clock(each * (self.target - done)) if running and done < self.target else f"{spent:.0f}s"
        text = " ".join(filter(None, (self._bold(count), bar, self._bold(left), step_time(each))))
        return " - ".join([text, *(value_text(name, value) for name, value in values.items())])

    def _bar(self, done):
        full = min(_WIDTH, _WIDTH * done // max(self.target, 1))
        mark, rest = ("━", "━") if self._has_unicode() else ("=", ".")
        if not self._has_colour():
            return mark * full + ("─" if mark == "━" else rest) * (_WIDTH - full)
        return f"\x1b[32m{mark * full}\x1b[0m\x1b[37m{rest * (_WIDTH - full)}\x1b[0m"

    def _bold(self, text):
        return f"\x1b[1m{text}\x1b[0m" if self._has_colour() else text

    def _has_colour(self):
        return not os.environ.get("NO_COLOR")

    def _has_unicode(self):
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            "━─".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def _write(self, line):
        columns = shutil.get_terminal_size((120, 24)).columns
        visible = _visible_length(line)
        if visible >= columns:  # a line that wraps cannot be overwritten
            line = _cut(line, columns - 1)
            visible = columns - 1
        self.stream.write("\r" + line + " " * max(self.length - visible, 0))
        self.length = visible
        self.stream.flush()


def _visible_length(line):
    return len(_cut(line, None))


def _cut(line, limit):
    """The line without its escapes, or, with a limit, its first ``limit`` visible characters with them."""
    out, visible, place = [], 0, 0
    while place < len(line):
        if line[place] == "\x1b":
            end = line.index("m", place) + 1
            if limit is not None:
                out.append(line[place:end])
            place = end
            continue
        if limit is None or visible < limit:
            out.append(line[place])
            visible += 1
        place += 1
    return "".join(out)


class Progbar:
    """A progress bar for loops of one's own: ``update(current, values)`` or ``add(n, values)``.

    ``values`` is a list of (name, value), averaged over the steps unless named in ``stateful_metrics``. Source: Keras'
    ``keras.utils.Progbar``.

    >>> bar = Progbar(2, verbose=0)
    >>> bar.add(1, [("loss", 1.0)])
    >>> bar.add(1, [("loss", 2.0)])
    >>> bar.values()
    {'loss': 1.5}
    """

    def __init__(self, target, width=20, verbose=1, interval=0.05, stateful_metrics=None, unit_name="step"):
        self.target, self.stateful = target, set(stateful_metrics or ())
        self.seen_so_far, self.sums = 0, {}
        self.display = Progress(target, verbose)

    def update(self, current, values=None, finalize=None):
        """Shows ``current`` steps done; the last one ends the line."""
        steps = current - self.seen_so_far
        for name, value in values or ():
            if name in self.stateful:
                self.sums[name] = [float(value), 1]
            else:
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = [total + float(value) * max(steps, 1), count + max(steps, 1)]
        self.seen_so_far = current
        if finalize or (finalize is None and self.target is not None and current >= self.target):
            self.display.finish(current, self.values())
        else:
            self.display.update(current, self.values)

    def add(self, n, values=None):
        """``n`` more steps."""
        self.update(self.seen_so_far + n, values)

    def values(self):
        """The means so far."""
        return {name: total / count for name, (total, count) in self.sums.items()}
