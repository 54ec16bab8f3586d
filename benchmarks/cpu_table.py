"""Every workload that has a target, beside PyTorch's default and its best variant: two threads, float32.

``python benchmarks/cpu_table.py [FILTER ...]`` writes ``results/cpu_table.json`` and prints the table of the README;
with filters, only what they match is measured again, and replaces its rows. Ceilings are those of the last run.
"""

import sys
from pathlib import Path

from minidl import bench
from minidl.bench import markdown, record

RESULTS = Path(__file__).parent / "results" / "cpu_table.json"


def merged(old, new):
    """``new``, in the order of the registry, with the rows of ``old`` that were not measured again."""
    fresh = {row["name"]: row for row in new["rows"]}
    kept = {row["name"]: row for row in old["rows"]} if old and old["machine"] == new["machine"] else {}
    names = [row.name for row in bench.select([], targets_only=True)]
    return {**new, "rows": [{**kept, **fresh}[name] for name in names if name in kept or name in fresh]}


def main(filters):
    command = "python benchmarks/cpu_table.py"
    found = bench.run(
        bench.select(filters, targets_only=True), vs=["torch"], threads=2, command=command,
        show=lambda line: print(line, flush=True),
    )  # fmt: skip
    found = merged(record.read(RESULTS) if filters and RESULTS.exists() else None, found)
    record.write(RESULTS, found)
    print(f"\n{markdown.table(found)}\n\n{markdown.caption(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])
