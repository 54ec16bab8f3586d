"""PyTorch's own module database: outputs, gradients, state and errors of each layer, in training and evaluation."""

import copy
import warnings

import pytest
import torch
import torch_databases
from torch_databases import (
    DTYPES,
    Converter,
    Unsupported,
    difference,
    flat,
    gradients_differ,
    raised,
    refusal_differs,
)  # fmt: skip

import minidl

MODULES = torch_databases.database("common_modules", "module_db")

# What differs, and why: (module, a part of what the failure says) -> reason.
KNOWN = {("CTCLoss", "gradient"): "PyTorch's is that of log_softmax and the loss together"}


def _fresh(x):
    """A copy of arguments in which every tensor is a leaf: the database computes some with gradients."""
    if isinstance(x, torch.Tensor):
        return x.detach().clone().requires_grad_(x.requires_grad)
    if isinstance(x, dict):
        return {key: _fresh(value) for key, value in x.items()}
    if isinstance(x, (tuple, list)):
        return type(x)(map(_fresh, x)) if not hasattr(x, "_fields") else type(x)(*map(_fresh, x))
    return copy.deepcopy(x)


def _theirs(info, entry, dtype, training):
    """PyTorch's layer, its arguments and what it gives; None where it refuses."""
    torch.manual_seed(0)
    given = entry.constructor_input
    layer = info.module_cls(*given.args, **given.kwargs).to(dtype).train(training)
    args = _fresh(entry.forward_input.args), _fresh(entry.forward_input.kwargs)
    if isinstance(layer, torch.nn.modules.lazy.LazyModuleMixin):
        layer(*(a.detach() for a in _fresh(args[0])))
        layer.reset_parameters()
    return layer, *args


def _ours(info, entry, dtype, training, theirs, args):
    given, convert = entry.constructor_input, Converter()
    layer = getattr(minidl.nn, info.module_cls.__name__)(*convert(given.args), **convert(given.kwargs))
    layer = layer.to(DTYPES[dtype]).train(training)
    if "Lazy" in info.module_cls.__name__:
        layer(*(Converter()(a.detach()) for a in args))
    return layer


def _copy_state(theirs, ours):
    """Makes our layer's state PyTorch's, or says what differs in its shape."""
    wanted, found = theirs.state_dict(), ours.state_dict()
    if list(wanted) != list(found):
        return f"state {list(found)}, wanted {list(wanted)}"
    for name, value in wanted.items():
        if tuple(value.shape) != tuple(found[name].shape):
            return f"{name} has shape {tuple(found[name].shape)}, wanted {tuple(value.shape)}"
    ours.load_state_dict({name: Converter()(value) for name, value in wanted.items()})
    texts = [repr(layer).replace("torch.", "").replace("minidl.", "") for layer in (ours, theirs)]
    return None if texts[0] == texts[1] else f"repr {texts[0]}, wanted {texts[1]}"


def _differs(info, entry, dtype, training):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, args, kwargs = _theirs(info, entry, dtype, training)
            copy.deepcopy(theirs)(*_fresh(args), **_fresh(kwargs))
    except Exception:
        raise Unsupported("PyTorch refuses it") from None
    ours = _ours(info, entry, dtype, training, theirs, args)
    bad = _copy_state(theirs, ours)
    if bad:
        return bad
    convert = Converter()
    mine = flat(ours(*convert(tuple(args)), **convert(dict(kwargs))))
    wanted = flat(theirs(*args, **kwargs))
    if len(mine) != len(wanted):
        return f"{len(mine)} results, wanted {len(wanted)}"
    exact = dtype == torch.float64
    for a, b in zip(mine, wanted, strict=True):
        bad = difference(a, b, 1e-8 if exact else 2e-4)
        if bad:
            return bad
    own = dict(ours.named_parameters())
    leaves = [*convert.pairs, *((p, own[name]) for name, p in theirs.named_parameters())]
    leaves = [(t, m) for t, m in leaves if t.is_leaf]
    return gradients_differ(mine, wanted, leaves, 1e-6 if exact else 2e-3)


def input_failures(info, limit):
    """(entry, what differs) in two dtypes, in training and evaluation."""
    for dtype in (torch.float64, torch.float32):
        if dtype not in info.dtypes:
            continue
        for training in (True, False) if info.train_and_eval_differ else (False,):
            entries = info.module_inputs_func(
                info, device="cpu", dtype=dtype, requires_grad=True, training=training
            )
            entries = [e for e in entries if e.forward_input is not None]
            for entry in entries[:: max(1, len(entries) // limit)]:
                try:
                    bad = _differs(info, entry, dtype, training)
                except Unsupported:
                    continue
                except Exception as error:
                    bad = raised(error)
                if bad:
                    given = entry.constructor_input
                    yield f"{dtype} training={training} {given.args} {given.kwargs} {entry.desc}", bad


def error_failures(info):
    """(entry, what differs) of what PyTorch refuses."""
    if info.module_error_inputs_func is None:
        return
    for training in (True, False):
        entries = info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=False, training=training
        )
        for entry in entries:
            given, convert = entry.module_error_input, Converter()
            built = given.constructor_input
            try:
                args, kwargs = convert(built.args), convert(built.kwargs)
                inputs = given.forward_input and (
                    convert(tuple(given.forward_input.args)),
                    convert(given.forward_input.kwargs),
                )
            except Unsupported:
                continue

            def call(args=args, kwargs=kwargs, inputs=inputs):
                layer = getattr(minidl.nn, info.module_cls.__name__)(*args, **kwargs)
                if inputs is not None:
                    layer(*inputs[0], **inputs[1])

            bad = refusal_differs(call, entry.error_type, entry.error_regex)
            if bad:
                yield f"error {built.args} {built.kwargs}", bad


def failures(info, limit=100):
    """What differs for a layer, known differences left out."""
    name = info.module_cls.__name__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for found in (input_failures(info, limit), error_failures(info)):
            for what, bad in found:
                if not any(name == n and part in f"{what} {bad}" for n, part in KNOWN):
                    yield what, bad


ENTRIES = [(info.module_cls.__name__, info) for info in MODULES if ".ao." not in info.module_cls.__module__]


@pytest.mark.parametrize("info", torch_databases.marked(ENTRIES, 0.06))
def test_module_of_the_database(info):
    if not hasattr(minidl.nn, info.module_cls.__name__):
        pytest.skip(f"minidl has no nn.{info.module_cls.__name__}")
    found = list(failures(info, limit=12))
    assert not found, "\n".join(f"{entry}\n    {bad}" for entry, bad in found[:10])
