// Which products the kernel for Hopper's wgmma takes.
#pragma once

#include "cuda/matmul_problem.h"

namespace minidl::cuda {

inline bool takes_wgmma(const MatmulProblem&) { return false; }

}  // namespace minidl::cuda
