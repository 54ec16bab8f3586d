// Which kernel takes the means of pooling. A pure function.
#pragma once

#include <cstdint>
#include <string>

#include "common/checks.h"

namespace minidl::cuda {

struct PoolMeanProblem {
  std::int64_t taps;           // inputs of a window, or of the widest bin
  bool neighbouring_channels;  // neighbours in memory are channels
};

struct PoolMeanConfig {
  enum Algorithm {
    thread,  // a thread a window
    block,   // the threads of a block share the taps of a window
  } algorithm;

  std::string spell() const {
    return concat("a ", algorithm == block ? "block" : "thread", " a window");
  }
};

// Neighbouring threads read neighbouring channels; where there are none, long windows are what they
// can read side by side.
inline PoolMeanConfig select_pool_mean(const PoolMeanProblem& p) {
  constexpr std::int64_t long_window = 128;
  return {!p.neighbouring_channels && p.taps >= long_window ? PoolMeanConfig::block
                                                            : PoolMeanConfig::thread};
}

}  // namespace minidl::cuda
