// Bulk tensor copies: where elements land in shared memory by each swizzle, and what happens at an
// array's edges.
#include "cuda/ptx/proxy.h"
#include "cuda/ptx/tensor_copy.h"
#include "golden.h"

namespace minidl::conformance {
namespace {

using namespace cuda;

constexpr int columns = 96, rows = 40, box_rows = 16, threads = 64;

// Shared memory: the box in its own order, then a barrier.
template <int box_columns>
__global__ void load_kernel(const __grid_constant__ TensorMap map, int column, int row,
                            std::uint16_t* out) {
  auto* box = dynamic_shared<std::uint16_t>();
  auto* barrier = reinterpret_cast<MBarrier*>(box + box_columns * box_rows);
  if (threadIdx.x == 0) {
    mbarrier_init(barrier, 1);
    fence_mbarrier_init();
    mbarrier_arrive_expect(barrier, box_columns * box_rows * 2);
    load_box<2>(box, map, barrier, {column, row});
  }
  __syncthreads();
  mbarrier_wait(barrier, 0);
  for (int i = threadIdx.x; i < box_columns * box_rows; i += threads) out[i] = box[i];
}

template <int box_columns>
__global__ void store_kernel(const __grid_constant__ TensorMap map, int column, int row) {
  auto* box = dynamic_shared<std::uint16_t>();
  for (int i = threadIdx.x; i < box_columns * box_rows; i += threads)
    box[i] = static_cast<std::uint16_t>(1000 + i);
  fence_proxy_async();
  __syncthreads();
  if (threadIdx.x == 0) {
    store_box<2>(map, box, {column, row});
    store_commit();
    store_wait<0>();
  }
}

template <int box_columns>
void both(const char* name, Swizzle swizzle) {
  Buffer<std::uint16_t> array(columns * rows);
  Random random(6);
  array.fill(random, [](Random& r) { return static_cast<std::uint16_t>(r.bits()); });
  const TensorMap map = make_tensor_map({array.device(),
                                         DType::float16,
                                         2,
                                         {columns, rows},
                                         {2, columns * 2},
                                         {box_columns, box_rows},
                                         swizzle});
  const std::size_t bytes = box_columns * box_rows * 2 + 16;
  const int places[][2] = {
      {8, 3}, {columns - 8, rows - 5}, {-8, -2}};  // within, over the end, before the start
  for (const auto& place : places) {
    Buffer<std::uint16_t> out(box_columns * box_rows);
    launch("load_box", load_kernel<box_columns>,
           {.grid = {1}, .block = {threads}, .shared_bytes = bytes}, nullptr, map, place[0],
           place[1], out.device());
    golden(concat(name, " load ", place[0], " ", place[1]), out);
  }
  for (const auto& place : {places[0], places[1]}) {  // a store may not start before the array
    Buffer<std::uint16_t> target(columns * rows);
    TensorMapSpec spec{target.device(),  DType::float16,          2,      {columns, rows},
                       {2, columns * 2}, {box_columns, box_rows}, swizzle};
    launch("store_box", store_kernel<box_columns>,
           {.grid = {1}, .block = {threads}, .shared_bytes = bytes}, nullptr, make_tensor_map(spec),
           place[0], place[1]);
    golden(concat(name, " store ", place[0], " ", place[1]), target);
  }
}

}  // namespace
}  // namespace minidl::conformance

using namespace minidl;
using namespace minidl::conformance;

CONFORMANCE(tensor_copy) {
  both<64>("128", cuda::Swizzle::bytes_128);
  both<32>("64", cuda::Swizzle::bytes_64);
  both<16>("32", cuda::Swizzle::bytes_32);
  both<64>("none", cuda::Swizzle::none);
}
