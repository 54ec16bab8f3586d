#include "cuda/index.h"

#include <bit>
#include <numeric>

#include "cuda/index_kernels.h"
#include "cuda/radix_sort.h"
#include "cuda/reduce_ops.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

enum class Order {
  of_memory,  // as the plain array lies
  of_shape,   // as the joint shape counts
};

// `indexed` and `plain` have the joint shape.
template <int N>
IndexedWalk<N> plan(const Array& indexed, const std::vector<IndexedAxis>& axes, const Array& plain,
                    const IndexRules& rules, Order order) {
  const Array none{nullptr, DType::int32, {}, {}};
  const Array* arrays[N + 2];
  IndexedWalk<N> result{.axes = static_cast<int>(axes.size()), .rules = rules};
  arrays[0] = &indexed;
  arrays[N + 1] = &plain;
  for (int k = 0; k < N; ++k) {
    const bool used = k < result.axes;
    arrays[1 + k] = used ? &axes[k].index : &none;
    if (!used) continue;
    with_index_type("index", axes[k].index, [&](auto zero) { result.wide[k] = sizeof(zero) == 8; });
    result.index[k] = axes[k].index.data;
    result.size[k] = axes[k].size;
    result.stride[k] = axes[k].stride;
    result.place[k] = axes[k].place;
  }
  check_shape("the indexed array", indexed, plain.shape);
  result.walk = order == Order::of_memory ? plan_walk<N + 2>(plain.shape, arrays)
                                          : merge_axes(broadcast_axes<N + 2>(plain.shape, arrays));
  return result;
}

// Calls fn with the walk for one index array, or for as many as there may be.
template <class Function>
void with_plan(const Array& indexed, const std::vector<IndexedAxis>& axes, const Array& plain,
               const IndexRules& rules, Order order, Function&& fn) {
  MINIDL_CHECK(!axes.empty() && axes.size() <= max_indexed_axes, "1 to ", max_indexed_axes,
               " index arrays are served, got ", axes.size());
  if (axes.size() == 1) return fn(plan<1>(indexed, axes, plain, rules, order));
  fn(plan<max_indexed_axes>(indexed, axes, plain, rules, order));
}

// Elements that a unit may hold: neighbours of both arrays for which the indices are the same.
// Makes the walk one of units.
template <int N>
int widen(IndexedWalk<N>& w, const void* indexed, const void* plain, std::int64_t item_bytes) {
  Walk<N + 2>& walk = w.walk;
  if (walk.dims == 0) return 1;
  const int last = walk.dims - 1;
  bool dense = walk.stride[last][0] == 1 && walk.stride[last][N + 1] == 1;
  for (int k = 1; k <= N; ++k) dense = dense && walk.stride[last][k] == 0;
  if (!dense) return 1;
  std::int64_t width = 16 / item_bytes;
  const auto fits = [&](std::int64_t number) { return number % width == 0; };
  const auto all_fit = [&] {
    bool fit = fits(walk.size[last]);
    for (const void* data : {indexed, plain})
      fit = fit && reinterpret_cast<std::uintptr_t>(data) % (width * item_bytes) == 0;
    for (int d = 0; d < last; ++d)
      fit = fit && fits(walk.stride[d][0]) && fits(walk.stride[d][N + 1]);
    for (int k = 0; k < w.axes; ++k) fit = fit && fits(w.stride[k]);
    return fit;
  };
  while (width > 1 && !all_fit()) width /= 2;
  walk.count /= width;
  walk.size[last] /= width;
  for (int d = 0; d < last; ++d) {
    walk.stride[d][0] /= width;
    walk.stride[d][N + 1] /= width;
  }
  for (int k = 0; k < w.axes; ++k) w.stride[k] /= width;
  return static_cast<int>(width);
}

template <class Function>
void with_unit(std::int64_t bytes, Function&& fn) {
  switch (bytes) {
    case 1:
      return fn(std::uint8_t{});
    case 2:
      return fn(std::uint16_t{});
    case 4:
      return fn(std::uint32_t{});
    case 8:
      return fn(std::uint64_t{});
    default:
      return fn(Unit16{});
  }
}

}  // namespace

void gather(const Array& source, const std::vector<IndexedAxis>& axes, const Array& output,
            const IndexRules& rules, Stream stream) {
  check_dtype("output", output, source.dtype);
  with_plan(source, axes, output, rules, Order::of_memory, [&](auto walk) {
    const std::int64_t bytes = item_bytes(source.dtype);
    const int width = widen(walk, source.data, output.data, bytes);
    with_unit(width * bytes, [&](auto zero) {
      using Unit = decltype(zero);
      index_gather(walk, source.as<const Unit>(), output.as<Unit>(), stream);
    });
  });
}

void index_write(const Array& target, const std::vector<IndexedAxis>& axes, const Array& source,
                 const Array& owners, const IndexRules& rules, Stream stream) {
  check_dtype("source", source, target.dtype);
  check_dtype("owners", owners, DType::int32);
  MINIDL_CHECK(source.count() < UINT32_MAX, "index_write takes fewer than 2^32 elements, got ",
               source.count());
  with_plan(target, axes, source, rules, Order::of_shape, [&](auto walk) {
    const std::int64_t bytes = item_bytes(target.dtype);
    const int width = widen(walk, target.data, source.data, bytes);
    with_unit(width * bytes, [&](auto zero) {
      using Unit = decltype(zero);
      index_write(walk, target.as<Unit>(), source.as<const Unit>(), owners.as<unsigned>(), stream);
    });
  });
}

void check_index(const Array& index, std::int64_t size, const Array& output,
                 const IndexRules& rules, Stream stream) {
  check_dtype("output", output, DType::int64);
  // Into no array: with a stride of 1, where an index points is the index.
  Array nowhere = output;
  nowhere.strides.assign(nowhere.strides.size(), 0);
  index_check(plan<1>(nowhere, {{index, size, 1, 0}}, output, rules, Order::of_memory),
              output.as<std::int64_t>(), stream);
}

namespace {

template <class Function>
void with_added_type(const Array& target, Function&& fn) {
  switch (target.dtype) {
    case DType::float16:
    case DType::bfloat16:
    case DType::float32:
    case DType::float64:
      return with_floating_type("target", target, fn);
    case DType::boolean:
      throw TypeMismatch("index_add does not add bools");
    default:  // two's complement: signed and unsigned sums have the same bits
      return with_unit(item_bytes(target.dtype), [&](auto zero) {
        if constexpr (!std::is_same_v<decltype(zero), Unit16>) fn(zero);
      });
  }
}

// The joint shape in two: axes along which some index changes, whose positions are the entries,
// and the others, whose positions are what an entry adds.
struct AddPlan {
  std::vector<IndexedAxis> axes;  // over the entries
  Array target, source;           // over the entries
  Walk<1> entry_of_source = {};
  Walk<2> inner = {};      // of target and source
  std::int64_t step = 1;   // the places that entries point at are multiples of it
  std::int64_t limit = 0;  // their number
  int bits = 0;

  std::int64_t entries() const { return entry_of_source.count; }
  std::int64_t chunks() const { return (entries() + chunk_entries - 1) / chunk_entries; }
  std::int64_t key_words() const { return (entries() + 1) / 2; }  // 8 bytes each
  std::int64_t workspace() const {
    return 4 * key_words() + radix_sort_workspace(entries()) + chunks() * inner.count;
  }
};

AddPlan plan_add(const Array& target, std::int64_t target_count,
                 const std::vector<IndexedAxis>& axes, const Array& source) {
  AddPlan plan{.axes = axes, .target = target, .source = source};
  for (Array* array : {&plan.target, &plan.source}) array->shape = array->strides = {};
  for (IndexedAxis& axis : plan.axes) axis.index.shape = axis.index.strides = {};
  std::vector<WalkAxis<1>> entry_axes;
  std::vector<WalkAxis<2>> inner_axes;
  std::int64_t step = 0;
  for (const IndexedAxis& axis : axes) step = std::gcd(step, axis.stride);
  const int rank = source.rank();
  for (int d = 0; d < rank; ++d) {
    const std::int64_t size = source.shape[d];
    const auto stride_of = [&](const Array& array) {
      const int axis = d - (rank - array.rank());
      return axis < 0 || array.shape[axis] == 1 ? 0 : array.strides[axis];
    };
    bool changes = false;
    for (const IndexedAxis& axis : axes) changes = changes || stride_of(axis.index) != 0;
    if (!changes) {
      inner_axes.push_back({size, {stride_of(target), stride_of(source)}});
      continue;
    }
    const auto add_axis = [&](Array& to, std::int64_t stride) {
      to.shape.push_back(size);
      to.strides.push_back(stride);
    };
    add_axis(plan.target, stride_of(target));
    add_axis(plan.source, stride_of(source));
    for (std::size_t k = 0; k < axes.size(); ++k)
      add_axis(plan.axes[k].index, stride_of(axes[k].index));
    entry_axes.push_back({size, {stride_of(source)}});
    if (size > 1) step = std::gcd(step, stride_of(target));
  }
  std::stable_sort(inner_axes.begin(), inner_axes.end(),
                   [](const auto& a, const auto& b) { return a.stride[0] > b.stride[0]; });
  plan.entry_of_source = merge_axes(entry_axes);
  plan.inner = merge_axes(inner_axes);
  plan.step = step == 0 ? 1 : step;
  plan.limit = target_count / plan.step + 1;
  plan.bits = std::bit_width(static_cast<std::uint64_t>(plan.limit));
  MINIDL_CHECK(plan.limit < UINT32_MAX && plan.entries() < UINT32_MAX,
               "index_add takes fewer than 2^32 places and entries, got ", plan.limit, " and ",
               plan.entries());
  return plan;
}

}  // namespace

std::int64_t index_add_workspace(const Array& target, std::int64_t target_count,
                                 const std::vector<IndexedAxis>& axes, const Array& source) {
  return plan_add(target, target_count, axes, source).workspace();
}

void index_add(const Array& target, std::int64_t target_count, const std::vector<IndexedAxis>& axes,
               const Array& source, const Array& workspace, const IndexRules& rules,
               Stream stream) {
  check_dtype("source", source, target.dtype);
  check_dtype("workspace", workspace, DType::int64);
  check_shape("target", target, source.shape);
  if (source.count() == 0) return;
  const AddPlan plan = plan_add(target, target_count, axes, source);
  MINIDL_CHECK(workspace.count() >= plan.workspace(), "index_add wants a workspace of ",
               plan.workspace(), " elements, got ", workspace.count());
  std::int64_t* free = workspace.as<std::int64_t>();
  unsigned* buffers[4];
  for (unsigned*& buffer : buffers) {
    buffer = reinterpret_cast<unsigned*>(free);
    free += plan.key_words();
  }
  unsigned* const keys[2] = {buffers[0], buffers[1]};
  unsigned* const order[2] = {buffers[2], buffers[3]};
  with_plan(plan.target, plan.axes, plan.source, rules, Order::of_shape, [&](const auto& walk) {
    index_keys(walk, plan.step, static_cast<unsigned>(plan.limit), keys[0], order[0], stream);
  });
  const int sorted = radix_sort(keys, order, plan.entries(), plan.bits, free, stream);
  free += radix_sort_workspace(plan.entries());
  with_added_type(target, [&](auto zero) {
    using T = decltype(zero);
    static_assert(sizeof(arithmetic_t<T>) <= sizeof(std::int64_t));
    index_add_sorted(SortedAdd<T>{.target = target.as<T>(),
                                  .source = source.as<const T>(),
                                  .keys = keys[sorted],
                                  .order = order[sorted],
                                  .entries = plan.entries(),
                                  .step = plan.step,
                                  .limit = static_cast<unsigned>(plan.limit),
                                  .entry_of_source = plan.entry_of_source,
                                  .inner = plan.inner,
                                  .leads = free},
                     stream);
  });
}

void index_add_unordered(const Array& target, const std::vector<IndexedAxis>& axes,
                         const Array& source, const IndexRules& rules, Stream stream) {
  check_dtype("source", source, target.dtype);
  with_plan(target, axes, source, rules, Order::of_memory, [&](const auto& walk) {
    with_float_type("target", target, [&](auto zero) {
      using T = decltype(zero);
      index_add_atomic(walk, target.as<T>(), source.as<const T>(), stream);
    });
  });
}

}  // namespace minidl::cuda
