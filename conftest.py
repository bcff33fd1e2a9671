"""For examples in docstrings: ``manifest`` is a small data set, made on the spot."""

from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

from tests.made_clicks import make_clicks

collect_ignore = ["foleybench/loader.py"]  # it only says where ClipLoader went


@pytest.fixture(scope="session")
def _manifest_for_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clicks(tmp_path_factory.mktemp("examples"), 6)


@pytest.fixture(autouse=True)
def _names_for_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    if isinstance(request.node, DoctestItem):
        doctest_namespace["manifest"] = request.getfixturevalue("_manifest_for_examples")
