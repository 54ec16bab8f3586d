// The forward pass of cross entropy: the logarithm of the sum of exponentials of each sample, read
// once (twice with label smoothing), its loss, and sums of losses and weights over the block.
#include "cuda/block_reduce.h"
#include "cuda/cross_entropy_share.h"
#include "cuda/launch.h"
#include "cuda/ptx/shared.h"

namespace minidl::cuda {
namespace {

// ---- Configuration ----------------------------------------------------------------------------
// Threads a sample: cross_entropy_select.h.

constexpr int loads_ahead = 4;  // classes that a thread asks for together where they have gaps

// ---- Kernel -----------------------------------------------------------------------------------

// Combines what the threads of a sample bring, in each of them. `shared` has room for one state a
// thread.
template <class Op, class State>
__device__ __forceinline__ State combine_share(const Op& op, State state, State* shared,
                                               const ClassConfig& config) {
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  if (!config.across) return block_reduce_all(op, state, shared, x, config.threads_per_row);
  if (config.threads_per_row == 1) return state;
  shared[y * config.rows_per_block + x] = state;
  __syncthreads();
  state = shared[x];
  for (int other = 1; other < config.threads_per_row; ++other)
    state = op.combine(state, shared[other * config.rows_per_block + x]);
  return state;
}

// The sum of exponentials over a thread's share of the classes.
template <class T>
__device__ __forceinline__ auto sum_exponentials(const ClassArrays<T>& a, const T* input,
                                                 const ClassShare& share) {
  using Real = accumulator_t<T>;
  const auto combine = [](const Exponentials<Real>& sum, const auto& x) {
    constexpr int n = sizeof(x) / sizeof(Real);
    Real largest = sum.largest, more = 0;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k) largest = beats(x[k], largest) ? x[k] : largest;
    MINIDL_UNROLL
    for (int k = 0; k < n; ++k)  // equal ones may be infinite, whose difference is NaN
      more += x[k] == largest ? Real(1) : std::exp(x[k] - largest);
    const Real scale = sum.largest == largest ? Real(1) : std::exp(sum.largest - largest);
    return Exponentials<Real>{largest, sum.sum * scale + more};
  };
  Exponentials<Real> sum = {lowest<Real>(), Real(0)};
  if (a.packs) {
    using P = Pack<T>;
    for (std::int64_t c = share.first * P::size; c < a.classes; c += share.step * P::size) {
      const P pack = load_pack<P>(input + c);
      Real x[P::size];
      MINIDL_UNROLL
      for (int k = 0; k < P::size; ++k) x[k] = static_cast<Real>(pack[k]);
      sum = combine(sum, x);
    }
    return sum;
  }
  for (std::int64_t c = share.first; c < a.classes; c += loads_ahead * share.step) {
    Real x[loads_ahead];
    MINIDL_UNROLL
    for (int k = 0; k < loads_ahead; ++k) {
      const std::int64_t at = c + k * share.step;
      x[k] = at < a.classes ? static_cast<Real>(input[at * a.input_stride]) : lowest<Real>();
    }
    sum = combine(sum, x);
  }
  return sum;
}

template <class T>
__global__ void __launch_bounds__(1024) cross_entropy_rows_kernel(ClassArrays<T> a) {
  using Real = accumulator_t<T>;
  using State = Exponentials<Real>;
  State* shared = dynamic_shared<State>();
  const ClassShare share(a.config);
  const bool active = share.row < a.rows.count;
  const auto row = a.rows.at(active ? share.row : 0);
  const T* input = a.input + row.in[a.at_input];
  State sum = {lowest<Real>(), Real(0)};
  if (active) sum = sum_exponentials(a, input, share);
  sum = combine_share(LogSumExpOp<T>{}, sum, shared, a.config);
  const Real log_sum = std::log(sum.sum) + (sum.largest - sum.largest);  // NaN beside infinity
  Real every = 0;  // of all classes, for label smoothing
  if (a.smoothing > 0) {
    for (std::int64_t c = share.first; active && c < a.classes; c += share.step) {
      const Real shifted = static_cast<Real>(input[c * a.input_stride]) - sum.largest;
      every += a.weight_of(c) * (log_sum - shifted);
    }
    __syncthreads();
    every = combine_share(SumOp<Real>{}, every, reinterpret_cast<Real*>(shared), a.config);
  }
  Real loss = 0, own = 0;
  if (active && share.leads) {
    const std::int64_t target = class_of(a, row);
    if (target >= 0) {
      own = a.weight_of(target);
      loss = log_sum - (static_cast<Real>(input[target * a.input_stride]) - sum.largest);
      if (a.weight) loss *= own;
      if (a.smoothing > 0)
        loss = (1 - a.smoothing) * loss + a.smoothing / static_cast<Real>(a.classes) * every;
    }
    a.log_sums[row.in[a.at_log_sums]] =
        static_cast<double>(sum.largest) + static_cast<double>(log_sum);
    if (a.loss) a.loss[row.in[a.at_loss]] = static_cast<T>(loss);
  }
  __syncthreads();
  write_partial(a, loss, own, reinterpret_cast<Real*>(shared));
}

}  // namespace

// ---- Launcher ---------------------------------------------------------------------------------

template <class T>
void cross_entropy_rows(const ClassArrays<T>& arrays, Stream stream) {
  const ClassConfig& config = arrays.config;
  const std::size_t states = config.threads_per_row * config.rows_per_block;
  launch("cross_entropy_rows", cross_entropy_rows_kernel<T>,
         class_shape(config, arrays.rows.count, states * sizeof(Exponentials<accumulator_t<T>>)),
         stream, arrays);
}

#define MINIDL_INSTANCE(T) template void cross_entropy_rows<T>(const ClassArrays<T>&, Stream);
MINIDL_INSTANCE(Half)
MINIDL_INSTANCE(BFloat16)
MINIDL_INSTANCE(float)
MINIDL_INSTANCE(double)
#undef MINIDL_INSTANCE

}  // namespace minidl::cuda
