#!/usr/bin/env bash
# Runs the tests of the CPU kernels under AddressSanitizer and UndefinedBehaviorSanitizer: builds minidl._native with
# them, puts it into a shadow of the package (links to the Python sources) and runs pytest on that.
#   scripts/native_sanitized.sh [PYTEST ARGUMENT...]      (default: tests/native without the slow ones)
# PYTHON names the interpreter (default: python), JOBS the number of parallel compilers (default: 2), SANITIZE the
# sanitizers (default: address,undefined).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python}
sanitize=${SANITIZE:-address,undefined}
build="$root/build/native-$sanitize"
shadow="$build/shadow"

mkdir -p "$build"
exec 9>"$build/.lock"
flock 9 # two builds at once in one folder would corrupt it
rm -rf "$shadow"
mkdir -p "$shadow"
cp --recursive --symbolic-link "$root/minidl" "$shadow/minidl"
rm -f "$shadow"/minidl/_*.so
"$python" -m cmake -S "$root/csrc" -B "$build/objects" -G Ninja --log-level=WARNING \
  -DMINIDL_EXTENSION=native -DMINIDL_OUTPUT_DIR="$shadow/minidl" -DMINIDL_SANITIZE="$sanitize" \
  -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')"
"$python" -m cmake --build "$build/objects" -j "${JOBS:-2}" >"$build/build.log" || {
  cat "$build/build.log"
  exit 1
}
exec 9>&-

# Python itself is not instrumented: the runtimes come first by hand, with the C++ one, whose exceptions they intercept.
preload=
for library in libasan.so libubsan.so libstdc++.so.6; do
  preload+=" $("${CXX:-g++}" -print-file-name=$library)"
done
cd "$root"
# Recycled memory would hide what is used after it was freed; Python's own leaks at exit are not ours.
export MINIDL_CPU_CACHE=0 MINIDL_EXPECT=native PYTHONPATH="$shadow" PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
# Captured by Python only: a finding ends the process before pytest could show what it captured.
if [ $# -eq 0 ]; then set -- -m "not slow" tests/native; fi
pytest=$("$python" -c 'import sys, pathlib; print(pathlib.Path(sys.executable).parent / "pytest")')
LD_PRELOAD="${preload# }" exec "$python" "$pytest" -q -p no:cacheprovider --capture=sys "$@"
