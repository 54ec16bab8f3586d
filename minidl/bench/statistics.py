"""Summaries of samples: medians with the 10th and 90th percentile, of times and of paired ratios."""

import math
import statistics


def percentile(samples, fraction):
    """The value below which ``fraction`` of the samples lie, interpolated linearly between them.

    >>> from minidl.bench.statistics import percentile
    >>> percentile([1.0, 2.0, 3.0, 4.0, 5.0], 0.1)
    1.4
    """
    ordered = sorted(samples)
    place = fraction * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def summary(samples):
    """``median``, ``p10``, ``p90`` and ``samples`` (their number)."""
    return {
        "median": statistics.median(samples),
        "p10": percentile(samples, 0.1),
        "p90": percentile(samples, 0.9),
        "samples": len(samples),
    }


def ratio(theirs, ours):
    """How many times faster ours is: the ratio of the medians, and percentiles of the ratios round by round.

    >>> from minidl.bench.statistics import ratio
    >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    {'median': 2.0, 'p10': 2.0, 'p90': 2.0}
    """
    paired = [t / o for t, o in zip(theirs, ours, strict=True)]
    return {
        "median": statistics.median(theirs) / statistics.median(ours),
        "p10": percentile(paired, 0.1),
        "p90": percentile(paired, 0.9),
    }
