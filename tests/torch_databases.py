"""What the tests of PyTorch's own databases share: its samples as ours, and what differs between two results."""

import dataclasses
import functools
import math
import operator
import re

import numpy as np
import pytest
import torch

import minidl

NAMES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
DTYPES = {getattr(torch, name): getattr(minidl, name) for name in NAMES}
TOLERANCES = {torch.float64: 1e-7, torch.float32: 2e-4, torch.float16: 3e-2, torch.bfloat16: 3e-2}
SAMPLE_SEED = 20  # of the ops that a fast run takes


class Unsupported(Exception):
    """A sample that holds what minidl has not, such as complex numbers."""


class Converter:
    """PyTorch's arguments as ours: tensors of one storage share memory, and keep their strides.

    ``pairs`` lists the tensors of both sides.
    """

    def __init__(self):
        self.pairs, self._known, self._storages = [], {}, {}

    def __call__(self, x):
        if isinstance(x, torch.Tensor):
            return self.tensor(x)
        if isinstance(x, torch.dtype):
            if x not in DTYPES:
                raise Unsupported(str(x))
            return DTYPES[x]
        if isinstance(x, (torch.layout, torch.nn.Module)):
            raise Unsupported(str(x))
        if isinstance(x, torch.device):
            return minidl.device(str(x))
        if isinstance(x, torch.memory_format):
            return getattr(minidl, str(x).split(".")[1])
        if isinstance(x, torch.Generator):
            return minidl.Generator()
        if isinstance(x, torch.Size):
            return minidl.Size(x)
        if dataclasses.is_dataclass(x) and hasattr(minidl.nn, type(x).__name__):
            given = {field.name: self(getattr(x, field.name)) for field in dataclasses.fields(x)}
            return getattr(minidl.nn, type(x).__name__)(**given)
        if isinstance(x, dict):
            return {k: self(v) for k, v in x.items()}
        if isinstance(x, (tuple, list)):
            items = [self(v) for v in x]
            return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
        if getattr(x, "__module__", "").startswith("torch") and callable(x):
            return getattr(minidl.nn.functional, x.__name__, None) or getattr(minidl, x.__name__)
        return x

    def tensor(self, x):
        if id(x) in self._known:
            return self._known[id(x)]
        if x.dtype not in DTYPES or x.layout != torch.strided or x.device.type != "cpu" or x.ndim > 64:
            raise Unsupported(f"{x.dtype} {x.layout} {x.device} {x.ndim}")
        plain = x.detach() if x._is_zerotensor() else x.detach().resolve_neg()
        plain = torch.zeros(x.shape, dtype=x.dtype) if plain._is_zerotensor() else plain
        made = self._within_storage(plain) if x.numel() else minidl.zeros(x.shape, dtype=DTYPES[x.dtype])
        if x.requires_grad:
            made.requires_grad_(True)
        self._known[id(x)] = made
        self.pairs.append((x, made))
        return made

    def _within_storage(self, x):
        storage, dtype = x.untyped_storage(), DTYPES[x.dtype].numpy
        key = storage.data_ptr()
        if key not in self._storages:
            self._storages[key] = _bytes(storage)
        held = self._storages[key]
        reach = sum((n - 1) * step for n, step in zip(x.shape, x.stride(), strict=True)) + x.storage_offset()
        if reach >= len(held) // dtype.itemsize:
            raise Unsupported("a tensor that reaches beyond its storage")
        whole = minidl.from_numpy(held[: len(held) // dtype.itemsize * dtype.itemsize].view(dtype))
        return whole.as_strided(x.shape, x.stride(), x.storage_offset()).detach()


def _bytes(storage):
    return torch.tensor([], dtype=torch.uint8).set_(storage).numpy().copy()


def flat(x):
    """The leaves of nested tuples and lists."""
    return [leaf for item in x for leaf in flat(item)] if isinstance(x, (tuple, list)) else [x]


def host(x):
    """A tensor of either library as a float64 array."""
    if isinstance(x, torch.Tensor):
        x = x.detach()
        return (torch.zeros(x.shape) if x._is_zerotensor() else x.resolve_neg()).to(torch.float64).numpy()
    return x.detach().to(minidl.float64).numpy()


def difference(ours, theirs, tolerance=None):
    """What differs between a result and PyTorch's, or None."""
    if isinstance(theirs, torch.Tensor):
        if theirs.dtype not in DTYPES or theirs.layout != torch.strided:
            raise Unsupported(str(theirs.dtype))
        if not isinstance(ours, minidl.Tensor):
            return f"a {type(ours).__name__}, wanted a Tensor"
        if tuple(ours.shape) != tuple(theirs.shape):
            return f"shape {tuple(ours.shape)}, wanted {tuple(theirs.shape)}"
        if ours.dtype is not DTYPES[theirs.dtype]:
            return f"{ours.dtype}, wanted {theirs.dtype}"
        a, b = host(ours), host(theirs)
        tolerance = max(tolerance or 0, TOLERANCES.get(theirs.dtype, 1e-9))
        finite = np.abs(b[np.isfinite(b)])
        scale = max(1.0, finite.max(initial=0)) if theirs.dtype in (torch.float16, torch.bfloat16) else 1.0
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
            with np.errstate(all="ignore"):
                return f"values differ by {np.nanmax(np.abs(a - b)):.3g}"
        return None
    if isinstance(theirs, (bool, int, float)):
        same = isinstance(ours, (bool, int, float)) and (
            ours == theirs
            or (ours != ours and theirs != theirs)
            or math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-6)
        )
        return None if same else f"{ours!r}, wanted {theirs!r}"
    if theirs is None or isinstance(theirs, torch.Size):
        return None if ours == theirs else f"{ours}, wanted {theirs}"
    return None


def gradients_differ(ours, theirs, pairs, tolerance=1e-6, orders=1):
    """What differs between the gradients of results (lists), or None; ``pairs`` are the leaves.

    ``orders``: 2 also compares what random sums of the first gradients have for gradients, by the leaves and the seeds.
    """
    outputs = [(a, b) for a, b in zip(ours, theirs, strict=True) if getattr(b, "requires_grad", False)]
    leaves = [(t, m) for t, m in pairs if t.requires_grad]
    if not outputs or not leaves:
        return None
    torch.manual_seed(0)
    seeds = [torch.randn(b.shape, dtype=b.dtype, requires_grad=orders > 1) for _, b in outputs]
    weights = [Converter().tensor(seed) for seed in seeds]
    options = {"allow_unused": True, "create_graph": orders > 1}
    try:
        wanted = torch.autograd.grad([b for _, b in outputs], [t for t, _ in leaves], seeds, **options)
    except Exception:
        raise Unsupported("PyTorch has no gradient of it") from None
    found = minidl.autograd.grad([a for a, _ in outputs], [m for _, m in leaves], weights, **options)
    for a, b in zip(found, wanted, strict=True):
        if a is None or b is None:
            given = b if a is None else a
            zero = given is None or np.allclose(host(given), 0, atol=1e-12)
            bad = None if zero else "a gradient on one side only"
        else:
            bad = difference(a, b, tolerance)
        if bad:
            return f"gradient: {bad}"
    if orders == 1:
        return None
    kept = [(a, b) for a, b in zip(found, wanted, strict=True) if a is not None and b is not None]
    if not kept:
        return None
    bad = gradients_differ(
        *zip(*kept, strict=True), [*leaves, *zip(seeds, weights, strict=True)], tolerance, orders - 1
    )
    return bad and f"again {bad}"


def refusal_differs(call, error_type, text):
    """What differs between what ``call`` raises and an error of this type whose text matches, or None."""
    try:
        call()
    except Exception as error:
        if not isinstance(error, error_type):
            return f"{type(error).__name__}: {error}, wanted {error_type}: {text}"
        # The names of the libraries' own dtypes are theirs.
        said = str(error).replace("minidl.", "torch.")
        return None if re.search(text, said) else f"{said!r}, wanted {text!r}"
    return f"nothing raised, wanted {error_type}: {text}"


def raised(error):
    """An error with the place where it was raised."""
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno}"
    return f"raised {type(error).__name__}: {str(error)[:250]} ({place})"


def look_up(name):
    """The function of that dotted name, or the Tensor method, or None."""
    try:
        return operator.attrgetter(name)(minidl)
    except AttributeError:
        return getattr(minidl.Tensor, name, None)


# What takes seconds each, and is slow even where the sample holds it.
LONG = frozenset({"Transformer", "LBFGS", "Muon"})


def marked(entries, share):
    """Parameters of a test: a seeded share of (id, value) stays fast, the rest is slow."""
    fast = np.random.default_rng(SAMPLE_SEED).random(len(entries)) < share
    return [
        pytest.param(value, id=name, marks=() if chosen and name not in LONG else pytest.mark.slow)
        for (name, value), chosen in zip(entries, fast, strict=True)
    ]


@functools.cache
def database(module, name):
    """A database of torch.testing._internal, or None where it cannot be imported."""
    return getattr(pytest.importorskip(f"torch.testing._internal.{module}", exc_type=ImportError), name)
