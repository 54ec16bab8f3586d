"""Quantiles of discrete distributions, by adding up their probabilities."""


def _first_above(xp, uniforms, first, ratio, last):
    """The smallest k with P(0) + ... + P(k) > u, where P(k) = P(k - 1) ratio(k), in logarithms; at most ``last``."""
    out = xp.zeros(uniforms.shape, "float64")
    log_p, total = first, xp.exp(first)
    for k in range(1, last + 1):
        out = out + (total <= uniforms)
        log_p = log_p + xp.log(ratio(k))
        total = total + xp.exp(log_p)
    return out


def poisson_quantile(xp, rate, uniforms):
    mean = rate.astype("float64")
    top = float(xp.max(mean)) if mean.size else 0.0
    return _first_above(xp, uniforms, -mean, lambda k: mean / k, int(top + 12 * top**0.5 + 20)).astype(
        rate.dtype
    )


def binomial_quantile(xp, count, prob, uniforms):
    n, p = count.astype("float64"), prob.astype("float64")
    top = int(xp.max(n)) if n.size else 0
    sure = p >= 1
    q = xp.where(sure, 0.5, p)
    out = _first_above(
        xp, uniforms, n * xp.log1p(-q), lambda k: xp.maximum(n - k + 1, 0) / k * q / (1 - q), top
    )
    return xp.where(sure, n, xp.minimum(out, n)).astype(count.dtype)
