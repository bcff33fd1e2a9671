"""Find results of a table that were scored with other weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from foleybench.api.metric import Metric
from foleybench.features.featurise import in_order, job


def other_weights(results: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[str]:
    """Return for each result why a metric's number does not compare with the others, or "".

    The weights of an encoder that most results name count (of equally many, those of the smaller hash); a result that
    names none is left alone.

    Args:
        results: Results of one table.
        metric: The metric, or None when it is not installed.
    """
    found = ["" for _ in results]
    jobs = in_order(job(need.encoder, need.of) for need in metric.needs.values()) if metric else []
    for encoder in sorted({name for name, _ in jobs}):
        hashes = [_sha256(result, encoder) for result in results]
        counted = Counter(sha256 for sha256 in hashes if sha256)
        if len(counted) < 2:
            continue
        counts = min(counted, key=lambda sha256: (-counted[sha256], sha256))
        for index, sha256 in enumerate(hashes):
            if sha256 and sha256 != counts:
                found[index] = (
                    f"scored with weights {sha256[:8]} of {encoder}, most rows with {counts[:8]}; run eval again"
                )
    return found


def _sha256(result: Mapping[str, Any], encoder: str) -> str:
    encoders = (result.get("run") or {}).get("encoders") or {}
    return str((encoders.get(encoder) or {}).get("weights_sha256") or "")
