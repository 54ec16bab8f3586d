#!/usr/bin/env bash
# What the instruction wrappers of csrc/cuda/ptx do on random input, as .npy files.
#   scripts/conformance.sh cuda FOLDER [NAME]        on the GPU at hand: the golden files of tests/conformance/golden
#   scripts/conformance.sh emulated FOLDER [NAME]    in the emulator, to be compared with them (compare_golden.py)
# JOBS is the number of parallel compilers (default: 2), CXX and NVCC name the compilers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$1 folder=$(mkdir -p "$2" && cd "$2" && pwd)
cd "$root"
build="build/conformance-$target"
mkdir -p "$build"
includes="-Icsrc -Itests/conformance"
if [ "$target" = cuda ]; then
  capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
  if [ "$capability" -ge 90 ]; then capability+=a; fi
  gpu="-gencode=arch=compute_$capability,code=sm_$capability"
  compile="${NVCC:-nvcc} -std=c++20 -O2 --expt-relaxed-constexpr $gpu -x cu $includes"
  link="${NVCC:-nvcc} -std=c++20 $gpu"
  sources="csrc/cuda/device.cpp csrc/cuda/launch_shape.cpp csrc/cuda/tensor_map.cpp"
else
  compile="${CXX:-g++} -std=c++20 -O1 -Wall -Wextra -Werror -DMINIDL_EMULATOR -Icsrc/emulator -x c++ $includes"
  link="${CXX:-g++}"
  sources="csrc/cuda/device.cpp csrc/cuda/launch_shape.cpp csrc/cuda/tensor_map.cpp csrc/emulator/*.cpp"
fi
{
  objects=""
  printf 'all: run\n'
  for source in $sources tests/conformance/*.cu tests/conformance/*.cpp; do
    object="$build/$(basename "$source").o"
    objects+=" $object"
    printf '%s: %s\n\t%s -MMD -MF %s.d -c %s -o %s\n' "$object" "$source" "$compile" "$object" "$source" "$object"
  done
  printf 'run:%s\n\t%s%s -o %s/conformance\n' "$objects" "$link" "$objects" "$build"
  printf -- '-include %s/*.d\n' "$build"
} > "$build/Makefile"
make --silent --file "$build/Makefile" --jobs "${JOBS:-2}"
exec "$build/conformance" "$folder" "${@:3}"
