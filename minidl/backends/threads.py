"""How many threads the CPU kernels use; without the compiled extension there is only the caller's."""

try:
    from minidl._native import get_num_threads, set_num_threads
except ImportError:

    def get_num_threads():
        """Threads that the CPU kernels use, the caller included."""
        return 1

    def set_num_threads(count):
        """Sets the number of threads of the CPU kernels, which are missing here; ``ValueError`` for count < 1."""
        if count < 1:
            raise ValueError(f"set_num_threads expects a positive integer, got {count}")


__all__ = ["get_num_threads", "set_num_threads"]
