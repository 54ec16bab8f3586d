"""Scaled dot-product attention by tiles, without an array of scores; what is kept is a logarithm a query."""

from minidl.backends.device_calls import stream, view


def _served(query, *others):
    char = query.dtype.char
    widest = 64 if char == "d" else 128  # what the kernels' tiles hold
    return (
        char in "fdeE"
        and all(other is None or other.dtype == query.dtype for other in others)
        and query.size
        and max(query.shape[-1], others[1].shape[-1]) <= widest
        and others[1].size
    )


def _spread(xp, bias, shape):
    """The bias with the shape of the scores: a view, 0 strides where it broadcasts."""
    return None if bias is None else xp.broadcast_to(bias, shape)


def _sums(xp, query):
    return xp.empty(query.shape[:-1], "float64" if query.dtype.char == "d" else "float32")


def attention(xp, ext, query, key, value, bias, causal, scale):
    if not _served(query, key, value, bias):
        return NotImplemented
    out = xp.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    lse = _sums(xp, query)
    scores = (*query.shape[:-1], key.shape[-2])
    inputs = view(query), view(key), view(value), view(_spread(xp, bias, scores))
    ext.attention(*inputs, causal, scale, view(out), view(lse), stream(xp))
    return out, lse


def attention_backward(xp, ext, g, query, key, value, bias, output, lse, causal, scale, needs):
    if not _served(query, key, value, bias, g, output):
        return NotImplemented
    grads = [
        xp.empty(x.shape, x.dtype) if need else None
        for x, need in zip((query, key, value), needs, strict=True)
    ]
    scores = (*query.shape[:-1], key.shape[-2])
    inputs = view(query), view(key), view(value), view(_spread(xp, bias, scores))
    delta = _sums(xp, query)  # named: it lives until the call returns
    kept = view(g), view(output), view(lse), view(delta)
    ext.attention_backward(*inputs, causal, scale, *kept, *map(view, grads), stream(xp))
    return tuple(grads)
