"""Parametrizations of weights: of length and direction, of spectral norm one, orthogonal."""

import functools

from minidl import dtypes
from minidl.autograd.modes import no_grad
from minidl.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from minidl.nn.module import Module
from minidl.nn.utils.parametrize import register_parametrization
from minidl.nn.utils.weight_norm import WeightNorm
from minidl.ops.comparison import allclose
from minidl.ops.create import eye
from minidl.ops.joining import cat
from minidl.ops.linear_systems import matrix_exp, solve
from minidl.ops.low_rank import householder_product
from minidl.ops.matmul import dot, mv
from minidl.ops.normalize import normalize
from minidl.ops.random import randn
from minidl.ops.reflections import geqrf

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    """``g v / |v|`` of the length g and the direction v."""

    def __init__(self, dim):
        super().__init__()
        self.norm = WeightNorm("weight", dim).norm

    def forward(self, weight_g, weight_v):
        return weight_v * (weight_g / self.norm(weight_v))

    def right_inverse(self, weight):
        return self.norm(weight), weight


def weight_norm(module, name="weight", dim=0):
    """Parametrizes a tensor w by its length g and its direction v: ``w = g v / |v|``. Returns the module.

    The lengths are those of the slices along ``dim``, or of the whole tensor for None. ``original0`` is g, with sides
    of 1 but for ``dim``; ``original1`` is v. A ``state_dict`` of the older ``nn.utils.weight_norm`` is taken too.
    Raises ``ValueError`` where there is no such tensor. Source: T. Salimans, D. Kingma (2016), arXiv:1602.07868;
    ``torch.nn.utils.parametrizations.weight_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.weight_norm(minidl.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module._register_load_state_dict_pre_hook(functools.partial(_take_older_names, name))
    return module


def _take_older_names(name, state_dict, prefix, *_):
    """A hook of loading: what ``nn.utils.weight_norm`` calls the length and the direction."""
    for old, new in ((f"{name}_g", "original0"), (f"{name}_v", "original1")):
        if prefix + old in state_dict:
            state_dict[f"{prefix}parametrizations.{name}.{new}"] = state_dict.pop(prefix + old)


class _SpectralNorm(Module):
    """A weight divided by ``u^T W v``; the buffers u and v come nearer to its singular vectors in training."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        if not -weight.dim() <= dim < weight.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-weight.dim()}, {weight.dim() - 1}] but got "
                f"{dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps, self.n_power_iterations = dim % weight.dim(), eps, n_power_iterations
        if weight.dim() > 1:
            with no_grad():
                rows, columns = self._matrix(weight).shape
                for name, size in (("_u", rows), ("_v", columns)):
                    start = randn(size, dtype=weight.dtype, device=weight.device)
                    self.register_buffer(name, normalize(start, dim=0, eps=eps))
                self._approach(self._matrix(weight), 15)

    def _matrix(self, weight):
        """The weight as a matrix whose rows are its slices along ``dim``."""
        return weight.movedim(self.dim, 0).flatten(1)

    def _approach(self, matrix, steps):
        for _ in range(steps):
            self._u.copy_(normalize(mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(normalize(mv(matrix.mT, self._u), dim=0, eps=self.eps))

    def forward(self, weight):
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            with no_grad():
                self._approach(matrix, self.n_power_iterations)
        u, v = (
            self._u.clone(),
            self._v.clone(),
        )  # the next call writes into the buffers before this one's backward
        return weight / dot(u, mv(matrix, v))

    def right_inverse(self, value):
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Parametrizes a tensor W by itself divided by its largest singular value. Returns the module.

    ``sigma = u^T W v`` with ``u = W v / |W v|`` and ``v = W^T u / |W^T u|``, ``n_power_iterations`` times at every
    reading in training. W is a matrix whose rows are the slices along ``dim`` (default 0; 1 for transposed
    convolutions); a vector is divided by its length. Raises ``ValueError`` for no tensor of this name or no
    iterations, ``IndexError`` for no such dimension. Source: T. Miyato et al. (2018), arXiv:1802.05957;
    ``torch.nn.utils.parametrizations.spectral_norm``.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.spectral_norm(minidl.nn.Linear(4, 4)).eval()
    >>> abs(minidl.linalg.matrix_norm(layer.weight, 2).item() - 1) < 0.1
    True
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    """A matrix (rows >= columns, or its transpose) with orthonormal columns, from any matrix X of its shape.

    Without a base: what ``_MAPS`` makes of X. With one (trivialization): ``base Q(X)``, where X is -1 on the diagonal
    at the start, of which each map makes the identity.
    """

    def __init__(self, weight, orthogonal_map, use_trivialization):
        super().__init__()
        self.orthogonal_map = orthogonal_map
        self.register_buffer("base", None)
        if use_trivialization:
            self.base = weight.detach()  # a place for it: ``right_inverse`` puts the matrix there

    def forward(self, X):
        wide = X.size(-2) < X.size(-1)
        X = X.mT if wide else X
        columns = X.size(-1)
        Q = _MAPS[self.orthogonal_map](X)
        if self.base is not None:
            Q = self.base @ Q
        Q = Q[..., :columns]
        return Q.mT if wide else Q

    def right_inverse(self, Q):
        if self.orthogonal_map != "householder" and self.base is None:
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        wide = Q.size(-2) < Q.size(-1)
        tall = Q.mT if wide else Q
        if self.base is None:
            X = _reflections_of(tall)
            return X.mT if wide else X
        self.base = _completed(tall)
        start = Q.new_zeros(Q.shape)
        start.diagonal(0, -2, -1).fill_(-1)
        return start


def _skew(X):
    """``A - A^T`` of the lower triangle A, a square matrix of as many columns as X has rows."""
    A = X.tril()
    rows, columns = X.shape[-2:]
    if rows != columns:
        A = cat([A, A.new_zeros((*X.shape[:-1], rows - columns))], -1)
    return A - A.mT


def _exponential(X):
    return matrix_exp(_skew(X))


def _cayley(X):
    """``(I - A/2)^-1 (I + A/2)`` of a skew matrix A."""
    A = _skew(X)
    identity = eye(A.size(-1), dtype=A.dtype, device=A.device)
    return solve(identity - A / 2, identity + A / 2)


def _householder(X):
    """The product of the reflections at X's columns below the diagonal, with the signs of the diagonal."""
    A = X.tril(-1)
    tau = 2 / (1 + (A * A).sum(-2))
    return householder_product(A, tau) * X.diagonal(0, -2, -1).int().unsqueeze(-2)


_MAPS = {"matrix_exp": _exponential, "cayley": _cayley, "householder": _householder}


def _reflections_of(Q):
    """A matrix of which ``_householder`` makes Q."""
    A, tau = geqrf(Q)
    signs = A.diagonal(0, -2, -1)
    signs.sign_()
    signs[tau == 0] *= -1
    return A


def _completed(Q):
    """A square matrix with orthonormal columns, of which the first are Q's where those are orthonormal."""
    rows, columns = Q.shape[-2:]
    if rows == columns and _is_orthonormal(Q):
        return Q.clone()
    if rows != columns:
        more = randn(*Q.shape[:-1], rows - columns, dtype=Q.dtype, device=Q.device)
        Q = cat([Q, more], -1)
    A, tau = geqrf(Q)
    return householder_product(A, tau) * A.diagonal(0, -2, -1).sgn().unsqueeze(-2)


def _is_orthonormal(Q):
    identity = eye(Q.size(-1), dtype=Q.dtype, device=Q.device)
    return allclose(Q.mT @ Q, identity, rtol=0.0, atol=10 * Q.size(-1) * dtypes.finfo(Q.dtype).eps)


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Parametrizes a matrix (or a batch) so that it stays orthogonal. Returns the module.

    ``Q^T Q = I`` for at least as many rows as columns, ``Q Q^T = I`` otherwise. Maps: ``'matrix_exp'``, ``exp(A)`` of a
    skew matrix A; ``'cayley'``, ``(I - A/2)^-1 (I + A/2)``; ``'householder'``, a product of reflections. Default: the
    first for square matrices, else the last. With ``use_trivialization`` the matrix is ``B Q(X)`` with a fixed B,
    which conditions better and lets a matrix be assigned. Raises ``ValueError`` for no tensor of this name, for no
    matrix and for an unknown map. Source: M. Lezcano-Casado (2019), arXiv:1909.09501;
    ``torch.nn.utils.parametrizations.orthogonal``.

    >>> import minidl
    >>> layer = minidl.nn.utils.parametrizations.orthogonal(minidl.nn.Linear(20, 40))
    >>> minidl.allclose(layer.weight.T @ layer.weight, minidl.eye(20), atol=1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    orth = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, orth, unsafe=True)


def _tensor_of(module, name):
    tensor = getattr(module, name, None)
    if tensor is None or not hasattr(tensor, "dim"):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return tensor
