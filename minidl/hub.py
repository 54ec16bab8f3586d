"""``torch.hub`` without a network: weights are read from its folder, nothing is downloaded, no repository is run.

>>> import minidl
>>> minidl.hub.load("pytorch/vision", "resnet18")
Traceback (most recent call last):
NotImplementedError: models are not downloaded...
"""

import os
import re
from urllib.parse import urlparse

from minidl import io

_INSTEAD = (
    "models are not downloaded: copy the program of the model, download its weights, and give them to it with "
    "model.load_state_dict(minidl.load(path))"
)
_folder = {"path": None}
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # the digest in the name of a file of weights


def get_dir():
    """The folder of what PyTorch's hub has downloaded: ``set_dir``'s, else ``$TORCH_HOME/hub``, where ``TORCH_HOME``
    is by default ``torch`` in ``$XDG_CACHE_HOME`` or ``~/.cache``. Source: ``torch.hub.get_dir``.

    >>> import minidl
    >>> minidl.hub.set_dir("/tmp/weights")
    >>> minidl.hub.get_dir()
    '/tmp/weights'
    >>> minidl.hub.set_dir(None)
    """
    return os.path.join(_get_torch_home(), "hub") if _folder["path"] is None else _folder["path"]


def _get_torch_home():  # torchvision asks by this name
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def set_dir(d):
    """Sets the folder that ``get_dir`` answers; None for the default. Source: ``torch.hub.set_dir``."""
    _folder["path"] = None if d is None else os.path.expanduser(d)


def load_state_dict_from_url(
    url,
    model_dir=None,
    map_location=None,
    progress=True,
    check_hash=False,
    file_name=None,
    weights_only=False,
):
    """The weights of a file that is already in ``model_dir`` (default: ``checkpoints`` in ``get_dir()``), under
    ``file_name`` or the url's last part: where PyTorch keeps what it has downloaded. Raises ``NotImplementedError``
    where no such file is there: nothing is downloaded. Source: ``torch.hub.load_state_dict_from_url``.

    >>> import minidl, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     minidl.save({"weight": minidl.ones(2)}, f"{folder}/small.pth")
    ...     minidl.hub.load_state_dict_from_url("https://example.org/small.pth", folder)
    {'weight': tensor([1., 1.])}
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if os.path.exists(path):
        return io.load(path, map_location=map_location)
    raise NotImplementedError(f"weights are not downloaded: fetch {url} and put it at {path}")


def load(repo_or_dir, model, *args, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.hub.load``."""
    raise NotImplementedError(_INSTEAD)


def download_url_to_file(url, dst, *args, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.hub.download_url_to_file``."""
    raise NotImplementedError(f"nothing is downloaded: fetch {url} and put it at {dst}")
