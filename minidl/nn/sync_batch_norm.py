"""``SyncBatchNorm``: batch normalisation over the processes of a program, of which minidl has one."""

from minidl.nn.norm import _BatchNorm

__all__ = ["SyncBatchNorm"]


class SyncBatchNorm(_BatchNorm):
    """``BatchNorm1d`` for inputs of any rank, over the batches of all processes of ``process_group``.

    minidl's programs are single processes, where this is batch normalisation; ``process_group`` is kept and not used.
    Shapes: input (N, C, *) with C = ``num_features``, output as input.

    Raises ``ValueError`` for fewer than two dimensions, no channels, or a single value per channel in training.
    Source: PyTorch's ``torch.nn.SyncBatchNorm``.

    >>> import minidl
    >>> minidl.nn.SyncBatchNorm(3)(minidl.ones(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self, num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, process_group=None,
        device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input):
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")
        if input.shape[1] == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with every batch normalisation below it, or itself, replaced by a ``SyncBatchNorm``.

        The new layers hold the same parameters and buffers.

        >>> from minidl import nn
        >>> nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3)))
        Sequential(
          (0): SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
        )
        """
        out = module
        if isinstance(module, _BatchNorm):
            out = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            out._parameters.update(module._parameters)
            out._buffers.update(module._buffers)
            out.training = module.training
        for name, child in module.named_children():
            out.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return out
