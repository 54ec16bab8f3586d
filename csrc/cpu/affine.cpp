#include "cpu/affine.h"

#include <algorithm>

#include "cpu/thread_pool.h"

namespace minidl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 13;  // elements a piece
constexpr int64_t kColumns = 256;    // places at once

// Where the pixels [first, first + size) of row r lie along one axis; `m` is a row of the matrix.
// Not in cpu/simd/: there the product and the sum would be one operation.
void places(const double* m, double r, double first, int64_t size, double* out) {
  const double down = m[0] * r, across = m[1], shift = m[2];
  for (int k = 0; k < static_cast<int>(size); ++k) out[k] = down + across * (first + k) + shift;
}

}  // namespace

template <typename T>
void affine(const Affine& p, const T* images, const double* matrices, T* output) {
  const int64_t row_size = p.width * p.channels, image_size = p.height * row_size;
  const auto values = affine_kernels<T>().values;
  const int64_t grain = std::max<int64_t>(1, kGrain / row_size);
  parallel_for(p.count * p.height, grain, [&](int64_t begin, int64_t end) {
    double rows[kColumns], columns[kColumns];
    for (int64_t at = begin; at < end; ++at) {
      const int64_t n = at / p.height, r = at % p.height;
      const double* matrix = matrices + n * 6;
      for (int64_t c = 0; c < p.width; c += kColumns) {
        const int64_t size = std::min(kColumns, p.width - c);
        const auto row = static_cast<double>(r), first = static_cast<double>(c);
        places(matrix, row, first, size, rows);
        places(matrix + 3, row, first, size, columns);
        values(p, images + n * image_size, size, rows, columns,
               output + at * row_size + c * p.channels);
      }
    }
  });
}

template void affine(const Affine&, const float*, const double*, float*);
template void affine(const Affine&, const double*, const double*, double*);

}  // namespace minidl::cpu
