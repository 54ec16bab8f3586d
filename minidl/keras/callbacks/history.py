"""``History``: what every epoch ended with, as a table, a picture or a data frame."""

from minidl.keras.callbacks.callback import Callback
from minidl.keras.dropped import warn

_BARS = "▁▂▃▄▅▆▇█"
_LARGER_IS_BETTER = (
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fmeasure",
    "fbeta",
    "r2",
    "iou",
    "top_k",
    "cosine",
    "hits",
)


class History(Callback):
    """The record that ``fit`` returns: ``history`` maps each name to its values, one an epoch; ``epoch`` the numbers.

    Its repr is a table; ``plot()`` draws the curves, ``to_frame()`` makes a pandas DataFrame, ``best('val_loss')``
    tells the best epoch. Source: Keras' ``History``.

    >>> import numpy as np
    >>> from minidl import keras
    >>> model = keras.Sequential([keras.layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile("sgd", "mse")
    >>> model.fit(np.zeros((4, 1)), np.zeros(4), epochs=2, verbose=0)
    <History: 2 epochs>
     epoch        loss
         1  0.0000e+00
         2  0.0000e+00
    """

    def __init__(self):
        super().__init__()
        self.history = _Curves()
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []
        self.history = _Curves()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

    # --- looking at it --------------------------------------------------------------------------------------------

    def best(self, monitor="val_loss", mode="auto"):
        """The best epoch (counted from 0), its value, and everything else it ended with, in a dict.

        ``KeyError`` with the names there are where ``monitor`` is none of them.
        """
        values = self._values(monitor)
        largest = mode == "max" or (mode == "auto" and larger_is_better(monitor))
        place = (max if largest else min)(range(len(values)), key=lambda i: values[i])
        found = {name: v[place] for name, v in self.history.items() if len(v) == len(self.epoch)}
        return {"epoch": self.epoch[place], **found}

    def _values(self, name):
        if name not in self.history:
            raise KeyError(
                f"no {name!r} in the history; there are {', '.join(sorted(self.history)) or 'no values'}"
            )
        return self.history[name]

    def to_frame(self):
        """A pandas DataFrame with a column for each name, a row for each epoch. Needs pandas."""
        import pandas

        return pandas.DataFrame(self.history, index=pandas.Index(self.epoch, name="epoch"))

    def plot(self, path=None, names=None):
        """Draws each curve with its validation curve; to a file where ``path`` is given. Returns the figure.

        Without matplotlib it returns, and prints, lines of text with a bar an epoch.
        """
        names = [n for n in self.history if not n.startswith("val_")] if names is None else list(names)
        try:
            from matplotlib.figure import Figure
        except ImportError:
            text = self.sparklines()
            print(text)
            return text
        figure = Figure(figsize=(5 * len(names), 3.5), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
            for curve in (name, f"val_{name}"):
                values = self.history.get(curve)
                if values:
                    epochs = [epoch + 1 for epoch in self.epoch[-len(values) :]]
                    axes.plot(epochs, values, marker="o" if len(values) < 20 else None, label=curve)
            axes.set_xlabel("epoch")
            axes.set_title(name)
            axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure

    def sparklines(self):
        """The curves as one line of text each: ``loss ▇▅▂▁ 0.69 to 0.21``."""
        lines = []
        width = max((len(name) for name in self.history), default=0)
        for name, values in self.history.items():
            low, high = min(values), max(values)
            scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
            bars = "".join(_BARS[round((value - low) * scale)] for value in values)
            lines.append(f"{name:<{width}} {bars} {values[0]:.4g} to {values[-1]:.4g}")
        return "\n".join(lines)

    def __repr__(self):
        count = len(self.epoch)
        title = f"<History: {count} epoch{'' if count == 1 else 's'}>"
        names = [
            name for name, values in self.history.items() if len(values) == count and _is_numbers(values)
        ]
        if not count or not names:
            return title
        widths = [max(10, len(name)) for name in names]
        lines = [title, " epoch" + "".join(f"  {name:>{w}}" for name, w in zip(names, widths))]
        rows = range(count) if count <= 12 else [*range(5), None, *range(count - 5, count)]
        for row in rows:
            if row is None:
                lines.append("   ...")
                continue
            cells = (_cell(self.history[name][row]) for name in names)
            lines.append(f"{self.epoch[row] + 1:6d}" + "".join(f"  {c:>{w}}" for c, w in zip(cells, widths)))
        return "\n".join(lines)


class _Curves(dict):
    """The values by name; ``'acc'`` finds the accuracy, as it did in Keras before 2.3."""

    def __missing__(self, name):
        if name in ("acc", "val_acc") and f"{name}uracy" in self:
            warn(f"history['{name}'] is a name that Keras dropped: use history['{name}uracy']")
            return self[f"{name}uracy"]
        raise KeyError(name)

    def __reduce__(self):
        return dict, (dict(self),)  # a pickle of it is a plain dict's, which opens without minidl


def larger_is_better(name):
    """Whether a metric of this name is better the larger it is: accuracies, AUC, precision and their kind.

    >>> larger_is_better("val_accuracy"), larger_is_better("val_loss")
    (True, False)
    """
    plain = name.removeprefix("val_").lower()
    return not plain.endswith("loss") and any(word in plain for word in _LARGER_IS_BETTER)


def _is_numbers(values):
    return all(isinstance(value, (int, float)) for value in values)


def _cell(value):
    return f"{value:.4e}" if abs(value) <= 1e-3 else f"{value:.4f}"
