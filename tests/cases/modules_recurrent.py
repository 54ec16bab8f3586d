"""Rows of the recurrent layers and their cells."""

from .case import normal
from .modules import ModuleCase


def _rows(name, states=1, **options):
    """Rows that RNN, LSTM and GRU share; ``options`` go to every constructor."""

    def state(*shape):
        return normal(*shape) if states == 1 else (normal(*shape),) * states

    def row(id, inputs, **kwargs):
        return ModuleCase(name, (2, 3), {**options, **kwargs}, inputs, id=id)

    return [
        row("default", (normal(3, 2, 2),)),
        row("state", (normal(3, 2, 2), state(1, 2, 3))),
        row("unbatched", (normal(3, 2), state(1, 3))),
        row("unbatched-batch-first", (normal(3, 2),), batch_first=True),
        row("no-bias-batch-first", (normal(2, 3, 2),), bias=False, batch_first=True),
        row("bidirectional", (normal(3, 2, 2), state(2, 2, 3)), bidirectional=True),
        row("layers", (normal(2, 1, 2), state(4, 1, 3)), num_layers=2, bidirectional=True),
        row("no-samples", (normal(3, 0, 2),)),
    ]


def _cell_rows(name, states=1):
    def state(*shape):
        return normal(*shape) if states == 1 else (normal(*shape),) * states

    return [
        ModuleCase(name, (3, 2), {}, (normal(4, 3),)),
        ModuleCase(name, (3, 2), {"bias": False}, (normal(4, 3), state(4, 2)), id="state-no-bias"),
        ModuleCase(name, (3, 2), {}, (normal(3), state(2)), id="unbatched"),
    ]


MODULE_CASES = [
    *_rows("RNN"),
    ModuleCase("RNN", (2, 3, 2, "relu"), {}, (normal(3, 2, 2),), id="relu"),
    *_rows("LSTM", states=2),
    ModuleCase(
        "LSTM",
        (2, 3),
        {"proj_size": 2, "num_layers": 2, "bidirectional": True},
        (normal(2, 2, 2), (normal(4, 2, 2), normal(4, 2, 3))),
        id="projection",
    ),
    *_rows("GRU"),
    ModuleCase(
        "GRU", (2, 3), {"num_layers": 2, "dropout": 0.5}, (normal(3, 2, 2),), id="dropout", random=True
    ),
    *_cell_rows("RNNCell"),
    ModuleCase("RNNCell", (3, 2), {"nonlinearity": "relu"}, (normal(4, 3),), id="relu"),
    *_cell_rows("LSTMCell", states=2),
    *_cell_rows("GRUCell"),
]
