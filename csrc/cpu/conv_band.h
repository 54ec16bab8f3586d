// A band of an image as the kernels of cpu/conv_kernels.h read it: channels-last, zeros where it
// reaches beyond the image.
#pragma once

#include <algorithm>

#include "cpu/conv_kernels.h"
#include "cpu/conv_pass.h"

namespace minidl::cpu {

// Where a point of the band lies: (plane * plane + row * row + column * column) elements on.
template <typename T>
struct Band {
  const T* origin;
  int64_t plane, row, column;
};

// Steps between points: channels, a few more where a power of two would put the points that a
// kernel reads together into the same few sets of the cache.
inline int64_t band_step(int64_t channels) {
  return channels % 256 == 0 ? channels + 16 : channels;
}

// The piece of an image [channels, *size] (one group of one image) that a band covers: planes
// plane.begin + i plane_step, and rows and columns that may lie outside of the image.
struct BandPiece {
  int64_t channels;
  Extent size;
  int64_t plane, plane_step, planes;
  Span rows, columns;

  int64_t elements() const { return planes * rows.size() * columns.size() * band_step(channels); }
  bool inside() const {
    return plane >= 0 && plane + (planes - 1) * plane_step < size[0] && rows.begin >= 0 &&
           rows.end <= size[1] && columns.begin >= 0 && columns.end <= size[2];
  }
};

// Of the columns of a band: [left zeros][width from `begin` of the image][right zeros].
struct Columns {
  int64_t left, begin, width, right;
  Columns(const Span& columns, int64_t size) {
    begin = std::clamp<int64_t>(columns.begin, 0, size);
    width = std::max<int64_t>(0, std::min(columns.end, size) - begin);
    left = std::clamp<int64_t>(-columns.begin, 0, columns.size());
    right = columns.size() - left - width;
  }
};

// to[width][channels], points `step` elements apart, of `from` in the image.
template <typename T>
void copy_points(const ConvKernels<T>& kernels, int64_t width, int64_t channels, const T* from,
                 const ImageLayout& layout, T* to, int64_t step) {
  const int64_t column = layout.point[2];
  if (column == 1) {
    kernels.transpose(channels, width, from, layout.channel, to, step);
  } else if (layout.channel == 1 && column == channels && step == channels) {
    std::copy_n(from, width * channels, to);
  } else {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        to[x * step + c] = from[x * column + c * layout.channel];
      }
    }
  }
}

// A band that copy_band made in `memory`.
template <typename T>
Band<T> layout_of(const BandPiece& piece, const T* memory) {
  const int64_t step = band_step(piece.channels), row = piece.columns.size() * step;
  return {memory, piece.rows.size() * row, row, step};
}

// The band as a copy in `memory` of piece.elements(). `image` is the group's first channel.
template <typename T>
Band<T> copy_band(const ConvKernels<T>& kernels, const BandPiece& piece, const T* image,
                  const ImageLayout& layout, T* memory) {
  const int64_t step = band_step(piece.channels), row = piece.columns.size() * step;
  const Columns columns(piece.columns, piece.size[2]);
  // Whole rows without padding are one run of points.
  const bool dense = piece.planes == 1 && piece.inside() && columns.width == piece.size[2] &&
                     layout.point[1] == columns.width * layout.point[2];
  // A few channels at a time: each is read front to back over all rows, as prefetchers like it.
  const int64_t block = layout.channel == 1 ? piece.channels : kernels.lanes;
  for (int64_t c = 0; c < piece.channels; c += block) {
    const int64_t count = std::min(block, piece.channels - c);
    T* to = memory;
    if (dense) {
      const T* from = image + piece.plane * layout.point[0] + piece.rows.begin * layout.point[1] +
                      c * layout.channel;
      copy_points(kernels, piece.rows.size() * columns.width, count, from, layout, to + c, step);
      continue;
    }
    for (int64_t i = 0; i < piece.planes; ++i) {
      const int64_t z = piece.plane + i * piece.plane_step;
      for (int64_t y = piece.rows.begin; y < piece.rows.end; ++y, to += row) {
        const bool outside = z < 0 || z >= piece.size[0] || y < 0 || y >= piece.size[1];
        if (c == 0) {
          std::fill_n(to, outside ? row : columns.left * step, T(0));
          std::fill_n(to + row - columns.right * step, columns.right * step, T(0));
        }
        if (outside || columns.width == 0) continue;
        const T* from = image + z * layout.point[0] + y * layout.point[1] +
                        columns.begin * layout.point[2] + c * layout.channel;
        copy_points(kernels, columns.width, count, from, layout, to + columns.left * step + c,
                    step);
      }
    }
  }
  return layout_of<T>(piece, memory);
}

// The band in place where the image is channels-last and the band inside of it, else as a copy.
template <typename T>
Band<T> make_band(const ConvKernels<T>& kernels, const BandPiece& piece, const T* image,
                  const ImageLayout& layout, T* memory) {
  if (layout.channel != 1 || !piece.inside()) {
    return copy_band(kernels, piece, image, layout, memory);
  }
  const T* origin = image + piece.plane * layout.point[0] + piece.rows.begin * layout.point[1] +
                    piece.columns.begin * layout.point[2];
  return {origin, piece.plane_step * layout.point[0], layout.point[1], layout.point[2]};
}

}  // namespace minidl::cpu
