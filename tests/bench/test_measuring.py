"""Kits, errors, cache eviction, probes and what a row holds."""

import numpy as np
import pytest

import minidl
from minidl import backends, bench
from minidl.backends import probes
from minidl.bench import accuracy, ceilings, machine, measuring, peers
from minidl.bench.caches import Evictor
from minidl.bench.kit import itemsize


def test_a_kit_draws_the_same_numbers_in_every_dtype_that_holds_them():
    for dtype in ("float16", "bfloat16", "float32"):
        half = bench.Kit(minidl, dtype).normal(5, 7)
        exact = bench.Kit(minidl, dtype, compute="float64").normal(5, 7)
        assert str(exact.dtype).endswith("float64") and str(half.dtype).endswith(dtype)
        assert (half.double() == exact).all()


def test_a_scalar_is_an_array():
    assert bench.Kit(minidl).normal().shape == () and bench.Kit(np).normal().shape == ()


def test_leaves_want_gradients_where_the_mode_does():
    for gradient in (False, True):
        kit = bench.Kit(minidl, gradient=gradient)
        tensor, layer = kit.leaf(2), kit.module(minidl.nn.Linear(2, 3))
        assert tensor.requires_grad == gradient == layer.weight.requires_grad
        assert len(kit.leaves) == 3 * gradient


@pytest.mark.parametrize("mode", ["forward", "backward", "forward+backward"])
def test_the_mode_says_what_is_returned(mode):
    found = bench.prepared(bench.named(f"softmax/64x10/{mode}"), minidl)()
    assert isinstance(found, minidl.Tensor) == (mode == "forward")
    assert tuple((found if mode == "forward" else found[0]).shape) == (64, 10)


def test_a_backward_workload_can_be_called_again():
    call = bench.prepared(bench.named("layer_norm/2048x128/backward"), minidl)
    first, second = accuracy.host(call()), accuracy.host(call())
    assert accuracy.error(first, second) == 0


@pytest.mark.parametrize(
    ("found", "expected", "error"),
    [
        ([2.0, 4.0], [2.0, 5.0], 0.2),
        ([np.nan], [1.0], np.inf),
        ([np.ones((1, 2))], [np.ones(2)], np.inf),
        ([np.ones(3), np.ones(2)], [np.ones(3), np.zeros(2)], 1.0),
        ([np.zeros(0)], [np.zeros(0)], 0.0),
    ],
)
def test_the_error_is_relative_to_the_largest_value(found, expected, error):
    assert accuracy.error(found, expected) == pytest.approx(error)


def test_eviction_touches_all_of_its_memory():
    evict = Evictor(80_000, threads=3)
    evict()
    evict()
    assert sum(part.sum() for part in evict._parts) == 20_000
    evict.close()


def test_a_row_without_float64_has_no_error(monkeypatch):
    def refuses(workload, lib, *args, compute=None, **kwargs):
        if compute:
            raise RuntimeError("no float64 here")
        return measuring_prepared(workload, lib, *args, **kwargs)

    measuring_prepared = measuring.prepared
    monkeypatch.setattr(measuring, "prepared", refuses)
    row = bench.measure(bench.named("overhead/add/forward"), {}, bench.Settings(budget=bench.Budget(0, 1, 1)))
    assert row["oracle"] is None and row["failed"] == {"minidl float64": "RuntimeError: no float64 here"}
    assert "warm" in row["peers"]["minidl"]


def test_fallbacks_are_in_the_row(monkeypatch):
    build = bench.named("overhead/add/forward").build

    def falling(kit, **arguments):
        call = build(kit, **arguments)

        def fall():
            for trace in backends.namespace._traces:
                trace.append(("native", "add"))
            return call()

        return fall

    row = bench.registry.dataclasses.replace(bench.named("overhead/add/forward"), build=falling)
    found = bench.measure(row, {}, bench.Settings(budget=bench.Budget(0, 1, 1)))
    assert "native.add" in found["fallbacks"]


def test_variants_are_peers_of_their_own():
    row = bench.named("optimizer/adam/step")
    found = peers.candidates(row, {"torch": minidl})  # any module with the same API
    assert [(peer.name, peer.library, peer.options) for peer in found] == [
        ("minidl", "minidl", {}), ("torch", "torch", {}), ("torch fused", "torch", {"fused": True}),
    ]  # fmt: skip
    assert [peer.name for peer in peers.candidates(row, {})] == ["minidl"]


def test_numpy_is_no_peer_of_gradients():
    assert bench.named("matmul/256/forward").libraries == ("torch", "numpy", "cupy")
    assert bench.named("matmul/256/forward+backward").libraries == ("torch",)
    assert peers.find(["numpy", "cupy"], "cpu")[1]["cupy"] == "it does not compute on cpu"


def test_the_machine_is_described():
    found = machine.describe()
    assert found["cpu"] and found["cpus"] >= 1 and all(size > 0 for size in found["caches"].values())
    assert machine.last_level() > 0


def test_the_level_of_an_x86_processor(monkeypatch):
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    assert machine._level(set()) == "x86-64-v2"
    assert machine._level(machine._V3) == "x86-64-v3"
    assert machine._level(machine._V3 | machine._V4) == "x86-64-v4"
    monkeypatch.setattr(machine.platform, "machine", lambda: "aarch64")
    assert machine._level(set()) == "aarch64"


def test_probes_count_what_they_do(native):
    lanes = {"float32": 4, "float64": 2}
    for dtype, least in lanes.items():
        flops = probes.probe_multiply_add(10, 3, dtype)
        assert flops % (2 * 10 * 3 * 12 * least) == 0 and flops > 0
    source = np.random.default_rng(0).integers(0, 255, 100_003).astype(np.uint8)
    for grain in (1 << 20, 4096, 7):
        target = np.zeros_like(source)
        probes.probe_copy(target, source, grain)
        assert (target == source).all()


@pytest.mark.parametrize(
    "arguments",
    [(-1, 1, "float32"), (1, -1, "float32"), (1, 1, "int8")],
)
def test_a_probe_refuses_what_makes_no_sense(native, arguments):
    with pytest.raises(ValueError, match="probe_multiply_add"):
        probes.probe_multiply_add(*arguments)
    a, b = np.zeros(4, np.uint8), np.zeros(5, np.uint8)
    for target, source, grain in ((a, b, 1), (a, a, 1), (a, a.copy(), 0)):
        with pytest.raises(ValueError, match="probe_copy"):
            probes.probe_copy(target, source, grain)


def test_ceilings_without_the_extension_are_numpys(monkeypatch):
    monkeypatch.setattr(ceilings, "WORKING_SETS", (2**12, 2**14))
    monkeypatch.setattr(ceilings, "_SAMPLES", 1)
    monkeypatch.setattr(ceilings.probes, "probe_multiply_add", None)
    monkeypatch.setattr(ceilings.probes, "probe_copy", None)
    found = ceilings.probe("float32", "cpu", 1)
    assert found["flops"] > 0 and "NumPy" in found["flops_by"] and found["copies_by"] == "np.copyto"
    assert [copy["bytes"] for copy in found["copies"]] == [2**12, 2**14]


def test_ceilings_are_finite(monkeypatch):
    monkeypatch.setattr(ceilings, "WORKING_SETS", (2**12, 2**14))
    monkeypatch.setattr(ceilings, "_ROUNDS", 10)
    found = ceilings.probe("float64", "cpu", 1)
    assert np.isfinite(found["flops"]) and all(copy["bandwidth"] > 0 for copy in found["copies"])


def test_an_unknown_dtype_is_bad_input():
    with pytest.raises(bench.BadInput, match="int8"):
        itemsize("int8")


def test_names_and_targets_of_the_registry():
    rows = bench.registered()
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert row.mode == row.name.rpartition("/")[2] and row.flops >= 0 and row.elements > 0
        assert row.target is None or row.target.aim or row.target.aim_bandwidth
    with pytest.raises(bench.BadInput, match="no workload is called 'x'"):
        bench.named("x")


def test_a_name_is_registered_once():
    with pytest.raises(ValueError, match="registered twice"):
        bench.workload("overhead", [bench.Case("add", {})], lambda mode: (0, 1), modes=("forward",))(
            lambda kit: None
        )
