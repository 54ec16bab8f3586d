"""``keras.dtype_policies``: the dtypes that layers compute in and keep weights in.

>>> from minidl import keras
>>> keras.dtype_policies.get("mixed_float16").variable_dtype
'float32'
"""

from minidl.keras.engine.policy import DTypePolicy, get

FloatDTypePolicy = DTypePolicy

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]


def serialize(dtype_policy):
    """The config of a policy."""
    return {"class_name": "DTypePolicy", "config": dtype_policy.get_config()}


def deserialize(config, custom_objects=None):
    """The policy of a config or a name."""
    return get(config)
