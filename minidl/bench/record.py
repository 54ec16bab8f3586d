"""Results as JSON. ``docs/benchmarks.md`` describes the schema; ``SCHEMA`` counts up when a key changes its meaning."""

import datetime
import json
from pathlib import Path

from minidl.bench import machine, peers
from minidl.bench.errors import BadInput

SCHEMA = 1
_KEYS = {"schema", "machine", "versions", "settings", "ceilings", "rows"}


def make(rows, settings, libraries, missing, ceilings, command):
    """The record of a run: ``ceilings`` by dtype, ``settings`` the arguments that decide what was measured."""
    return {
        "schema": SCHEMA,
        "command": command,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "versions": {"numpy": machine.numpy_version(), **peers.versions(libraries)},
        "missing": missing,
        "settings": settings,
        "ceilings": ceilings,
        "rows": rows,
    }


def write(path, record):
    """Writes a record, a line a row: files that are committed can be compared by eye."""
    rows = ",\n".join("  " + json.dumps(row) for row in record["rows"])
    rest = json.dumps({**record, "rows": []}, indent=1)
    if not rest.endswith('"rows": []\n}'):
        raise AssertionError("the record does not end with its rows, which are written last")
    Path(path).write_text(rest[: -len("[]\n}")] + f"[\n{rows}\n ]\n}}\n", encoding="utf-8")


def read(path):
    """The record in a file. Raises ``BadInput`` for one that cannot be read or is none."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}") from None
    if not isinstance(record, dict) or not set(record) >= _KEYS:
        raise BadInput(f"{path} is no result of `python -m minidl bench --json`")
    if record["schema"] != SCHEMA:
        raise BadInput(
            f"{path} has schema {record['schema']}; this version reads schema {SCHEMA}: measure again"
        )
    return record
