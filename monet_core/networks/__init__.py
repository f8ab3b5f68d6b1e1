"""3D U-Net and MO-Net: one encoder, any number of decoders."""

from monet_core.networks.logits import Logits
from monet_core.networks.monet import MONet
from monet_core.networks.settings import NetworkSettings
from monet_core.networks.transfer import TransferReport, check_same_architecture, transfer

__all__ = [
    "Logits",
    "MONet",
    "NetworkSettings",
    "TransferReport",
    "check_same_architecture",
    "transfer",
]
