// A CUDA stream without CUDA's headers, for the host API of the kernels.
#pragma once

struct CUstream_st;

namespace minidl::cuda {

using Stream = CUstream_st*;  // cudaStream_t; null is the default stream

}  // namespace minidl::cuda
