"""Small rooms beside PyTorch: gradients of convolutions, swapped tensors, timers, profiles, pieces of a batch."""

import importlib

import numpy as np
import pytest
import torch
import torch.utils.benchmark

import minidl

LIBRARIES = (minidl, torch)
OPTIONS = ({}, {"stride": 2, "padding": 1}, {"dilation": 2}, {"groups": 2, "padding": 1})


def _numbers(m, *shape):
    return m.tensor(np.random.default_rng(sum(shape)).normal(size=shape))


def _values(found):
    return [each.detach().numpy() for each in (found if isinstance(found, (list, tuple)) else [found])]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_of_convolutions(rank, options):
    found = []
    for m in LIBRARIES:
        grad = importlib.import_module(f"{m.__name__}.nn.grad")
        x, w = _numbers(m, 2, 4, *[7] * rank), _numbers(m, 6, 4 // options.get("groups", 1), *[3] * rank)
        w.requires_grad_()
        out = getattr(m.nn.functional, f"conv{rank}d")(x, w, **options)
        g = _numbers(m, *out.shape)
        by_input = getattr(grad, f"conv{rank}d_input")(x.shape, w, g, **options)
        by_weight = getattr(grad, f"conv{rank}d_weight")(x, w.shape, g, **options)
        (again,) = m.autograd.grad((by_input * x).sum(), w)
        found.append([by_input, by_weight, again])
        assert by_input.requires_grad and not by_weight.requires_grad
    for ours, theirs in zip(*map(_values, found), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def _swapped(m):
    layer = m.nn.Linear(2, 2)
    weight, new = layer.weight, m.nn.Parameter(m.zeros(2, 3))
    new.grad, weight.note = m.ones(2, 3), "old"
    a, b = m.ones(2), m.zeros(3)
    m.utils.swap_tensors(a, b)
    m.utils.swap_tensors(weight, new)
    (weight * 2).sum().backward()
    (new * 5).sum().backward()
    return (
        a.shape, b.tolist(), layer.weight is weight, weight.tolist(), weight.grad.tolist(), new.grad.tolist(), new.note,
        hasattr(weight, "note"), weight.is_leaf,
    )  # fmt: skip


def _converted(m):
    future = m.__future__
    future.set_swap_module_params_on_conversion(True)
    try:
        layer = m.nn.Linear(2, 2)
        weight = layer.weight
        layer.double()
        return future.get_swap_module_params_on_conversion(), layer.weight is weight, str(weight.dtype)[-7:]
    finally:
        future.set_swap_module_params_on_conversion(False)


def _planned(m):
    plan = m.profiler.schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=2)
    return [plan(step).name for step in range(12)]


def _timed(m):
    benchmark = importlib.import_module(f"{m.__name__}.utils.benchmark")
    named = {"label": "lab", "sub_label": "sub", "globals": {"x": m.ones(2)}}
    first = benchmark.Timer("x + 1", description="one", **named).timeit(10)
    second = benchmark.Timer("x + y", "y = 2", description="two", **named).blocked_autorange(
        min_run_time=0.01
    )
    table = str(benchmark.Compare([first, second])).splitlines()
    return (
        first.number_per_run, len(first.times), first.title, first.as_row_name, first.median > 0, first.iqr,
        first.mean == first.median, first.has_warnings, first.num_threads, first.description,
        sum(second.raw_times) >= 0.01,
        repr(first).splitlines()[1:3], repr(second).splitlines()[1:4], table[0].strip("[]- "), table[1].split(),
        table[2][:10], table[3].split()[0], table[-2][:9], benchmark.select_unit(2e-5),
    )  # fmt: skip


def _pieces(m):
    parallel = m.nn.parallel
    return parallel.parallel_apply([m.nn.ReLU(), m.nn.Tanh()], [m.zeros(1), (m.zeros(2),)], devices=None)


def _stacked(m):
    data = m.utils.data
    sets = data.TensorDataset(m.arange(3)), list("abc")
    return data.StackDataset(*sets).__getitems__([0, 2]), data.StackDataset(x=sets[1]).__getitems__([1])


@pytest.mark.parametrize("scene", [_swapped, _converted, _planned, _timed, _stacked])
def test_programs(scene):
    assert str(scene(minidl)) == str(scene(torch))


def test_batches_in_pieces():
    parallel, layer = minidl.nn.parallel, minidl.nn.Linear(3, 2)
    x = minidl.arange(12.0).reshape(4, 3)
    pieces = parallel.scatter((x, {"k": 2}), ["cpu", "cpu"])
    assert [(p[0].shape[0], p[1]) for p in pieces] == [(2, {"k": 2})] * 2
    replicas = parallel.replicate(layer, ["cpu", "cpu"])
    out = parallel.gather(parallel.parallel_apply(replicas, [p[0] for p in pieces]), "cpu")
    out.sum().backward()
    np.testing.assert_array_equal(out.detach().numpy(), layer(x).detach().numpy())
    np.testing.assert_allclose(layer.weight.grad.numpy(), np.tile(x.sum(0).numpy(), (2, 1)))
    assert [tuple(each.shape) for each in _pieces(minidl)] == [(1,), (2,)]


def test_a_profile_collects_by_its_schedule():
    profiler, seen = minidl.profiler, []
    plan = profiler.schedule(skip_first=1, wait=1, warmup=1, active=2, repeat=2)

    def ready(p):
        seen.append((p.step_num, [(part.key, part.count) for part in p.key_averages()]))

    with profiler.profile(schedule=plan, on_trace_ready=ready) as p:
        for step in range(12):
            with profiler.record_function(f"{step}"):
                minidl.ones(2).sum()
            p.step()
    assert seen == [(5, [("3", 1), ("4", 1)]), (9, [("7", 1), ("8", 1)])]
    with profiler.profile() as p, profiler.record_function("a part"):
        minidl.ones(2).sum()
    table = p.key_averages().table(sort_by="cpu_time_total", row_limit=10)
    assert "a part" in table and "# of Calls" in table
    assert p.self_cpu_time_total == p.total_average().cpu_time_total > 0
