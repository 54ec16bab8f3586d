#include "cuda/norm_rows.h"

#include "cuda/norm_rows_kernels.h"

namespace minidl::cuda {
namespace {

void check_dense(const char* name, const Array& array, const std::vector<std::int64_t>& shape) {
  check_shape(name, array, shape);
  std::int64_t step = 1;
  for (int d = array.rank() - 1; d >= 0; --d) {
    MINIDL_CHECK(array.shape[d] <= 1 || array.strides[d] == step || array.count() == 0, name,
                 " must be dense in C order, got strides ", spell(array.strides), " for shape ",
                 spell(array.shape));
    step *= array.shape[d];
  }
}

// What both passes have.
template <class T>
RowNormArrays<T> arrays_of(const Array& x, const Array* weight, const Array* mean,
                           const Array& inv_std) {
  check_rank("x", x, 2);
  check_dense("x", x, x.shape);
  RowNormArrays<T> arrays = {};
  arrays.x = x.as<const T>();
  arrays.rows = x.shape[0];
  arrays.length = x.shape[1];
  arrays.weight = to_affine<T>("weight", weight, arrays.length, x.dtype);
  arrays.packs = arrays.length % Pack<T>::size == 0 && is_aligned(x.data);
  using Real = accumulator_t<T>;
  const auto statistic = [&](const char* name, const Array& array) {
    check_dtype(name, array, dtype_of_statistics<T>);
    check_dense(name, array, {arrays.rows});
    return array.as<Real>();
  };
  if (mean) arrays.mean = statistic("mean", *mean);
  arrays.inv_std = statistic("inv_std", inv_std);
  return arrays;
}

// The array that is written or read beside x, like it.
template <class T>
T* beside(const char* name, const Array& array, const Array& x, RowNormArrays<T>& arrays) {
  check_dtype(name, array, x.dtype);
  check_dense(name, array, x.shape);
  arrays.packs = arrays.packs && is_aligned(array.data);
  return array.as<T>();
}

// Workers, or parts, whose partial sums the backward pass writes.
std::int64_t workers_of(const RowNormConfig& config, std::int64_t rows) {
  return config.held ? config.blocks * config.rows_per_block : column_parts(rows);
}

}  // namespace

void norm_rows(const Array& x, const Array* weight, const Array* bias, double eps, const Array& y,
               const Array* mean, const Array& inv_std, Stream stream) {
  with_floating_type("x", x, [&](auto zero) {
    using T = decltype(zero);
    auto arrays = arrays_of<T>(x, weight, mean, inv_std);
    arrays.bias = to_affine<T>("bias", bias, arrays.length, x.dtype);
    arrays.out = beside("y", y, x, arrays);
    arrays.eps = static_cast<accumulator_t<T>>(eps);
    const RowNormConfig config = select_norm_rows(arrays.rows, arrays.length, norm_held<T>);
    if (config.held) return norm_rows_held(arrays, config, stream);
    norm_rows_streamed(arrays, config, stream);
  });
}

void norm_rows_backward(const Array& g, const Array& x, const Array* weight, const Array* mean,
                        const Array& inv_std, const RowNormGrads& grads, const Array* partial,
                        Stream stream) {
  with_floating_type("x", x, [&](auto zero) {
    using T = decltype(zero);
    auto arrays = arrays_of<T>(x, weight, mean, inv_std);
    arrays.g = beside("g", g, x, arrays);
    if (grads.dx) arrays.out = beside("dx", *grads.dx, x, arrays);
    arrays.dweight = to_affine<T>("dweight", grads.dweight, arrays.length, x.dtype);
    arrays.dbias = to_affine<T>("dbias", grads.dbias, arrays.length, x.dtype);
    const bool sums = grads.dweight || grads.dbias;
    if (sums) {
      const std::int64_t wanted = norm_rows_workspace(arrays.rows, arrays.length, true);
      MINIDL_CHECK(partial && partial->count() >= wanted, "partial must hold ", wanted,
                   " elements");
      check_dtype("partial", *partial, dtype_of_statistics<T>);
      arrays.partial = partial->as<accumulator_t<T>>();
    }
    const RowNormConfig config =
        select_norm_rows_grad(arrays.rows, arrays.length, norm_grad_held<T>);
    const std::int64_t workers = workers_of(config, arrays.rows);
    if (config.held) {
      norm_rows_grad_held(arrays, config, stream);
    } else {
      if (arrays.out) norm_rows_grad_streamed(arrays, config, stream);
      if (sums) norm_columns_parts(arrays, workers, stream);
    }
    if (sums) norm_columns_sum(arrays, workers, stream);
  });
}

std::int64_t norm_rows_workspace(std::int64_t rows, std::int64_t length, bool sums) {
  if (!sums) return 0;
  std::int64_t workers = 0;  // of whichever dtype has the more
  for (const int elements : {norm_grad_held<float>, norm_grad_held<double>}) {
    const RowNormConfig config = select_norm_rows_grad(rows, length, elements);
    workers = std::max(workers, workers_of(config, rows));
  }
  return workers * 2 * length;
}

}  // namespace minidl::cuda
