"""The demo from data to picture."""

import pathlib
import time

import minidl
from minidl import backends
from minidl.demo import digits, models, picture
from minidl.demo.training import evaluate, train


def run(model="cnn", data="digits", path=None, device="cpu", seed=0, epochs=None, out="minidl-demo"):
    """Trains ``model`` on ``data``, prints the held-out accuracy, saves and reloads the model, draws the picture.

    Writes ``model.safetensors`` and ``digits.png`` into the folder ``out``. Returns the held-out accuracy.
    Raises ``DeviceError`` where ``device`` cannot be used, ``RuntimeError`` where the reloaded model
    predicts otherwise.
    """
    folder = pathlib.Path(out)
    folder.mkdir(parents=True, exist_ok=True)  # before the training, which would be lost
    minidl.manual_seed(seed)
    arrays = digits.split(*digits.load(data, path), seed)
    images, labels, test_images, test_labels = (minidl.tensor(a, device=device) for a in arrays)
    height, width = images.shape[2:]
    net = models.build(model, height, width, classes=10).to(device)
    count = sum(p.numel() for p in net.parameters())
    print(
        f"{model} with {count:,} parameters on {data}: {len(images):,} digits to learn from, "
        f"{len(test_images):,} held out, on {device} ({backends.on(minidl.device(device)).name} backend)"
    )
    start = time.perf_counter()
    history = train(net, images, labels, test_images, test_labels, epochs or (12 if data == "digits" else 4))
    seconds = time.perf_counter() - start
    _, accuracy, predicted = evaluate(net, test_images, test_labels)
    print(f"held-out accuracy {accuracy:.4f} after {seconds:.1f} s of training")

    saved, drawn = folder / "model.safetensors", folder / "digits.png"
    minidl.save(net.state_dict(), saved)
    again = models.build(model, height, width, classes=10).to(device)
    again.load_state_dict(minidl.load(saved))
    if not minidl.equal(evaluate(again, test_images, test_labels)[2], predicted):
        raise RuntimeError(f"the model reloaded from {saved} predicts otherwise than the one saved")
    picture.draw(drawn, history, arrays[2], arrays[3], predicted.cpu().numpy())
    print(f"saved and reloaded {saved}; curves and wrong digits in {drawn}")
    return accuracy
