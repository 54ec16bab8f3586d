#include "cuda/matmul_wgmma.h"

#include <limits>

#include "common/half.h"
#include "cuda/device.h"
#include "cuda/matmul_wgmma_kernels.h"

namespace minidl::cuda {
namespace {

// A stack of matrices as a kernel sees it: rows are those of a, the columns of b, or the rows of
// the result, whose columns are its k.
struct Operand {
  const Array& array;
  std::int64_t batch, rows, k, batch_stride, row_stride, k_stride;

  Operand(const Array& x, bool k_last)
      : array(x), batch(x.rank() == 3 ? x.shape[0] : 1), batch_stride(x.strides[0]) {
    const int row_axis = x.rank() - (k_last ? 2 : 1), k_axis = x.rank() - (k_last ? 1 : 2);
    rows = x.shape[row_axis];
    k = x.shape[k_axis];
    row_stride = x.strides[row_axis];
    k_stride = x.strides[k_axis];
  }

  bool k_unit() const { return k_stride == 1; }
  std::int64_t outer_stride() const { return k_unit() ? row_stride : k_stride; }

  // Whether a tensor map can tell where it lies.
  bool has_map() const {
    constexpr std::int64_t item = 2, pack = 16;
    const auto fits = [&](std::int64_t size, std::int64_t stride) {
      return size == 1 || (stride > 0 && stride * item % pack == 0);
    };
    return (k_stride == 1 || row_stride == 1) && fits(k_unit() ? rows : k, outer_stride()) &&
           fits(batch, batch_stride) && reinterpret_cast<std::uintptr_t>(array.data) % pack == 0;
  }

  // `tile` rows are moved at once, 64 along k.
  MatmulWgmmaOperand map(int tile) const {
    constexpr std::int64_t item = 2, pack = 16;
    const auto bytes = [&](std::int64_t size, std::int64_t stride) {
      return size == 1 ? pack : stride * item;  // an axis of one element is never stepped along
    };
    const bool unit = k_unit();
    return {make_tensor_map(
                {.data = array.data,
                 .dtype = array.dtype,
                 .rank = 3,
                 .size = {unit ? k : rows, unit ? rows : k, batch},
                 .stride = {0, bytes(unit ? rows : k, outer_stride()), bytes(batch, batch_stride)},
                 .box = {wgmma_tile_k, unit ? tile : wgmma_tile_k, 1},
                 .swizzle = Swizzle::bytes_128}),
            unit, batch > 1};
  }
};

bool is_stack(const Array& x) { return x.rank() == 2 || x.rank() == 3; }

bool agree(const Operand& a, const Operand& b, const Array& out) {
  const std::int64_t batch = out.rank() == 3 ? out.shape[0] : 1;
  return a.k == b.k && a.rows == out.shape.end()[-2] && b.rows == out.shape.end()[-1] &&
         (a.batch == 1 || a.batch == batch) && (b.batch == 1 || b.batch == batch);
}

bool is_small(const Array& x) {
  for (const std::int64_t size : x.shape) {
    if (size > std::numeric_limits<int>::max() / 2) return false;
  }
  return true;
}

template <class T>
void run(const Operand& a, const Operand& b, const Array& out, const Array* bias,
         const MatmulWgmmaConfig& config, Stream stream) {
  const std::int64_t batch_stride = out.rank() == 3 ? out.strides[0] : 0;
  const std::int64_t m_stride = out.strides.end()[-2], n_stride = out.strides.end()[-1];
  const bool pairs = n_stride == 1 && m_stride % 2 == 0 && batch_stride % 2 == 0 &&
                     reinterpret_cast<std::uintptr_t>(out.data) % 4 == 0;
  const Operand result(out, true);
  const bool boxes = result.k_unit() && result.has_map();
  static_assert(wgmma_box_columns == wgmma_tile_k, "map() makes the result's boxes too");
  const TensorMap map = boxes ? result.map(wgmma_box_rows).map : TensorMap{};
  const MatmulWgmmaOutput<T> output{.data = out.as<T>(),
                                    .bias = bias ? bias->as<const T>() : nullptr,
                                    .bias_stride = bias ? bias->strides[0] : 0,
                                    .batch_stride = batch_stride,
                                    .m_stride = m_stride,
                                    .n_stride = n_stride,
                                    .batch = out.rank() == 3 ? static_cast<int>(out.shape[0]) : 1,
                                    .m = static_cast<int>(a.rows),
                                    .n = static_cast<int>(b.rows),
                                    .k = static_cast<int>(a.k),
                                    .pairs = pairs,
                                    .boxes = boxes,
                                    .a_batched = a.batch > 1,
                                    .b_batched = b.batch > 1};
  matmul_wgmma_kernel(a.map(config.tile_m), b.map(config.tile_n), map, output, config, stream);
}

}  // namespace

bool takes_matmul_wgmma(const Array& a, const Array& b, const Array& out) {
  if (a.dtype != DType::float16 && a.dtype != DType::bfloat16) return false;
  if (b.dtype != a.dtype || out.dtype != a.dtype) return false;
  if (!is_stack(a) || !is_stack(b) || !is_stack(out)) return false;
  const Operand left(a, true), right(b, false);
  return agree(left, right, out) && left.k > 0 && is_small(a) && is_small(b) && is_small(out) &&
         left.has_map() && right.has_map() && device_capability() == 90;
}

MatmulWgmmaConfig matmul_wgmma_config(const Array& out) {
  return select_matmul_wgmma(out.rank() == 3 ? out.shape[0] : 1, out.shape.end()[-2],
                             out.shape.end()[-1], device_multiprocessors());
}

void matmul_wgmma(const Array& a, const Array& b, const Array& out, const Array* bias,
                  const MatmulWgmmaConfig& config, Stream stream) {
  if (device_capability() != 90) {
    throw std::runtime_error(concat("matmul_wgmma runs on compute capability 9.0, this GPU has ",
                                    device_capability() / 10, ".", device_capability() % 10));
  }
  MINIDL_CHECK(takes_matmul_wgmma(a, b, out), "matmul_wgmma of shapes ", spell(a.shape), " and ",
               spell(b.shape), " to ", spell(out.shape),
               ": wants 16-bit floats of one type, sizes that agree, and operands with an axis of "
               "stride 1 whose address and other strides are positive multiples of 16 bytes");
  MINIDL_CHECK((config.tile_n == 128 || config.tile_n == 256) && config.blocks > 0,
               "matmul_wgmma has tiles 128 or 256 wide, got ", config.spell());
  if (bias) {
    check_dtype("bias", *bias, a.dtype);
    check_shape("bias", *bias, {out.shape.back()});
  }
  if (out.count() == 0) return;
  const Operand left(a, true), right(b, false);
  if (a.dtype == DType::float16) return run<Half>(left, right, out, bias, config, stream);
  run<BFloat16>(left, right, out, bias, config, stream);
}

}  // namespace minidl::cuda
