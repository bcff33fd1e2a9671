import pytest

from foleymodels._training.decoded_data import cache_settings, training_data
from tests.foleymodels.small import small_settings
from tests.foleymodels.toy import toy_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Manifests of a toy corpus: 8 training clips and 4 for validation."""
    folder = tmp_path_factory.mktemp("toy")
    return {split: toy_corpus(folder, split, n) for split, n in (("train", 8), ("val", 4))}


@pytest.fixture(scope="session")
def toy_data(corpus):
    """Its training clips, decoded."""
    return training_data(corpus["train"], cache_settings(small_settings().signal))
