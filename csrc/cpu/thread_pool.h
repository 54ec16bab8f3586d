// A small pool of threads for the CPU kernels. It survives fork (a child starts its own threads),
// never nests, and cuts a range the same way for every number of threads.
#pragma once

#include <cstdint>

#include "cpu/erased.h"

namespace minidl::cpu {

// Threads that parallel_for uses, the caller included. Starts as OMP_NUM_THREADS, or the number
// of CPUs this process may run on.
int get_num_threads();
void set_num_threads(int count);  // throws std::invalid_argument for count < 1

void run_pieces(int64_t size, int64_t grain, Erased body);

// Calls body(begin, end) for the pieces [0, grain), [grain, 2 grain), ... of [0, size). The pieces
// depend on size and grain only, so a reduction that keeps one partial result a piece does not
// change with the number of threads. Pieces run in any order, each once; the caller works too.
// A call from inside a body, or while another thread's call is running, runs on the caller alone.
// The first exception of a body is rethrown here after all pieces have stopped.
// Callers hold no GIL: release it before.
template <typename Body>
MINIDL_INLINE void parallel_for(int64_t size, int64_t grain, const Body& body) {
  run_pieces(size, grain, erase(body));
}

}  // namespace minidl::cpu
