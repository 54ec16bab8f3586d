"""How the windows of convolution and pooling lie on an input, one tuple entry a spatial dimension."""


def span(kernel, dilation):
    """Elements from the first to the last tap of a window: dilation (kernel - 1) + 1."""
    return dilation * (kernel - 1) + 1


def conv_output(size, kernel, stride, padding, dilation):
    """Output sizes of a convolution."""
    return tuple(
        (n + 2 * p - span(k, d)) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )


def pool_output(size, kernel, stride, padding, dilation, ceil_mode):
    """Output sizes of pooling. With ``ceil_mode`` a last window may hang over the end, not start there."""
    out = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - span(k, d)
        length = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (length - 1) * s >= n + p:
            length -= 1
        out.append(length)
    return tuple(out)


def overhang(size, out, kernel, stride, padding, dilation):
    """Elements by which the last window reaches beyond the right end of the input, at least ``padding``."""
    return tuple(
        max(p, (o - 1) * s + span(k, d) - n - p)
        for n, o, k, s, p, d in zip(size, out, kernel, stride, padding, dilation, strict=True)
    )


def adaptive_bounds(size, out):
    """The ``out`` bins of adaptive pooling over ``size`` elements: (start, end); neighbours may overlap."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
