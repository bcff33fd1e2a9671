"""``python -m foleybench``, which is also how ``torchrun -m foleybench`` and ``accelerate launch -m foleybench`` start it."""

import sys

from foleybench.cli import main

if __name__ == "__main__":
    sys.exit(main())
