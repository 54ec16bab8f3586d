"""Writes docs/coverage.md: which of PyTorch's public names minidl has, from the code.

    python scripts/write_coverage.py            writes the page
    python scripts/write_coverage.py --check    writes nothing, exits 1 where the page is out of date
    python scripts/write_coverage.py --names    reads PyTorch's names again, into scripts/pytorch_names.json

Only ``--names`` needs PyTorch. A name is *there* where it can be looked up, *differs* where it lacks a parameter of
PyTorch's or behaves otherwise in what ``minidl/absent.py`` notes, and is *not there* for the reason given there.
"""

import functools
import inspect
import json
import pathlib
import sys

import minidl
from minidl import absent

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES, PAGE = ROOT / "scripts" / "pytorch_names.json", ROOT / "docs" / "coverage.md"
TITLES = {
    "torch": "torch", "Tensor": "torch.Tensor", "linalg": "torch.linalg", "special": "torch.special", "nn": "torch.nn",
    "nn.functional": "torch.nn.functional", "nn.init": "torch.nn.init", "nn.utils": "torch.nn.utils",
    "optim": "torch.optim", "optim.lr_scheduler": "torch.optim.lr_scheduler", "utils.data": "torch.utils.data",
    "autograd": "torch.autograd", "cuda": "torch.cuda",
}  # fmt: skip


def resolve(dotted):
    """What a dotted name means below minidl, or None."""
    try:
        return functools.reduce(getattr, dotted.split("."), minidl)
    except AttributeError:
        return None


def within(place, name):
    return name if place == "torch" else f"{place}.{name}"


def is_there(dotted):
    return resolve(dotted) is not None or dotted in ("newaxis",)


def missing_parameters(dotted, parameters):
    """Those of PyTorch's parameters that ours has not."""
    found = resolve(dotted)
    if not parameters or not callable(found):
        return []
    if inspect.isclass(found):
        found = found.__init__
    try:
        ours = inspect.signature(found).parameters
    except ValueError:
        return []
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in ours.values()):
        return []
    return [p for p in parameters if p not in ours and p not in absent.OPTIONS]


def section(place, names):
    """The lines of one namespace."""
    there, differs, gone = [], [], {}
    for name, parameters in names.items():
        dotted = within(place, name)
        if not is_there(dotted):
            gone.setdefault(absent.reason(place, name), []).append(name)
            continue
        there.append(name)
        lacking = [f"no `{p}`" for p in missing_parameters(dotted, parameters)]
        note = absent.DIFFERENCES.get(dotted)
        if lacking or note:
            differs.append(f"- `{name}`: " + "; ".join(lacking + [note] * bool(note)))
    asked = len(names) - sum(len(gone.get(reason, ())) for reason in absent.NOT_ASKED)
    yield f"## {TITLES[place]}: {len(there)} of {asked}\n"
    if there:
        yield "**There**: " + " ".join(f"`{n}`" for n in there) + "\n"
    if differs:
        yield "**There, and differs**:\n\n" + "\n".join(differs) + "\n"
    for reason, missing in sorted(gone.items(), key=lambda item: (item[0] in absent.NOT_ASKED, item[0])):
        yield f"**Not there, {reason}**: " + " ".join(f"`{n}`" for n in missing) + "\n"


def page():
    """The text of docs/coverage.md."""
    stored = json.loads(NAMES.read_text())
    lines = [
        "# What minidl has of PyTorch\n",
        f"Written by `python scripts/write_coverage.py` from the code; do not edit. The names are those of PyTorch "
        f"{stored['version']}.\nCounts leave out what minidl does not set out to have: the sections say which, and "
        "why.\n",
        "| tier | there | of | missing |\n|---|---|---|---|",
    ]
    for tier, wanted in stored["tiers"].items():
        missing = [name for name in wanted if not is_there(name)]
        listed = " ".join(f"`{n}`" for n in missing) or "none"
        lines.append(f"| {tier} | {len(wanted) - len(missing)} | {len(wanted)} | {listed} |")
    lines.append("\nOptions that no function has, and why:\n")
    lines += [f"- `{option}`: {why}" for option, why in absent.OPTIONS.items() if why]
    lines.append("\nPrograms that do not run as they are, and why:\n")
    lines += [f"- {kind}: {why}" for kind, why in absent.PROGRAMS.items()]
    lines.append("")
    for place in TITLES:
        lines += section(place, stored["names"][place])
    return "\n".join(lines)


def main():
    if "--names" in sys.argv[1:]:
        import pytorch_names

        stored = json.loads(NAMES.read_text())
        stored |= {"version": pytorch_names.version(), "names": pytorch_names.read(TITLES)}
        NAMES.write_text(json.dumps(stored, indent=0) + "\n")
    text = page()
    stale = not PAGE.exists() or PAGE.read_text() != text
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"{PAGE} is out of date: run python scripts/write_coverage.py")
        return int(stale)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
