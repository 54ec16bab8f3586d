"""``torch`` as another name of minidl: one object a module, nothing of an installed PyTorch touched."""

import subprocess
import sys

import pytest

import minidl

INSTALLED = "import sys, minidl; minidl.install_as_torch()"
BY_HAND = "import sys, minidl; sys.modules['torch'] = minidl"


def run(program):
    """What a program prints, in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


IMPORTS = {
    "import torch": "torch is minidl",
    "import torch.nn": "torch.nn is minidl.nn",
    "import torch.nn as nn": "nn is minidl.nn",
    "import torch.nn.functional as F": "F is minidl.nn.functional",
    "from torch import nn, optim, autograd": "nn is minidl.nn and optim is minidl.optim",
    "from torch.nn import functional as F": "F is minidl.nn.functional",
    "from torch.utils.data import DataLoader": "DataLoader is minidl.utils.data.DataLoader",
    "import torch.optim.lr_scheduler": "torch.optim.lr_scheduler is minidl.optim.lr_scheduler",
    "from torch.autograd.function import Function": "Function is minidl.autograd.Function",
    "import torch.random, torch.cuda": "torch.random is minidl.random and torch.cuda is minidl.cuda",
    "from torch.nn.modules.linear import Linear": "Linear is minidl.nn.Linear",
    "import torch.cuda.amp as amp": "amp is minidl.cuda.amp",
    "import torch.backends.cudnn as cudnn": "cudnn is minidl.backends.cudnn",
    "from torch.autograd import profiler, Variable": "profiler is minidl.autograd.profiler",
    "from torch.profiler import profile": "profile is minidl.profiler.profile",
    "from torch.testing import assert_close": "assert_close is minidl.testing.assert_close",
    "import torch.nn.utils.stateless, torch.func": "torch.func is minidl.func",
    "from torch.distributions.categorical import Categorical": "Categorical is minidl.distributions.Categorical",
    "import torch.utils.hooks, torch.cuda.nvtx, torch.xpu": "torch.xpu is minidl.xpu",
    "import torch.types": "torch.types is minidl.types",
    "import torch.functional, torch.return_types": "torch.functional.einsum is minidl.einsum",
    "import torch._dynamo, torch._inductor": "torch._dynamo is torch._inductor is minidl.compiler",
    "from torch.jit.annotations import List": "torch.jit.annotations is minidl.jit.annotations",
    "from torch import *": "float32 is minidl.float32 and nn is minidl.nn",
}


@pytest.mark.parametrize("start", [INSTALLED, BY_HAND], ids=["installed", "by hand"])
@pytest.mark.parametrize("statement", IMPORTS)
def test_one_object_under_both_names(start, statement):
    program = f"""
import builtins
{start}
names = {{n: m for n, m in sys.modules.items() if n.startswith('minidl.')}}
attributes = {{n: dict(vars(m)) for n, m in names.items()}}
{statement}
import torch
print({IMPORTS[statement]})
renamed = {{'torch._dynamo': 'minidl.compiler', 'torch._inductor': 'minidl.compiler'}}
places = {{n: sys.modules[renamed.get(n, 'minidl' + n[5:])] for n in sys.modules if n[:6] == 'torch.'}}
print(builtins.all(sys.modules[n] is m for n, m in places.items()))
print(builtins.all(m.__spec__.name == n and m.__name__ == n for n, m in names.items()))
print([n for n, kept in attributes.items() for k, v in kept.items() if vars(names[n]).get(k) is not v])
print([k for n, kept in attributes.items() for k in vars(names[n]) if k not in kept])
"""
    assert run(program) == ["True", "True", "True", "[]", "[]"]


def test_the_version_is_that_of_the_pytorch_followed_while_minidl_is_torch():
    program = f"""
import minidl
print(minidl.__version__ == minidl._version.__version__)
{INSTALLED}
import torch
from torch.torch_version import TorchVersion
v = torch.__version__
print(v.startswith('2.'), v.endswith('+minidl.' + minidl._version.__version__), isinstance(v, TorchVersion))
print(v >= '2.8', v > '1.13.1', v < (2, 4), v <= '2.13', v == torch.__version__, v == '2.13', v.split('.')[0] == '2')
print(int(v[0]) >= 2, v != '1.0', TorchVersion('2.0') == (2, 0, 0), TorchVersion('2.10.0a1') > '2.9')
"""
    expected = "True True True True True True False True True False True True True True True"
    assert run(program) == expected.split()


def test_dtypes_and_layouts_print_under_the_name_that_programs_know():
    program = """
import sys, minidl
print(minidl.float32, minidl.strided, minidl.channels_last)
sys.modules["torch"] = minidl
print(minidl.float32, minidl.strided, minidl.channels_last, [minidl.int64], minidl.ones(1).dtype)
"""
    ours = "minidl.float32 minidl.strided minidl.channels_last"
    assert run(program) == f"{ours} {ours.replace('minidl', 'torch')} [torch.int64] torch.float32".split()


@pytest.mark.parametrize("start", [INSTALLED, BY_HAND], ids=["installed", "by hand"])
@pytest.mark.parametrize("name", ["torch.nowhere", "torch.nn.nowhere", "torch.device", "torch.fx.graph"])
def test_a_missing_submodule_is_named(start, name):
    program = f"""
{start}
try:
    import {name}
except ModuleNotFoundError as error:
    print(repr(error.name)); print('minidl has no' in str(error) and {name.split(".")[1]!r} in str(error))
import torch
print(isinstance(torch.device('cpu'), torch.device))
"""
    assert run(program) == [repr(name), "True", "True"]


def test_a_missing_submodule_says_what_to_use():
    names = ("package", "ao.quantization", "sparse", "_C", "_functorch")
    program = f"""
{INSTALLED}
import importlib
for name in {names}:
    try:
        importlib.import_module('torch.' + name)
    except ModuleNotFoundError as error:
        print(str(error).partition('Hint: ')[2].split()[0])
"""
    assert run(program) == ["programs", "quantized", "sparse", "internal", "use"]


def test_a_program_runs():
    program = f"""
{INSTALLED}
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(64, 3)
data = TensorDataset(x, x.sum(1, keepdim=True))
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = optim.Adam(model.parameters(), lr=0.05)
for _ in range(30):
    for a, b in DataLoader(data, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss = F.mse_loss(model(a), b)
        loss.backward()
        optimizer.step()
print(loss.item() < 0.1)
"""
    assert run(program) == ["True"]


@pytest.fixture
def pretended(tmp_path):
    """The start of a program that finds a package ``torch`` in a folder."""
    room = tmp_path / "torch"
    room.mkdir()
    (room / "__init__.py").write_text("mark = 'theirs'\n")
    (room / "part.py").write_text("mark = 'their part'\n")
    return f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import minidl"


def test_an_installed_torch_is_left_alone(pretended):
    assert run(f"{pretended}\nimport torch, torch.part\nprint(torch.mark, torch is minidl)") == [
        "theirs",
        "False",
    ]


def test_an_installed_torch_is_not_mixed_in(pretended):
    program = f"""
{pretended}
minidl.install_as_torch()
import torch
print(torch is minidl)
try:
    import torch.part
except ModuleNotFoundError:
    print('refused')
"""
    assert run(program) == ["True", "refused"]


def test_installing_after_pytorch_was_imported_is_refused(pretended):
    program = f"""
{pretended}
import torch
try:
    minidl.install_as_torch()
except RuntimeError as error:
    print('before' in str(error))
print(sys.modules['torch'] is torch)
"""
    assert run(program) == ["True", "True"]


@pytest.mark.parametrize(
    ("statement", "same"),
    [
        ("from torch.utils.data.dataloader import DataLoader", "DataLoader is minidl.utils.data.DataLoader"),
        ("from torch.autograd.grad_mode import no_grad", "no_grad is minidl.no_grad"),
        ("from torch.serialization import load", "load is minidl.load"),
        ("from torch.nn.modules.batchnorm import BatchNorm1d", "BatchNorm1d is minidl.nn.BatchNorm1d"),
        ("from torch.storage import UntypedStorage", "UntypedStorage is minidl.UntypedStorage"),
        ("import torch; load = torch.autograd.grad_mode.no_grad", "load is minidl.no_grad"),
        ("import torch; empty = torch.cuda.memory.empty_cache", "empty is minidl.cuda.empty_cache"),
        ("from torch.cuda.memory import empty_cache", "empty_cache is minidl.cuda.empty_cache"),
    ],
)
def test_what_pytorch_keeps_elsewhere(statement, same):
    assert run(f"{INSTALLED}\n{statement}\nprint({same})") == ["True"]


def test_installed_torch_comes_back_when_it_was_dropped():
    program = (
        f"{INSTALLED}\ndel sys.modules['torch']\nimport torch\nprint(torch is minidl, torch.nn is minidl.nn)"
    )
    assert run(program) == ["True", "True"]


def test_complex_types_can_be_compared_with_and_nothing_else():
    assert minidl.ones(1).dtype not in (minidl.complex64, minidl.complex128)
    assert minidl.complex64.is_complex and not minidl.complex64.is_floating_point
    for make in (lambda d: minidl.zeros(1, dtype=d), lambda d: minidl.ones(1).to(d), lambda d: d.numpy):
        with pytest.raises(NotImplementedError, match="real and imaginary"):
            make(minidl.complex64)


def test_marks_for_scripts_and_graphs_give_functions_back():
    def double(x):
        return 2 * x

    jit = minidl.jit
    assert jit._overload_method(double) is jit._overload(double) is jit._script_if_tracing(double) is double
    assert minidl.fx.wrap(double) is double and minidl.fx.wrap("double") == "double"
    with pytest.raises(NotImplementedError, match="named_modules"):
        minidl.fx.symbolic_trace(minidl.nn.ReLU())
    with pytest.raises(AttributeError, match="run as they are written"):
        minidl.fx.Tracer  # noqa: B018
    assert minidl._dynamo is minidl._inductor is minidl.compiler
    assert minidl.serialization is minidl.io
