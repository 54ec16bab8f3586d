"""Special functions, as ``torch.special``: those that ops register for this face, and those of the top.

>>> import minidl
>>> minidl.special.expit(minidl.zeros(2))
tensor([0.5000, 0.5000])
"""

from minidl import absent as _absent
from minidl import ops as _ops  # noqa: F401 - registers the functions
from minidl.autograd import registry as _registry

_SAME = """
    digamma erf erfc erfinv exp2 expit expm1 i0 log1p log_softmax logit logsumexp polygamma round sinc softmax xlogy
"""
_RENAMED = {
    "gammaln": "lgamma",
    "psi": "digamma",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "multigammaln": "mvlgamma",
}

globals().update(_registry.FACES["special"])
globals().update({name: _registry.FACES["torch"][name] for name in _SAME.split()})
globals().update({name: _registry.FACES["torch"][other] for name, other in _RENAMED.items()})


def __getattr__(name):
    raise AttributeError(_absent.message("module 'minidl.special'", name))
