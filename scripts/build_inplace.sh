#!/usr/bin/env bash
# Builds extensions into minidl/ of this source tree, for development without an install.
#   scripts/build_inplace.sh [native] [cuda] [emulated]      (default: native)
# PYTHON names the interpreter (default: python), JOBS the number of parallel compilers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python}
if [ $# -eq 0 ]; then set -- native; fi

for extension in "$@"; do
  build="$root/build/inplace/$extension"
  mkdir -p "$build"
  exec 9>"$build/.lock"
  flock 9 # two builds at once in one folder would corrupt it
  "$python" -m cmake -S "$root/csrc" -B "$build" -G Ninja --log-level=WARNING \
    -DMINIDL_EXTENSION="$extension" \
    -DMINIDL_OUTPUT_DIR="$root/minidl" \
    -DMINIDL_WERROR="${MINIDL_WERROR:-OFF}" \
    -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" \
    ${MINIDL_CUDA_ARCHS:+-DMINIDL_CUDA_ARCHS="$MINIDL_CUDA_ARCHS"}
  "$python" -m cmake --build "$build" -j "${JOBS:-2}"
  exec 9>&-
done
