"""3D U-Net and MO-Net: one encoder, any number of decoders. The settings load without torch."""

from typing import TYPE_CHECKING

from monet_core.lazy import lazy
from monet_core.networks.settings import NetworkSettings

if TYPE_CHECKING:
    from monet_core.networks.logits import Logits
    from monet_core.networks.monet import MONet
    from monet_core.networks.transferring import TransferReport, check_same_architecture, transfer
    from monet_core.networks.widening import widened, widens
else:
    __getattr__ = lazy(
        __name__,
        {
            "logits": "Logits",
            "monet": "MONet",
            "transferring": "TransferReport check_same_architecture transfer",
            "widening": "widened widens",
        },
    )

__all__ = [
    "Logits",
    "MONet",
    "NetworkSettings",
    "TransferReport",
    "check_same_architecture",
    "transfer",
    "widened",
    "widens",
]
