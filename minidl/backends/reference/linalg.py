"""Decompositions of matrices [..., M, N], in float32 or float64."""

import math


def inv(xp, input):
    return xp.linalg.inv(input)


def solve_matrix(xp, A, B):
    """X with A X = B, both [..., N, K]."""
    return xp.linalg.solve(A, B)


def slogdet(xp, input):
    sign, logabsdet = xp.linalg.slogdet(input)
    return xp.asarray(sign, dtype=input.dtype), xp.asarray(logabsdet, dtype=input.dtype)


def det(xp, input):
    return xp.asarray(xp.linalg.det(input), dtype=input.dtype)


def cofactor(xp, input):
    """The matrix of cofactors, of singular matrices too: det(U) det(V) U diag(products of the other values) V^T."""
    u, s, vh = xp.linalg.svd(input)
    n = s.shape[-1]
    others = [xp.prod(xp.delete(s, i, -1) if n > 1 else xp.ones_like(s), axis=-1) for i in range(n)]
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return (xp.asarray(sign)[..., None, None] * (u * xp.stack(others, -1)[..., None, :]) @ vh).astype(
        input.dtype
    )


def cholesky(xp, input):
    """The lower factor. Only the lower triangle is read."""
    return xp.linalg.cholesky(input)


def qr(xp, input, mode):
    """Q and R; ``mode`` is "reduced" or "complete"."""
    return tuple(xp.linalg.qr(input, mode=mode))


def svd(xp, input, full):
    u, s, vh = xp.linalg.svd(input, full_matrices=full)
    return u, s, vh


def eigh(xp, input, lower):
    values, vectors = xp.linalg.eigh(input, UPLO="L" if lower else "U")
    return values, vectors


def lu_factor(xp, input):
    """Both factors in one matrix, and pivots (int32, from 1): rows exchanged in turn. Partial pivoting."""
    out = input.copy()
    rows, columns = out.shape[-2:]
    count = min(rows, columns)
    pivots = xp.zeros((*out.shape[:-2], count), "int32")
    if out.size == 0:
        return out, pivots
    flat, flat_pivots = out.reshape(-1, rows, columns), pivots.reshape(-1, count)
    for b in range(flat.shape[0]):
        a = flat[b]
        for k in range(count):
            p = k + int(xp.argmax(xp.absolute(a[k:, k])))
            flat_pivots[b, k] = p + 1
            if p != k:
                swapped = a[[k, p]].copy()
                a[p], a[k] = swapped[0], swapped[1]
            if a[k, k] != 0:
                a[k + 1 :, k] = a[k + 1 :, k] / a[k, k]
                a[k + 1 :, k + 1 :] -= a[k + 1 :, k : k + 1] * a[k : k + 1, k + 1 :]
    return flat.reshape(out.shape), flat_pivots.reshape(pivots.shape)


def pivots_to_rows(xp, pivots, rows):
    """For each place in the factored matrix the row of the given one, from exchanges in turn."""
    if pivots.size == 0:
        return xp.broadcast_to(xp.arange(rows), (*pivots.shape[:-1], rows)).copy()
    flat = pivots.reshape(-1, pivots.shape[-1])
    out = xp.zeros((flat.shape[0], rows), "int64")
    for b in range(flat.shape[0]):
        order = list(range(rows))
        for k, p in enumerate(flat[b].tolist()):
            order[k], order[p - 1] = order[p - 1], order[k]
        out[b] = xp.asarray(order)
    return out.reshape(*pivots.shape[:-1], rows)


def matrix_exp(xp, input):
    """Scaling and squaring with a Taylor series of degree 18 (A&S 4.2.1) of matrices of norm at most 1/2."""
    n = input.shape[-1]
    if input.size == 0:
        return input.copy()
    norm = float(xp.max(xp.sum(xp.absolute(input), axis=-1)))
    if not math.isfinite(norm):
        return xp.full(input.shape, xp.nan, input.dtype)
    squarings = max(0, math.ceil(math.log2(norm)) + 1) if norm > 0 else 0
    scaled = input / 2.0**squarings
    out = xp.broadcast_to(xp.eye(n, dtype=input.dtype), input.shape)
    for k in range(18, 0, -1):
        out = xp.eye(n, dtype=input.dtype) + scaled @ out / k
    for _ in range(squarings):
        out = out @ out
    return out.astype(input.dtype)
