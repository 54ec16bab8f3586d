// Exchanges between lanes, atomics.
#include "cuda/ptx/atomic.h"
#include "cuda/ptx/warp.h"
#include "golden.h"

namespace minidl::conformance {
namespace {

using namespace cuda;
constexpr int lanes = 64;  // two warps

__global__ void shuffles_kernel(const float* in, float* out) {
  const int i = threadIdx.x;
  int row = 0;
  for (int mask = 1; mask < warp_size; mask *= 2) {
    out[row++ * lanes + i] = shuffle_xor(in[i], mask);
    out[row++ * lanes + i] = shuffle_down(in[i], mask);
  }
  out[row++ * lanes + i] = warp_sum(in[i]);
  for (unsigned delta = 1; delta < warp_size; delta *= 2)
    out[row++ * lanes + i] = shuffle_up(in[i], delta);
  out[row++ * lanes + i] = shuffle(in[i], 7 * i + 3);
  out[row * lanes + i] = warp_max(in[i]);
}

__global__ void ballot_kernel(const float* in, std::uint32_t* out) {
  for (int bound = 0; bound < 4; ++bound)
    out[bound * lanes + threadIdx.x] = ballot(in[threadIdx.x] > 0.25f * static_cast<float>(bound));
}

// Sums of integers: their order does not matter, what was there before a lane's turn does.
__global__ void atomic_kernel(const std::int32_t* in, std::int32_t* sums) {
  atomic_add(&sums[threadIdx.x % 3], in[threadIdx.x]);
}

}  // namespace
}  // namespace minidl::conformance

using namespace minidl;
using namespace minidl::conformance;

CONFORMANCE(shuffles) {
  Random random(1);
  Buffer<float> in(lanes), out(18 * lanes);
  in.fill(random, [](Random& r) { return r.grid(); });
  cuda::launch("shuffles", shuffles_kernel, {.grid = {1}, .block = {lanes}}, nullptr, in.device(),
               out.device());
  golden("all", out);
}

CONFORMANCE(ballot) {
  Random random(2);
  Buffer<float> in(lanes);
  Buffer<std::uint32_t> out(4 * lanes);
  in.fill(random, [](Random& r) { return r.grid(); });
  cuda::launch("ballot", ballot_kernel, {.grid = {1}, .block = {lanes}}, nullptr, in.device(),
               out.device());
  golden("all", out);
}

CONFORMANCE(atomic_add) {
  Random random(3);
  Buffer<std::int32_t> in(lanes), sums(3);
  in.fill(random, [](Random& r) { return static_cast<std::int32_t>(r.bits()); });
  sums.fill(random, [](Random&) { return 5; });
  cuda::launch("atomic_add", atomic_kernel, {.grid = {1}, .block = {lanes}}, nullptr, in.device(),
               sums.device());
  golden("sums", sums);
}
