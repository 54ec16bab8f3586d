"""The timers, by clocks that the tests turn."""

import gc

import pytest

from minidl.bench import timing


class FakeClock:
    """Time passes where a test says so: reading it costs nothing."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def task(self, seconds, log=None, name=None):
        """A call that takes so long, and notes its name."""

        def call():
            self.now += seconds
            if log is not None:
                log.append(name)

        return call


class FakeEvents:
    """``cupy.cuda`` with a clock."""

    def __init__(self, clock):
        self.clock, self.log = clock, []

    def Event(self):
        return FakeEvent(self)

    @staticmethod
    def get_elapsed_time(start, stop):
        return (stop.at - start.at) * 1e3


class FakeEvent:
    def __init__(self, events):
        self.events, self.at = events, None

    def record(self):
        self.at = self.events.clock()
        self.events.log.append("record")

    def synchronize(self):
        self.events.log.append("synchronize")


def test_host_timer_gives_the_mean_of_its_calls():
    clock = FakeClock()
    assert timing.HostTimer(clock).seconds(clock.task(0.25), 4) == 0.25


def test_event_timer_waits_for_what_it_measures():
    clock = FakeClock()
    events = FakeEvents(clock)
    assert timing.EventTimer(events).seconds(clock.task(0.5), 3) == pytest.approx(0.5)
    assert events.log == ["synchronize", "record", "record", "synchronize"]


@pytest.mark.parametrize(("seconds", "count"), [(1.0, 1), (timing.SAMPLE / 8, 8), (1e-12, 100_000)])
def test_calibration_fills_a_sample(seconds, count):
    clock = FakeClock()
    assert timing.calibrate(clock.task(seconds), timing.HostTimer(clock)) == count


def test_every_candidate_takes_every_place_equally_often():
    log, clock = [], FakeClock()
    calls = {name: clock.task(0.001, log, name) for name in "abc"}
    samples = timing.interleaved(
        calls, timing.HostTimer(clock), timing.Budget(1e9, 6, 6), before=lambda: None, rest=lambda: None
    )
    rounds = ["".join(log[i : i + 3]) for i in range(0, len(log), 3)]
    assert rounds == ["abc", "cba", "bca", "acb", "cab", "bac"]
    assert {name: len(found) for name, found in samples.items()} == dict.fromkeys("abc", 6)
    assert samples["a"] == pytest.approx([0.001] * 6)


def test_the_least_number_of_samples_is_taken_beyond_the_budget():
    clock, turns = FakeClock(), []
    timing.interleaved(
        {"a": clock.task(1.0)}, timing.HostTimer(clock), timing.Budget(0, 4, 9), progress=turns.append,
        rest=lambda: None,
    )  # fmt: skip
    assert turns == [1, 2, 3, 4]


def test_a_warm_candidate_runs_before_its_sample_and_a_cold_one_after_the_eviction():
    log, clock = [], FakeClock()
    call, timer = clock.task(timing.SAMPLE / 4, log, "call"), timing.HostTimer(clock)
    timing.interleaved({"a": call}, timer, timing.Budget(0, 1, 1), rest=lambda: log.append("rest"))
    assert log[log.index("rest") :] == ["rest"] + ["call"] * (2 + 4)
    log.clear()
    timing.interleaved(
        {"a": call}, timer, timing.Budget(0, 1, 1), before=lambda: log.append("evict"), rest=lambda: None
    )
    assert log == ["evict", "call"]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_rests_meanwhile_and_is_left_as_it_was(enabled):
    (gc.enable if enabled else gc.disable)()
    try:
        with timing.no_garbage_collection():
            assert not gc.isenabled()
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_the_host_is_timed_where_there_is_no_gpu():
    assert isinstance(timing.timer_of("cpu"), timing.HostTimer)
    assert isinstance(timing.timer_of("emulated"), timing.HostTimer)


def test_threads_rest_when_no_time_was_spent():
    spent = iter([0, 0.01, 0.01, 0.02, 0.02, 0.0201])
    slept = []
    timing.threads_rest(slept.append, lambda: next(spent))
    assert slept == [timing.REST] * 3


def test_threads_that_never_rest_are_not_waited_for_without_end():
    clock = FakeClock()
    timing.threads_rest(lambda seconds: clock.task(seconds)(), clock, most=4)
    assert clock.now == pytest.approx(4 * timing.REST)
