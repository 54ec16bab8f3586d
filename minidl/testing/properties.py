"""``given_gradients``: a function and strategies for its inputs become a Hypothesis property test of its gradients."""

import functools

import hypothesis

from minidl.testing.gradients import check_gradients


def given_gradients(*positional, order=1, eps=1e-6, atol=1e-5, rtol=1e-3, fast_mode=False, **named):
    """Turns a function of tensors into a test that its gradients are right wherever Hypothesis looks.

    Strategies are given for the function's parameters as to ``hypothesis.given``: by position, counted from the
    right, or by name. The function returns a tensor or a tuple; all floating-point tensors and arrays drawn are
    differentiated. A failure is shrunk to the smallest input and reported with the analytic and the numeric value.

    Args:
        order: 1 checks the gradient; 2 checks the second gradient too.
        eps, atol, rtol, fast_mode: as of ``autograd.gradcheck``.

    Raises (when the test runs):
        GradcheckError: names input and element, and gives both values.

    >>> import minidl
    >>> from minidl.testing import given_gradients, shapes, tensors
    >>> @given_gradients(x=tensors(shapes(max_dims=2)), order=2)
    ... def test_cube(x):
    ...     return x * x * x
    >>> test_cube()
    """

    def decorate(fn):
        @hypothesis.given(*positional, **named)
        @functools.wraps(fn)
        def test(*args, **kwargs):
            names = list(kwargs)

            def of_all(*values):
                return fn(*values[: len(args)], **dict(zip(names, values[len(args) :], strict=True)))

            check_gradients(
                of_all,
                *args,
                *kwargs.values(),
                order=order,
                eps=eps,
                atol=atol,
                rtol=rtol,
                fast_mode=fast_mode,
            )

        return test

    return decorate
