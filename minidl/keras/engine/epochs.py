"""``Epochs``: the batches of one epoch after another, of so many steps, or of what a pass over the data gives."""

import warnings

_RAN_OUT = (
    "Your input ran out of data; interrupting training. Make sure that your dataset or generator can generate at "
    "least `steps_per_epoch * epochs` batches: of {wanted} there came {steps}."
)


class Epochs:
    """The batches of each epoch: a pass of the source, or the next ``steps`` of a pass that goes on over epochs.

    Where a pass ends before its epoch has all steps, the epoch is short, with a warning, and the next one begins
    a pass anew. ``finished`` tells that a source which cannot begin anew, a generator, is at its end;
    ``done`` how many steps the last epoch had.
    """

    def __init__(self, source, steps=None):
        self.source, self.steps = source, steps
        self.finished = False
        self.done = 0
        self._running = None

    def epoch(self):
        """The batches of the next epoch."""
        self.done = 0
        self.source.on_epoch_begin()
        while self.steps is None or self.done < self.steps:
            data = self._next()
            if data is None:
                self._end_early()
                break
            self.done += 1
            yield data
        self.source.on_epoch_end()

    def _next(self):
        """The next batch, None at the end of the pass. A pass that ended with the last epoch is followed by another."""
        first = self.done == 0
        if self._running is None or (first and self.steps is None):
            self._running, first = iter(self.source.epoch()), False
        data = next(self._running, None)
        if data is None and first:
            self._running = iter(self.source.epoch())
            data = next(self._running, None)
        return data

    def _end_early(self):
        self._running = None
        if self.steps is None and self.done:
            return
        self.finished = self.source.runs_out or not self.done
        wanted = f"{self.steps} for this epoch" if self.steps is not None else "at least one for this epoch"
        warnings.warn(_RAN_OUT.format(wanted=wanted, steps=self.done), stacklevel=3)
