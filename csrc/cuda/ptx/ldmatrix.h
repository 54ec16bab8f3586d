// ldmatrix: a warp loads matrices of 8 x 8 two-byte elements from shared memory into the registers
// that mma wants them in. Matrix i has its 8 rows, of 16 bytes each, where lanes 8 i .. 8 i + 7
// point. Register i of lane l holds of matrix i, low half first,
//   ldmatrix         [l / 4][l % 4 * 2] and its right neighbour
//   ldmatrix_trans   [l % 4 * 2][l / 4] and the one below it
// All 32 lanes take part; a pointer that no matrix needs must still be into shared memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <cstring>

#include "cuda/ptx/shared.h"
#include "cuda/ptx/warp.h"

namespace minidl::cuda {

#ifdef MINIDL_EMULATOR
namespace host {

template <int count>
struct LdmatrixOperands {
  const void* row;
  std::uint32_t* registers;
};

template <int count, bool transposed>
void ldmatrix_lanes(void* const* lanes) {
  const auto operands = [&](int lane) {
    return static_cast<const LdmatrixOperands<count>*>(lanes[lane]);
  };
  for (int lane = 0; lane < warp_size; ++lane) {
    for (int matrix = 0; matrix < count; ++matrix) {
      std::uint16_t pair[2];
      for (int i = 0; i < 2; ++i) {
        const int row = transposed ? lane % 4 * 2 + i : lane / 4;
        const int column = transposed ? lane / 4 : lane % 4 * 2 + i;
        const auto* values = static_cast<const std::uint16_t*>(operands(8 * matrix + row)->row);
        std::memcpy(&pair[i], values + column, sizeof(pair[i]));
      }
      std::memcpy(&operands(lane)->registers[matrix], pair, sizeof(pair));
    }
  }
}

template <int count, bool transposed>
void ldmatrix(std::uint32_t (&registers)[count], const void* row, emulator::Place place) {
  emulator::check_shared(row, 16, place);
  LdmatrixOperands<count> operands{row, registers};
  emulator::collective(all_lanes, &operands, &ldmatrix_lanes<count, transposed>, place);
}

}  // namespace host

template <int count>
void ldmatrix(std::uint32_t (&registers)[count], const void* row,
              const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  host::ldmatrix<count, false>(registers, row, {"ldmatrix", file, line});
}

template <int count>
void ldmatrix_trans(std::uint32_t (&registers)[count], const void* row,
                    const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  host::ldmatrix<count, true>(registers, row, {"ldmatrix_trans", file, line});
}
#else
#define MINIDL_LDMATRIX(name, modifier)                                                           \
  template <int count>                                                                            \
  __device__ __forceinline__ void name(std::uint32_t(&r)[count], const void* row) {               \
    static_assert(count == 1 || count == 2 || count == 4, "ldmatrix loads 1, 2 or 4 matrices");   \
    const std::uint32_t address = shared_address(row);                                            \
    if constexpr (count == 1) {                                                                   \
      asm volatile("ldmatrix.sync.aligned.m8n8.x1" modifier ".shared.b16 {%0}, [%1];"             \
                   : "=r"(r[0])                                                                   \
                   : "r"(address)                                                                 \
                   : "memory");                                                                   \
    } else if constexpr (count == 2) {                                                            \
      asm volatile("ldmatrix.sync.aligned.m8n8.x2" modifier ".shared.b16 {%0, %1}, [%2];"         \
                   : "=r"(r[0]), "=r"(r[1])                                                       \
                   : "r"(address)                                                                 \
                   : "memory");                                                                   \
    } else {                                                                                      \
      asm volatile("ldmatrix.sync.aligned.m8n8.x4" modifier ".shared.b16 {%0, %1, %2, %3}, [%4];" \
                   : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])                               \
                   : "r"(address)                                                                 \
                   : "memory");                                                                   \
    }                                                                                             \
  }
MINIDL_LDMATRIX(ldmatrix, "")
MINIDL_LDMATRIX(ldmatrix_trans, ".trans")
#undef MINIDL_LDMATRIX
#endif

}  // namespace minidl::cuda
