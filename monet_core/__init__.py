"""MO-Net Studio's engine: from T1 scans to label maps, without a window.

Importing this package imports neither torch nor Qt.
"""

import os

__version__ = "0.1.0"

# Both are read when torch is loaded, and count only where the user has not set them.
# Huge pages: large tensors come from the system page by page, which costs more than filling them.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
# Threads that wait sleep: spinning, they take the cores from data workers and from the window.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
