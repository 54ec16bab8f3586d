// The choice of a convolution's kernel and tiles at every threshold and beside it.
#include "check.h"
#include "cuda/conv_select.h"

using namespace minidl;
using namespace minidl::testing;

TEST(convolution_tiles_follow_the_problem) {
  using namespace cuda;
  using enum ConvPass;
  using enum DType;
  const std::pair<ConvProblem, const char*> rows[] = {
      {{forward, float32, 16896, 1, 1, 8, 24, 72, 90},
       "implicit GEMM, 128 x 16 tiles, 132 x 2 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16896, 1, 1, 8, 25, 72, 90},
       "implicit GEMM, 64 x 64 tiles, 264 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float16, 16896, 1, 1, 8, 48, 72, 80},
       "mma, 128 x 32 tiles, 132 x 2 of them, 1 parts, 0 lanes"},
      {{forward, float16, 16896, 1, 1, 8, 49, 72, 80},
       "mma, 64 x 64 tiles, 264 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float16, 16896, 1, 1, 8, 48, 72, 79},
       "implicit GEMM, 64 x 64 tiles, 264 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16896, 1, 1, 8, 128, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 132 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16768, 1, 1, 8, 128, 72, 90},
       "implicit GEMM, 64 x 64 tiles, 262 x 2 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16769, 1, 1, 8, 128, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 132 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 8448, 1, 2, 8, 128, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 66 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 8448, 2, 1, 8, 128, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 66 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 8448, 1, 1, 8, 256, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 66 x 2 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16896, 1, 1, 8, 192, 72, 90},
       "implicit GEMM, 64 x 64 tiles, 264 x 3 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16896, 1, 1, 8, 255, 72, 90},
       "implicit GEMM, 64 x 64 tiles, 264 x 4 of them, 1 parts, 0 lanes"},
      {{forward, float32, 16896, 1, 1, 8, 257, 72, 90},
       "implicit GEMM, 128 x 128 tiles, 132 x 3 of them, 1 parts, 0 lanes"},
      {{forward, float64, 16896, 1, 1, 8, 128, 72, 90},
       "implicit GEMM, 64 x 64 tiles, 264 x 2 of them, 1 parts, 0 lanes"},
      {{forward, bfloat16, 16896, 1, 1, 8, 128, 72, 80},
       "mma, 128 x 128 tiles, 132 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float16, 16896, 1, 1, 8, 128, 72, 79},
       "implicit GEMM, 64 x 64 tiles, 264 x 2 of them, 1 parts, 0 lanes"},
  };
  for (const auto& [problem, wanted] : rows) {
    const auto config = select_conv(problem);
    expect_same(concat(config.spell(), ", ", config.lanes, " lanes"), wanted);
  }
}

TEST(convolution_parts_follow_the_problem) {
  using namespace cuda;
  using enum ConvPass;
  using enum DType;
  const std::pair<ConvProblem, const char*> rows[] = {
      {{weight_grad, float16, 1 << 20, 1, 1, 8, 128, 512, 80},
       "mma, 128 x 128 tiles, 1 x 4 of them, 132 parts, 0 lanes"},
      {{weight_grad, float16, 1 << 20, 1, 1, 8, 128, 511, 80},
       "mma, 64 x 64 tiles, 2 x 8 of them, 33 parts, 0 lanes"},
      {{weight_grad, float16, 1 << 20, 1, 1, 8, 192, 512, 80},
       "mma, 64 x 64 tiles, 3 x 8 of them, 22 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 1, 8, 128, 512, 90},
       "implicit GEMM, 64 x 64 tiles, 2 x 8 of them, 33 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 2, 8, 64, 576, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 9 of them, 30 parts, 0 lanes"},
      {{weight_grad, float32, 15104, 1, 1, 8, 64, 576, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 9 of them, 59 parts, 0 lanes"},
      {{weight_grad, float32, 15103, 1, 1, 8, 64, 576, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 9 of them, 58 parts, 0 lanes"},
      {{weight_grad, float32, 255, 1, 1, 8, 64, 576, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 9 of them, 1 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 1, 8, 65, 65, 90},
       "implicit GEMM, 64 x 64 tiles, 2 x 2 of them, 132 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 528, 8, 64, 64, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 1 of them, 1 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 1, 8, 64, 64, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 1 of them, 528 parts, 0 lanes"},
      {{weight_grad, float32, 1 << 20, 1, 527, 8, 64, 64, 90},
       "implicit GEMM, 64 x 64 tiles, 1 x 1 of them, 2 parts, 0 lanes"},
  };
  for (const auto& [problem, wanted] : rows) {
    const auto config = select_conv(problem);
    expect_same(concat(config.spell(), ", ", config.lanes, " lanes"), wanted);
  }
}

TEST(depthwise_convolution_follows_the_problem) {
  using namespace cuda;
  using enum ConvPass;
  using enum DType;
  const std::pair<ConvProblem, const char*> rows[] = {
      {{forward, float32, 512, 1, 8, 1, 1, 512, 90},
       "depthwise, 512 x 1 tiles, 1 x 8 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512, 1, 8, 1, 1, 513, 90},
       "implicit GEMM, 128 x 16 tiles, 4 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 512, 1, 8, 2, 1, 9, 90},
       "implicit GEMM, 128 x 16 tiles, 4 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 512, 1, 8, 1, 2, 9, 90},
       "implicit GEMM, 128 x 16 tiles, 4 x 1 of them, 1 parts, 0 lanes"},
      {{forward, float32, 513, 1, 8, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 2 x 8 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512, 1, 1, 1, 1, 9, 90, true},
       "depthwise, 512 x 1 tiles, 1 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512, 1, 2, 1, 1, 9, 90, true},
       "depthwise, 256 x 2 tiles, 2 x 1 of them, 1 parts, 2 lanes"},
      {{forward, float32, 512, 1, 3, 1, 1, 9, 90, true},
       "depthwise, 128 x 4 tiles, 4 x 1 of them, 1 parts, 4 lanes"},
      {{forward, float32, 512, 1, 128, 1, 1, 128, 90, true},
       "depthwise, 16 x 32 tiles, 32 x 4 of them, 1 parts, 32 lanes"},
      {{forward, float32, 512, 1, 128, 1, 1, 129, 90, true},
       "depthwise, 32 x 16 tiles, 16 x 8 of them, 1 parts, 16 lanes"},
      {{forward, float32, 512, 1, 64, 1, 1, 9, 90, true, true},
       "depthwise, 32 x 64 tiles, 16 x 1 of them, 1 parts, 16 lanes"},
      {{forward, float32, 512, 1, 65, 1, 1, 9, 90, true, true},
       "depthwise, 16 x 128 tiles, 32 x 1 of them, 1 parts, 32 lanes"},
      {{forward, float16, 512, 1, 64, 1, 1, 9, 90, true, true},
       "depthwise, 64 x 64 tiles, 8 x 1 of them, 1 parts, 8 lanes"},
      {{forward, float32, 512, 1, 64, 1, 1, 128, 90, true, true},
       "depthwise, 64 x 32 tiles, 8 x 2 of them, 1 parts, 8 lanes"},
      {{forward, float32, 512, 1, 64, 1, 1, 129, 90, true, true},
       "depthwise, 128 x 16 tiles, 4 x 4 of them, 1 parts, 4 lanes"},
      {{forward, float32, 512 * 2111, 1, 1, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 2111 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 4223, 1, 1, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 4223 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 4223 + 1, 1, 1, 1, 1, 9, 90},
       "depthwise, 1024 x 1 tiles, 2112 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 4224, 1, 1, 1, 1, 9, 90},
       "depthwise, 1024 x 1 tiles, 2112 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 2112 + 1, 1, 2, 1, 1, 9, 90},
       "depthwise, 1024 x 1 tiles, 1057 x 2 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 16896, 1, 1, 1, 1, 9, 90},
       "depthwise, 4096 x 1 tiles, 2112 x 1 of them, 1 parts, 1 lanes"},
      {{forward, float32, 512 * 25344, 1, 1, 1, 1, 9, 90},
       "depthwise, 4096 x 1 tiles, 3168 x 1 of them, 1 parts, 1 lanes"},
      {{weight_grad, float32, 1 << 24, 1, 66, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 1 x 66 of them, 16 parts, 1 lanes"},
      {{weight_grad, float32, 1 << 24, 1, 66, 1, 1, 10, 90},
       "depthwise, 512 x 1 tiles, 2 x 66 of them, 8 parts, 1 lanes"},
      {{weight_grad, float32, 1 << 24, 1, 8, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 1 x 8 of them, 64 parts, 1 lanes"},
      {{weight_grad, float32, 1 << 24, 1, 2000, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 1 x 2000 of them, 1 parts, 1 lanes"},
      {{weight_grad, float32, 2048 * 3 - 1, 1, 8, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 1 x 8 of them, 2 parts, 1 lanes"},
      {{weight_grad, float32, 2048 * 3, 1, 8, 1, 1, 9, 90},
       "depthwise, 512 x 1 tiles, 1 x 8 of them, 3 parts, 1 lanes"},
      {{weight_grad, float32, 64 * 3, 1, 64, 1, 1, 512, 90, true, true},
       "depthwise, 16 x 32 tiles, 57 x 2 of them, 3 parts, 32 lanes"},
      {{weight_grad, float32, 64 * 3 - 1, 1, 64, 1, 1, 512, 90, true, true},
       "depthwise, 16 x 32 tiles, 57 x 2 of them, 2 parts, 32 lanes"},
  };
  for (const auto& [problem, wanted] : rows) {
    const auto config = select_conv(problem);
    expect_same(concat(config.spell(), ", ", config.lanes, " lanes"), wanted);
  }
}
