#!/usr/bin/env python3
"""Everything that only a machine with a GPU can say, in one command, for the GPU that is present.

    python scripts/check_gpu.py [STAGE ...] [--out FOLDER] [--rehearse]

build       minidl._cuda and minidl._native, in place, for this GPU (no network, no build isolation)
wrappers    what each instruction wrapper does on random input, as golden files that the emulator is compared with
tests       every test that runs on an accelerator, on the GPU
sanitizer   compute-sanitizer's memcheck and racecheck on small cases
bench       the workloads of GPU sizes beside PyTorch in one process

A stage ends within eight minutes, which its commands share. It writes FOLDER/<stage>.json (what ran, how it ended,
how long it took, the end of its output; the golden files are FOLDER/wrappers.tar, a benchmark's figures files of their
own). One that fails or runs out of its time does not keep the next from running; the exit status counts those.
--rehearse does the same where there is no GPU: emulated kernels, the host's sanitizers, tiny benchmarks.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = sys.executable
MOST = 8 * 60  # seconds that a stage may take
# Small cases of each family: the sanitizers slow kernels down tens of times.
SANITIZED = (
    "test_kernels or test_matmul or test_conv or test_pool or test_recurrent or test_rows or test_reductions"
)
BENCHES = {
    "bfloat16": ["large/*", "--dtype", "bfloat16"],
    "float32": ["large/matmul/*4096x4096x4096*", "large/conv2d/3x3-64*", "large/recurrent/*", "large/adamw/*",
                "overhead/*", "train/*", "--dtype", "float32"],
}  # fmt: skip


class Stage:
    """Runs the commands of a stage within its time, and keeps what happened."""

    def __init__(self, name, out, rehearse, most=MOST):
        self.name, self.out, self.rehearse = name, out, rehearse
        self._log = out / f"{name}.log"
        self._end = time.monotonic() + most
        self.steps = []

    def run(self, *command, env=None, shares=1):
        """Whether a command ended well; its output goes to the log of the stage.

        It may take one of ``shares`` equal parts of the time that is left: the commands after it want theirs.
        """
        began = time.monotonic()
        with open(self._log, "a", encoding="utf-8") as file:
            file.write(f"$ {shlex.join(map(str, command))}\n")
            file.flush()
            try:
                status = self._status(command, env or {}, file, max((self._end - began) / shares, 1))
            except OSError as error:
                status = str(error)
        took = round(time.monotonic() - began, 1)
        self.steps.append({"command": shlex.join(map(str, command)), "status": status, "seconds": took})
        return status == 0

    @staticmethod
    def _status(command, env, log, seconds):
        """The exit status. Out of time, the command ends with all that it started, which would disturb the next."""
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return "out of time"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def tail(self, lines):
        """The end of the log."""
        if not self._log.exists():
            return []
        return self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]


def build(stage):
    """The extensions for the GPU at hand."""
    if stage.rehearse:
        return stage.run("scripts/build_inplace.sh", "emulated", env={"PYTHON": PYTHON})
    jobs = str(os.cpu_count())
    found = stage.run(
        "scripts/build_inplace.sh", "cuda", "native",
        env={"PYTHON": PYTHON, "JOBS": jobs, "MINIDL_CUDA_ARCHS": architecture()},
    )  # fmt: skip
    return found and stage.run(PYTHON, "-m", "minidl", "doctor")


def architecture():
    """What nvcc calls the GPU at hand, such as 90a-real (9.0 and 10.0 have instructions of their own)."""
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    capability = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    number = capability.replace(".", "")
    return f"{number}{'a' if int(number) >= 90 else ''}-real"


def wrappers(stage):
    """Golden files of the instruction wrappers, in wrappers.tar."""
    folder = ROOT / "build" / "golden"
    shutil.rmtree(folder, ignore_errors=True)  # what an earlier run wrote is not what this one says
    folder.mkdir(parents=True)
    target = "emulated" if stage.rehearse else "cuda"
    found = stage.run("scripts/conformance.sh", target, folder, env={"PYTHON": PYTHON})
    with tarfile.open(stage.out / "wrappers.tar", "w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return found


def tests(stage):
    """The tests with a GPU among their parameters."""
    chosen = "emulated" if stage.rehearse else "cuda"
    where = ["tests/emulator/test_training.py"] if stage.rehearse else ["tests"]
    side_by_side = ["-n", "8", "-p", "no:benchmark"] if importlib.util.find_spec("xdist") else []
    return stage.run(
        PYTHON, "-m", "pytest", "-q", *side_by_side, *where, "-k", chosen, "-p", "no:cacheprovider",
        "--maxfail=40", "--durations=8", env={"MINIDL_EXPECT": chosen},
    )  # fmt: skip


def sanitizer(stage):
    """memcheck and racecheck, without CuPy's memory pool, in which a stray access stays unseen."""
    if stage.rehearse:
        return stage.run("scripts/emulator_sanitized.sh", "elementwise")
    found = True
    for tool, shares in (("memcheck", 2), ("racecheck", 1)):
        found &= stage.run(
            "compute-sanitizer", "--tool", tool, "--error-exitcode", "9", "--kernel-name", "regex=minidl",
            PYTHON, "-m", "pytest", "-q", "-x", "tests/emulator", "-k", f"cuda and ({SANITIZED})",
            "-p", "no:cacheprovider",
            env={"MINIDL_TEST_NO_POOL": "1", "MINIDL_EXPECT": "cuda"}, shares=shares,
        )  # fmt: skip
    return found


def bench(stage):
    """The benchmark beside PyTorch, a JSON file a dtype, and what launches cost the host."""
    found = True
    for number, (dtype, arguments) in enumerate(BENCHES.items()):
        if stage.rehearse:
            arguments, device, vs = ["overhead/add/*"], "cpu", "numpy"
        else:
            device, vs = "cuda", "torch"
        found &= stage.run(
            PYTHON, "-m", "minidl", "bench", *arguments, "--device", device, "--vs", vs, "--seconds", "0",
            "--json", stage.out / f"bench_{dtype}.json", shares=len(BENCHES) + 1 - number,
        )  # fmt: skip
    if importlib.util.find_spec("cupy"):  # a rehearsal may do without
        script = ROOT / "benchmarks" / "launch_cost.py"
        found &= stage.run(PYTHON, script, "--json", stage.out / "launch_cost.json")
    return found


STAGES = {"build": build, "wrappers": wrappers, "tests": tests, "sanitizer": sanitizer, "bench": bench}
SHOWN = {"build": 25, "wrappers": 12, "tests": 60, "sanitizer": 25, "bench": 170}  # lines of a log's end


def perform(name, out, rehearse):
    """Runs a stage; returns its record, which is written as soon as the stage ends."""
    stage, began = Stage(name, out, rehearse), time.monotonic()
    try:
        passed, reason = STAGES[name](stage), None
    except Exception as error:  # one stage's accident does not keep the next from running
        passed, reason = False, f"{type(error).__name__}: {error}"
    found = {
        "stage": name, "passed": bool(passed), "reason": reason, "seconds": round(time.monotonic() - began, 1),
        "rehearsal": rehearse, "steps": stage.steps, "tail": stage.tail(SHOWN[name]),
    }  # fmt: skip
    (out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "stages", nargs="*", metavar="STAGE", help="some of " + ", ".join(STAGES) + " (default: all)"
    )
    parser.add_argument("--out", default="build/gpu", help="folder for the results (default: build/gpu)")
    parser.add_argument("--rehearse", action="store_true", help="without a GPU")
    args = parser.parse_args(arguments)
    unknown = set(args.stages) - set(STAGES)
    if unknown:
        parser.error(f"no such stage: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    out = pathlib.Path(args.out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for name in args.stages or STAGES:
        records.append(perform(name, out, args.rehearse))
        print("\n".join(records[-1]["tail"]), flush=True)
    print(f"\n{'stage':10} {'passed':6} {'seconds':>8}  commands that did not end well")
    for found in records:
        wrong = [
            f"{step['status']}: {step['command'][:70]}" for step in found["steps"] if step["status"] != 0
        ]
        print(f"{found['stage']:10} {'yes' if found['passed'] else 'NO':6} {found['seconds']:8.1f}  "
              f"{found['reason'] or '; '.join(wrong)}")  # fmt: skip
    return sum(not found["passed"] for found in records)


if __name__ == "__main__":
    sys.exit(main())
