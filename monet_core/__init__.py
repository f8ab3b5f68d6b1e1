"""MO-Net Studio's engine: from T1 scans to label maps, without a window.

Importing this package imports neither torch nor Qt.
"""

__version__ = "0.1.0"
