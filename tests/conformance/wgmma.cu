// wgmma: every way an operand may lie, every width, every type; operands come by bulk copy with the
// matching swizzle.
#include "cuda/ptx/tensor_copy.h"
#include "cuda/ptx/wgmma.h"
#include "golden.h"

namespace minidl::conformance {
namespace {

using namespace cuda;

// One operand of `mn` rows (of a) or columns (of b) and `depth` elements along k, two wgmma deep.
template <class T, Major major_, Swizzle swizzle_, int mn_>
struct Operand {
  static constexpr Major major = major_;
  static constexpr Swizzle swizzle = swizzle_;
  static constexpr int mn = mn_, depth = 2 * wgmma_depth<T>;
  static constexpr int width = 16 << static_cast<int>(swizzle);  // bytes
  static constexpr int unit = width / static_cast<int>(sizeof(T));
  static constexpr int boxes = major == Major::k ? 1 : mn / unit;
  static constexpr int bytes =
      major == Major::k ? mn * width : mn * depth * static_cast<int>(sizeof(T));
  // K-major rows are as wide as the swizzle, whatever is used of them.
  static constexpr int row = major == Major::k ? unit : mn, rows = major == Major::k ? mn : depth;

  static TensorMap map(const T* data, DType dtype) {
    constexpr int box_rows = major == Major::k ? mn : depth;
    return make_tensor_map({data,
                            dtype,
                            2,
                            {row, rows},
                            {0, row * static_cast<int>(sizeof(T))},
                            {unit, box_rows},
                            swizzle});
  }
  static __device__ void load(T* shared, const TensorMap& map, MBarrier* barrier) {
    for (int i = 0; i < boxes; ++i)
      load_box<2>(shared + i * unit * depth, map, barrier, {i * unit, 0});
  }
  // Of the step-th wgmma.
  static __device__ std::uint64_t descriptor_of(const T* shared, int step) {
    const int k = step * wgmma_depth<T>;
    if (major == Major::k)
      return descriptor(shared_offset(shared) + k * static_cast<int>(sizeof(T)), 16, 8 * width,
                        swizzle);
    return descriptor(shared_offset(shared) + k * width, depth * width, 8 * width, swizzle);
  }
};

template <class T, class A, class B, bool registers>
__global__ void __launch_bounds__(128)
    wgmma_kernel(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap b_map,
                 const T* a_rows, float* out) {
  constexpr int n = B::mn;
  T* a = dynamic_shared<T>();
  T* b = a + A::bytes / static_cast<int>(sizeof(T));
  auto* barrier = reinterpret_cast<MBarrier*>(b + B::bytes / static_cast<int>(sizeof(T)));
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect(barrier, A::bytes + B::bytes);
    A::load(a, a_map, barrier);
    B::load(b, b_map, barrier);
  }
  __syncthreads();
  mbarrier_wait(barrier, 0);
  float sum[n / 2];
  for (int i = 0; i < n / 2; ++i) sum[i] = 0.5f;
  wgmma_fence();
  if constexpr (registers) {
    std::uint32_t fragment[2][4];  // of a, K-major in global memory
    const int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4, pair = threadIdx.x % 4 * 2;
    for (int step = 0; step < 2; ++step) {
      for (int i = 0; i < 4; ++i) {
        const T* at = a_rows + (row + i % 2 * 8) * A::row + step * 16 + i / 2 * 8 + pair;
        fragment[step][i] = at[0].bits | static_cast<std::uint32_t>(at[1].bits) << 16;
      }
    }
    wgmma_fence();
    wgmma_registers<T, n, B::major>(sum, fragment[0], B::descriptor_of(b, 0), true);
    wgmma_registers<T, n, B::major>(sum, fragment[1], B::descriptor_of(b, 1), true);
    wgmma_commit();
    wgmma_wait<0>();
  } else {
    wgmma<T, n, A::major, B::major>(sum, A::descriptor_of(a, 0), B::descriptor_of(b, 0), true);
    wgmma<T, n, A::major, B::major>(sum, A::descriptor_of(a, 1), B::descriptor_of(b, 1), true);
    wgmma_commit();
    wgmma_wait<0>();
  }
  for (int i = 0; i < n / 2; ++i) out[i * 128 + threadIdx.x] = sum[i];
}

template <class T, class A, class B, bool registers = false>
void run(const char* what, DType dtype) {
  Random random(7);
  Buffer<T> a(A::row * A::rows), b(B::row * B::rows);
  Buffer<float> out(B::mn / 2 * 128);
  a.fill(random, [](Random& r) { return T(r.grid()); });
  b.fill(random, [](Random& r) { return T(r.grid()); });
  launch("wgmma", wgmma_kernel<T, A, B, registers>,
         {.grid = {1}, .block = {128}, .shared_bytes = A::bytes + B::bytes + 16}, nullptr,
         A::map(a.device(), dtype), B::map(b.device(), dtype), a.device(), out.device());
  golden(what, out);
}

constexpr Major k = Major::k, mn = Major::mn;
constexpr Swizzle s128 = Swizzle::bytes_128, s64 = Swizzle::bytes_64, s32 = Swizzle::bytes_32;

template <class T>
void halves(const char* name, DType dtype) {
  const auto what = [&](const char* text) { return concat(name, " ", text); };
  run<T, Operand<T, k, s128, 64>, Operand<T, k, s128, 64>>(what("k k 64").c_str(), dtype);
  run<T, Operand<T, mn, s128, 64>, Operand<T, k, s128, 128>>(what("mn k 128").c_str(), dtype);
  run<T, Operand<T, k, s128, 64>, Operand<T, mn, s128, 128>>(what("k mn 128").c_str(), dtype);
  run<T, Operand<T, mn, s128, 64>, Operand<T, mn, s128, 256>>(what("mn mn 256").c_str(), dtype);
  run<T, Operand<T, k, s64, 64>, Operand<T, k, s64, 64>>(what("k k 64 swizzle 64").c_str(), dtype);
  run<T, Operand<T, mn, s64, 64>, Operand<T, mn, s64, 64>>(what("mn mn 64 swizzle 64").c_str(),
                                                           dtype);
  run<T, Operand<T, mn, s32, 64>, Operand<T, mn, s32, 64>>(what("mn mn 64 swizzle 32").c_str(),
                                                           dtype);
  run<T, Operand<T, k, s128, 64>, Operand<T, k, s128, 64>, true>(what("registers k 64").c_str(),
                                                                 dtype);
  run<T, Operand<T, k, s128, 64>, Operand<T, mn, s128, 64>, true>(what("registers mn 64").c_str(),
                                                                  dtype);
}

}  // namespace
}  // namespace minidl::conformance

using namespace minidl;
using namespace minidl::conformance;

CONFORMANCE(wgmma_half) { halves<Half>("half", DType::float16); }
CONFORMANCE(wgmma_bfloat16) { halves<BFloat16>("bfloat16", DType::bfloat16); }
CONFORMANCE(wgmma_tf32) {
  run<float, Operand<float, k, s128, 64>, Operand<float, k, s128, 64>>("k k 64", DType::float32);
  run<float, Operand<float, k, s128, 64>, Operand<float, k, s128, 256>>("k k 256", DType::float32);
  run<float, Operand<float, k, s64, 64>, Operand<float, k, s64, 128>>("k k 128 swizzle 64",
                                                                      DType::float32);
}
