"""``python -m minidl test``: the installed minidl checks itself with its own tools; no repository is needed."""

import time
import warnings

import hypothesis

from minidl import backends
from minidl.autograd.tensor import leaf
from minidl.testing.gradient_coverage import GradientCoverage
from minidl.testing.gradients import check_gradients
from minidl.testing.kernels import check_kernel, kernel_calls
from minidl.testing.layers import REGISTRY, modules
from minidl.testing.module_checks import check_module
from minidl.testing.op_examples import op_examples, op_names
from minidl.testing.optimizer_checks import check_optimizer
from minidl.testing.small_networks import OPTIMIZERS, networks, optimizers

ONE_WAY = ("sign", "floor", "ceil", "trunc")  # their gradient is 0 and has none of its own


def properties():
    """``(group, name, strategy, check)`` of every property, in order; ``check`` takes one drawn example."""
    for name in op_names():
        yield "ops", name, op_examples(name), _check_op
    for name in sorted(REGISTRY):
        yield "modules", name, modules([name]), _check_layer
    yield "networks", "networks", networks(), _check_layer
    for name in sorted(OPTIMIZERS):
        yield "optimizers", name, optimizers([name]), check_optimizer
    for name in op_names():
        yield "kernels", name, op_examples(name), _check_kernels


def _check_op(example):
    order = 1 if example.name in ONE_WAY else 2
    check_gradients(example, *example.arrays, order=order, modes=["directional"])


def _check_layer(example):
    check_module(example.build(), *example.inputs, batch_dim=example.batch_dim)


def _check_kernels(example):
    """The overrides that the native backend has of what a call of an op runs."""
    tensors = [
        leaf(array.astype("float32") if array.dtype.kind == "f" else array) for array in example.arrays
    ]
    if backends.cpu is backends.reference:
        return
    for name, calls in kernel_calls(lambda: example(*tensors)).items():
        if name in backends.cpu.overrides:
            check_kernel(name, calls=calls[:2])


def run(examples, seed=0, match="", show=print):
    """Checks every property whose ``group/name`` contains ``match`` with so many examples. Returns the failures."""
    failures, began, counts, coverage = [], time.perf_counter(), {}, GradientCoverage()
    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    with coverage, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group, name, strategy, check in properties():
            if match not in f"{group}/{name}":
                continue
            if group not in counts:
                counts[group] = 0
            counts[group] += 1
            try:
                hypothesis.seed(seed)(settings(hypothesis.given(strategy)(_one(check))))()
            except Exception as error:
                failures.append((f"{group}/{name}", error))
                show(f"FAILED {group}/{name}: {_told(error)}")
    for group, count in counts.items():
        failed = sum(name.startswith(group + "/") for name, _ in failures)
        show(f"{group:<11} {count:>4} properties, {f'{failed} failed' if failed else 'all hold'}")
    for line in list(coverage.lines())[:3]:
        show(line)
    show(f"{sum(counts.values())} properties of {examples} examples in {time.perf_counter() - began:.1f} s")
    return failures


def _one(check):
    def property(example):
        check(example)

    return property


def _told(error):
    """The message of an error, with its example and the program that repeats it."""
    notes = [line for line in getattr(error, "__notes__", ()) if "always and only run by" not in line]
    return "\n  ".join(
        line for text in (f"{type(error).__name__}: {error}", *notes) for line in text.splitlines()
    )


def main(args):
    """The command: exit status 1 where a property fails, 2 where no property has that name."""
    if not any(args.match in f"{group}/{name}" for group, name, _, _ in properties()):
        print(
            f"no property named {args.match!r}; names are ops/sin, modules/Linear, optimizers/Adam, kernels/matmul, ..."
        )
        return 2
    return 1 if run(5 if args.quick else args.examples, args.seed, args.match) else 0
