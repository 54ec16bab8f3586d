"""Every workload that has a target, beside PyTorch's default and its best variant: two threads, float32.

``python benchmarks/cpu_table.py [FILTER ...]`` writes ``results/cpu_table.json`` and its table into the README;
with filters, only what they match is measured again, and replaces its rows. Ceilings are those of the last run.
"""

import sys
from pathlib import Path

from minidl import bench
from minidl.bench import markdown, record

RESULTS = Path(__file__).parent / "results" / "cpu_table.json"
README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- cpu_table: begin -->", "<!-- cpu_table: end -->"


def merged(old, new):
    """``new``, in the order of the registry, with the rows of ``old`` that were not measured again."""
    fresh = {row["name"]: row for row in new["rows"]}
    kept = {row["name"]: row for row in old["rows"]} if old and old["machine"] == new["machine"] else {}
    names = [row.name for row in bench.select([], targets_only=True)]
    return {**new, "rows": [{**kept, **fresh}[name] for name in names if name in kept or name in fresh]}


def rendered(found):
    """The table and its caption as they stand in the README."""
    return f"{BEGIN}\n{markdown.table(found)}\n\n{markdown.caption(found)}\n{END}"


def write_readme(found):
    text = README.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    README.write_text(before + rendered(found) + after, encoding="utf-8")


def main(filters):
    command = "python benchmarks/cpu_table.py"
    found = bench.run(
        bench.select(filters, targets_only=True), vs=["torch"], threads=2, command=command,
        show=lambda line: print(line, flush=True),
    )  # fmt: skip
    found = merged(record.read(RESULTS) if filters and RESULTS.exists() else None, found)
    record.write(RESULTS, found)
    write_readme(found)
    print(f"\n{rendered(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])
