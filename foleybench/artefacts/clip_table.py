"""Read and write clip tables, with large statistics beside them.

The table of a result is text, a line a clip. A statistic of more than ``SMALL`` numbers lies beside the table in a
``.npz``, and the table names its array and first row. Equal statistics are kept once (ground truth against itself, or
two metrics on one embedding), in float32 where that is exact. A file of more than ``COMMITTED_BYTES`` has a name that
git ignores; where it is absent the result's numbers remain, and commands that need the rows say so.
"""

from __future__ import annotations

import bisect
import hashlib
import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray
from foleybench.errors import ResultError, why
from foleybench.fields import Place, read_arrays
from foleybench.files import written_atomically

ClipRow = dict[str, Any]
SMALL = 64
COMMITTED_BYTES = 1_000_000
# Where a row holds statistics: against the real sound, and against the real sound limited to the system's band.
PARTS = ("stats", "matched")
# Arrays waiting to become one block: few enough that a copy costs nothing, many enough that blocks stay few.
_PENDING = 512
_CLOCKLESS = (1980, 1, 1, 0, 0, 0)


class _Column:
    """Rows of one width and type: a list of blocks, so that growing copies nothing large."""

    def __init__(self, blocks: Iterable[npt.NDArray[Any]] = ()) -> None:
        self.blocks = list(blocks)
        self.starts = [0, *np.cumsum([len(block) for block in self.blocks])][: len(self.blocks)]
        self.n_rows = sum(len(block) for block in self.blocks)
        self._pending = 0

    def append(self, rows: npt.NDArray[Any]) -> int:
        start = self.n_rows
        self.blocks.append(rows)
        self.starts.append(start)
        self.n_rows += len(rows)
        self._pending += 1
        if self._pending == _PENDING:
            self.blocks[-_PENDING:] = [np.concatenate(self.blocks[-_PENDING:])]
            del self.starts[1 - _PENDING :]
            self._pending = 0
        return start

    def read(self, start: int, n: int) -> npt.NDArray[Any]:
        index = bisect.bisect_right(self.starts, start) - 1
        offset = start - self.starts[index]
        return self.blocks[index][offset : offset + n]


class LargeStats:
    """Arrays by reference; a reference is a small JSON object."""

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]] | None = None) -> None:
        self._columns = {name: _Column([values]) for name, values in (columns or {}).items()}
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        """Return the number of arrays of one width and type."""
        return len(self._columns)

    def put(self, values: FloatArray) -> dict[str, Any]:
        """Keep an array, shape (..., d); return its reference."""
        narrow = values.astype(np.float32)
        kept: npt.NDArray[Any] = narrow if np.array_equal(narrow, values) else np.asarray(values, dtype=np.float64)
        rows = np.ascontiguousarray(kept).reshape(-1, values.shape[-1])
        name = f"{rows.dtype.str[1:]}x{rows.shape[1]}"
        digest = hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16, key=name.encode()).digest()
        if digest not in self._known:
            self._known[digest] = self._columns.setdefault(name, _Column()).append(rows)
        return {"array": name, "start": self._known[digest], "shape": list(values.shape)}

    def get(self, reference: Mapping[str, Any]) -> FloatArray:
        """Return the array of a reference.

        Raises:
            ResultError: The file lacks such rows.
        """
        shape = tuple(int(size) for size in reference["shape"])
        n_rows = math.prod(shape[:-1])
        name = str(reference["array"])
        column = self._columns.get(name)
        if (
            column is None
            or int(reference["start"]) + n_rows > column.n_rows
            or name.partition("x")[2] != str(shape[-1])
        ):
            raise ResultError(f"the table names rows {reference} that the file of large statistics does not have.")
        return column.read(int(reference["start"]), n_rows).astype(np.float64).reshape(shape)

    def write(self, path: Path) -> None:
        """Write all arrays as an ``.npz`` without times, block by block."""
        with written_atomically(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, column in sorted(self._columns.items()):
                width = int(name.partition("x")[2])
                header = {
                    "descr": np.lib.format.dtype_to_descr(np.dtype(name.partition("x")[0])),
                    "fortran_order": False,
                    "shape": (column.n_rows, width),
                }
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _CLOCKLESS), "w", force_zip64=True) as handle:
                    np.lib.format.write_array_header_2_0(handle, header)
                    for block in column.blocks:
                        handle.write(np.ascontiguousarray(block).data)

    @classmethod
    def read(cls, path: Path) -> LargeStats:
        """Read what ``write`` wrote.

        Raises:
            ResultError: The file is broken.
        """
        place = Place(str(path), ResultError, "Run `foleybench eval` again.")
        try:
            with path.open("rb") as handle:
                arrays = read_arrays(handle, place)
        except OSError as error:
            place.fail(f" cannot be read: {why(error)}", error)
        for name, values in arrays.items():
            if values.ndim != 2 or name != f"{values.dtype.str[1:]}x{values.shape[1]}" or values.dtype.kind != "f":
                place.fail(f": {name} is an array of {values.dtype} and shape {values.shape}; its name says otherwise")
        return cls(arrays)


class ClipTable(list[ClipRow]):
    """The clip table: rows of JSON values, large statistics as references.

    Attributes:
        large: The large statistics that references name.
        absent: Why the large statistics are missing, or "" when they are not.
    """

    def __init__(self, rows: Iterable[ClipRow] = (), large: LargeStats | None = None, absent: str = "") -> None:
        super().__init__(rows)
        self.large = large or LargeStats()
        self.absent = absent

    def add(self, row: ClipRow) -> None:
        """Append a row whose statistics are arrays."""
        kept = {part: self._all_kept(row[part]) for part in PARTS if part in row}
        self.append({**row, **kept})

    def add_matched(self, rows: ClipTable) -> None:
        """Take the statistics of other rows, of the same clips in the same order, as those of matched bandwidth."""
        for row, other in zip(self, rows, strict=True):
            arrays = {
                name: stat and {key: rows.array(value) for key, value in stat.items()}
                for name, stat in other["stats"].items()
            }
            row["matched"] = self._all_kept(arrays)

    def _all_kept(self, stats: Mapping[str, Any]) -> dict[str, Any]:
        return {name: stat and {key: self._kept(value) for key, value in stat.items()} for name, stat in stats.items()}

    def _kept(self, value: npt.NDArray[Any]) -> Any:
        values = np.asarray(value, dtype=np.float64)
        return self.large.put(values) if values.size > SMALL else values.tolist()

    def array(self, value: Any) -> FloatArray:
        """Return a statistic of the table as an array.

        Raises:
            ResultError: The statistic is a large one and its file is absent.
        """
        if not isinstance(value, Mapping):
            return np.asarray(value, dtype=np.float64)
        if self.absent:
            raise ResultError(self.absent)
        return self.large.get(value)

    def lacks(self, metric: str) -> bool:
        """Return whether statistics of a metric are large and their file is absent."""
        found = (row.get(part, {}).get(metric) for row in self for part in PARTS)
        return bool(self.absent) and any(
            isinstance(value, Mapping) for stat in found if stat for value in stat.values()
        )


def paths_of(result_path: Path) -> tuple[Path, Path]:
    """Return the paths of a result's large statistics: small enough for git, or ignored by git."""
    stem = result_path.name.removesuffix(".json")
    return result_path.with_name(f"{stem}.rows.npz"), result_path.with_name(f"{stem}.large.npz")
