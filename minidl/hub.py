"""``torch.hub`` is not there: programs of others are neither downloaded nor run. Each name says what to do instead.

>>> import minidl
>>> minidl.hub.load("pytorch/vision", "resnet18")
Traceback (most recent call last):
NotImplementedError: models are not downloaded...
"""

_INSTEAD = (
    "models are not downloaded: copy the program of the model, download its weights, and give them to it with "
    "model.load_state_dict(minidl.load(path))"
)


def load(repo_or_dir, model, *args, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.hub.load``."""
    raise NotImplementedError(_INSTEAD)


def load_state_dict_from_url(url, *args, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.hub.load_state_dict_from_url``."""
    raise NotImplementedError(_INSTEAD)


def download_url_to_file(url, dst, *args, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.hub.download_url_to_file``."""
    raise NotImplementedError(_INSTEAD)
