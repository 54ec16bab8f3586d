"""Spectral normalisation: a parameter divided by its largest singular value."""

from minidl.autograd.modes import no_grad
from minidl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from minidl.nn.parameter import Parameter
from minidl.nn.utils.weight_norm import hook_of
from minidl.ops.matmul import dot, mv
from minidl.ops.matrix_norms import vector_norm
from minidl.ops.random import randn

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that ``spectral_norm`` puts before a module's forward: it computes ``weight`` from ``weight_orig``."""

    def __init__(self, name="weight", n_power_iterations=1, dim=0, eps=1e-12):
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.n_power_iterations, self.eps = name, dim, n_power_iterations, eps

    def reshape_weight_to_matrix(self, weight):
        """The weight as a matrix whose rows are its slices along ``dim``."""
        if self.dim:
            weight = weight.permute(self.dim, *(d for d in range(weight.dim()) if d != self.dim))
        return weight.reshape(weight.size(0), -1)

    def _normalized(self, vector):
        return vector / vector_norm(vector).clamp(min=self.eps)

    def compute_weight(self, module, do_power_iteration):
        """``weight_orig / (u^T W v)``; with ``do_power_iteration`` u and v, the buffers, come closer first."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(self._normalized(mv(matrix.t(), u)))
                    u.copy_(self._normalized(mv(matrix, v)))
                u, v = u.clone(), v.clone()  # the next iteration writes into the buffers before this backward
        return weight / dot(u, mv(matrix, v))

    def remove(self, module):
        """Makes the weight a parameter again, with its present value."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in (self.name, f"{self.name}_u", f"{self.name}_v", f"{self.name}_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divides a parameter W by its largest singular value, which power iterations approach. Returns the module.

    ``sigma = u^T W v`` with ``v = W^T u / |W^T u|`` and ``u = W v / |W v|``, ``n_power_iterations`` times before every
    forward in training. W is a matrix whose rows are the slices along ``dim`` (default 0; 1 for transposed
    convolutions). The module has ``name_orig`` as parameter and ``name_u``, ``name_v`` as buffers. Raises
    ``RuntimeError`` where the parameter is normalised already, ``ValueError`` for no iterations.
    Source: T. Miyato et al. (2018), arXiv:1802.05957; ``torch.nn.utils.spectral_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.spectral_norm(minidl.nn.Linear(20, 40))
    >>> layer.weight_u.shape, layer.weight_v.shape
    (torch.Size([40]), torch.Size([20]))
    """
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    if hook_of(module, SpectralNorm, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = module._parameters.get(name)
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    with no_grad():
        rows, columns = hook.reshape_weight_to_matrix(weight).shape
        like = {"dtype": weight.dtype, "device": weight.device}
        u, v = hook._normalized(randn(rows, **like)), hook._normalized(randn(columns, **like))
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)  # computed anew before every forward
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module, name="weight"):
    """Undoes ``spectral_norm``: the parameter keeps its present, divided value. Returns the module.

    Raises ``ValueError`` where it is not normalised. Source: ``torch.nn.utils.remove_spectral_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.spectral_norm(minidl.nn.Linear(2, 1))
    >>> sorted(minidl.nn.utils.remove_spectral_norm(layer).state_dict())
    ['bias', 'weight']
    """
    key = hook_of(module, SpectralNorm, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    module._forward_pre_hooks.pop(key).remove(module)
    return module
