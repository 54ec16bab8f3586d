"""Workers that are processes, each on a pipe of its own.

No lock and no queue is shared, so that a worker that dies at any point harms no other. In a worker, one thread reads
tasks and one writes batches: the loader never waits to send while the worker waits to be read.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import pickle
import queue
import signal
import sys
import threading
import warnings

from minidl.backends.threads import set_num_threads
from minidl.utils.data.worker import Failure, become_process, work

_PATIENCE = 5.0  # seconds that closing waits for a worker in the middle of a batch before it is terminated
_starting = (
    threading.Lock()
)  # a process started meanwhile would inherit, and keep open, the new worker's end of its pipe


def context_of(multiprocessing_context):
    """The context meant by a loader's argument: fork on Linux by default. Raises ``ValueError`` or ``TypeError``."""
    if multiprocessing_context is None:
        return multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    if isinstance(multiprocessing_context, str):
        methods = multiprocessing.get_all_start_methods()
        if multiprocessing_context not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                f"multiprocessing_context={multiprocessing_context!r}"
            )
        return multiprocessing.get_context(multiprocessing_context)
    if not isinstance(multiprocessing_context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={multiprocessing_context!r}"
        )
    return multiprocessing_context


class ProcessWorker:
    """One worker process. ``send`` tasks, ``receive`` their answers in order; ``stop``, then ``join``."""

    def __init__(self, job, worker_id, context, siblings):
        with _starting:
            self._connection, theirs = context.Pipe()
            forked = context.get_start_method() == "fork"
            ours = [self._connection, *(s._connection for s in siblings)] if forked else []
            self._process = context.Process(target=_main, args=(job, worker_id, theirs, ours), daemon=True)
            try:
                _start(self._process)
            except BaseException:
                self._connection.close()
                raise
            finally:
                theirs.close()

    def send(self, task):
        """Hands over a task; to a dead worker too, whose death ``receive`` reports."""
        with contextlib.suppress(OSError):
            _send(self._connection, _packed(task))

    def receive(self, timeout, workers):
        """The answer to the oldest open task.

        Raises ``RuntimeError`` where one of ``workers`` died, or after ``timeout`` seconds.
        """
        sentinels = [w._process.sentinel for w in workers]
        ready = multiprocessing.connection.wait([self._connection, *sentinels], timeout)
        if not ready:
            raise RuntimeError(f"DataLoader timed out after {timeout} seconds")
        if self._connection in ready:
            try:
                return _receive(self._connection)
            except (EOFError, OSError):
                pass  # it died in the middle of a message, or before one
        raise RuntimeError(_obituary([w._process for w in workers]))

    def stop(self):
        """Asks the worker to end after its present batch. Closing the pipe frees one that waits to be read."""
        self.send(None)
        self._connection.close()

    def join(self):
        """Waits for the worker to end; terminates and then kills one that does not."""
        self._process.join(_PATIENCE)
        for end in (self._process.terminate, self._process.kill):
            if self._process.is_alive():
                end()
                self._process.join(1.0)
        if not self._process.is_alive():
            self._process.close()


def _start(process):
    with warnings.catch_warnings():
        # Python 3.12 warns of any fork beside threads. minidl's own are safe: the pool and the locks renew themselves.
        warnings.filterwarnings("ignore", r".*multi-threaded, use of fork", DeprecationWarning)
        process.start()


def _obituary(processes):
    """What is known of the ends of dead processes; their pipes close a moment before their exit codes are known."""
    gone = multiprocessing.connection.wait([p.sentinel for p in processes], 1.0)
    dead = [p for p in processes if p.sentinel in gone]
    for process in dead:
        process.join(1.0)
    causes = []
    for process in dead:
        code = process.exitcode or 0
        cause = (
            f"killed by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"
        )
        causes.append(f"pid {process.pid}: {cause}")
    pids = ", ".join(str(p.pid) for p in dead)
    return (
        f"DataLoader worker (pid(s) {pids}) exited unexpectedly ({'; '.join(causes)}). "
        "Hint: a worker that is killed often ran out of memory; num_workers=0 shows the error where it arises."
    )


def start_processes(job, multiprocessing_context):
    """The workers of ``job``."""
    context, workers = context_of(multiprocessing_context), []
    try:
        for worker_id in range(job.num_workers):
            workers.append(ProcessWorker(job, worker_id, context, workers))
    except BaseException:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join()
        raise
    return workers


def _main(job, worker_id, connection, parents_ends):
    """The life of a worker process."""
    for end in parents_ends:  # inherited by fork; while a copy is open, nobody notices the parent's death
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    set_num_threads(1)  # as many workers as cores is usual
    become_process(job.info(worker_id))
    name = f"worker process {worker_id}"
    tasks, results, stopped = queue.SimpleQueue(), queue.SimpleQueue(), threading.Event()
    threading.Thread(target=_read_tasks, args=(connection, tasks, stopped), daemon=True).start()
    writer = threading.Thread(target=_write_results, args=(connection, results), daemon=True)
    writer.start()

    def pending():
        while (task := tasks.get()) is not None and not stopped.is_set():
            yield task

    work(job, worker_id, pending(), lambda answer: results.put(_packed_answer(answer, name)), name)
    results.put(None)
    writer.join()


def _read_tasks(connection, tasks, stopped):
    try:
        while (task := _receive(connection)) is not None:
            tasks.put(task)
    except (EOFError, OSError):  # the parent is gone
        pass
    stopped.set()
    tasks.put(None)


def _write_results(connection, results):
    try:
        while (packed := results.get()) is not None:
            _send(connection, packed)
    except OSError:  # the parent has closed the pipe and wants no more
        pass


def _packed(value):
    """``value`` as a pickle and the buffers of its arrays beside it, which so are not copied into the pickle."""
    buffers = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return body, [buffer.raw() for buffer in buffers]


def _packed_answer(answer, name):
    """``_packed``, or the failure to do so."""
    try:
        return _packed(answer)
    except Exception as error:
        epoch, batch = answer
        if isinstance(
            batch, Failure
        ):  # an exception class that cannot be pickled: one defined in a function, say
            batch.kind = RuntimeError
            return _packed(answer)
        return _packed((epoch, Failure(error, name)))


def _send(connection, packed):
    body, buffers = packed
    connection.send_bytes(pickle.dumps((body, [len(buffer) for buffer in buffers])))
    for buffer in buffers:
        connection.send_bytes(buffer)


def _receive(connection):
    body, sizes = pickle.loads(connection.recv_bytes())
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        connection.recv_bytes_into(buffer)
    return pickle.loads(body, buffers=buffers)
