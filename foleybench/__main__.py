"""``python -m foleybench``, for ``torchrun`` and ``accelerate launch`` too."""

import sys

from foleybench.cli import main

if __name__ == "__main__":
    sys.exit(main())
