"""How a module's conversion treats its parameters. Source: ``torch.__future__``.

A conversion keeps every Parameter object and gives it other values, so both settings change nothing: what they are for
holds. The first one's other value is refused.
"""

__all__ = [
    "get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion",
]  # fmt: skip

_settings = {"swap": False}


def set_overwrite_module_params_on_conversion(value):
    """Whether conversions make new Parameters: False alone. Raises ``NotImplementedError`` for True.

    >>> set_overwrite_module_params_on_conversion(False)
    """
    if value:
        raise NotImplementedError(
            "conversions keep the Parameter objects, so that optimizers see them; deep-copy the module for others"
        )


def get_overwrite_module_params_on_conversion():
    """False.

    >>> get_overwrite_module_params_on_conversion()
    False
    """
    return False


def set_swap_module_params_on_conversion(value):
    """Whether conversions swap a Parameter's contents for new ones; they keep the object either way.

    >>> set_swap_module_params_on_conversion(False)
    """
    _settings["swap"] = bool(value)


def get_swap_module_params_on_conversion():
    """What was set last.

    >>> get_swap_module_params_on_conversion()
    False
    """
    return _settings["swap"]
