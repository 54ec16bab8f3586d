"""Remainders of division in the native backend: the C library's, to the bit."""

import numpy as np
import pytest


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_remainders_are_exact(native, dtype):
    rng = np.random.default_rng(0)
    sizes = [np.exp(rng.uniform(-40, 40, (2, 20000))), np.stack([np.full(20000, 100.0), np.full(20000, 3.0)])]
    special = np.array(
        [0, -0.0, 1, -1, 3, -6, 2**22, 2**51, np.inf, -np.inf, np.nan, np.finfo(dtype).max, 1e-45]
    )
    pairs = [*(rng.standard_normal((2, 20000)) * size for size in sizes)]
    pairs += [(np.arange(-1000.0, 1000), np.full(2000, unit)) for unit in (3, -0.1, 0.7)]
    pairs.append([grid.reshape(-1) for grid in np.meshgrid(special, special)])
    with np.errstate(all="ignore"):
        for x, y in pairs:
            x, y = np.asarray(x, dtype), np.asarray(y, dtype)
            rest = np.fmod(x, y)
            turned = np.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)
            for name, wanted in (("fmod", rest), ("remainder", turned)):
                found = native.overrides[name](x, y)
                np.testing.assert_array_equal(found, wanted)
                known = ~np.isnan(wanted)
                np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(wanted)[known])
