"""``TensorBoard``: curves and histograms in files that TensorBoard shows."""

import os
import shutil
import time

from minidl.keras.callbacks.callback import Callback
from minidl.keras.callbacks.event_file import EventFile


class TensorBoard(Callback):
    """Writes event files under ``log_dir``: ``train/`` and ``validation/``, as Keras does; TensorFlow is not needed.

    Each epoch writes ``epoch_loss``, ``epoch_accuracy``, ...; ``update_freq='batch'``, or a number of batches, writes
    ``batch_loss``, ... as well; ``histogram_freq=n`` the weights' distributions every n epochs;
    ``write_steps_per_second`` the speed. What is not written raises ``NotImplementedError``: ``write_images``,
    ``profile_batch``, ``embeddings_freq``; ``write_graph`` is taken and writes nothing. Source: Keras' ``TensorBoard``.
    """

    def __init__(
        self, log_dir="logs", histogram_freq=0, write_graph=True, write_images=False, write_steps_per_second=False,
        update_freq="epoch", profile_batch=0, embeddings_freq=0, embeddings_metadata=None,
    ):  # fmt: skip
        super().__init__()
        for name, value in (
            ("write_images", write_images), ("profile_batch", profile_batch), ("embeddings_freq", embeddings_freq),
        ):  # fmt: skip
            if value:
                raise NotImplementedError(
                    f"TensorBoard({name}={value!r}) is not supported. Hint: histogram_freq=1 shows the weights; "
                    "`python -m minidl bench` and minidl's profiler measure time."
                )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq, self.write_graph = histogram_freq, write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self._files = {}
        self._train_step = 0

    def _file(self, name):
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def on_train_begin(self, logs=None):
        self._train_step = 0
        stale = os.path.join(self.log_dir, "train", "plugins")
        if os.path.isdir(stale):
            shutil.rmtree(stale)

    def on_train_batch_end(self, batch, logs=None):
        self._train_step += 1
        if self.update_freq == "epoch" or self._train_step % self.update_freq:
            return
        for name, value in (logs or {}).items():
            self._file("train").scalar(f"batch_{name}", value, self._train_step)

    def on_epoch_begin(self, epoch, logs=None):
        self._began, self._first_step = time.perf_counter(), self._train_step

    def on_test_end(self, logs=None):
        iterations = int(self.model.optimizer.iterations)
        for name, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, iterations)

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            where, short = ("validation", name[4:]) if name.startswith("val_") else ("train", name)
            self._file(where).scalar(f"epoch_{short}", value, epoch)
        if "learning_rate" not in (logs or {}) and hasattr(self.model.optimizer, "learning_rate"):
            self._file("train").scalar(
                "epoch_learning_rate", float(self.model.optimizer.learning_rate), epoch
            )
        if self.write_steps_per_second:
            steps = self._train_step - self._first_step
            speed = steps / max(time.perf_counter() - self._began, 1e-9)
            self._file("train").scalar("epoch_steps_per_second", speed, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_histograms(epoch)
        for file in self._files.values():
            file.flush()

    def _write_histograms(self, epoch):
        for layer in self.model.layers:
            for weight in layer.weights:
                self._file("train").histogram(f"{weight.path}/histogram", weight.numpy(), epoch)

    def on_train_end(self, logs=None):
        for file in self._files.values():
            file.close()
        self._files.clear()
