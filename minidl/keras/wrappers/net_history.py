"""What a net's epochs ended with, and the table that shows it."""

_COLOURS = ("\033[36m", "\033[32m", "\033[35m", "\033[34m")
_PLAIN = "\033[0m"


class NetHistory(list):
    """A dict for every epoch; ``history[-1, "train_loss"]``, ``history[:, ("train_loss", "valid_loss")]`` pick.

    Source: the interface of skorch's ``History``.

    >>> history = NetHistory([{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.4}])
    >>> history[:, "train_loss"]
    [0.5, 0.4]
    """

    def __getitem__(self, place):
        if not isinstance(place, tuple):
            return super().__getitem__(place)
        rows, names = place
        found = super().__getitem__(rows)
        if isinstance(found, dict):
            return _picked(found, names)
        kept = [row for row in found if all(n in row for n in ([names] if isinstance(names, str) else names))]
        if not kept:
            raise KeyError(f"no epoch has {names!r}; there are {sorted(found[0]) if found else 'no epochs'}")
        return [_picked(row, names) for row in kept]


def _picked(row, names):
    return row[names] if isinstance(names, str) else tuple(row[name] for name in names)


class Table:
    """Prints a line an epoch, under a head with the names; the best values so far are coloured on a terminal."""

    def __init__(self, colour):
        self.colour, self.names = colour, None

    def row(self, history):
        """The line of the last epoch."""
        last = history[-1]
        names = [name for name in ("epoch", "train_loss", "valid_acc", "valid_loss") if name in last]
        names += sorted(set(last) - {*names, "dur"}) + ["dur"]
        widths = [max(len(name), 7) for name in names]
        if names != self.names:
            self.names = names
            print("  ".join(f"{name:>{width}}" for name, width in zip(names, widths)))
            print("  ".join("-" * width for width in widths))
        print(
            "  ".join(
                self._cell(history, name, width, i) for i, (name, width) in enumerate(zip(names, widths))
            )
        )

    def _cell(self, history, name, width, place):
        value = history[-1][name]
        if name == "epoch":
            return f"{value:>{width}d}"
        text = f"{value:>{width}.4f}"
        seen = [row[name] for row in history if name in row]
        best = max(seen) if name.endswith("acc") else min(seen)
        if not self.colour or name == "dur" or value != best:
            return text
        return f"{_COLOURS[place % len(_COLOURS)]}{text}{_PLAIN}"
