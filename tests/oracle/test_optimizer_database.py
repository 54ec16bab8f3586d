"""PyTorch's own optimizer database: ten steps of each entry from equal parameters, ten more with the other library's
state, and what is refused.
"""

import copy
import warnings

import pytest
import torch
import torch_databases
from torch_databases import Converter, Unsupported, difference, raised, refusal_differs

import minidl

OPTIMIZERS = torch_databases.database("common_optimizers", "optim_db")
STEPS = 10

# What differs, and why: (optimizer, a part of what the failure says) -> reason.
KNOWN = {
    ("Muon", "differ by"): "its products are of bfloat16, summed in another order",
}


def _parameters(matrices):
    torch.manual_seed(3)
    shapes = [(4, 3), (3, 4), (2, 2)] if matrices else [(4, 3), (3,), ()]
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def _loss(library, parameters):
    """Not symmetric, with curvature, and a different slope in every step."""
    return sum((p * p * (0.5 + i) + (p - i).cos()).sum() for i, p in enumerate(parameters))


def _run(library, optimizer, parameters):
    def closure():
        optimizer.zero_grad()
        loss = _loss(library, parameters)
        loss.backward()
        return loss

    return [optimizer.step(closure) for _ in range(STEPS)]


def _differs(info, entry):
    matrices = info.optim_cls.__name__ == "Muon"
    theirs, convert = _parameters(matrices), Converter()
    ours = [convert(p) for p in theirs]
    kwargs = convert(dict(entry.kwargs))
    try:
        optimizer = info.optim_cls(theirs, **entry.kwargs)
        losses = _run(torch, optimizer, theirs)
    except Exception:
        return None  # PyTorch refuses it on a CPU
    cls = getattr(minidl.optim, info.optim_cls.__name__)
    mine = cls(ours, **kwargs)
    found = _run(minidl, mine, ours)
    pairs = [*zip(found, losses, strict=True), *zip(ours, theirs, strict=True)]
    bad = next((bad for a, b in pairs if (bad := difference(a, b, 1e-9))), None)
    if bad:
        return bad
    states = copy.deepcopy(mine.state_dict()), copy.deepcopy(optimizer.state_dict())
    mine, optimizer = cls(ours, **kwargs), info.optim_cls(theirs, **entry.kwargs)
    mine.load_state_dict(convert(states[1]))
    optimizer.load_state_dict(_as_theirs(states[0]))
    pairs = zip(_run(minidl, mine, ours), _run(torch, optimizer, theirs), strict=True)
    return next((f"after the exchange: {bad}" for a, b in pairs if (bad := difference(a, b, 1e-8))), None)


def _as_theirs(state):
    if isinstance(state, minidl.Tensor):
        return torch.tensor(state.detach().numpy().copy())
    if isinstance(state, dict):
        return {key: _as_theirs(value) for key, value in state.items()}
    return type(state)(map(_as_theirs, state)) if isinstance(state, (list, tuple)) else state


def input_failures(info):
    """(entry, what differs) after ten steps."""
    for entry in info.optim_inputs_func(device="cpu"):
        try:
            bad = _differs(info, entry)
        except Exception as error:
            bad = raised(error)
        if bad:
            yield f"{entry.desc} {entry.kwargs}", bad


def error_failures(info):
    """(entry, what differs) of the arguments that PyTorch refuses."""
    for entry in info.optim_error_inputs_func(device="cpu", dtype=torch.float32):
        given, convert = entry.optimizer_error_input, Converter()
        params = _parameters(True) if given.params is None else given.params
        try:
            params, kwargs = convert(params), convert(dict(given.kwargs))
        except Unsupported:  # complex parameters
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            bad = refusal_differs(
                lambda p=params, k=kwargs: getattr(minidl.optim, info.optim_cls.__name__)(p, **k),
                entry.error_type,
                entry.error_regex,
            )
        if bad:
            yield f"error {given.desc}", bad


def failures(info):
    """What differs for an optimizer, known differences left out."""
    name = info.optim_cls.__name__
    for what, bad in (*input_failures(info), *error_failures(info)):
        if not any(name == n and part in f"{what} {bad}" for n, part in KNOWN):
            yield what, bad


@pytest.mark.parametrize("info", torch_databases.marked([(i.optim_cls.__name__, i) for i in OPTIMIZERS], 1.0))
def test_optimizer_of_the_database(info):
    if not hasattr(minidl.optim, info.optim_cls.__name__):
        pytest.skip(f"minidl has no {info.optim_cls.__name__}: sparse tensors are not supported")
    found = list(failures(info))
    assert not found, "\n".join(f"{entry}\n    {bad}" for entry, bad in found)
