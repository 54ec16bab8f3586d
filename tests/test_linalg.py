"""Linear algebra beside its rows: gradients at symmetric matrices, what cannot be decomposed, broadcasting."""

import numpy as np
import pytest

import minidl
from minidl.autograd import gradcheck, gradgradcheck


def symmetric(n=3, batch=()):
    a = np.random.default_rng(n).standard_normal((*batch, n, n))
    return minidl.tensor(a @ np.swapaxes(a, -1, -2) + np.diag(np.arange(1.0, n + 1)), requires_grad=True)


def halves(x):
    return (x + x.mT) / 2


def signless(x):
    """Eigenvectors up to their sign."""
    values, vectors = minidl.linalg.eigh(halves(x))
    return values, vectors.unsqueeze(-1) * vectors.unsqueeze(-2)


FUNCTIONS = {
    "cholesky": lambda x: minidl.linalg.cholesky(halves(x)),
    "eigh": signless,
    "eigvalsh": lambda x: minidl.linalg.eigvalsh(halves(x)),
    "pinv": lambda x: minidl.linalg.pinv(halves(x), hermitian=True),
}


@pytest.mark.parametrize("batch", [(), (2,)], ids=["one", "batch"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_at_symmetric_matrices(name, batch):
    x = symmetric(3, batch)
    assert gradcheck(FUNCTIONS[name], (x,))
    assert gradgradcheck(FUNCTIONS[name], (x,))


@pytest.mark.parametrize("function", [minidl.linalg.cholesky, minidl.linalg.eigvalsh])
def test_the_gradient_is_symmetric(function):
    x = symmetric()
    function(x).sum().backward()
    assert minidl.allclose(x.grad, x.grad.mT)


def test_ldl_factors_solve_indefinite_systems_and_have_no_gradient():
    a = np.random.default_rng(0).standard_normal((4, 9, 9))
    a += np.swapaxes(a, -1, -2)
    a[1:, range(9), range(9)] = 0  # pivots of two rows
    b = np.random.default_rng(1).standard_normal((9, 2))
    factors = minidl.linalg.ldl_factor(minidl.tensor(a))
    assert (factors.pivots.numpy() < 0).any()
    found = minidl.linalg.ldl_solve(*factors, minidl.tensor(b))
    np.testing.assert_allclose(found.numpy(), np.linalg.solve(a, np.broadcast_to(b, (4, 9, 2))), rtol=1e-9)
    with pytest.raises(NotImplementedError, match="linalg_ldl_factor_ex"):
        minidl.linalg.ldl_factor(minidl.eye(2).requires_grad_()).LD.sum().backward()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: minidl.linalg.inv(minidl.zeros(2, 2)), "singular"),
        (lambda: minidl.linalg.solve(minidl.zeros(2, 2), minidl.ones(2)), "singular"),
        (lambda: minidl.linalg.cholesky(-minidl.eye(2)), "leading minor of order 1"),
    ],
)
def test_what_has_no_decomposition(call, text):
    with pytest.raises(minidl.linalg.LinAlgError, match=text):
        call()


def test_complex_results_are_refused_by_name():
    with pytest.raises(AttributeError, match="complex numbers are not supported"):
        minidl.linalg.eig(minidl.eye(2))
    with pytest.raises(AttributeError, match="complex numbers are not supported"):
        minidl.fft.fft(minidl.ones(2))


@pytest.mark.parametrize("dtype", [minidl.int64, minidl.float16])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(RuntimeError, match=r"linalg.inv: (Expected a floating point|Low precision)"):
        minidl.linalg.inv(minidl.ones(2, 2).to(dtype))


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
def test_low_rank_matrices_are_found(shape):
    minidl.manual_seed(0)
    a = minidl.randn(shape[0], 2, dtype=minidl.float64) @ minidl.randn(2, shape[1], dtype=minidl.float64)
    U, S, V = minidl.svd_lowrank(a, q=3)
    assert minidl.allclose(U @ minidl.diag(S) @ V.mT, a)
    assert minidl.allclose(S[:2], minidl.linalg.svdvals(a)[:2])
    centred = a - a.mean(0)
    assert minidl.allclose(minidl.pca_lowrank(a, q=2)[1], minidl.linalg.svdvals(centred)[:2])


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 0, 3)])
def test_the_norm_of_a_matrix_without_elements(shape):
    """0 where a largest is asked for, as in PyTorch; there is no smallest singular value."""
    empty = minidl.zeros(shape)
    for order in (2, "nuc", "fro"):
        found = minidl.linalg.matrix_norm(empty, order)
        assert found.shape == shape[:-2] and (found == 0).all()
    with pytest.raises(IndexError, match="non-zero size"):
        minidl.linalg.matrix_norm(empty, -2)
