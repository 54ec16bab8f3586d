"""The report as one HTML file that needs no other: figure, table, machine, versions, ceilings."""

import base64
import html

from minidl.bench import markdown, roofline

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 76em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums }
td, th { border-bottom: 1px solid #ddd; padding: 3px 8px; text-align: right; white-space: nowrap }
td:first-child, th:first-child { text-align: left }
img { max-width: 100% }
.missed { color: #b00 } .met { color: #070 }
"""


def render(record):
    """The page as text. Needs matplotlib for the figure."""
    picture = base64.b64encode(roofline.png(record)).decode()
    facts = {**record["machine"], **record["versions"], **record["settings"]}
    return "\n".join([
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>minidl benchmarks</title>',
        f"<style>{_STYLE}</style><h1>minidl benchmarks</h1>",
        f"<p>{html.escape(markdown.caption(record))}</p>",
        "<p>A ratio is PyTorch's time divided by minidl's in the same process: above 1, minidl is faster.</p>",
        f'<img alt="Roofline" src="data:image/png;base64,{picture}">',
        _table(markdown.table(record, targets_only=False)),
        "<h2>Machine and settings</h2><table>",
        *(f"<tr><td>{html.escape(str(k))}</td><td>{html.escape(str(v))}</td></tr>" for k, v in facts.items()),
        "</table></html>",
        "",
    ])  # fmt: skip


def _table(text):
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines())
    lines = ["<table><tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    for row in rows:
        lines.append("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>")
    return "\n".join([*lines, "</table>"])


def _cell(cell):
    mark = next((word for word in ("missed", "met") if cell.endswith(f" {word}")), None)
    return f"<td{f' class={mark}' if mark else ''}>{html.escape(cell)}</td>"
