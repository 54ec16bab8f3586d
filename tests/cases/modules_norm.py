"""Rows of the normalisation, dropout and embedding layers."""

from .case import integers, normal
from .modules import ModuleCase

INDICES = integers(0, 5, 2, 3)

MODULE_CASES = [
    ModuleCase("BatchNorm1d", (3,), {}, (normal(5, 3),)),
    ModuleCase("BatchNorm1d", (3,), {"momentum": None}, (normal(2, 3, 4),), id="average"),
    ModuleCase("BatchNorm1d", (3,), {"track_running_stats": False}, (normal(5, 3),), id="no-statistics"),
    ModuleCase("BatchNorm1d", (3,), {"bias": False}, (normal(5, 3),), id="no-bias"),
    ModuleCase("BatchNorm2d", (3,), {"eps": 0.1, "momentum": 0.3}, (normal(2, 3, 2, 2),)),
    ModuleCase("BatchNorm2d", (3,), {"affine": False}, (normal(2, 3, 2, 2),), id="plain"),
    ModuleCase("BatchNorm3d", (3,), {}, (normal(2, 3, 2, 2, 2),)),
    ModuleCase("InstanceNorm1d", (3,), {}, (normal(2, 3, 4),)),
    ModuleCase("InstanceNorm1d", (3, 0.1, 0.3, True, True), {}, (normal(3, 4),), id="unbatched"),
    ModuleCase("InstanceNorm2d", (3,), {"affine": True}, (normal(2, 3, 2, 2),)),
    ModuleCase(
        "InstanceNorm2d",
        (3,),
        {"track_running_stats": True, "momentum": 0.3},
        (normal(2, 3, 2, 2),),
        id="running",
    ),
    ModuleCase("InstanceNorm2d", (3,), {"affine": True, "bias": False}, (normal(2, 3, 2, 2),), id="no-bias"),
    ModuleCase(
        "InstanceNorm3d", (2,), {"track_running_stats": True, "momentum": None}, (normal(2, 2, 2, 2, 2),)
    ),
    ModuleCase("SyncBatchNorm", (3,), {}, (normal(4, 3),)),
    ModuleCase("SyncBatchNorm", (3, 0.1, None), {"bias": False}, (normal(2, 3, 2, 2, 2, 2),), id="6d"),
    ModuleCase("LayerNorm", (4,), {}, (normal(3, 4),)),
    ModuleCase("LayerNorm", ((3, 4),), {"eps": 0.1, "bias": False}, (normal(2, 3, 4),), id="no-bias"),
    ModuleCase("LayerNorm", (4,), {"elementwise_affine": False}, (normal(3, 4),), id="plain"),
    ModuleCase("GroupNorm", (2, 4), {}, (normal(3, 4, 2),)),
    ModuleCase("GroupNorm", (4, 4), {"affine": False}, (normal(3, 4, 2, 2),), id="plain"),
    ModuleCase("GroupNorm", (2, 4), {"bias": False}, (normal(3, 4, 2),), id="no-bias"),
    ModuleCase("RMSNorm", (4,), {}, (normal(3, 4),)),
    ModuleCase(
        "RMSNorm", ((3, 4),), {"eps": 0.1, "elementwise_affine": False}, (normal(2, 3, 4),), id="plain"
    ),
    ModuleCase("Dropout", (), {}, (normal(3, 4),), random=True),
    ModuleCase("Dropout1d", (0.3,), {}, (normal(3, 4, 2),), random=True),
    ModuleCase("Dropout2d", (0.3,), {}, (normal(3, 4, 2, 2),), random=True),
    ModuleCase("Dropout3d", (0.3,), {}, (normal(3, 4, 2, 2, 2),), random=True),
    ModuleCase("AlphaDropout", (0.3,), {}, (normal(3, 4),), random=True),
    ModuleCase("FeatureAlphaDropout", (0.3,), {}, (normal(3, 4, 2),), random=True),
    ModuleCase("Embedding", (5, 3), {}, (INDICES,)),
    # What these do to the table's gradient is no derivative; tests/test_embedding.py and the oracle tests have it.
    ModuleCase("Embedding", (5, 3), {"padding_idx": -2}, (INDICES,), id="padding", grad=False),
    ModuleCase("Embedding", (5, 3), {"scale_grad_by_freq": True}, (INDICES,), id="frequency", grad=False),
    ModuleCase(
        "Embedding", (5, 3), {"max_norm": 1.0, "norm_type": 1.5}, (INDICES,), id="max_norm", grad=False
    ),
]
