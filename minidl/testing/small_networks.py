"""Hypothesis strategies of optimizers and of whole small networks."""

import dataclasses

from hypothesis import strategies as st

from minidl import nn, optim
from minidl.testing.layers import ModuleExample
from minidl.testing.strategies import distinct_arrays

OPTIMIZERS = {  # not Muon: it takes matrices only
    "SGD": {"lr": (0.01, 0.1), "momentum": (0.0, 0.9), "weight_decay": (0.0, 0.01), "nesterov": (False,)},
    "Adam": {"lr": (0.01, 0.1), "weight_decay": (0.0, 0.01), "amsgrad": (False, True)},
    "AdamW": {"lr": (0.01, 0.1), "weight_decay": (0.0, 0.01), "amsgrad": (False, True)},
    "NAdam": {"lr": (0.01, 0.1), "weight_decay": (0.0, 0.01), "decoupled_weight_decay": (False, True)},
    "RAdam": {"lr": (0.01, 0.1), "weight_decay": (0.0, 0.01)},
    "Adamax": {"lr": (0.01, 0.1), "weight_decay": (0.0, 0.01)},
    "Adagrad": {"lr": (0.05, 0.1), "lr_decay": (0.0, 0.01)},
    "Adadelta": {"lr": (1.0,), "rho": (0.9, 0.95)},
    "RMSprop": {"lr": (0.01, 0.05), "momentum": (0.0, 0.5), "centered": (False, True)},
    "Rprop": {"lr": (0.01, 0.05)},
    "ASGD": {"lr": (0.01, 0.05), "weight_decay": (0.0, 0.01)},
    "Adafactor": {"lr": (0.01, 0.05)},
    "LBFGS": {"lr": (0.5, 1.0), "max_iter": (2, 5), "line_search_fn": (None, "strong_wolfe")},
}


@dataclasses.dataclass(frozen=True)
class OptimizerExample:
    """An optimizer's name in ``optim`` and its arguments; call it with the parameters."""

    name: str
    kwargs: dict

    def __call__(self, parameters):
        return getattr(optim, self.name)(parameters, **self.kwargs)

    def __repr__(self):
        given = "".join(f", {key}={value!r}" for key, value in self.kwargs.items())
        return f"lambda parameters: optim.{self.name}(parameters{given})"


@st.composite
def optimizers(draw, names=None):
    """``OptimizerExample`` of the named optimizers, or of any, with usual arguments.

    >>> import minidl
    >>> from hypothesis import given
    >>> @given(optimizers(["SGD", "Adam"]))
    ... def check(make):
    ...     weight = minidl.nn.Parameter(minidl.ones(2))
    ...     weight.grad = minidl.ones(2)
    ...     make([weight]).step()
    ...     assert (weight < 1).all()
    >>> check()
    """
    unknown = sorted(set(names or ()) - set(OPTIMIZERS))
    if unknown:
        raise ValueError(
            f"optimizers: none named {', '.join(unknown)}; there is {', '.join(sorted(OPTIMIZERS))}"
        )
    name = draw(st.sampled_from(sorted(names or OPTIMIZERS)))
    return OptimizerExample(name, {key: draw(st.sampled_from(v)) for key, v in OPTIMIZERS[name].items()})


class NetworkExample(ModuleExample):
    """A ``Sequential`` of drawn layers: ``args`` are ``(name, args, kwargs)`` of each."""

    def build(self, seed=0):
        layers = [ModuleExample(*layer, ()).build(seed + i) for i, layer in enumerate(self.args)]
        return nn.Sequential(*layers)

    def __repr__(self):
        inner = ", ".join(repr(ModuleExample(*layer, ())).partition(" on ")[0] for layer in self.args)
        return f"nn.Sequential({inner}) on {self.inputs[0].shape}"


@st.composite
def networks(draw, max_layers=3, smooth=True):
    """``ModuleExample`` of whole small networks: a convolution over images or none, then linear layers.

    Args:
        max_layers: hidden blocks (a layer, perhaps a norm, an activation).
        smooth: only activations and pools without kinks, so that every gradient can be checked wherever it lands.

    >>> import minidl
    >>> from hypothesis import given
    >>> @given(networks())
    ... def check(example):
    ...     (x,) = example.inputs
    ...     assert example.build()(minidl.tensor(x).float()).shape[0] == len(x)
    >>> check()
    """
    bends = ["Tanh", "Sigmoid", "SiLU", "GELU", "Softplus"] + ([] if smooth else ["ReLU", "LeakyReLU"])
    batch, layers = draw(st.integers(2, 3)), []
    if draw(st.booleans()):
        channels, side = draw(st.integers(1, 2)), draw(st.integers(3, 4))
        shape, out = (batch, channels, side, side), draw(st.integers(1, 2))
        layers = [("Conv2d", (channels, out, 3), {"padding": 1}), (draw(st.sampled_from(bends)), (), {})]
        pool = "AvgPool2d" if smooth else draw(st.sampled_from(["AvgPool2d", "MaxPool2d"]))
        layers += [(pool, (2,), {}), ("Flatten", (), {})]
        width = out * (side // 2) ** 2
    else:
        width = draw(st.integers(1, 3))
        shape = (batch, width)
    for _ in range(draw(st.integers(0, max_layers - 1))):
        hidden = draw(st.integers(1, 3))
        layers.append(("Linear", (width, hidden), {"bias": draw(st.booleans())}))
        if hidden > 1 and draw(st.booleans()):
            layers.append(("LayerNorm", (hidden,), {}))
        layers.append((draw(st.sampled_from(bends)), (), {}))
        width = hidden
    layers.append(("Linear", (width, draw(st.integers(1, 3))), {}))
    return NetworkExample("Sequential", tuple(layers), {}, (draw(distinct_arrays(shape)) * 0.1,), 0)
