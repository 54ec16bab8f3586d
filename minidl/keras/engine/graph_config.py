"""Graphs as configs: Keras 2's form of nodes, which Keras 2 and 3 both read; and both their forms back."""


def graph_config(model):
    """The config of a graph."""
    raise NotImplementedError


def graph_from_config(cls, config, custom_objects=None):
    """A graph of a config."""
    raise NotImplementedError
