"""``DataParallel`` on one device."""

from minidl.nn.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Wraps a module and hands every call to it: there is one device, so a batch is not cut.

    The wrapped module is ``.module`` and its state's names begin with ``module.``, as PyTorch's do, so checkpoints go
    both ways. ``device_ids``, ``output_device`` and ``dim`` are accepted and change nothing.
    Source: ``torch.nn.DataParallel``, which does the same where there is no GPU.

    >>> import minidl
    >>> from minidl import nn
    >>> net = nn.DataParallel(nn.Linear(3, 2))
    >>> net(minidl.ones(4, 3)).shape, list(net.state_dict())
    (torch.Size([4, 2]), ['module.weight', 'module.bias'])
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []
        self.output_device, self.dim = output_device, dim

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """``module(*inputs, **module_kwargs)``, on one device. Source: ``torch.nn.parallel.data_parallel``.

    >>> import minidl
    >>> minidl.nn.parallel.data_parallel(minidl.nn.ReLU(), minidl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    inputs = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*inputs, **(module_kwargs or {}))
