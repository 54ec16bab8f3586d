"""``torch.distributions``: the base class, for programs that ask whether a value is a distribution or define their own.

There are no ready distributions: naming one says so. ``multinomial``, ``normal``, ``bernoulli`` and
``nn.functional.log_softmax`` give samples and log-probabilities.
"""

from minidl.distributions.distribution import Distribution

__all__ = ["Distribution"]


def __getattr__(name):
    raise AttributeError(
        f"module 'minidl.distributions' has no attribute {name!r}: only the base class Distribution is there. "
        "Hint: minidl.multinomial, normal and bernoulli draw samples; log_softmax and gather give log-probabilities"
    )
