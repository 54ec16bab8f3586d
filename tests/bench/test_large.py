"""Workloads that fill a GPU: where they are, and how their sizes are kept bearable."""

import numpy as np
import pytest

import minidl
from minidl import bench
from minidl.bench import accuracy, kit, measuring, registry

LARGE = [row for row in bench.registered("cuda") if row.family == "large"]


def test_large_rows_are_a_gpus_alone():
    assert len(LARGE) > 50
    assert not [row for row in bench.registered() if row.family == "large"]
    assert {row.name for row in bench.registered()} <= {row.name for row in bench.registered("cuda:0")}
    assert all(row.flops > 0 and row.elements > 0 for row in LARGE)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_target_holds_on_the_first_device_of_its_workload(device):
    settings = measuring.Settings(device=device)
    rows = [bench.named("matmul/1024/forward"), bench.named("large/matmul/4096x4096x4096-nt/forward")]
    assert [measuring._head(row, settings)["target"] is not None for row in rows] == [
        device == "cpu",
        device == "cuda",
    ]


def test_a_large_tensor_repeats_its_numbers(monkeypatch):
    monkeypatch.setattr(kit, "_DRAWN", 5)
    found = kit.Kit(minidl).normal(3, 4).numpy().reshape(-1)
    assert (found[5:10] == found[:5]).all() and len(set(found.tolist())) == 5


def test_a_large_result_is_compared_at_some_places(monkeypatch):
    monkeypatch.setattr(accuracy, "_MOST", 10)
    (found,) = accuracy.host(np.arange(25.0).reshape(5, 5))
    assert found.tolist() == [0, 3, 6, 9, 12, 15, 18, 21, 24]


def test_products_may_be_stored_transposed():
    build = bench.named("matmul/256/forward").build
    results = []
    for form in ("nn", "nt", "tn", "tt"):
        made = kit.Kit(minidl, gradient=True)
        product = build(made, m=3, k=4, n=5, form=form)()
        a, b = (
            leaf.detach().numpy() if letter == "n" else leaf.detach().numpy().T
            for leaf, letter in zip(made.leaves, form, strict=True)
        )
        np.testing.assert_allclose(product.detach().numpy(), a @ b, rtol=1e-5)
        results.append(product)
    assert {tuple(r.shape) for r in results} == {(3, 5)}
    assert registry.FORWARD in bench.named("large/matmul/4096x4096x4096-tt/forward").name
