"""``Node``: one call of a layer on symbolic tensors, with what it took and what came out."""

from minidl.keras.engine.keras_tensor import KerasTensor
from minidl.keras.engine.nest import flatten, map_structure


class Node:
    """A call: ``layer(*args, **kwargs)`` gave ``outputs``. ``parents`` are the symbolic tensors among the arguments."""

    def __init__(self, layer, args, kwargs, outputs):
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
        self.parents = [leaf for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
        self.flat_outputs = flatten(outputs)
        self.index = len(layer._inbound_nodes)
        layer._inbound_nodes.append(self)
        for place, output in enumerate(self.flat_outputs):
            output.history = (self, place)

    @property
    def is_input(self):
        """Whether the tensor comes from outside: no layer was called on others."""
        return not self.parents

    def arguments(self, values):
        """The call's arguments with every symbolic tensor replaced by ``values[id(tensor)]``."""

        def filled(leaf):
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        return map_structure(filled, self.args), map_structure(filled, self.kwargs)


def is_symbolic(*structures):
    """Whether a symbolic tensor is among the leaves."""
    for structure in structures:
        if isinstance(structure, KerasTensor):
            return True
        if isinstance(structure, dict):
            if is_symbolic(*structure.values()):
                return True
        elif isinstance(structure, (list, tuple)) and is_symbolic(*structure):
            return True
    return False
