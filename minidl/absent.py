"""What PyTorch has and minidl has not, and why: what errors and docs/coverage.md say."""

import re

COMPLEX = "complex numbers are not supported: keep real and imaginary parts apart"
SPARSE = "sparse tensors are not supported: use dense ones"
QUANTIZED = "quantized tensors are not supported"
INTERNAL = "internal to PyTorch: its compiler, its libraries, its devices"
TRACED = "programs are not compiled: they run as they are written"
GRAPH = "the functional transforms are not supported: use minidl.autograd.grad with create_graph=True"
PARALLEL = "distributed programs are not supported"
LATER = "not yet"

# Reasons that name no gap: PyTorch's own machinery, and what the project leaves out.
NOT_ASKED = (COMPLEX, SPARSE, QUANTIZED, INTERNAL, TRACED, GRAPH, PARALLEL)

_REASONS = (
    (
        COMPLEX,
        r"(.*complex.*|.*_as_real.*|fft|i?stft|polar|imag|chalf|cfloat|cdouble|eig|eigvals|lobpcg)",
    ),
    (
        SPARSE,
        r"(.*sparse.*|.*_csr|.*_csc|.*_bsr|.*_bsc|c?row_indices.*|c?col_indices.*|.*coalesce.*|[hds]smm|hspmm|smm|"
        r"SparseAdam|spmm|sspaddmm|saddmm|dense_dim|indices.*|values.*|to_dense|slice_inverse)",
    ),
    (
        QUANTIZED,
        r"(.*quant.*|q_.*|qscheme|int_repr|fbgemm.*|fake_.*|fused_moving.*|qint.*|quint.*|per_(channel|tensor).*)",
    ),
    (
        TRACED,
        r"(jit|compiler|swap_in_.*|.*_ir.*|parse_.*|import_.*|vmap|while_loop|cond|sym_.*|unify_type_list|fork|wait|merge_.*)",
    ),
    (GRAPH, r"(func|autograd\.function.*)"),
    (PARALLEL, r"is_distributed"),
    (
        INTERNAL,
        r"(cudnn.*|miopen.*|mkldnn.*|to_mkldnn|native_.*|convolution|conv_tbc|batch_norm_.*|.*autocast_(?!mode).*|"
        r"autocast_.*|clear_autocast.*|.*vulkan.*|ipu|is_(ipu|maia|mps|mtia|xla|xpu|nested|set_to)|mtia|xpu|"
        r"as_subclass|module_load|to_padded_tensor|storage_type|(?!index)\w+_copy|_.*|classproperty|"
        r"compiled_with_cxx11_abi|get_file_path|get_device_module|init_num_threads|"
        r"prepare_multiprocessing.*|profiler.*|thread_safe_generator|typename|norm_except_dim|hash_tensor|name|names|"
        r"reinforce|volatile|dim_order|const_data_ptr|grad_dtype|backends|hub|affine_grid_generator|"
        r"embedding_renorm_|feature_dropout.*|constant_pad_nd|is_vulkan_available|float(4|6|8).*|"
        r"bits.*|u?int[1-7]|.*_multiprocessing.*|hipify|.*_pb2|common_args|common_notes|multi_dim_common|handle_.*|"
        r"has_torch_function.*|boolean_dispatch|assert_int_or_pair|align_.*|refine_names.*|rename.*|map2?_|apply_)",
    ),
)
_COMPILED = tuple((reason, re.compile(pattern)) for reason, pattern in _REASONS)

# Options that no function has, and why; those without a reason say nothing that a user could miss.
OPTIONS = {
    "out": "",
    "layout": "all tensors are strided",
    "pin_memory": "call pin_memory() on what is returned",
    "names": "named dimensions are no stable part of PyTorch",
    "memory_format": "call contiguous(memory_format=...) on what is returned",
    "out_dtype": "products of two dtypes exist on some GPUs only",
    "cudnn_enabled": "",
    "cudnn_enable": "",
    "_stacklevel": "",
}

# Where a name is there and behaves otherwise than PyTorch's.
DIFFERENCES = {
    "sort": "always stable",
    "topk": "of equal values the first ones",
    "kthvalue": "of equal values the index of the first in order",
    "mode": "the index of the last occurrence",
    "manual_seed": "the streams of random numbers are minidl's own",
    "igamma": "no gradient of the first argument, and no error for asking",
    "igammac": "no gradient of the first argument, and no error for asking",
    "as_strided_scatter": "the gradient of input is 0 where it was replaced",
    "linalg.eigh": "signs of eigenvectors are LAPACK's",
    "nn.functional.ctc_loss": "the gradient of log_probs is its own; PyTorch's is right behind a log_softmax only",
    "nn.functional.soft_margin_loss": "finite where exp(-target * input) overflows",
    "nn.functional.linear_cross_entropy": "no options: nothing is computed in chunks",
    "nn.functional.embedding_bag": "scale_grad_by_freq divides by each row's own number of uses",
    **dict.fromkeys(
        (
            *(
                "binary_cross_entropy_with_logits",
                "cosine_embedding_loss",
                "ctc_loss",
                "hinge_embedding_loss",
            ),
            *("kl_div", "margin_ranking_loss", "triplet_margin_loss"),
        ),
        "the default reduction is 1, a mean, as PyTorch's signature says and its function does not",
    ),
    "embedding_bag": "what it gives beside the output is always computed",
    "compile": "gives its argument back",
    "set_float32_matmul_precision": "lets a GPU round float32 operands to tf32",
    "use_deterministic_algorithms": "remembered; CPU results do not depend on the number of threads",
    "nn.DataParallel": "hands every call to its module: one device",
    "load": "tensors and plain containers; with weights_only=False whole modules that minidl saved; reads safetensors "
    "and npz files too",
    "save": "tensors, plain containers and minidl's modules; safetensors unless the path ends with .pt or .pth, or "
    "format='pt', or it is a module",
    "autocast": "on the CPU gru and the recurrent cells stay in float32; in-place forms keep their dtype",
    "share_memory_": "seen by processes that are forked; views that were made before keep the old memory",
}


# Programs of others that do not run as they are, and why.
PROGRAMS = {
    "that load a whole module which PyTorch saved, `torch.load(path, weights_only=False)`": "PyTorch's classes are not "
    "built from a file: save `model.state_dict()`, and load it into a module that was made anew",
    "with complex numbers: rotary embeddings by `view_as_complex`, mixing by `fft`": COMPLEX,
    "with sparse matrices: graph networks whose adjacency is `sparse_coo_tensor`": SPARSE,
    "with `nn.utils.parametrize` or `nn.utils.parametrizations`": "use `nn.utils.weight_norm`, `spectral_norm`",
    "with graphs of `torch.fx`, `torch.export`, `torch.library` or compiled extensions": TRACED,
    "of several processes: `init_process_group`, rpc, fsdp, pipelines": PARALLEL,
    "with quantized modules": QUANTIZED,
    "with distributions beside those of `minidl.distributions`: Dirichlet, StudentT, transformed ones": LATER,
}

# Modules of PyTorch's that are not there, and what to do instead: the longest name that fits.
_MODULES = {
    "nn.utils.parametrize": "compute the weight in forward, or in a forward pre-hook",
    "nn.utils.parametrizations": "use nn.utils.weight_norm and nn.utils.spectral_norm",
    "nn.attention.flex_attention": "give nn.functional.scaled_dot_product_attention a mask",
    "nested": "pad sequences with nn.utils.rnn.pad_sequence, or pack them",
    "masked": "use masked_fill and masked_select",
    "utils.benchmark": "use Python's timeit, or python -m minidl bench",
    "_functorch": "use func: what functorch had is there",
    "_logging": TRACED,
    "utils.cpp_extension": "extensions of PyTorch are compiled for it and cannot be loaded",
    **dict.fromkeys(("export", "package", "library"), TRACED),
    **dict.fromkeys(
        ("ao", "quantization", "nn.quantized", "nn.intrinsic", "nn.qat", "nn.quantizable"), QUANTIZED
    ),
    "sparse": SPARSE,
    **dict.fromkeys(("_C", "_dynamo", "_inductor", "_prims", "_refs", "testing._internal"), INTERNAL),
}


# Names that PyTorch itself only refuses.
_MOVED = {
    "symeig": "use linalg.eigh",
    "matrix_rank": "use linalg.matrix_rank",
    "solve": "use linalg.solve",
    "lstsq": "use linalg.lstsq",
    "legacy_contiguous_format": "use contiguous_format",
}


def module_reason(name):
    """Why a submodule of PyTorch's is not there, or what to use instead; empty where nothing can be said."""
    parts = name.split(".")
    found = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((_MODULES[each] for each in found if each in _MODULES), "")


def reason(place, name):
    """Why a name of PyTorch's is not there."""
    if (place, name) == ("linalg", "cond"):
        return LATER
    return next((why for why, pattern in _COMPILED if pattern.fullmatch(name)), LATER)


def message(owner, name):
    """The text of the ``AttributeError`` for a name that is not there."""
    text = f"{owner} has no attribute {name!r}"
    why = _MOVED.get(name) or module_reason(name) or reason("torch", name)
    return text if why in (LATER, INTERNAL) else f"{text}: {why}"
