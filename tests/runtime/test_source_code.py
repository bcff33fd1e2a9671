"""The hash of the code that makes a number: on a copy of the package, one line changed at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foleybench.runtime.source_code import code_sha256, imported_files

PACKAGE = Path(__file__).parents[2] / "foleybench"
METRIC = "metrics/fad_mini.py"
KERNEL = "metrics/_math/frechet.py"


@pytest.fixture
def copy(tmp_path) -> Path:
    """The package somewhere else, for a test to change."""
    ignored = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.npz", "*.csv", "*.gz", "datasets", "lists")
    return Path(shutil.copytree(PACKAGE, tmp_path / "foleybench", ignore=ignored))


def changed(copy: Path, file: str, old: str, new: str, metric: str = METRIC) -> bool:
    """Whether putting ``new`` in place of ``old`` in a file changes the hash of a metric."""
    before = code_sha256([copy / metric])
    text = (copy / file).read_text()
    assert text.count(old) >= 1, f"{file} no longer has {old!r}"
    (copy / file).write_text(text.replace(old, new))
    return code_sha256([copy / metric]) != before


def test_a_copy_has_the_hash_of_what_it_is_a_copy_of(copy):
    assert code_sha256([copy / METRIC]) == code_sha256([PACKAGE / METRIC])


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (KERNEL, "SINGULAR = 1e-10", "SINGULAR = 2e-10"),
        (KERNEL, "len(first), len(second)) < 2", "len(first), len(second)) <= 2"),
        ("metrics/_families/embedding_distance.py", "from __future__ import annotations", "X = 1"),
        ("api/metric.py", "minimum_clips: int = 1", "minimum_clips: int = 2"),
    ],
)
def test_a_line_of_code_anywhere_below_the_metric_changes_it(copy, file, old, new):
    assert changed(copy, file, old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (KERNEL, '"""Compute the Fréchet distance between', '"""Compute a distance between'),
        (KERNEL, '"""Return the Fréchet distance between two', '"""Return it between two'),
        (KERNEL, "# Below this ratio", "# Under this ratio"),
        (KERNEL, "SINGULAR = 1e-10", "\n\nSINGULAR    =    1e-10"),
        ("errors.py", "class FoleyError", "X = 1\n\n\nclass FoleyError"),
        ("metrics/event_f1.py", "from __future__ import annotations", "from __future__ import annotations\nX = 1"),
        ("metrics/_math/f_score.py", "from __future__ import annotations", "from __future__ import annotations\nX = 1"),
        ("encoders/vggish.py", "from __future__ import annotations", "from __future__ import annotations\nX = 1"),
    ],
)
def test_words_layout_and_files_that_it_does_not_use_change_nothing(copy, file, old, new):
    assert not changed(copy, file, old, new)


def test_an_unused_file_here_is_used_elsewhere(copy):
    """What the test above calls unused is code: it changes the metric that uses it."""
    line = "from __future__ import annotations"
    assert changed(copy, "metrics/_math/f_score.py", line, f"{line}\nX = 1", "metrics/event_f1.py")


def test_the_order_of_files_does_not_matter():
    paths = [PACKAGE / METRIC, PACKAGE / "encoders" / "logmel.py"]
    assert code_sha256(paths) == code_sha256(paths[::-1]) != code_sha256(paths[:1])


def test_a_file_on_its_own_counts_with_what_lies_beside_it(tmp_path):
    (tmp_path / "mine.py").write_text("from beside import level\nfrom foleybench.clips import Clock\n")
    (tmp_path / "beside.py").write_text("def level(x):\n    return x\n")
    (tmp_path / "other.py").write_text("X = 1\n")
    assert imported_files(tmp_path / "mine.py") == ["./mine.py", "beside", "foleybench.clips"]
    before = code_sha256([tmp_path / "mine.py"])
    (tmp_path / "other.py").write_text("X = 2\n")
    assert code_sha256([tmp_path / "mine.py"]) == before
    (tmp_path / "beside.py").write_text("def level(x):\n    return 2 * x\n")
    assert code_sha256([tmp_path / "mine.py"]) != before


def test_imports_for_annotations_alone_do_not_count(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import beside\nelse:\n    import other\n"
    )
    (tmp_path / "beside.py").write_text("X = 1\n")
    (tmp_path / "other.py").write_text("X = 1\n")
    assert imported_files(tmp_path / "mine.py") == ["./mine.py", "other"]


def test_an_installed_file_counts_with_what_its_distribution_holds_alone(tmp_path):
    """In a folder of installed packages, a neighbour is somebody else's."""
    (tmp_path / "numpy").mkdir()
    for name, text in {
        "numpy/__init__.py": "X = 1\n",
        "helper.py": "X = 1\n",
        "mine.py": "import numpy\nimport helper\n",
    }.items():
        (tmp_path / name).write_text(text)
    for name, record in {
        "numpy": "numpy/__init__.py,sha256=b,9\n",
        "mine": "helper.py,,\nmine.py,sha256=a,9\n",
    }.items():
        (tmp_path / f"{name}-1.0.dist-info").mkdir()
        (tmp_path / f"{name}-1.0.dist-info" / "RECORD").write_text(record)
    assert imported_files(tmp_path / "mine.py") == ["./mine.py", "helper"]


@pytest.mark.parametrize(
    "inits",
    [{"a": "from . import compiled\n"}, {"a": "from b import compiled\n", "b": "from a import compiled\n"}],
    ids=["itself", "two packages"],
)
def test_packages_that_take_a_compiled_module_from_each_other_end(tmp_path, inits):
    for name, text in inits.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    (tmp_path / "mine.py").write_text("from a import compiled\n")
    assert imported_files(tmp_path / "mine.py") == ["./mine.py", list(inits)[-1]]
