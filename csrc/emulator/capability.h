// What the emulated device pretends to be, so that the kernels for other GPUs are tested too.
#pragma once

namespace minidl::emulator {

// MINIDL_EMULATOR_CAPABILITY=7.5 gives 75; unset or empty is 90. Throws std::invalid_argument for
// anything that is no such number.
int capability_from_environment();

// MINIDL_EMULATOR_MULTIPROCESSORS; unset or empty is 132, an H100's: how many blocks make a GPU
// busy, which decides between large and small tiles.
int multiprocessors_from_environment();

}  // namespace minidl::emulator
