"""A progress bar on a terminal, plain lines elsewhere."""

import sys

from minidl.extras import need


class Progress:
    """Counts the batches of one epoch: a tqdm bar where ``stream`` is a terminal, else one line at the end."""

    def __init__(self, epoch, epochs, batches, stream=None):
        self.stream = sys.stdout if stream is None else stream
        self.title = f"epoch {epoch:>2}/{epochs}"
        self.bar = None
        if self.stream.isatty():
            tqdm = need("tqdm", "tqdm", "demo").tqdm
            self.bar = tqdm(total=batches, desc=self.title, file=self.stream, leave=False, unit="batch")

    def step(self):
        """One batch is done."""
        if self.bar is not None:
            self.bar.update()

    def done(self, text):
        """The epoch is done: prints its line."""
        if self.bar is not None:
            self.bar.close()
        print(f"{self.title}  {text}", file=self.stream, flush=True)
