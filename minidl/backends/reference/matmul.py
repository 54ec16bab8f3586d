"""Matrix products."""


def matmul(xp, input, other):
    """Batched matrix product of arrays of two and more dimensions; 16-bit floats accumulate in float32."""
    if input.dtype.itemsize == 2 and input.dtype.kind not in "iu":
        return xp.matmul(input.astype("float32"), other.astype("float32")).astype(input.dtype)
    return xp.matmul(input, other)


def linear(xp, input, weight, bias):
    """input[..., K] times weight[O, K] transposed, plus bias[O] or None."""
    out = matmul(xp, input, weight.T)
    return out if bias is None else xp.add(out, bias, out=out)
