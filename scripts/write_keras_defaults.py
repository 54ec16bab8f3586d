"""Writes docs/keras-defaults.md: the defaults of minidl.keras beside those of minidl.nn, read from the code."""

import inspect
import sys
from pathlib import Path

import numpy as np

from minidl import keras, nn, optim, tensor

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keras-defaults.md"
HEAD = """# Defaults: the Keras face and the PyTorch face

`minidl.keras` keeps Keras' defaults, `minidl.nn` and `minidl.optim` PyTorch's.
`scripts/write_keras_defaults.py` writes this table from the signatures and first weights of the code; a test
asks that it is up to date.

| item | `minidl.keras` | `minidl.nn`, `minidl.optim` |
|---|---|---|
"""
TAIL = """
Forms that differ as well: Keras adds Adam's epsilon before the bias correction, RMSprop's and Adagrad's
inside the root;
its `weight_decay` is decoupled in every optimizer and comes before the step, PyTorch's is added to the gradient (but
for AdamW). Keras' losses take `(y_true, y_pred)`, PyTorch's `(input, target)`; images are (N, H, W, C) here and
(N, C, H, W) there.

Files of Keras 2 mean another `hard_sigmoid` (slope 0.2): it is read as `hard_sigmoid_keras2`.
"""
LAYERS = [
    ("Dense", "Linear", ("kernel_initializer", "bias_initializer")),
    ("Conv2D", "Conv2d", ("kernel_initializer", "bias_initializer")),
    ("LSTM", "LSTM", ("kernel_initializer", "recurrent_initializer", "bias_initializer", "unit_forget_bias")),
    ("GRU", "GRU", ("kernel_initializer", "recurrent_initializer", "reset_after")),
    ("Embedding", "Embedding", ("embeddings_initializer",)),
    ("BatchNormalization", "BatchNorm2d", ("momentum", "epsilon")),
    ("LayerNormalization", "LayerNorm", ("epsilon",)),
    ("GroupNormalization", "GroupNorm", ("groups", "epsilon")),
    ("PReLU", "PReLU", ("alpha_initializer",)),
    ("LeakyReLU", "LeakyReLU", ("negative_slope",)),
    ("ELU", "ELU", ("alpha",)),
]
TORCH = {
    "Linear": "weight, bias: U(±1/√in_features)",
    "Conv2d": "weight, bias: U(±1/√fan_in)",
    "LSTM": "all: U(±1/√hidden_size), two biases",
    "GRU": "all: U(±1/√hidden_size), two biases",
    "Embedding": "N(0, 1)",
}
OPTIMIZERS = [
    ("SGD", "SGD"), ("Adam", "Adam"), ("AdamW", "AdamW"), ("RMSprop", "RMSprop"), ("Adagrad", "Adagrad"),
    ("Adadelta", "Adadelta"), ("Adamax", "Adamax"), ("Nadam", "NAdam"),
]  # fmt: skip
OPTIONS = ("momentum", "eps", "init", "negative_slope", "alpha")
NUMBERS = (
    *("learning_rate", "lr", "momentum", "rho", "alpha", "beta_1", "beta_2", "betas", "epsilon", "eps"),
    *("weight_decay", "initial_accumulator_value"),
)


def defaults(cls, names):
    """``name=value`` of the parameters that a constructor has, up its bases."""
    found = {}
    for base in reversed(cls.__mro__):
        if "__init__" in base.__dict__:
            found.update(inspect.signature(base.__init__).parameters)
    chosen = {name: found[name].default for name in names if name in found}
    return ", ".join(
        f"`{name}={value!r}`"
        for name, value in chosen.items()
        if value not in (None, inspect.Parameter.empty)
    )


def measured():
    """Rows that only a run tells: the variance that batch normalisation keeps, a clipped cross-entropy."""
    x = np.array([[1.0], [3.0]], "float32")
    ours, theirs = keras.layers.BatchNormalization(momentum=0.0), nn.BatchNorm1d(1, momentum=1.0)
    ours(x, training=True)
    theirs(tensor(x))
    yield "variance kept of [1, 3]", float(ours.moving_variance.numpy()[0]), float(theirs.running_var[0])
    wrong = float(keras.losses.binary_crossentropy([[1.0]], [[0.0]])[0])
    yield "binary cross-entropy of p=0, y=1", wrong, float(nn.BCELoss()(tensor([[0.0]]), tensor([[1.0]])))
    yield "`LSTM` forget bias", 1.0 if keras.layers.LSTM(1).unit_forget_bias else 0.0, "as all"


def page():
    """The text of the page."""
    rows = []
    for mine, theirs, names in LAYERS:
        other = TORCH.get(theirs) or defaults(getattr(nn, theirs), OPTIONS)
        rows.append((f"{mine} / {theirs}", defaults(getattr(keras.layers, mine), names), other))
    for mine, theirs in OPTIMIZERS:
        columns = (
            defaults(getattr(keras.optimizers, mine), NUMBERS),
            defaults(getattr(optim, theirs), NUMBERS),
        )
        rows.append((f"{mine} / {theirs}", *columns))
    for name, ours, theirs in measured():
        rows.append((name, f"{ours:.4g}", theirs if isinstance(theirs, str) else f"{theirs:.4g}"))
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows) + TAIL


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        sys.exit(
            0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page() else f"{PAGE} is out of date"
        )
    PAGE.write_text(page(), encoding="utf-8")
