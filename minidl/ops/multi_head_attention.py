"""Multi-head attention as a function of its weights, and the masks that it takes.

Every head is a scaled dot-product attention of the projected inputs; the heads' results, side by side, are projected
once more. Source: A. Vaswani et al., "Attention is all you need", 2017.
"""

import math
import warnings
from typing import NamedTuple

from minidl import dtypes
from minidl.autograd import Tensor, function
from minidl.ops.arithmetic import add, mul
from minidl.ops.attention import scaled_dot_product_attention
from minidl.ops.create import zeros, zeros_like
from minidl.ops.dropout import dropout
from minidl.ops.joining import cat, chunk, split
from minidl.ops.matmul import _product, _swapped, linear
from minidl.ops.pad import pad
from minidl.ops.reductions import mean
from minidl.ops.shapes import expand, permute, reshape, squeeze, unsqueeze
from minidl.ops.softmax import softmax
from minidl.ops.writing import masked_fill


class _Weights(NamedTuple):
    """in_proj (3 E, E) and its bias (3 E,) in one, or the three separate matrices with that bias."""

    packed: Tensor | None
    separate: tuple | None
    bias: Tensor | None


def canonical_mask(mask, name, dtype, other=None, other_name=""):
    """A mask as what is added to the scores: -inf where a bool mask is True; None stays None.

    Raises ``AssertionError`` for integers; warns where ``other``, a second mask, has another dtype.
    """
    if mask is None or mask.dtype.is_floating_point:
        added = mask
    elif mask.dtype is dtypes.bool_:
        added = masked_fill(zeros_like(mask, dtype=dtype), mask, -math.inf)
    else:
        raise AssertionError(
            f"only bool and floating types of {name} are supported. Hint: got {mask.dtype!r}."
        )
    if mask is not None and other is not None and mask.dtype != other.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    return added


def _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether the inputs are batched. Raises ``AssertionError`` where the others' ranks do not fit the query's."""
    rank = query.ndim
    if rank not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {rank}-D query tensor"
        )
    kind = f"For {'batched' if rank == 3 else 'unbatched'} ({rank}-D) `query`, expected"
    if key.ndim != rank or value.ndim != rank:
        raise AssertionError(
            f"{kind} `key` and `value` to be {rank}-D but found {key.ndim}-D and {value.ndim}-D tensors respectively"
        )
    if key_padding_mask is not None and key_padding_mask.ndim != rank - 1:
        raise AssertionError(
            f"{kind} `key_padding_mask` to be `None` or {rank - 1}-D but found {key_padding_mask.ndim}-D "
            "tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.ndim not in (2, 3):
            raise AssertionError(
                f"{kind} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.ndim}-D tensor instead"
            )
        if rank == 2 and attn_mask.ndim == 3:
            wanted = (num_heads, query.shape[0], key.shape[0])
            if tuple(attn_mask.shape) != wanted:
                raise AssertionError(f"Expected `attn_mask` shape to be {wanted} but got {attn_mask.shape}")
    return rank == 3


def _check_sizes(query, key, value, embed_dim, num_heads, separate):
    if query.shape[-1] != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {query.shape[-1]}")
    if embed_dim % num_heads != 0:
        raise AssertionError(f"embed_dim {embed_dim} not divisible by num_heads {num_heads}")
    if separate:
        if key.shape[:2] != value.shape[:2]:
            raise AssertionError(
                f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
            )
    else:
        if key.shape != value.shape:
            raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def _projected(query, key, value, weights):
    """q (L, N, E), k and v (S, N, E): as few products as there are different inputs."""
    if weights.separate is not None:
        biases = (None,) * 3 if weights.bias is None else chunk(weights.bias, 3)
        return [linear(*given) for given in zip((query, key, value), weights.separate, biases, strict=True)]
    size = query.shape[-1]
    if key is value and query is key:
        return chunk(linear(query, weights.packed, weights.bias), 3, -1)
    rows = split(weights.packed, [size, 2 * size])
    biases = (None, None) if weights.bias is None else split(weights.bias, [size, 2 * size])
    if key is value:
        return [linear(query, rows[0], biases[0]), *chunk(linear(key, rows[1], biases[1]), 2, -1)]
    rows = chunk(weights.packed, 3)
    biases = (None,) * 3 if weights.bias is None else chunk(weights.bias, 3)
    return [linear(*given) for given in zip((query, key, value), rows, biases, strict=True)]


def _heads(x, batch, count):
    """(T, N, E) -> (N, heads, T, E / heads)."""
    x = reshape(x, (x.shape[0], batch, count, x.shape[-1] // count))
    return permute(x, (1, 2, 0, 3))


def _given_heads(x, name, batch, count, size):
    """Static keys or values (N heads, S, E / heads) as (N, heads, S, E / heads)."""
    if x.shape[0] != batch * count:
        raise AssertionError(f"expecting {name}.size(0) of {batch * count}, but got {x.shape[0]}")
    if x.shape[2] != size:
        raise AssertionError(f"expecting {name}.size(2) of {size}, but got {x.shape[2]}")
    return reshape(x, (batch, count, *x.shape[1:]))


def _appended(x, row):
    """Keys or values (N, heads, S, D) with one more row in the end."""
    row = reshape(row, (1, x.shape[1], 1, x.shape[3]))
    return cat([x, expand(row, (x.shape[0], -1, -1, -1))], 2)


def _bias_mask(attn_mask, batch, heads, length, source):
    """The attention mask as (1, 1, L, S) or (N, heads, L, S)."""
    if attn_mask is None:
        return None
    if attn_mask.ndim == 2:
        if tuple(attn_mask.shape) != (length, source):
            raise RuntimeError(
                f"The shape of the 2D attn_mask is {attn_mask.shape}, but should be {(length, source)}."
            )
        return reshape(attn_mask, (1, 1, length, source))
    if tuple(attn_mask.shape) != (batch * heads, length, source):
        raise RuntimeError(
            f"The shape of the 3D attn_mask is {attn_mask.shape}, but should be {(batch * heads, length, source)}."
        )
    return reshape(attn_mask, (batch, heads, length, source))


def _padded_key_mask(key_padding_mask, batch, source):
    if key_padding_mask is None:
        return None
    for axis, size in enumerate((batch, source)):
        if key_padding_mask.shape[axis] != size:
            raise AssertionError(
                f"Expected key_padded_mask.shape[{axis}] to be {size}, but got {key_padding_mask.shape[axis]}"
            )
    return reshape(key_padding_mask, (batch, 1, 1, source))


def _with_weights(q, k, v, mask, dropout_p):
    """The heads' results, and the probabilities (N, heads, L, S); NaN in a row that looks nowhere, as in PyTorch."""
    scores = _product(mul(q, math.sqrt(1.0 / q.shape[-1])), _swapped(k))
    weights = softmax(scores if mask is None else add(scores, mask), -1)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return _product(weights, v), weights


@function(faces=("functional",), method=False)
def multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn,
    dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None,
    use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None,
    static_v=None, average_attn_weights=True, is_causal=False,
):  # fmt: skip
    """Attention of ``num_heads`` heads over projections of the inputs, projected again.

    head_i = softmax(q_i k_iᵀ / sqrt(D) + mask) v_i with q, k, v = query W_qᵀ + b_q, ...; result = [head_i] W_oᵀ + b_o

    Shapes, for L queries, S keys, N samples, E = ``embed_dim_to_check``, D = E / num_heads: query (L, N, E), key and
    value (S, N, E), or all without N; in_proj_weight (3 E, E), in_proj_bias (3 E,), out_proj_weight (E, E),
    out_proj_bias (E,); with ``use_separate_proj_weight`` q_proj_weight (E, E), k_proj_weight (E, any), v_proj_weight
    (E, any) instead of the first -> output as the query, weights (N, L, S), (N, heads, L, S) without
    ``average_attn_weights``, None without ``need_weights``.

    ``key_padding_mask`` (N, S) and ``attn_mask`` (L, S) or (N heads, L, S) are bool, True where nobody looks, or are
    added to the scores. ``bias_k`` and ``bias_v`` (1, 1, E) are one more key and value, ``add_zero_attn`` one more of
    zeros; ``static_k`` and ``static_v`` (N heads, S, D) stand for the projections. ``is_causal`` is a hint that
    ``attn_mask`` is the causal one, and needs it; without weights and key padding it hides the further keys too.

    Raises ``AssertionError`` or ``RuntimeError`` for ranks and sizes that do not fit. Source: A. Vaswani et al.,
    "Attention is all you need", 2017; ``torch.nn.functional.multi_head_attention_forward``.

    >>> import minidl
    >>> x, w = minidl.ones(3, 1, 2), minidl.eye(2)
    >>> attend = minidl.nn.functional.multi_head_attention_forward
    >>> out, weights = attend(x, x, x, 2, 1, w.repeat(3, 1), None, None, None, False, 0.0, w, None)
    >>> out.shape, weights[0, 0]
    (torch.Size([3, 1, 2]), tensor([0.3333, 0.3333, 0.3333]))
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = query is key, key is value
        query = unsqueeze(query, 1)
        key = query if same[0] else unsqueeze(key, 1)
        value = key if same[1] else unsqueeze(value, 1)
        key_padding_mask = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
    key_padding_mask = canonical_mask(
        key_padding_mask, "key_padding_mask", query.dtype, attn_mask, "attn_mask"
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    causal = is_causal and key_padding_mask is None and not need_weights
    attn_mask = None if causal else canonical_mask(attn_mask, "attn_mask", query.dtype)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = _in_projection(
        use_separate_proj_weight, in_proj_weight, (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias
    )
    q, k, v = _projected(query, key, value, weights)
    result, probabilities = _attend(
        (q, k, v), num_heads, (bias_k, bias_v), (static_k, static_v), add_zero_attn, attn_mask,
        key_padding_mask, causal, need_weights, dropout_p if training else 0.0,
    )  # fmt: skip
    result = linear(result, out_proj_weight, out_proj_bias)
    if need_weights and average_attn_weights:
        probabilities = mean(probabilities, 1)
    if batched:
        return result, probabilities
    return squeeze(result, 1), None if probabilities is None else squeeze(probabilities, 0)


def _in_projection(use_separate, packed, separate, bias):
    if not use_separate:
        if packed is None:
            raise AssertionError("use_separate_proj_weight is False but in_proj_weight is None")
        return _Weights(packed, None, bias)
    for name, weight in zip("qkv", separate, strict=True):
        if weight is None:
            raise AssertionError(f"use_separate_proj_weight is True but {name}_proj_weight is None")
    return _Weights(None, separate, bias)


def _attend(
    projected, num_heads, biases, static, add_zero_attn, attn_mask, key_padding_mask, causal, need_weights, dropout_p
):  # fmt: skip
    """Result (L, N, E) of the heads side by side, and the probabilities (N, heads, L, S) or None."""
    q, k, v = projected
    length, batch, size = q.shape
    head = size // num_heads
    extra = (biases[0] is not None and biases[1] is not None) + bool(add_zero_attn)
    source = k.shape[0] if static[0] is None else static[0].shape[1]
    attn_mask = _bias_mask(attn_mask, batch, num_heads, length, source)
    padding = _padded_key_mask(key_padding_mask, batch, source)
    q = _heads(q, batch, num_heads)
    k, v = (
        _heads(x, batch, num_heads) if given is None else _given_heads(given, name, batch, num_heads, head)
        for x, given, name in zip((k, v), static, ("static_k", "static_v"), strict=True)
    )
    if biases[0] is not None and biases[1] is not None:
        if static[0] is not None:
            raise AssertionError("bias cannot be added to static key.")
        if static[1] is not None:
            raise AssertionError("bias cannot be added to static value.")
        k, v = _appended(k, biases[0]), _appended(v, biases[1])
    else:
        if biases[0] is not None or biases[1] is not None:
            raise AssertionError("bias_k and bias_v come together")
    if add_zero_attn:
        nothing = zeros(size, dtype=k.dtype, device=k.device)
        k, v = _appended(k, nothing), _appended(v, nothing)
    if extra:
        attn_mask, padding = (
            None if mask is None else pad(mask, (0, extra)) for mask in (attn_mask, padding)
        )
    mask = attn_mask if padding is None else padding if attn_mask is None else add(attn_mask, padding)
    if need_weights:
        result, probabilities = _with_weights(q, k, v, mask, dropout_p)
    else:
        result = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal)
        probabilities = None
    return reshape(permute(result, (2, 0, 1, 3)), (length, batch, size)), probabilities
