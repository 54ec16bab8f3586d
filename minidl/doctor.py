"""``python -m minidl doctor``: what works here, what does not, why, and the fix. It never crashes."""

import ctypes
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import sys

from minidl import backends, build_info
from minidl._version import __version__
from minidl.backends import cuda as cuda_room
from minidl.backends import native
from minidl.errors import DeviceError

_OPTIONAL = {
    "cupy": "cuda13", "ml_dtypes": "test", "h5py": "keras", "matplotlib": "demo", "sklearn": "demo", "tqdm": "demo",
    "hypothesis": "test", "torch": "oracle",
}  # fmt: skip


def examine():
    """The findings: a dict of ``system``, ``packages``, ``backends`` and ``problems`` (each with ``cause``
    and ``fix``).
    """
    found = {"minidl": __version__, "problems": []}
    for part, look in {"system": _system, "packages": _packages, "backends": _backends}.items():
        try:
            found[part] = look(found["problems"])
        except Exception as error:  # a doctor that dies of the disease helps nobody
            found[part] = {}
            found["problems"].append(
                {"cause": f"looking at {part} failed: {error!r}", "fix": "report this as a bug"}
            )
    return found


def _system(problems):
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "settings": {
            k: v for k, v in sorted(os.environ.items()) if k.startswith("MINIDL_") or k == "OMP_NUM_THREADS"
        },
    }


def _packages(problems):
    versions = {}
    distributions = importlib.metadata.packages_distributions()
    for module in ("numpy", "safetensors", *_OPTIONAL):
        versions[module] = None
        if _installed(module):
            try:
                versions[module] = importlib.metadata.version(distributions.get(module, [module])[0])
            except importlib.metadata.PackageNotFoundError:
                versions[module] = "of unknown version"
    return versions


def _installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # a stand-in without a spec, or None, in sys.modules
        return False


def _backends(problems):
    state = {"reference": {"available": True, "overrides": 0}}
    choice = os.environ.get("MINIDL_BACKEND") or "native"
    if choice not in ("native", "reference"):
        problems.append(
            {
                "cause": f"MINIDL_BACKEND={choice!r} is unknown and ignored",
                "fix": "unset MINIDL_BACKEND, or set it to 'native' or 'reference'",
            }
        )
    state["native"] = {
        "available": backends.cpu.name == "native",
        "overrides": len(backends.cpu.overrides),
        "instruction_set": native.instruction_set(),
    }
    if not state["native"]["available"]:
        problems.append(_no_native())
    for family, reason in backends.cpu.unavailable.items():
        problems.append(
            {"cause": f"native kernels of {family} do not load: {reason}", "fix": "reinstall minidl"}
        )
    try:
        cuda = backends.on("cuda")
        state["cuda"] = {"available": True, "overrides": len(cuda.overrides)}
        reason = cuda_room.extension_reason()
        if reason is not None:
            problems.append(_no_cuda_extension(reason))
    except DeviceError:
        state["cuda"] = {"available": False, "overrides": 0}
        problems.extend(_no_cuda())
    return state


def _no_native():
    if os.environ.get("MINIDL_BACKEND") == "reference":
        return {
            "cause": "MINIDL_BACKEND=reference asks for NumPy instead of the native kernels",
            "fix": "unset MINIDL_BACKEND",
        }
    reason = native.unavailable_reason() or "none of its families loads"
    return {
        "cause": f"the native extension is not used: {_one_line(reason)}",
        "fix": "install a C++20 compiler, then reinstall: MINIDL_NATIVE=ON pip install --force-reinstall --no-deps .",
    }


def _no_cuda():
    """One problem for each cause why there is no GPU."""
    if not _driver():
        yield {
            "cause": "no NVIDIA driver: libcuda.so.1 is not found",
            "fix": "install the driver, or run on a machine with a GPU",
        }
    if not _installed("cupy"):
        yield {
            "cause": "CuPy is not installed",
            "fix": "pip install 'minidl[cuda13]' (or cuda12, as the driver supports)",
        }
    record = build_info.extension("cuda")
    if not record["built"]:
        yield _no_cuda_extension(record["reason"])
    if _driver() and _installed("cupy"):
        yield {
            "cause": f"CUDA does not start: {_cuda_failure()}",
            "fix": "check `nvidia-smi` and CUDA_VISIBLE_DEVICES",
        }


def _no_cuda_extension(reason):
    nvcc = "" if shutil.which("nvcc") else " (install the CUDA toolkit first: nvcc is not on the PATH)"
    return {
        "cause": f"the CUDA extension is not used: {_one_line(reason)}",
        "fix": f"MINIDL_CUDA=ON pip install --force-reinstall --no-deps .{nvcc}",
    }


def _driver():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def _cuda_failure():
    try:
        backends.on("cuda")
    except DeviceError as error:
        return _one_line(str(error))
    return "it does now"


def _one_line(text):
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason is known"


def report(found):
    """The findings as text: facts, then one line a problem with its fix."""
    system, packages = found["system"], found["packages"]
    lines = [
        f"minidl {found['minidl']}, Python {system.get('python')}, {system.get('platform')}, {system.get('cpus')} CPUs",
        "packages: "
        + ", ".join(f"{name} {version or '(not installed)'}" for name, version in packages.items()),
    ]
    for name, value in system.get("settings", {}).items():
        lines.append(f"setting: {name}={value}")
    for name, state in found["backends"].items():
        works = f"yes, {state['overrides']} functions of its own" if state["available"] else "no"
        if state["available"] and state.get("instruction_set"):
            works += f", compiled for {state['instruction_set']}"
        lines.append(f"backend {name}: {'yes' if name == 'reference' else works}")
    lines += [f"note: {p['cause']}\n      fix: {p['fix']}" for p in found["problems"]]
    return "\n".join(lines)


def main(as_json=False):
    """Prints the findings; returns the exit status, 0 also where a GPU is missing."""
    found = examine()
    print(json.dumps(found, indent=2) if as_json else report(found))
    return 0
