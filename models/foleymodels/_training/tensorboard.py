"""Log numbers for TensorBoard, equal to those of ``log.jsonl``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError

FOLDER = "tensorboard"


class TensorBoardLog:
    """Event files of one stage.

    A resumed run writes the files anew from the lines in its state, so no point appears twice, and none of lost steps.
    """

    def __init__(self, folder: Path, records: Sequence[dict[str, Any]]) -> None:
        """Start in a folder with the lines so far.

        Raises:
            FoleyError: TensorBoard is not installed.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise FoleyError(
                "--tensorboard wants the package tensorboard: pip install 'foleybench[train]', or leave it out."
            ) from error
        for old in (folder / FOLDER).glob("events.out.tfevents.*"):
            old.unlink()
        self._writer = SummaryWriter(str(folder / FOLDER))
        for record in records:
            self.add(record)

    def add(self, record: dict[str, Any]) -> None:
        """Write one log line."""
        for name, value in record.items():
            if name != "step":
                self._writer.add_scalar(name, value, record["step"])

    def close(self) -> None:
        """Write what is still in memory."""
        self._writer.close()
