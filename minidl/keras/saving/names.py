"""Weights by name, as PyTorch's world writes them: ``dense.weight`` (out, in), ``lstm.weight_ih_l0``."""

import numpy as np

from minidl.autograd.modes import no_grad
from minidl.keras.engine.tensors import as_numpy, as_tensor


class Part:
    """One of the tensors that hold a weight, in PyTorch's layout: what a ``state_dict`` has."""

    def __init__(self, weight, number, name):
        self.weight, self.number, self.path = weight, number, name

    @property
    def tensor(self):
        """The tensor itself."""
        return self.weight.parameters[self.number]

    @property
    def shape(self):
        """Its sizes."""
        return tuple(self.tensor.shape)

    def numpy(self):
        """Its values."""
        return np.ascontiguousarray(as_numpy(self.tensor))

    def assign(self, array):
        """Overwrites them."""
        with no_grad():
            self.tensor.copy_(as_tensor(np.asarray(array), self.tensor.dtype, self.tensor.device))


def parts(model):
    """``{"dense.weight": Part}`` of all weights of a model, in their order: a layer's name, and the name in its ``nn``
    module. Names that would come twice get the layer's path before them."""
    found = {}
    for weight in model.weights:
        holders = getattr(weight, "places", None)
        scope = weight.path.split("/")[:-1]
        scope = scope[1:] if len(scope) > 1 and scope[0] == model.name else scope
        attributes = [attribute for _, attribute in holders] if holders else [weight.name]
        for number, attribute in enumerate(attributes):
            name = ".".join((*scope, attribute))
            if name in found:
                name = ".".join(
                    (*scope, weight.name if len(attributes) == 1 else f"{weight.name}.{attribute}")
                )
            base, count = name, 1
            while name in found:
                count += 1
                name = f"{base}_{count}"
            found[name] = Part(weight, number, name)
    return found


def to_state_dict(model):
    """A dict of arrays, in PyTorch's names and layouts, of a Keras model's weights: what ``convert`` writes.

    >>> from minidl import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="fc")])
    >>> {name: array.shape for name, array in keras.saving.to_state_dict(model).items()}
    {'fc.weight': (2, 3), 'fc.bias': (2,)}
    """
    return {name: part.numpy() for name, part in parts(model).items()}


def load_state_dict(model, state_dict, strict=True):
    """Overwrites a Keras model's weights by a ``state_dict`` in PyTorch's layouts: by the names of ``to_state_dict``,
    or, where none of them is there, by order. ``ValueError`` lists what does not fit; then nothing was changed.

    >>> from minidl import keras, nn
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> net = nn.Linear(3, 2)
    >>> keras.saving.load_state_dict(model, net.state_dict())
    >>> bool((model.get_weights()[0] == net.weight.detach().numpy().T).all())
    True
    """
    own = parts(model)
    given = {name: as_numpy(value) for name, value in state_dict.items()}
    given = {name: value for name, value in given.items() if not name.endswith("num_batches_tracked")}
    if not own.keys() & given.keys() and len(own) == len(given):
        given = dict(zip(own, given.values()))
    missing, unknown = [n for n in own if n not in given], [n for n in given if n not in own]
    wrong = [
        f"{name}: {tuple(own[name].shape)} in the model, {value.shape} given"
        for name, value in given.items()
        if name in own and tuple(own[name].shape) != value.shape
    ]
    if wrong or (strict and (missing or unknown)):
        raise ValueError(
            f"The state_dict does not fit the model '{model.name}'. Missing: {missing or 'none'}. Unexpected: "
            f"{unknown or 'none'}. Of another shape: {wrong or 'none'}."
        )
    for name, value in given.items():
        if name in own:
            own[name].assign(value)
