// What CUDA devices there are.
#pragma once

#include <string>

namespace minidl::cuda {

struct Devices {
  int count = 0;
  std::string reason;  // why the count is 0; empty otherwise
};

// Never throws: without a driver the count is 0.
Devices devices();

}  // namespace minidl::cuda
