#include "cuda/tensor_map.h"

#include <cuda_runtime.h>

#include <stdexcept>

#include "common/checks.h"

#ifndef MINIDL_EMULATOR
#include <cuda.h>
#endif

namespace minidl::cuda {
namespace {

void check(const TensorMapSpec& s) {
  MINIDL_CHECK(1 <= s.rank && s.rank <= max_map_rank, "a tensor map has 1 to 5 axes, got ", s.rank);
  MINIDL_CHECK(reinterpret_cast<std::uintptr_t>(s.data) % 16 == 0,
               "a tensor map wants an address that is a multiple of 16 bytes");
  const std::int64_t item = item_bytes(s.dtype), row = s.box[0] * item;
  MINIDL_CHECK(row % 16 == 0, "a row of a box is a multiple of 16 bytes, got ", row);
  MINIDL_CHECK(s.swizzle == Swizzle::none || row <= 16 << static_cast<int>(s.swizzle), "a row of ",
               row, " bytes does not fit its swizzle");
  for (int d = 0; d < s.rank; ++d) {
    MINIDL_CHECK(1 <= s.box[d] && s.box[d] <= 256, "a box has 1 to 256 elements along axis ", d,
                 ", got ", s.box[d]);
    MINIDL_CHECK(1 <= s.size[d] && s.size[d] < std::int64_t{1} << 32, "axis ", d, " of ", s.size[d],
                 " elements is beyond a tensor map");
    MINIDL_CHECK(d == 0 || (s.stride[d] % 16 == 0 && 0 < s.stride[d]), "the stride of axis ", d,
                 " must be a positive multiple of 16 bytes, got ", s.stride[d]);
  }
}

}  // namespace

#ifdef MINIDL_EMULATOR
TensorMap make_tensor_map(const TensorMapSpec& spec) {
  check(spec);
  return {spec};
}
#else
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

// The driver's function, found at run time: the extension loads where there is no driver.
Encode encoder() {
  static const Encode found = [] {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult result;
    const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function,
                                                               12000, cudaEnableDefault, &result);
    if (error != cudaSuccess || result != cudaDriverEntryPointSuccess) {
      cudaGetLastError();
      return Encode{nullptr};
    }
    return reinterpret_cast<Encode>(function);
  }();
  if (!found) throw std::runtime_error("the CUDA driver has no cuTensorMapEncodeTiled; update it");
  return found;
}

CUtensorMapDataType data_type(DType dtype) {
  switch (dtype) {
    case DType::float16:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    case DType::bfloat16:
      return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    case DType::float32:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
    default:
      throw TypeMismatch(concat("no tensor map of ", name(dtype)));
  }
}

}  // namespace

TensorMap make_tensor_map(const TensorMapSpec& s) {
  check(s);
  cuuint64_t size[max_map_rank], stride[max_map_rank];
  cuuint32_t box[max_map_rank], step[max_map_rank];
  for (int d = 0; d < s.rank; ++d) {
    size[d] = static_cast<cuuint64_t>(s.size[d]);
    if (d > 0) stride[d - 1] = static_cast<cuuint64_t>(s.stride[d]);
    box[d] = static_cast<cuuint32_t>(s.box[d]);
    step[d] = 1;
  }
  TensorMap map{};
  static_assert(sizeof(map) == sizeof(CUtensorMap));
  const CUresult result =
      encoder()(reinterpret_cast<CUtensorMap*>(map.bytes), data_type(s.dtype),
                static_cast<cuuint32_t>(s.rank), const_cast<void*>(s.data), size, stride, box, step,
                CU_TENSOR_MAP_INTERLEAVE_NONE, static_cast<CUtensorMapSwizzle>(s.swizzle),
                CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw std::runtime_error(
        concat("cuTensorMapEncodeTiled failed with CUDA driver error ", static_cast<int>(result)));
  }
  return map;
}
#endif

}  // namespace minidl::cuda
