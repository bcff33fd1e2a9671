"""``python -m foleybench``; ``torchrun -m foleybench`` and ``accelerate launch -m foleybench`` start it so."""

import sys

from foleybench.cli import main

if __name__ == "__main__":
    sys.exit(main())
