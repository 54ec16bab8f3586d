#include "cpu/affine.h"

#include <limits>

#include "cpu/simd/vec.h"

namespace minidl::cpu::MINIDL_ISA {
namespace {

constexpr double kOutside = -1;  // a place that shows cval, once folded

// Brings places to where the image shows the same, into [0, high]; a NaN stays.
MINIDL_INLINE double held(double place, double high) {
  return place < 0 ? 0 : place > high ? high : place;
}

MINIDL_INLINE double mirrored(double place, double half, double high) {
  const double period = high + 2 * half;
  place = __builtin_fabs(place + half);
  if (place >= 2 * period) place = __builtin_fmod(place, 2 * period);
  return held(min_or_b(2 * period - place, place) - half, high);
}

MINIDL_INLINE double wrapped(double place, double high) {
  if (place < 0 || place > high) {
    place = __builtin_fmod(place, high);
    if (place < 0) place += high;
  }
  return held(place, high);
}

template <typename Move>
MINIDL_INLINE void each(int64_t size, double* places, const Move& move) {
  for (int64_t i = 0; i < size; ++i) places[i] = move(places[i]);
}

void fold(Fill fill, int64_t extent, int64_t size, double* places) {
  const auto high = static_cast<double>(extent - 1);
  if (fill == Fill::constant) {
    each(size, places, [=](double x) { return x < 0 || x > high ? kOutside : x; });
  } else if (fill == Fill::reflect) {
    each(size, places, [=](double x) { return mirrored(x, 0.5, high); });
  } else if (fill == Fill::mirror && extent > 1) {
    each(size, places, [=](double x) { return mirrored(x, 0, high); });
  } else if (fill == Fill::wrap && extent > 1) {
    each(size, places, [=](double x) { return wrapped(x, high); });
  } else {
    each(size, places, [=](double x) { return held(x, high); });
  }
}

// kChannels 0: any number of them.
template <typename T, bool kLinear, int kChannels>
void gather(const Affine& p, const T* image, int64_t size, const double* rows,
            const double* columns, T* output) {
  const int64_t channels = kChannels > 0 ? kChannels : p.channels, line = p.width * channels;
  const int64_t last_row = p.height > 1 ? p.height - 2 : 0, below = p.height > 1 ? line : 0;
  const int64_t last_column = p.width > 1 ? p.width - 2 : 0, right = p.width > 1 ? channels : 0;
  for (int64_t i = 0; i < size; ++i, output += channels) {
    const double row = rows[i], column = columns[i];
    if (!(row >= 0 && column >= 0)) [[unlikely]] {
      const bool outside = row == kOutside || column == kOutside;
      const T value = outside ? static_cast<T>(p.cval) : std::numeric_limits<T>::quiet_NaN();
      for (int64_t k = 0; k < channels; ++k) output[k] = value;
    } else if constexpr (kLinear) {
      // At the last pixel the window is the one before and this one, whose weight is 1.
      int64_t r = static_cast<int64_t>(row), c = static_cast<int64_t>(column);
      r = r < last_row ? r : last_row;
      c = c < last_column ? c : last_column;
      const double down = row - static_cast<double>(r), up = 1 - down;
      const double along = column - static_cast<double>(c), back = 1 - along;
      const double w00 = up * back, w01 = up * along, w10 = down * back, w11 = down * along;
      const T* from = image + r * line + c * channels;
      for (int64_t k = 0; k < channels; ++k) {
        const double above = from[k] * w00 + from[k + right] * w01;
        output[k] = static_cast<T>(above + from[k + below] * w10 + from[k + below + right] * w11);
      }
    } else {
      const auto r = static_cast<int64_t>(row + 0.5), c = static_cast<int64_t>(column + 0.5);
      const T* from = image + r * line + c * channels;
      for (int64_t k = 0; k < channels; ++k) output[k] = from[k];
    }
  }
}

template <typename T, bool kLinear>
void gather_channels(const Affine& p, const T* image, int64_t size, const double* rows,
                     const double* columns, T* output) {
  if (p.channels == 1) return gather<T, kLinear, 1>(p, image, size, rows, columns, output);
  if (p.channels == 3) return gather<T, kLinear, 3>(p, image, size, rows, columns, output);
  if (p.channels == 4) return gather<T, kLinear, 4>(p, image, size, rows, columns, output);
  gather<T, kLinear, 0>(p, image, size, rows, columns, output);
}

template <typename T>
void values(const Affine& p, const T* image, int64_t size, double* rows, double* columns,
            T* output) {
  fold(p.fill, p.height, size, rows);
  fold(p.fill, p.width, size, columns);
  const auto gathering = p.linear ? &gather_channels<T, true> : &gather_channels<T, false>;
  gathering(p, image, size, rows, columns, output);
}

}  // namespace

MINIDL_FILL_TABLES(AffineKernels, affine_kernels, .values = &values<T>)

}  // namespace minidl::cpu::MINIDL_ISA
