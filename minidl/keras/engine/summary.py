"""``model.summary()``."""


def print_summary(model, line_length, positions, print_fn, expand_nested, show_trainable, layer_range):
    """Prints it."""
    raise NotImplementedError
