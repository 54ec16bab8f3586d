"""``given_gradients``: a function and strategies for its inputs become a Hypothesis property test of its gradients."""

import datetime
import functools
import inspect

import hypothesis
from hypothesis.control import current_build_context

from minidl.testing.gradients import check_gradients
from minidl.testing.reproducing import note, unusual

_USUAL_DEADLINE = datetime.timedelta(milliseconds=200)


def given_gradients(
    *positional, order=1, modes=None, eps=1e-3, atol=1e-6, rtol=1e-5, twin=None, locate=True, **named
):
    """Turns a function of tensors into a test that its gradients are right wherever Hypothesis looks.

    Strategies are given for the function's parameters as to ``hypothesis.given``: by position, counted from the
    right, or by name. The function returns a tensor or a tuple; all floating-point tensors and arrays drawn are
    differentiated. A failure is shrunk to the smallest input and reported with the element, the analytic and the
    numeric value, the op on the tape that is wrong, and a program of a few lines that repeats it. The undecorated
    function stays at hand as ``test.checked``.

    Args:
        order, modes, eps, atol, rtol, twin, locate: as of ``check_gradients``.

    Raises (when the test runs):
        GradcheckError: names input and element, and gives both values.

    >>> import minidl
    >>> from minidl.testing import given_gradients, shapes, tensors
    >>> @given_gradients(x=tensors(shapes(max_dims=2)), order=2)
    ... def test_cube(x):
    ...     return x * x * x
    >>> test_cube()
    """
    options = {"order": order, "modes": modes, "eps": eps, "atol": atol, "rtol": rtol, "twin": twin}

    def decorate(fn):
        @hypothesis.given(*positional, **named)
        @functools.wraps(fn)
        def test(*args, **kwargs):
            given = inspect.signature(fn).bind(*args, **kwargs).arguments
            first = next(iter(given.values()), None)
            owner = type(first).__qualname__ if hasattr(type(first), fn.__name__) else None
            bound = () if owner is None else (given.pop(next(iter(given))),)  # self, of a method
            names, values = list(given), list(given.values())

            def of_all(*values):
                return fn(*bound, **dict(zip(names, values, strict=True)))

            of_all.__signature__ = inspect.Signature(
                [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
            )
            try:
                final = current_build_context().is_final  # not while it shrinks
                check_gradients(of_all, *values, locate=locate and final, **options)
            except hypothesis.errors.HypothesisException:  # of assume(): no failure
                raise
            except Exception as error:
                wrap = f"functools.partial({{}}.checked, {owner}())" if bound else "{}.checked"
                note(error, "check_gradients", fn, values, unusual(check_gradients, options), wrap)
                raise

        test.checked = fn
        settled = hasattr(fn, "_hypothesis_internal_use_settings")  # by a @settings below
        if not settled and hypothesis.settings.default.deadline == _USUAL_DEADLINE:
            # A gradient may take longer; a @settings above still rules.
            test._hypothesis_internal_use_settings = hypothesis.settings(deadline=None)
        return test

    return decorate
