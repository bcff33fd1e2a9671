"""Tell which training runs at hand made a table's results.

Results are kept where their runs are not. The same command on another machine can train other weights, and its time and
losses would then stand beside a result that they did not make.
"""

from __future__ import annotations

from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.measure import Measured
from foleybench.reproduce.plan import Setup, row_name, training_name
from foleybench.reproduce.rows import GridRow


def seeds_at_hand(setup: Setup, row: GridRow, measured: Measured) -> list[int]:
    """Return the seeds of a row whose run in the work folder has the weights that were scored.

    Args:
        setup: Where runs lie.
        row: A row with a variant.
        measured: Its results.
    """
    assert row.variant is not None
    scored = {entry.row_name: entry.weights for entry in measured.entries}
    found = []
    for seed in range(setup.seeds):
        wanted = scored.get(row_name(setup, row, seed))
        run = setup.work / "runs" / training_name(setup, row.variant, seed)
        if wanted and run.is_dir() and checkpoint_sha256(run) == wanted:
            found.append(seed)
    return found
