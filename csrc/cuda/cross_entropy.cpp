#include "cuda/cross_entropy.h"

#include <utility>

#include "cuda/cross_entropy_kernels.h"
#include "cuda/pack.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// Checks what a loss is told and plans its walk over the samples. An array that a pass has not got
// is null; `like` is the one with classes that it has, of `shape`.
template <class T>
struct Planner {
  using Arrays = ClassArrays<T>;
  Arrays arrays = {};
  const Array& like;
  int dim;  // of the classes

  Planner(const Array& like, const ClassTargets& targets) : like(like), dim(like.rank() > 1) {
    MINIDL_CHECK(like.rank() > 0, "input must have a dimension of classes");
    check_dtype("target", targets.target, DType::int64);
    check_shape("target", targets.target, sample_shape());
    arrays.target = targets.target.as<const std::int64_t>();
    arrays.classes = like.shape[dim];
    arrays.ignore_index = targets.ignore_index;
    arrays.reduction = targets.reduction;
    arrays.smoothing = static_cast<typename Arrays::Real>(targets.label_smoothing);
    arrays.record = targets.record;
    if (const Array* weight = targets.weight) {
      check_dtype("weight", *weight, like.dtype);
      check_shape("weight", *weight, {arrays.classes});
      arrays.weight = weight->as<const T>();
      arrays.weight_stride = weight->strides[0];
    }
  }

  std::vector<std::int64_t> sample_shape() const {
    auto shape = like.shape;
    shape.erase(shape.begin() + dim);
    return shape;
  }

  // A workspace and a number, neither of which the walk passes.
  void set_totals(const Array& total, const Array* partial) {
    check_dtype("total", total, like.dtype);
    check_shape("total", total, {});
    arrays.total = total.as<T>();
    if (partial == nullptr) return;
    check_dtype("partial", *partial, DType::float64);
    std::int64_t samples = 1;
    for (const std::int64_t size : sample_shape()) samples *= size;
    MINIDL_CHECK(partial->rank() == 1 && partial->shape[0] >= 2 * samples, "partial of shape ",
                 spell(partial->shape), " must hold ", 2 * samples, " elements");
    arrays.partial = partial->as<double>();
  }

  // The loss, or its gradient: one a sample, or one for all, whose stride is 0.
  void set_loss(const char* name, const Array& loss) {
    check_dtype(name, loss, like.dtype);
    check_shape(
        name, loss,
        arrays.reduction == LossReduction::none ? sample_shape() : std::vector<std::int64_t>{});
    arrays.loss = loss.as<T>();
  }

  // The walk of the given arrays (null: left out) in the order of Arrays' numbers, and how the
  // classes are shared out. `packed` are those whose classes are moved by packs.
  void plan(const Array* const (&all)[Arrays::arrays], std::initializer_list<const Array*> packed) {
    std::vector<WalkAxis<Arrays::arrays>> axes;
    const auto shape = sample_shape();
    for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
      WalkAxis<Arrays::arrays> axis{shape[d], {}};
      for (int n = 0; n < Arrays::arrays; ++n) {
        const bool has_classes = n == Arrays::at_input || n == Arrays::at_output;
        if (all[n] && all[n]->rank() > 0)
          axis.stride[n] = all[n]->strides[has_classes && d >= dim ? d + 1 : d];
      }
      axes.push_back(axis);
    }
    const int first = all[Arrays::at_input] ? Arrays::at_input : Arrays::at_output;
    std::stable_sort(axes.begin(), axes.end(), [first](const auto& a, const auto& b) {
      return std::abs(a.stride[first]) > std::abs(b.stride[first]);
    });
    arrays.rows = merge_axes(axes);
    const int dims = arrays.rows.dims;
    arrays.config = select_classes({arrays.rows.count, arrays.classes,
                                    dims == 0 ? 0 : std::abs(arrays.rows.stride[dims - 1][first]),
                                    std::abs(like.strides[dim])});
    arrays.packs = !arrays.config.across && arrays.classes % Pack<T>::size == 0;
    for (const Array* array : packed) {
      arrays.packs = arrays.packs && is_aligned(array->data) && array->strides[dim] == 1;
      for (int d = 0; d < array->rank(); ++d)
        arrays.packs = arrays.packs && (d == dim || array->strides[d] % Pack<T>::size == 0);
    }
  }
};

}  // namespace

void cross_entropy(const Array& input, const ClassTargets& targets, const Array& loss,
                   const Array& log_sums, const Array& total, const Array& partial, Stream stream) {
  with_floating_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    Planner<T> planner(input, targets);
    auto& arrays = planner.arrays;
    planner.set_totals(total, &partial);
    planner.set_loss("loss", loss);
    check_dtype("log_sums", log_sums, DType::float64);
    check_shape("log_sums", log_sums, planner.sample_shape());
    arrays.input = input.as<const T>();
    arrays.input_stride = input.strides[planner.dim];
    arrays.log_sums = log_sums.as<double>();
    planner.plan({&input, &targets.target, &log_sums, &loss, nullptr}, {&input});
    T* one_loss = arrays.loss;
    if (arrays.reduction != LossReduction::none) arrays.loss = nullptr;
    cross_entropy_rows(arrays, stream);
    arrays.loss = one_loss;
    class_totals(arrays, arrays.config.blocks(arrays.rows.count), stream);
  });
}

void cross_entropy_backward(const Array& grad, const Array& input, const ClassTargets& targets,
                            const Array& log_sums, const Array& total, const Array& grad_input,
                            Stream stream) {
  with_floating_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    Planner<T> planner(input, targets);
    auto& arrays = planner.arrays;
    planner.set_totals(total, nullptr);
    planner.set_loss("grad", grad);
    check_dtype("log_sums", log_sums, DType::float64);
    check_shape("log_sums", log_sums, planner.sample_shape());
    check_dtype("grad_input", grad_input, input.dtype);
    check_shape("grad_input", grad_input, input.shape);
    arrays.input = input.as<const T>();
    arrays.input_stride = input.strides[planner.dim];
    arrays.output = grad_input.as<T>();
    arrays.output_stride = grad_input.strides[planner.dim];
    arrays.log_sums = log_sums.as<double>();
    planner.plan({&input, &targets.target, &log_sums, &grad, &grad_input}, {&input, &grad_input});
    cross_entropy_grad(arrays, stream);
  });
}

void nll_loss(const Array& input, const ClassTargets& targets, const Array& loss,
              const Array& total, const Array& partial, Stream stream) {
  with_floating_type("input", input, [&](auto zero) {
    using T = decltype(zero);
    Planner<T> planner(input, targets);
    auto& arrays = planner.arrays;
    planner.set_totals(total, &partial);
    planner.set_loss("loss", loss);
    arrays.input = input.as<const T>();
    arrays.input_stride = input.strides[planner.dim];
    planner.plan({&input, &targets.target, nullptr, &loss, nullptr}, {});
    T* one_loss = arrays.loss;
    if (arrays.reduction != LossReduction::none) arrays.loss = nullptr;
    nll_rows(arrays, stream);
    arrays.loss = one_loss;
    class_totals(arrays, nll_blocks(arrays.rows.count), stream);
  });
}

void nll_loss_backward(const Array& grad, const ClassTargets& targets, const Array& total,
                       const Array& partial, const Array& grad_input, Stream stream) {
  with_floating_type("grad", grad, [&](auto zero) {
    using T = decltype(zero);
    check_dtype("grad_input", grad_input, grad.dtype);
    Planner<T> planner(grad_input, targets);
    auto& arrays = planner.arrays;
    planner.set_totals(total, &partial);
    planner.set_loss("grad", grad);
    arrays.output = grad_input.as<T>();
    arrays.output_stride = grad_input.strides[planner.dim];
    planner.plan({nullptr, &targets.target, nullptr, &grad, &grad_input}, {&grad_input});
    if (arrays.reduction == LossReduction::mean) {
      T* given = std::exchange(arrays.loss, nullptr);
      nll_rows(arrays, stream);
      class_totals(arrays, nll_blocks(arrays.rows.count), stream);
      arrays.loss = given;
    }
    cross_entropy_grad(arrays, stream);
  });
}

}  // namespace minidl::cuda
