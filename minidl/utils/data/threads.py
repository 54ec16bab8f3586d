"""Workers that are threads: nothing is copied, and functions that hold Python's lock do not run side by side."""

import queue
import threading

from minidl.utils.data.worker import become_thread, work

_PATIENCE = 5.0  # seconds that closing waits for a worker in the middle of a batch


class ThreadWorker:
    """One worker thread; see ``ProcessWorker`` for the interface."""

    def __init__(self, job, worker_id):
        self._tasks, self._results = queue.SimpleQueue(), queue.SimpleQueue()
        self._stopped = threading.Event()
        name = f"minidl-worker-{worker_id}"
        self._thread = threading.Thread(target=self._run, args=(job, worker_id), name=name, daemon=True)
        self._thread.start()

    def _run(self, job, worker_id):
        become_thread(job.info(worker_id))
        work(job, worker_id, self._pending(), self._results.put, f"worker thread {worker_id}")

    def _pending(self):
        while (task := self._tasks.get()) is not None and not self._stopped.is_set():
            yield task

    def send(self, task):
        """Hands over a task."""
        self._tasks.put(task)

    def receive(self, timeout, workers):
        """The answer to the oldest open task."""
        try:
            return self._results.get(timeout=timeout)
        except queue.Empty:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds") from None

    def stop(self):
        """Asks the worker to end after its present batch."""
        self._stopped.set()
        self._tasks.put(None)

    def join(self):
        """Waits for the worker to end; a daemon that does not is left to the end of the program."""
        self._thread.join(_PATIENCE)


def start_threads(job):
    """The workers of ``job``."""
    return [ThreadWorker(job, worker_id) for worker_id in range(job.num_workers)]
