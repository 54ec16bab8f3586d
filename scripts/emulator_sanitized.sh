#!/usr/bin/env bash
# Runs the CUDA kernels and their emulator under AddressSanitizer and UndefinedBehaviorSanitizer: builds
# csrc/cuda, csrc/emulator and tests/emulator/*.cpp into one program without Python, and runs it.
#   scripts/emulator_sanitized.sh [NAME]      only the tests whose name contains NAME
# CXX names the compiler (default: g++), JOBS the number of parallel compilers (default: 2), SANITIZE the sanitizers
# (default: address,undefined; empty for none, which checks the emulator's own canaries). SOURCES names other sources,
# BUILD another folder (scripts/kernel_mutants.py).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
sanitize=${SANITIZE-address,undefined}
build=${BUILD:-build/emulator-${sanitize:-plain}}
flags="-std=c++20 -O1 -g1 -Wall -Wextra -Werror -DMINIDL_EMULATOR -Icsrc/emulator -Icsrc -Itests/emulator"
if [ -n "$sanitize" ]; then
  flags+=" -fsanitize=$sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer"
fi

mkdir -p "$build"
exec 9>"$build/.lock"
flock 9 # two builds at once in one folder would corrupt it
{
  printf 'CXX ?= g++\nall: run\n'
  objects=""
  for source in ${SOURCES:-csrc/emulator/*.cpp csrc/cuda/*.cpp csrc/cuda/*.cu tests/emulator/*.cpp}; do
    object="$build/$(basename "$source").o"
    objects+=" $object"
    printf '%s: %s\n\t$(CXX) %s -MMD -x c++ -c %s -o %s\n' "$object" "$source" "$flags" "$source" "$object"
  done
  printf 'run:%s\n\t$(CXX) %s%s -o %s/tests\n' "$objects" "$flags" "$objects" "$build"
  printf -- '-include %s/*.d\n' "$build"
} > "$build/Makefile"
make --silent --file "$build/Makefile" --jobs "${JOBS:-2}" CXX="${CXX:-g++}"
exec 9>&-

export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
exec "$build/tests" "$@"
