"""What an outer call tells the layers inside it: whether it trains, and under which path weights are named."""

import threading


class Context(threading.local):
    """``training``: what the outermost call said (None: nothing); ``scope``: names of the layers being called;
    ``tracing``: whether the run is one on zeros that only finds shapes, so that nothing is to be counted."""

    def __init__(self):
        self.training = None
        self.scope = ()
        self.tracing = False


CONTEXT = Context()


class name_scope:
    """Names weights built inside it ``name/...``."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.outer = CONTEXT.scope
        CONTEXT.scope = (*self.outer, self.name)
        return self

    def __exit__(self, *error):
        CONTEXT.scope = self.outer
