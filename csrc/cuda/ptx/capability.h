// What the GPU that code is compiled for can do, where a kernel is for some of them only. The
// emulator is every GPU at once.
#pragma once

namespace minidl::cuda {

#ifdef __CUDA_ARCH__
inline constexpr bool before_sm_80 = __CUDA_ARCH__ < 800, from_sm_80 = __CUDA_ARCH__ >= 800;
#else
inline constexpr bool before_sm_80 = true, from_sm_80 = true;
#endif

}  // namespace minidl::cuda
