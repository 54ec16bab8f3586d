#include "cuda/attention.h"

#include "cuda/attention_kernels.h"
#include "cuda/device.h"
#include "cuda/walk_plan.h"

namespace minidl::cuda {
namespace {

// An array's leading axes, as what plan_walk takes; an absent array is one number for all of them.
Array leading(const Array* array) {
  Array batch;
  if (!array) return batch;
  batch.shape.assign(array->shape.begin(), array->shape.end() - 2);
  batch.strides.assign(array->strides.begin(), array->strides.end() - 2);
  return batch;
}

AttentionStrides last_two(const Array* array) {
  if (!array) return {0, 0};
  const auto step = [&](int from_end) {
    const std::size_t axis = array->shape.size() - from_end;
    return array->shape[axis] == 1 ? 0 : array->strides[axis];
  };
  return {step(2), step(1)};
}

// Whether rows are dense and every one of them starts at a multiple of 16 bytes.
bool is_packed(const Array* array) {
  if (!array) return false;
  const std::int64_t elements = 16 / item_bytes(array->dtype);
  bool packed =
      reinterpret_cast<std::uintptr_t>(array->data) % 16 == 0 && last_two(array).column == 1;
  for (std::size_t axis = 0; axis + 1 < array->shape.size(); ++axis)
    packed &= array->shape[axis] == 1 || array->strides[axis] % elements == 0;
  return packed;
}

std::vector<std::int64_t> with_last_two(std::vector<std::int64_t> batch, std::int64_t rows,
                                        std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

struct Shapes {
  std::vector<std::int64_t> batch;
  std::int64_t queries, keys, features, value_features;
};

Shapes check(const Attention& p) {
  MINIDL_CHECK(p.query.rank() >= 2 && p.key.rank() >= 2 && p.value.rank() >= 2,
               "attention takes (*, L, E), (*, S, E) and (*, S, V), got shapes ",
               spell(p.query.shape), ", ", spell(p.key.shape), ", ", spell(p.value.shape));
  Shapes s{{p.query.shape.begin(), p.query.shape.end() - 2},
           p.query.shape.end()[-2],
           p.key.shape.end()[-2],
           p.query.shape.end()[-1],
           p.value.shape.end()[-1]};
  check_shape("key", p.key, with_last_two(s.batch, s.keys, s.features));
  check_shape("value", p.value, with_last_two(s.batch, s.keys, s.value_features));
  check_dtype("key", p.key, p.query.dtype);
  check_dtype("value", p.value, p.query.dtype);
  if (p.bias) {
    check_shape("bias", *p.bias, with_last_two(s.batch, s.queries, s.keys));
    check_dtype("bias", *p.bias, p.query.dtype);
  }
  MINIDL_CHECK(takes_attention({p.query.dtype, 0, s.features, s.value_features}), "attention of ",
               s.features, " and ", s.value_features, " features in ", minidl::name(p.query.dtype),
               " does not fit the kernels' tiles");
  return s;
}

// `walked` has its leading axes in the order of the inputs; the batch index then counts them in C
// order.
template <class T>
AttentionOperands<T> operands_of(const Attention& p, const Shapes& s, const Array* g,
                                 const Array* out) {
  AttentionOperands<T> o{};
  const Array* const arrays[] = {&p.query, &p.key, &p.value, p.bias, g, out};
  Array batches[attention_inputs];
  const Array* pointers[attention_inputs];
  for (int n = 0; n < attention_inputs; ++n) {
    o.input[n] = arrays[n] ? arrays[n]->as<const T>() : nullptr;
    o.strides[n] = last_two(arrays[n]);
    o.packed[n] = is_packed(arrays[n]);
    batches[n] = leading(arrays[n]);
    pointers[n] = &batches[n];
  }
  o.batch = merge_axes(broadcast_axes<attention_inputs>(
      s.batch, {pointers[0], pointers[1], pointers[2], pointers[3], pointers[4], pointers[5]}));
  o.queries = s.queries;
  o.keys = s.keys;
  o.features = s.features;
  o.value_features = s.value_features;
  o.causal = p.causal;
  o.scale = static_cast<accumulator_t<T>>(p.scale);
  return o;
}

DType sum_dtype(DType dtype) { return dtype == DType::float64 ? dtype : DType::float32; }

void check_rows(const char* name, const Array& rows, const Shapes& s, DType dtype) {
  auto shape = s.batch;
  shape.push_back(s.queries);
  check_shape(name, rows, shape);
  check_dtype(name, rows, sum_dtype(dtype));
}

AttentionConfig configuration(const Attention& p, const Shapes& s) {
  return select_attention({p.query.dtype, device_capability(), s.features, s.value_features});
}

}  // namespace

void attention(const Attention& p, const Array& out, const Array& lse, Stream stream) {
  const Shapes s = check(p);
  check_shape("out", out, with_last_two(s.batch, s.queries, s.value_features));
  check_dtype("out", out, p.query.dtype);
  check_rows("lse", lse, s, p.query.dtype);
  with_floating_type("query", p.query, [&](auto zero) {
    using T = decltype(zero);
    auto o = operands_of<T>(p, s, nullptr, nullptr);
    o.out = out.as<T>();
    o.lse = lse.as<accumulator_t<T>>();
    const AttentionConfig config = configuration(p, s);
    if constexpr (sizeof(T) == 2) {
      if (config.algorithm == AttentionConfig::mma) return attention_mma<T>(o, config, stream);
    }
    attention_tiled<T>(o, config, stream);
  });
}

void attention_backward(const Attention& p, const AttentionGrad& grad, Stream stream) {
  const Shapes s = check(p);
  const auto rows = with_last_two(s.batch, s.queries, s.value_features);
  check_shape("g", grad.g, rows);
  check_shape("out", grad.out, rows);
  check_dtype("g", grad.g, p.query.dtype);
  check_dtype("out", grad.out, p.query.dtype);
  check_rows("lse", grad.lse, s, p.query.dtype);
  check_rows("delta", grad.delta, s, p.query.dtype);
  const auto target = [&](const char* name, const Array* array, const Array& like) {
    if (!array) return static_cast<void*>(nullptr);
    check_shape(name, *array, like.shape);
    check_dtype(name, *array, like.dtype);
    return array->data;
  };
  void* const dquery = target("dquery", grad.dquery, p.query);
  void* const dkey = target("dkey", grad.dkey, p.key);
  void* const dvalue = target("dvalue", grad.dvalue, p.value);
  with_floating_type("query", p.query, [&](auto zero) {
    using T = decltype(zero);
    auto o = operands_of<T>(p, s, &grad.g, &grad.out);
    o.dquery = static_cast<T*>(dquery);
    o.dkey = static_cast<T*>(dkey);
    o.dvalue = static_cast<T*>(dvalue);
    o.lse = grad.lse.as<accumulator_t<T>>();
    o.delta = grad.delta.as<accumulator_t<T>>();
    attention_delta<T>(o, stream);
    const AttentionConfig config = configuration(p, s);
    if constexpr (sizeof(T) == 2) {
      if (config.algorithm == AttentionConfig::mma) return attention_mma_grad<T>(o, config, stream);
    }
    attention_tiled_grad<T>(o, config, stream);
  });
}

}  // namespace minidl::cuda
