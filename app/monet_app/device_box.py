"""The choice of a device, the same in Segment and Train."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox

from monet_app.boxes import still
from monet_app.devices import Devices


class DeviceBox(QComboBox):
    """A list of `devices`; `choose` is called with the name of the one that the user takes."""

    def __init__(self, devices: Devices, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._devices, self._choose = devices, choose
        self.setAccessibleName("Device")
        self.setToolTip("What computes: a graphics card (GPU) is 10 to 50 times faster")
        self.setMinimumContentsLength(18)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        still(self)
        self.activated.connect(lambda row: self._choose(self.itemData(row)))
        devices.changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        wanted = self._devices.session.settings.device
        self.clear()
        for device in self._devices.list:
            self.addItem(device.text, device.name)
            row = self.count() - 1
            self.setItemData(row, device.help or device.text, Qt.ItemDataRole.ToolTipRole)
            item = self.model().item(row)
            if item is not None:
                item.setEnabled(device.usable)
        row = self.findData(wanted)
        self.setCurrentIndex(max(0, row))
        if row < 0:
            self._choose(self._devices.list[0].name)
