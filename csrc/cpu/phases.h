// Work in phases that build on each other, such as the steps of a recurrent layer, shared by the
// threads of the pool. A phase takes a few microseconds: too short to wake threads for each.
#pragma once

#include <cstdint>

#include "cpu/erased.h"

namespace minidl::cpu {

void run_phases(int64_t phases, int64_t blocks, Erased body);

// Calls body(phase, block) once for every block of [0, blocks) of every phase of [0, phases). A
// phase begins when all blocks of the phase before it have returned, and sees what they wrote.
// Blocks of a phase run in any order, at the same time, and mostly on the same thread in every
// phase, so that what a block reads again and again stays in one core's cache.
//
// A block waits for no thread that has not come: whoever is there takes the blocks of those that
// are not, so that a call ends on any number of threads, the caller alone included. The body must
// not throw (that ends the program: others would wait for it for ever). Callers hold no GIL.
template <typename Body>
MINIDL_INLINE void parallel_phases(int64_t phases, int64_t blocks, const Body& body) {
  run_phases(phases, blocks, erase(body));
}

}  // namespace minidl::cpu
