"""Where the suites of this folder leave their results."""

import json
from pathlib import Path

from minidl.bench import machine

RESULTS = Path(__file__).parent / "results"


def write(name, command, versions, rows):
    """Writes ``results/<name>.json``: the rows with machine, versions and the command that made them."""
    RESULTS.mkdir(exist_ok=True)
    found = {"command": command, "machine": machine.describe(), "versions": versions, "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
