#include "cpu/scratch.h"

namespace minidl::cpu {

void* thread_scratch(Slot slot, int64_t bytes) {
  thread_local Scratch<char> slots[static_cast<int>(Slot::count)];
  return slots[static_cast<int>(slot)].reserve(bytes);
}

}  // namespace minidl::cpu
