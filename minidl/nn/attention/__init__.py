"""``MultiheadAttention``: attention of several heads over learned projections."""

import contextlib
import enum

from minidl.nn import init
from minidl.nn.linear import Linear
from minidl.nn.module import Module
from minidl.nn.parameter import Parameter
from minidl.ops.create import empty
from minidl.ops.multi_head_attention import canonical_mask, multi_head_attention_forward
from minidl.ops.shapes import transpose

__all__ = ["MultiheadAttention"]


class SDPBackend(enum.IntEnum):
    """The ways to compute attention that PyTorch chooses from. Source: ``torch.nn.attention.SDPBackend``."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Changes nothing: minidl chooses by the shapes, and what it computes is the same.

    Raises ``AssertionError`` for what is no ``SDPBackend`` or list of them. Source: ``torch.nn.attention.sdpa_kernel``.

    >>> from minidl.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel([SDPBackend.MATH, SDPBackend.FLASH_ATTENTION]):
    ...     pass
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    yield


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear``; the name is what PyTorch prints for the output projection."""


class MultiheadAttention(Module):
    """Attention of ``num_heads`` heads: softmax(q_i k_iᵀ / sqrt(D) + mask) v_i each, side by side, projected again.

    Shapes, for L queries, S keys, N samples, E = ``embed_dim``, D = E / num_heads: query (L, N, E), key (S, N, kdim),
    value (S, N, vdim), with ``batch_first`` the samples first, or all without N -> output as the query, and weights
    (N, L, S), one a head (N, heads, L, S) without ``average_attn_weights``, None without ``need_weights``, which is
    the faster call. ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) or (N heads, L, S) are bool, True where nobody
    looks, or are added to the scores; ``is_causal`` is a hint that ``attn_mask`` is the causal one.

    Parameters: ``in_proj_weight`` (3 E, E), or ``q_proj_weight`` (E, E), ``k_proj_weight`` (E, kdim) and
    ``v_proj_weight`` (E, vdim) where kdim or vdim are not E, all from Xavier's uniform distribution; ``in_proj_bias``
    (3 E,) of zeros; ``out_proj``, a Linear; with ``add_bias_kv`` one more key and value, ``bias_k`` and ``bias_v``
    (1, 1, E). ``add_zero_attn`` adds a key and value of zeros. ``dropout`` drops probabilities in training.

    Raises ``AssertionError`` or ``RuntimeError`` for sizes that do not fit, ``ValueError`` for sizes below 1.
    A query that looks nowhere gives NaN with weights and the output's bias without.
    Source: A. Vaswani et al., "Attention is all you need", 2017; PyTorch's ``torch.nn.MultiheadAttention``.

    >>> import minidl
    >>> layer = minidl.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = minidl.ones(3, 5, 8)
    >>> output, weights = layer(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self,
        embed_dim,
        num_heads,
        dropout=0.0,
        bias=True,
        add_bias_kv=False,
        add_zero_attn=False,
        kdim=None,
        vdim=None,
        batch_first=False,
        device=None,
        dtype=None,
    ):
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        same = self._qkv_same_embed_dim
        sizes = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if same else None,
            "q_proj_weight": None if same else (embed_dim, embed_dim),
            "k_proj_weight": None if same else (embed_dim, self.kdim),
            "v_proj_weight": None if same else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, size in sizes.items():
            parameter = None if size is None else Parameter(empty(size, device=device, dtype=dtype))
            self.register_parameter(name, parameter)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self):
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            if getattr(self, name) is not None:
                init.xavier_uniform_(getattr(self, name))
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query,
        key,
        value,
        key_padding_mask=None,
        need_weights=True,
        attn_mask=None,
        average_attn_weights=True,
        is_causal=False,
    ):
        swapped = self.batch_first and query.ndim == 3
        key_padding_mask = canonical_mask(
            key_padding_mask, "key_padding_mask", query.dtype, attn_mask, "attn_mask"
        )
        attn_mask = canonical_mask(attn_mask, "attn_mask", query.dtype)
        if swapped:
            query, key, value = _steps_first(query, key, value)
        separate = not self._qkv_same_embed_dim
        output, weights = multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=separate,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (transpose(output, 0, 1) if swapped else output), weights


def _steps_first(query, key, value):
    """(N, T, E) -> (T, N, E); what was one tensor stays one, so that it is projected at once."""
    q = transpose(query, 0, 1)
    k = q if key is query else transpose(key, 0, 1)
    v = k if value is key else transpose(value, 0, 1)
    return q, k, v
