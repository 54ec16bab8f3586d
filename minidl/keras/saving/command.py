"""``python -m minidl convert``, ``inspect`` and ``summary``."""

import math
import os

from minidl.keras.saving.contents import parse
from minidl.keras.saving.files import refuse_overwriting, write_whole
from minidl.keras.saving.guard import parse_apart
from minidl.keras.saving.loading import model_of
from minidl.keras.saving.model_files import archive_of, tree_of, weights_of

_ENDINGS = (".keras", ".h5", ".hdf5", ".safetensors")


def add_arguments(commands):
    """Adds the three commands to the parser's."""
    convert = commands.add_parser(
        "convert", help="convert a model's file: .h5, .keras, .weights.h5, .safetensors"
    )
    convert.add_argument("source", help="a .h5 or .keras file, or a .safetensors that this command made")
    convert.add_argument("target", help="the new file; its ending says the format")
    convert.add_argument("--overwrite", action="store_true", help="replace the target where it exists")
    convert.add_argument("--untrusted", action="store_true", help="read the source in a process with limits")
    inspect = commands.add_parser("inspect", help="say what a model's file holds, without making the model")
    inspect.add_argument("file", help="a .h5, .keras, .weights.h5, .npz or .safetensors file")
    summary = commands.add_parser("summary", help="print the layers of the model in a file")
    summary.add_argument("file", help="a .h5 or .keras file, or a .safetensors that convert made")
    for command in (inspect, summary):
        command.add_argument("--untrusted", action="store_true", help="read it in a process with limits")


def main(args):
    """Runs one of the commands; the exit status."""
    read = parse_apart if args.untrusted else parse
    if args.command == "inspect":
        print(described(read(args.file)))
        return 0
    if args.command == "summary":
        model_of(_with_architecture(read(args.file)), compile=False).summary()
        return 0
    convert(args.source, args.target, args.overwrite, args.untrusted)
    print(f"{args.source} -> {args.target}")
    return 0


def convert(source, target, overwrite=False, untrusted=False):
    """Writes the model of a file in another format: what the target's ending says.

    ``.safetensors`` gets PyTorch's names and layouts, ``dense.weight`` (out, in), and the architecture in its metadata,
    so that it can be converted back. ``ValueError`` for another ending or a source without an architecture.
    """
    source, target = os.fspath(source), os.fspath(target)
    if not target.endswith(_ENDINGS):
        raise ValueError(f"convert writes {', '.join(_ENDINGS)} (and .weights.h5); got {target!r}")
    refuse_overwriting(target, overwrite)
    contents = _with_architecture((parse_apart if untrusted else parse)(source))
    weights_alone = target.endswith((".weights.h5", ".safetensors"))
    model = model_of(contents, compile=not weights_alone)
    if weights_alone:
        write_whole(target, weights_of(model, target))
    else:
        write_whole(target, archive_of(model) if target.endswith(".keras") else tree_of(model))


def _with_architecture(contents):
    """The contents, where they tell of a model."""
    if contents.config is None:
        raise ValueError(
            f"{contents.where!r} holds weights without an architecture, so there is no model to make. Hint: load them "
            "into the model, model.load_weights(path), and save that."
        )
    return contents


def described(contents):
    """Text that lists a file's model, weights and training."""
    about = ", ".join(
        f"{key} {value}" for key, value in contents.about.items() if key not in ("date_saved", "order")
    )
    lines = [f"{contents.where}: {_KINDS[contents.layout]}" + (f" ({about})" if about else "")]
    if contents.config is not None:
        name = contents.config.get("config", {})
        name = name.get("name") if isinstance(name, dict) else None
        lines.append(f"model: {contents.config.get('class_name')} {name or ''}".rstrip())
    training = contents.training or (contents.config or {}).get("compile_config")
    if training:
        optimizer = training.get("optimizer_config") or training.get("optimizer") or {}
        lines.append(f"trained with: {optimizer.get('class_name')}, loss {_short(training.get('loss'))}")
    own = {path: a for path, a in contents.arrays.items() if not path.startswith("optimizer")}
    width = max(map(len, own), default=0)
    for path, array in own.items():
        lines.append(f"  {path:<{width}}  {array.dtype.name:<8} {tuple(array.shape)}")
    count = sum(math.prod(array.shape) for array in own.values())
    lines.append(f"{len(own)} weights, {count:,} parameters")
    others = len(contents.arrays) - len(own)
    if others:
        lines.append(f"{others} arrays of the optimizer's state")
    return "\n".join(lines)


_KINDS = {
    "layers": "HDF5, weights by layer (Keras 2 and 3)",
    "store": "weights by their place in the model (Keras 3)",
    "names": "weights by name",
}


def _short(loss):
    return loss.get("class_name", loss) if isinstance(loss, dict) else loss
