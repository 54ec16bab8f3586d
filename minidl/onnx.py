"""``torch.onnx`` is not there: programs are not traced, so there is no graph to write.

>>> import minidl
>>> minidl.onnx.export(minidl.nn.Linear(1, 1), minidl.ones(1), "model.onnx")
Traceback (most recent call last):
NotImplementedError: ONNX files are not written...
"""


def export(model, args=(), f=None, **kwargs):
    """Raises ``NotImplementedError``. Source: ``torch.onnx.export``."""
    raise NotImplementedError(
        "ONNX files are not written: save the weights with minidl.save(model.state_dict(), 'model.pt'), load them into "
        "PyTorch's model, and export that"
    )


def is_in_onnx_export():
    """False. Source: ``torch.onnx.is_in_onnx_export``."""
    return False
