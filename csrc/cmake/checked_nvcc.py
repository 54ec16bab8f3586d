"""Runs a compiler's command and fails where ptxas, which has no option for it, tells of serialised wgmma.

CMake puts it before nvcc where warnings are errors: ``python checked_nvcc.py nvcc ...``.
"""

import subprocess
import sys

REFUSED = "wgmma.mma_async instructions are serialized"

run = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE, text=True)
sys.stderr.write(run.stderr)
if run.returncode == 0 and REFUSED in run.stderr:
    sys.exit(f"error: {REFUSED}; a sum is touched, or the control flow parts, while they run")
sys.exit(run.returncode)
