"""``map_location``: where the tensors of a file are to be."""

from minidl import backends
from minidl.device import device
from minidl.errors import DeviceError


class _StorageFace:
    """What a function given as ``map_location`` sees of a storage: its device, and how to ask for another."""

    def __init__(self, where):
        self.device = where

    def cpu(self):
        return _StorageFace(device("cpu"))

    def cuda(self, device_index=None):
        return _StorageFace(device("cuda", device_index))


def locator(map_location):
    """A function from a saved device, or its name, to the device where a tensor is to be."""
    right = map_location is None or isinstance(map_location, (str, device, dict)) or callable(map_location)
    if not right:
        raise TypeError(
            f"map_location should be a str, a device, a dict, a function or None, not {type(map_location).__name__}"
        )
    table = map_location if isinstance(map_location, dict) else {}
    table = {str(key): device(value) for key, value in table.items()}
    everywhere = device(map_location) if isinstance(map_location, (str, device)) else None

    def located(saved):
        wanted = everywhere or table.get(str(saved))
        if wanted is None and callable(map_location):
            face = map_location(_StorageFace(device("cpu")), str(saved))
            wanted = None if face is None else face.device
        return _usable(device(saved) if wanted is None else wanted)

    return located


def _usable(wanted):
    try:
        backends.on(wanted)
    except DeviceError as error:
        kind = "a CUDA device" if wanted.type == "cuda" else f"device '{wanted}'"
        raise DeviceError(
            f"Attempting to deserialize object on {kind}, '{wanted}', which cannot be used here: {error} "
            "Hint: load with map_location='cpu'."
        ) from None
    return wanted
