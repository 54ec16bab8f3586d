"""Dtype policies: the dtype that layers compute in, and the one that they keep weights in."""

from minidl.keras.engine.tensors import standardize_dtype
from minidl.keras.settings import floatx

_MIXED = {"mixed_float16": ("float16", "float32"), "mixed_bfloat16": ("bfloat16", "float32")}
_global = [None]


class DTypePolicy:
    """``DTypePolicy("mixed_bfloat16")`` computes in bfloat16 and keeps float32 weights; ``"float16"`` does both in it.

    Raises ``ValueError`` for an unknown name.

    >>> from minidl.keras.mixed_precision import Policy
    >>> policy = Policy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name}")
        self.name = name
        if name in _MIXED:
            self.compute_dtype, self.variable_dtype = _MIXED[name]
            return
        if name not in _DTYPES:
            raise ValueError(
                f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include "
                "'mixed_float16', 'mixed_bfloat16', and the name of any float dtype such as 'float32'."
            )
        self.compute_dtype = self.variable_dtype = name

    def get_config(self):
        """What ``from_config`` takes."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """A policy of its config."""
        return cls(**config)

    def __eq__(self, other):
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f'<DTypePolicy "{self.name}">'


_DTYPES = {
    *("bfloat16", "float16", "float32", "float64", "bool"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "string"),
}


def get(identifier):
    """The policy of a name, a policy, a dtype, a config dict, or None (the global one)."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        config = identifier.get("config", identifier)
        return DTypePolicy(config["name"])
    if isinstance(identifier, str) and identifier in _MIXED:
        return DTypePolicy(identifier)
    return DTypePolicy(standardize_dtype(identifier))


def dtype_policy():
    """The global policy: ``floatx()`` unless it was set."""
    return _global[0] or DTypePolicy(floatx())


def set_dtype_policy(policy):
    """Sets the policy of layers made from now on: a name such as ``'mixed_bfloat16'``, or a policy."""
    _global[0] = get(policy) if policy is not None else None
