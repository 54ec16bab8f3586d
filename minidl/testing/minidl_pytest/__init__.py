"""The pytest plugin: ``--minidl-device``, ``--minidl-backend``, ``--minidl-seed``, ``--minidl-coverage``.

pytest loads this file in every run of every project on the machine where minidl is installed, so it imports nothing:
without one of the options minidl is not even loaded. It is installed beside minidl, as ``minidl_pytest``: a module
inside of it could not be imported without the whole of minidl.
"""

import importlib

import pytest

_SESSION = pytest.StashKey()
_DESTS = ("minidl_device", "minidl_backend", "minidl_seed", "minidl_coverage")


def pytest_addoption(parser):
    group = parser.getgroup("minidl", "minidl (tests of code that uses minidl)")
    group.addoption(
        "--minidl-device",
        metavar="DEVICE",
        help="device on which tensors are made by default: cpu, cuda, emulated",
    )
    group.addoption(
        "--minidl-backend", choices=("native", "reference"), help="what serves tensors on the CPU"
    )
    group.addoption(
        "--minidl-seed", type=int, metavar="N", help="seed minidl's random numbers with N before each test"
    )
    group.addoption(
        "--minidl-coverage",
        action="store_true",
        help="say which ops and which of their gradient rules the tests exercised, in first and second order",
    )


def pytest_configure(config):
    given = {dest: config.getoption(dest) for dest in _DESTS}
    if any(value not in (None, False) for value in given.values()):
        try:
            session = importlib.import_module("minidl.testing.session").Session(*given.values())
        except (RuntimeError, ValueError) as error:
            raise pytest.UsageError(f"minidl: {error}") from None
        config.stash[_SESSION] = session
        config.add_cleanup(session.close)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        session.begin_test()


@pytest.fixture
def minidl_device(request):
    """The device of ``--minidl-device``, ``'cpu'`` by default: for tests that name where their tensors lie."""
    return request.config.getoption("minidl_device") or "cpu"


def pytest_sessionfinish(session):
    found = session.config.stash.get(_SESSION, None)
    if found is not None and hasattr(session.config, "workeroutput"):  # a worker of pytest-xdist
        session.config.workeroutput["minidl_coverage"] = found.state()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    found = node.config.stash.get(_SESSION, None)
    state = getattr(node, "workeroutput", {}).get("minidl_coverage")
    if found is not None and state:
        found.merge(state)


def pytest_terminal_summary(terminalreporter, config):
    session = config.stash.get(_SESSION, None)
    if session is not None and session.coverage is not None:
        terminalreporter.section("minidl gradient coverage")
        for line in session.coverage.lines():
            terminalreporter.line(line)
