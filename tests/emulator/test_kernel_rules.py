"""The rules that let one source run on a GPU and in the emulator: csrc/cuda uses only what both know."""

import re
from pathlib import Path

import pytest

from minidl.backends import cuda

CUDA = Path(__file__).resolve().parents[2] / "csrc" / "cuda"
FILES = sorted(path for path in CUDA.rglob("*") if path.suffix in {".h", ".cpp", ".cu"})

# What is written in one place only: pattern, where it may stand, what to use instead.
RULES = [
    (r"<<<", "launch.h", "launch() of cuda/launch.h"),
    (r"__shared__", "ptx/shared.h", "dynamic_shared() of cuda/ptx/shared.h"),
    (r"\basm\b|__(?:shfl|ballot|any|all|activemask|match|reduce|syncwarp|ldg|cvta)\w*\(|\batomic[A-Z]\w*\(",
     "ptx/", "a wrapper in cuda/ptx"),
    (r"#\s*pragma\s+unroll", "ptx/unroll.h", "MINIDL_UNROLL"),
    (r"#if(def|ndef)? .*MINIDL_EMULATOR|__CUDA_ARCH__", "ptx/ launch.h device.cpp tensor_map fault_report.h",
     "a wrapper in cuda/ptx"),
    (r"cooperative_groups|cudaLaunch\w+|\bthrust\b|\bcub::", "", "launch() of cuda/launch.h"),
    (r"\bprintf\(|\bassert\(|\bexit\(|\babort\(", "", "MINIDL_CHECK, which throws"),
]  # fmt: skip


def code(path):
    """The text of a source file without comments and strings."""
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', path.read_text(encoding="utf-8"))
    return re.sub(r"//[^\n]*", "", text)


@pytest.mark.parametrize("rule", RULES, ids=[rule[2] for rule in RULES])
def test_intrinsics_live_in_one_place(rule):
    pattern, allowed, instead = rule
    for path in FILES:
        name = path.relative_to(CUDA).as_posix()
        if not any(name.startswith(place) for place in allowed.split()):
            found = re.search(pattern, code(path))
            assert not found, f"csrc/cuda/{name}: {found.group()!r}; use {instead}"


def test_kernel_files_have_their_three_sections():
    for path in CUDA.glob("*.cu"):
        sections = re.findall(r"^// ---- (\w+) -+$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert sections == ["Configuration", "Kernel", "Launcher"], path.name


def test_arrays_that_are_made_for_a_call_have_a_name():
    for path in (Path(cuda.__file__).parent).glob("*.py"):
        found = re.search(r"view\(\s*xp\.(empty|zeros|ones|full|asarray)\b", path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found.group()!r}; view() does not keep the array alive"


def headers(path):
    """The headers of csrc that a file reads, through those that it includes too."""
    found, ahead = set(), [path]
    while ahead:
        named = re.findall(r'^#include "([^"]+)"', ahead.pop().read_text(encoding="utf-8"), re.MULTILINE)
        fresh = {CUDA.parent / name for name in named} - found
        found |= fresh
        ahead += [header for header in fresh if header.exists()]
    return found


def test_kernels_of_hopper_say_so():
    """Else sm_90a's code comes from the PTX of compute_80 (csrc/cmake/cuda.cmake), where these are empty."""
    hopper = {path for path in CUDA.rglob("*.h") if "ARCH_FEAT_SM90" in (t := path.read_text("utf-8"))
              or re.search(r"__CUDA_ARCH__ >= 9", t)}  # fmt: skip
    assert {path.name for path in hopper} >= {"wgmma.h", "tensor_copy.h", "proxy.h"}
    for path in CUDA.glob("*.cu"):
        said = "\n// Needs: sm_90a" in path.read_text(encoding="utf-8")
        assert said == bool(headers(path) & hopper), path.name
