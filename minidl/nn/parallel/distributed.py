"""``DistributedDataParallel`` in one process."""

import contextlib

from minidl.distributed import demand_one_process
from minidl.nn.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Wraps a module and hands every call to it: there is one process, so gradients are those of its batch.

    The wrapped module is ``.module`` and its state's names begin with ``module.``, as PyTorch's do, so checkpoints go
    both ways. The other arguments are accepted and change nothing. Raises ``NotImplementedError`` where a launcher has
    started several processes (``WORLD_SIZE``), ``RuntimeError`` where no parameter requires a gradient, ``ValueError``
    for several ``device_ids``. Source: ``torch.nn.parallel.DistributedDataParallel``.

    >>> import minidl
    >>> from minidl import nn
    >>> net = nn.parallel.DistributedDataParallel(nn.Linear(3, 2))
    >>> with net.no_sync():
    ...     net(minidl.ones(4, 3)).sum().backward()
    >>> net.module.bias.grad
    tensor([4., 4.])
    """

    def __init__(
        self,
        module,
        device_ids=None,
        output_device=None,
        dim=0,
        broadcast_buffers=None,
        init_sync=True,
        process_group=None,
        bucket_cap_mb=None,
        find_unused_parameters=False,
        check_reduction=False,
        gradient_as_bucket_view=False,
        static_graph=False,
        delay_all_reduce_named_params=None,
        param_to_hook_all_reduce=None,
        mixed_precision=None,
        device_mesh=None,
        skip_all_reduce_unused_params=False,
        bucket_cap_mb_list=None,
        batched_grad_copy=False,
        forward_sync_buffers=None,
    ):
        super().__init__()
        demand_one_process("DistributedDataParallel")
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameters that require a "
                "gradient."
            )
        if device_ids is not None and len(device_ids) > 1:
            raise ValueError("device_ids can only be None or contain a single element.")
        self.module = module
        self.device_ids, self.output_device, self.dim = device_ids, output_device, dim
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self.gradient_as_bucket_view, self.static_graph = gradient_as_bucket_view, static_graph
        self.require_backward_grad_sync = True

    def forward(self, *inputs, **kwargs):
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self):
        """A context without communication, as everywhere; gradients accumulate as they do outside it."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def join(self, divide_by_initial_world_size=True, enable=True, throw_on_early_termination=False):
        """A context for inputs of uneven number: there are no other processes to wait for."""
        return contextlib.nullcontext(self)

    def register_comm_hook(self, state, hook):
        """Raises ``NotImplementedError``: nothing is communicated."""
        raise NotImplementedError(
            "register_comm_hook: one process communicates nothing. Hint: change the gradients after backward()."
        )
