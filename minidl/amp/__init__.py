"""Mixed precision: ``autocast`` chooses the precision of each op, ``GradScaler`` keeps gradients from vanishing."""

from minidl.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from minidl.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
