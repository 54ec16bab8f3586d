// mma.sync on fragments, ldmatrix, cp.async with zeros.
#include "cuda/ptx/cp_async.h"
#include "cuda/ptx/ldmatrix.h"
#include "cuda/ptx/mma.h"
#include "golden.h"

namespace minidl::conformance {
namespace {

using namespace cuda;

// Registers as they are, lane by lane: in [32][registers].
template <class T, int depth>
__global__ void mma_kernel(const std::uint32_t* a, const std::uint32_t* b, const float* sum,
                           float* out) {
  constexpr bool tf32 = std::is_same_v<T, float>;
  constexpr int of_b = depth / (tf32 ? 4 : 8), of_a = 2 * of_b;
  const int lane = threadIdx.x;
  std::uint32_t left[of_a], right[of_b];
  float own[4];
  for (int i = 0; i < of_a; ++i) left[i] = a[lane * of_a + i];
  for (int i = 0; i < of_b; ++i) right[i] = b[lane * of_b + i];
  for (int i = 0; i < 4; ++i) own[i] = sum[lane * 4 + i];
  if constexpr (tf32) {
    mma_m16n8k8_tf32(own, left, right);
  } else if constexpr (depth == 16) {
    mma_m16n8k16<T>(own, left, right);
  } else {
    mma_m16n8k8_half(own, left, right);
  }
  for (int i = 0; i < 4; ++i) out[lane * 4 + i] = own[i];
}

__global__ void to_tf32_kernel(const float* in, std::uint32_t* out) {
  out[threadIdx.x] = to_tf32(in[threadIdx.x]);
}

template <int count, bool transposed>
__global__ void ldmatrix_kernel(const std::uint16_t* in, std::uint32_t* out) {
  auto* shared = dynamic_shared<std::uint16_t>();
  for (int i = threadIdx.x; i < 64 * count; i += warp_size) shared[i] = in[i];
  __syncthreads();
  std::uint32_t own[count];
  // Rows in reverse, so that the lane of an address shows.
  const auto* row = shared + (8 * count - 1 - static_cast<int>(threadIdx.x) % (8 * count)) * 8;
  if constexpr (transposed) {
    ldmatrix_trans(own, row);
  } else {
    ldmatrix(own, row);
  }
  for (int i = 0; i < count; ++i) out[threadIdx.x * count + i] = own[i];
}

template <int bytes>
__global__ void cp_async_kernel(const unsigned char* in, unsigned char* out) {
  auto* shared = dynamic_shared<unsigned char>();
  const int lane = threadIdx.x, source_bytes = lane % (bytes + 1);
  cp_async<bytes>(shared + lane * bytes, in + lane * bytes, source_bytes);
  cp_async_commit();
  cp_async_wait<0>();
  for (int i = 0; i < bytes; ++i) out[lane * bytes + i] = shared[lane * bytes + i];
}

template <class T>
std::uint32_t operand(Random& r) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<std::uint32_t>(r.grid());
  } else {
    const std::uint32_t low = T(r.grid()).bits;
    return low | static_cast<std::uint32_t>(T(r.grid()).bits) << 16;
  }
}

template <class T, int depth>
void mma_case(std::uint64_t seed) {
  constexpr std::size_t of_b = depth / (std::is_same_v<T, float> ? 4 : 8);
  Random random(seed);
  Buffer<std::uint32_t> a(64 * of_b), b(32 * of_b);
  Buffer<float> sum(128), out(128);
  a.fill(random, operand<T>);
  b.fill(random, operand<T>);
  sum.fill(random, [](Random& r) { return r.grid(); });
  launch("mma", mma_kernel<T, depth>, {.grid = {1}, .block = {32}}, nullptr, a.device(), b.device(),
         sum.device(), out.device());
  golden("sum", out);
}

template <int count, bool transposed>
void ldmatrix_case(const char* what) {
  Random random(count);
  Buffer<std::uint16_t> in(64 * count);
  Buffer<std::uint32_t> out(32 * count);
  in.fill(random, [](Random& r) { return static_cast<std::uint16_t>(r.bits()); });
  launch("ldmatrix", ldmatrix_kernel<count, transposed>,
         {.grid = {1}, .block = {32}, .shared_bytes = 128 * count}, nullptr, in.device(),
         out.device());
  golden(what, out);
}

template <int bytes>
void cp_async_case(const char* what) {
  Random random(bytes);
  Buffer<unsigned char> in(32 * bytes), out(32 * bytes);
  in.fill(random, [](Random& r) { return static_cast<unsigned char>(r.bits()); });
  launch("cp_async", cp_async_kernel<bytes>,
         {.grid = {1}, .block = {32}, .shared_bytes = 32 * bytes}, nullptr, in.device(),
         out.device());
  golden(what, out);
}

}  // namespace
}  // namespace minidl::conformance

using namespace minidl;
using namespace minidl::conformance;

CONFORMANCE(mma_m16n8k16_half) { mma_case<Half, 16>(10); }
CONFORMANCE(mma_m16n8k16_bfloat16) { mma_case<BFloat16, 16>(11); }
CONFORMANCE(mma_m16n8k8_half) { mma_case<Half, 8>(12); }
CONFORMANCE(mma_m16n8k8_tf32) { mma_case<float, 8>(13); }

CONFORMANCE(to_tf32) {
  Random random(14);
  Buffer<float> in(256);
  Buffer<std::uint32_t> out(256);
  in.fill(random, [](Random& r) { return r.grid() + r.grid() / 4096 + r.grid() / (1 << 20); });
  cuda::launch("to_tf32", to_tf32_kernel, {.grid = {1}, .block = {256}}, nullptr, in.device(),
               out.device());
  golden("bits", out);
}

CONFORMANCE(ldmatrix) {
  ldmatrix_case<1, false>("x1");
  ldmatrix_case<2, false>("x2");
  ldmatrix_case<4, false>("x4");
  ldmatrix_case<1, true>("x1 trans");
  ldmatrix_case<2, true>("x2 trans");
  ldmatrix_case<4, true>("x4 trans");
}

CONFORMANCE(cp_async) {
  cp_async_case<4>("4");
  cp_async_case<8>("8");
  cp_async_case<16>("16");
}
