import pytest

from foleymodels._training.decoded_data import CacheSettings, training_data
from foleymodels.foleyflow.sizes import resolve
from tests.foleymodels.small import SMALL
from tests.foleymodels.toy import toy_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Manifests of a toy corpus: 8 training clips and 4 for validation."""
    folder = tmp_path_factory.mktemp("toy")
    return {split: toy_corpus(folder, split, n) for split, n in (("train", 8), ("val", 4))}


@pytest.fixture(scope="session")
def toy_data(corpus):
    """Its training clips, decoded."""
    settings, _ = resolve("tiny", SMALL)
    wanted = CacheSettings(
        mel=settings.mel, grid_hz=settings.grid_hz, cells=settings.cells, shortest_s=settings.window_s
    )
    return training_data(corpus["train"], wanted)
