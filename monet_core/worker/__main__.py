"""`python -m monet_core.worker FOLDER`."""

import sys

from monet_core.worker.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
