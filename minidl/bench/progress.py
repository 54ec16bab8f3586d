"""A line that says what is being measured, on a terminal alone."""

import sys


class Progress:
    """Writes over its own line on ``stream``; silent where that is no terminal."""

    def __init__(self, total, stream=None):
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._total, self._at, self._name = total, 0, ""

    def start(self, name):
        """The next workload."""
        self._at, self._name = self._at + 1, name
        self.step(0)

    def step(self, sample):
        """``sample`` rounds of it are done."""
        if self._shown:
            text = (
                f"[{self._at}/{self._total}] {self._name}  {f'sample {sample}' if sample else 'setting up'}"
            )
            self._stream.write(f"\r{text[:100]:100}")
            self._stream.flush()

    def clear(self):
        """Takes the line away, before something is printed."""
        if self._shown:
            self._stream.write(f"\r{'':100}\r")
            self._stream.flush()
