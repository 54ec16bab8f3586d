#!/usr/bin/env python3
"""Plants one fault after the other in a copy of the CUDA kernels and demands that their tests fail.

A test-suite that passes says little until it is known to fail. Each row below is a mistake that kernels really have:
a barrier left out, a bound one too far, a stride or an offset mixed up. The tests run in the emulator under
AddressSanitizer (scripts/emulator_sanitized.sh); a fault that they let pass makes this script fail.

    python scripts/plant_kernel_faults.py [NAME...]      only the rows whose file contains a NAME
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "emulator-address,undefined"  # by scripts/emulator_sanitized.sh
BARRIER = "__syncthreads();"

# File of csrc/cuda, what stands there, what is put there (of several places: the first), tests that run.
FAULTS = [
    ("matmul_simt.cu", f"{BARRIER}\n    if (k", "if (k", "matmul"),
    ("matmul_simt.cu", "k < depth ?", "k <= depth ?", "matmul"),
    ("matmul_simt.cu", "turn ^= 1", "turn ^= 0", "matmul"),
    ("matmul_mma.cu", f"{BARRIER}  // all have", "// all have", "matmul"),
    ("matmul_mma.cu", "cp_async_wait<stages - 2>", "cp_async_wait<stages - 1>", "matmul"),
    ("matmul_mma.cu", "(stage + stages - 1) % stages", "(stage + stages - 2) % stages", "matmul"),
    ("matmul_mma.cu", "chunk ^ (line / 2 % 4)", "chunk & (line / 2 % 4)", "matmul"),
    ("matmul_tile.h", "i < left) to", "i <= left) to", "matmul"),
    ("matmul_vector.cu", BARRIER, "", "matmul"),
    ("matmul_finish.cu", "split < o.splits", "split + 1 < o.splits", "matmul"),
    ("conv_reach.h", "distance / axis.stride", "distance", "convolution"),
    ("conv_reach.h", "- tap) / axis.tap_step + 1", "- tap) / axis.tap_step", "convolution"),
    ("conv_tile.h", "pixel.at[d] + term.at[d]) <", "pixel.at[d] + term.at[d]) <=", "convolution"),
    ("conv_tile.h", "number * p.weight_class + first", "first", "convolution"),
    ("conv_implicit_gemm.cu", f"% 2]);\n    }}\n    {BARRIER}", "% 2]);\n    }", "convolution"),
    ("conv_implicit_gemm.cu", "at < pitch", "at <= pitch", "convolution"),
    (
        "conv_weight_grad.cu",
        "begin_pixel + step * C::tile_k + thread",
        "step * C::tile_k + thread",
        "convolution",
    ),
    ("conv_mma.cu", f"{BARRIER}  // this step", "// this step", "convolution"),
    ("conv_mma.cu", "cp_async_wait<C::stages - 2>", "cp_async_wait<C::stages - 1>", "convolution"),
    ("conv_mma.cu", "k + lane / 8 % 2", "k", "convolution"),
    (
        "conv_weight_grad_mma.cu",
        "cp_async_wait<C::stages - 2>",
        "cp_async_wait<C::stages - 1>",
        "convolution",
    ),
    (
        "conv_depthwise.cu",
        "const bool inside = first_channel + channel < p.layout.groups",
        "const bool inside = true",
        "convolution",
    ),
    (
        "conv_depthwise_weight_grad.cu",
        f"{BARRIER}\n    if (thread < half)",
        "if (thread < half)",
        "convolution",
    ),
    ("conv_weight_layout.cu", "part * p.elements + i", "i", "convolution"),
    ("pool_element.h", "(room - 1) / dilation + 1", "room / dilation + 1", "pool"),
    ("pool_element.h", "(-start - 1) / dilation + 1", "-start / dilation", "pool"),
    ("pool_element.h", "inner * order.pack", "inner", "pool"),
    ("pool_layout.cpp", "array.shape[1] % pack != 0", "false", "pool"),
    ("pool_max.cu", "|| value != value", "", "pool"),
    ("pool_max_gather.cu", "last + 1 : count", "last : count", "pool"),
    ("pool_max_gather.cu", "distance % p.dilation.at[d] == 0", "true", "pool"),
    ("pool_mean_wide.cu", "tap / width[2] % width[1]", "tap / width[1] % width[2]", "pool"),
    ("pool_kernels.h", "by_stride.quotient(position) + 1", "by_stride.quotient(position)", "pool"),
    ("pool_kernels.h", "(x + 1) * out + size - 1", "(x + 1) * out", "pool"),
    ("pool_bin_max.cu", "|| value != value", "", "pool"),
    ("reduce_across.cu", BARRIER, "", "sum"),
    ("reduce_along.cu", "first + P::size - past", "first + past", "reductions"),
    ("reduce_parts.cu", "part < parts", "part < parts - 1", "sum"),
    ("block_reduce.h", BARRIER, "", "nan"),
    ("reduce_ops.h", "&& a.place < b.place", "&& b.place < a.place", "reductions"),
    ("scan_along.cu", "if (lane == 0) before = op.identity()", "", "scans"),
    ("scan_along.cu", f"total;\n      {BARRIER}", "total;", "scans"),
    ("scan_across.cu", "part < blockIdx.y", "part <= blockIdx.y", "scans"),
    ("index_kernels.h", "i >= size[k]", "i > size[k]", "index"),
    ("index_write.cu", "atomic_max(&owners[to]", "atomic_add(&owners[to]", "index"),
    ("index_add_sorted.cu", "chunk * a.inner.count + j", "j", "index"),
    ("radix_sort.cu", "peers & ((1u << lane) - 1)", "peers", "sort"),
    ("block_sum.h", BARRIER, "", "block_sums"),
    ("elementwise_packed.cu", "first < rest", "first <= rest", "elementwise"),
    ("elementwise_strided.cu", "i < walk.count", "i <= walk.count", "elementwise"),
    ("elementwise_select.h", "walk.size[inner] % size != 0", "walk.size[inner] < size", "elementwise"),
    ("elementwise_values.h", "from + n * each", "from + n", "elementwise"),
    ("walk.h", "position * stride[d][n]", "position * stride[d][0]", "elementwise"),
    ("walk_plan.h", "axis.stride[n] * axis.size", "axis.stride[n] * merged.back().size", "walk"),
    ("attention_tiled.cu", f"{BARRIER}\n    add_weighted", "add_weighted", "attention"),
    ("attention_tiled.cu", "total * shrink", "total", "attention"),
    ("attention_tiled_grad.cu", "ds[i][j] - row_delta", "ds[i][j]", "attention"),
    (
        "attention_mma.cu",
        f"cp_async_wait<1>();  // the keys are there\n    {BARRIER}",
        BARRIER,
        "tensor_cores",
    ),
    ("attention_mma.cu", f"key_tile);\n    {BARRIER}", "key_tile);", "tensor_cores"),
    ("attention_fragments.h", "first + matrix / 2 * 8", "first + matrix % 2 * 8", "tensor_cores"),
    ("attention_mma_grad.cu", "first + mma_rows < count", "first < count", "tensor_cores"),
    ("attention_tile.h", "key > query", "key > query + 1", "attention"),
    (
        "matmul_wgmma.cu",
        "wgmma_wait<1>();  // the previous slabs have been read\n",
        "\n",
        "wgmma_products",
    ),
    (
        "matmul_wgmma.cu",
        "group_bytes, Swizzle::bytes_128",
        "group_bytes, Swizzle::bytes_64",
        "wgmma_products",
    ),
    ("matmul_wgmma.cu", "group_bytes = 8 * row_bytes", "group_bytes = 4 * row_bytes", "wgmma_products"),
    ("matmul_wgmma.cu", "full, C::A::bytes + C::B::bytes", "full, C::A::bytes", "wgmma_products"),
    ("matmul_wgmma.cu", "k + i > 0", "true", "wgmma_products"),
    ("matmul_wgmma.cu", "c + 1 < out.n) {", "c < out.n) {", "wgmma_products"),
    ("matmul_wgmma.cu", "fence_proxy_async();", "", "wgmma_products"),
    ("matmul_wgmma.cu", "store_wait_read<1>", "store_wait_read<2>", "wgmma_products"),
    ("block_reduce.h", "lane < warps ? partial[lane]", "lane <= warps ? partial[lane]", "softmax"),
    ("softmax_across.cu", BARRIER, "", "softmax"),
    ("softmax_kernels.h", "if (first >= length) return;", "", "softmax"),
    ("random_fill.cu", "packs && first + n <= count", "packs", "random"),
    ("random_kernels.h", "quarter % 2 ? c : s", "s", "random"),
    ("dropout_masked.cu", "(first + i) / 4", "first / 4", "dropout"),
    ("dropout_masked.cu", "a.packs && first + n <= a.walk.count", "a.packs", "dropout"),
    ("optim_chunked.cu", "[middle].first_chunk <= chunk", "[middle].first_chunk < chunk", "optim"),
    ("optim_chunked.cu", "addresses % pack_bytes == 0", "true", "optim"),
    ("optim_chunked.cu", "done = end - (end - first) % per_pack", "done = end", "optim"),
    ("cross_entropy_rows.cu", "sum.sum * scale + more", "sum.sum + scale * more", "cross_entropy"),
    ("cross_entropy_rows.cu", f"{BARRIER}\n  state = shared[x];", "state = shared[x];", "cross_entropy"),
    ("cross_entropy_share.h", "found < a.classes", "found <= a.classes", "cross_entropy"),
    (
        "cross_entropy_grad.cu",
        "s.slope = s.own + s.spread * weights",
        "s.slope = s.own - s.spread * weights",
        "cross_entropy",
    ),
    (
        "norm_rows_forward.cu",
        "first + k * step < a.length ? x[k] - mean",
        "first + k * step <= a.length ? x[k] - mean",
        "norm",
    ),
    ("norm_rows_grad.cu", "row += workers", "row += workers + 1", "norm"),
    ("norm_columns.cu", BARRIER, "", "norm"),
    ("moments.h", "distance * distance * a.count * share", "0", "norm"),
    ("norm_channels_parts.cu", "+ own / a.sets.channels_each", "", "norm"),
    ("norm_channels_parts.cu", "i += n * step", "i += step", "norm"),
    ("norm_channels_totals.cu", "i / each, channel = first + i % each", "i % parts, channel = first", "norm"),
    ("norm_channels_elements.cu", "k * channel_step", "k * channel_step / 2", "norm"),
    ("recurrent_step.h", "inside(k < size.features)", "inside(k <= size.features)", "recurrent"),
    ("recurrent_rnn_step.cu", "value(p.dh, n, k) + value", "value", "recurrent"),
    ("recurrent_lstm_step.cu", "dc * gate[f_gate]", "dc * gate[i_gate]", "recurrent"),
    ("recurrent_gru_step.cu", "static_cast<T>(dn * r)", "static_cast<T>(dn)", "recurrent"),
    ("recurrent.cpp", "reverse_ ? t + 1 : t - 1", "t - 1", "recurrent"),
    ("recurrent.cpp", "{.addend = &s.dh0}", "{}", "recurrent"),
]


def outcome(folder, tests):
    """Whether the tests pass in ``folder``, and what they printed."""
    run = subprocess.run(
        ["scripts/emulator_sanitized.sh", tests], cwd=folder, capture_output=True, text=True, timeout=600
    )
    return run.returncode == 0, run.stdout + run.stderr


def plant(folder, file, right, wrong, tests):
    """One fault, planted and taken back: "caught", or what went wrong."""
    path = folder / "csrc" / "cuda" / file
    text = path.read_text()
    if right not in text:
        return f"is out of date: {right!r} is not in the file"
    path.write_text(text.replace(right, wrong, 1))
    passed, output = outcome(folder, tests)
    path.write_text(text)
    if passed:
        return f"PASSED with {wrong!r} for {right!r}"
    return (
        "caught"
        if "FAILED" in output or "Sanitizer" in output or "runtime error" in output
        else output[-2000:]
    )


def main(*names):
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for part in ("csrc", "scripts", "tests/emulator"):
            shutil.copytree(ROOT / part, folder / part)
        if BUILT.exists():  # copied with its times: what is up to date is not compiled again
            shutil.copytree(BUILT, folder / BUILT.relative_to(ROOT))
        passed, output = outcome(folder, "")
        if not passed:
            print(output)
            return "the tests fail without any fault"
        left = 0
        for file, *fault in FAULTS:
            if not names or any(name in file for name in names):
                result = plant(folder, file, *fault)
                left += result != "caught"
                print(f"{file}: {' '.join(fault[0].split())}: {result}", flush=True)
    return f"{left} faults were not caught" if left else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
