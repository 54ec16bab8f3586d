"""Scaled dot-product attention."""

from minidl.bench.registry import BOTH, FORWARD, Case, Target, workload

_TARGETS = {FORWARD: Target(1.0, 1.5), BOTH: Target(1.0, 1.5)}


def case(batch, heads, steps, width, causal, targets):
    """The case of a square attention: queries and keys are as many."""
    arguments = {"batch": batch, "heads": heads, "steps": steps, "width": width, "causal": causal}
    return Case(f"B{batch}-H{heads}-T{steps}-D{width}{'-causal' * causal}", arguments, targets)


def cost(mode, batch, heads, steps, width, causal):
    products, arrays = {FORWARD: (4, 4), BOTH: (14, 12)}.get(mode, (10, 8))
    pairs = steps**2 // (2 if causal else 1)
    return products * batch * heads * pairs * width, arrays * batch * heads * steps * width


@workload(
    "attention",
    [
        case(16, 4, 128, 32, True, _TARGETS),
        case(8, 8, 256, 64, False, _TARGETS),
        case(1, 12, 1024, 64, True, _TARGETS),
    ],
    cost,
)
def attention(kit, batch, heads, steps, width, causal):
    """softmax(q k^T / sqrt(width)) v of every head."""
    q, k, v = (kit.leaf(batch, heads, steps, width) for _ in range(3))
    function = kit.lib.nn.functional.scaled_dot_product_attention
    return lambda: function(q, k, v, is_causal=causal)
