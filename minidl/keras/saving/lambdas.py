"""Functions in configs: by name, or, where Keras does so, as Python code, which is run only where a program says so."""

import base64
import binascii
import builtins
import marshal
import types

from minidl.keras import custom_objects as custom
from minidl.keras.settings import in_safe_mode


def written(function, keras3):
    """What stands for a ``Lambda``'s function: its name; the code of a lambda expression, as Keras 2 or 3 writes it."""
    name = getattr(function, "__name__", type(function).__name__)
    if name != "<lambda>":
        name = custom.get_registered_name(function) if hasattr(function, "__name__") else name
        if not keras3:
            return name
        return {"class_name": "function", "config": name, "module": "builtins", "registered_name": name}
    if function.__closure__:
        raise ValueError(
            "A lambda that uses variables of the function around it cannot be saved. Hint: define a named function and "
            "register it by @keras.utils.register_keras_serializable()."
        )
    code = base64.b64encode(marshal.dumps(function.__code__)).decode("ascii") + "\n"
    defaults = None if function.__defaults__ is None else list(function.__defaults__)
    if keras3:
        return {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": None}}
    return [code, defaults, None]


def read(value, layer, safe_mode):
    """The function of a ``Lambda``'s config. ``ValueError`` for code, unless ``safe_mode=False``; for unknown names."""
    if callable(value):
        return value
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("registered_name") or value.get("config")
    if isinstance(value, str):
        found = custom.lookup(value)
        if found is None:
            raise ValueError(
                f"The Lambda layer '{layer}' calls the function {value!r}, which files do not hold. Hint: pass "
                f"custom_objects={{{value!r}: ...}}."
            )
        return found
    code = value
    if isinstance(value, dict):
        code = [value.get("config", {}).get(key) for key in ("code", "defaults", "closure")]
    if in_safe_mode(safe_mode):
        raise ValueError(
            f"The file holds Python code, in the Lambda layer '{layer}': loading it could run anything. It was not "
            "loaded. Hint: if you trust where the file comes from, pass safe_mode=False."
        )
    return _function(code, layer)


def _function(parts, layer):
    try:
        code = marshal.loads(base64.b64decode(parts[0]))
    except (binascii.Error, ValueError, EOFError, TypeError) as error:
        raise ValueError(
            f"The code of the Lambda layer '{layer}' is not of this version of Python: {error}. Hint: rebuild the "
            "model by its own program."
        ) from None
    if parts[2]:
        raise ValueError(f"The Lambda layer '{layer}' keeps variables with its code, which is not supported")
    scope = {"__builtins__": builtins, **custom.get_custom_objects()}
    return types.FunctionType(code, scope, "<lambda>", tuple(parts[1]) if parts[1] else None)
