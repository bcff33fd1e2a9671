import functools
import sys

import pytest
from torch._subclasses.fake_tensor import FakeTensorMode

from foleymodels._training.decoded_data import cache_settings, training_data
from tests.foleymodels.small import small_settings
from tests.foleymodels.toy import toy_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Manifests of a toy corpus: 8 training clips and 4 for validation."""
    folder = tmp_path_factory.mktemp("toy")
    return {split: toy_corpus(folder, split, n) for split, n in (("train", 8), ("val", 4))}


@pytest.fixture
def shapes_only():
    """Tensors that have shapes and no values. Tables that the models keep are made anew before and after."""
    _forget_tables()
    with FakeTensorMode():
        yield
    _forget_tables()


def _forget_tables():
    for name in [name for name in sys.modules if name.startswith("foleymodels.")]:
        for kept in vars(sys.modules[name]).values():
            if isinstance(kept, functools._lru_cache_wrapper):
                kept.cache_clear()


@pytest.fixture(scope="session")
def toy_data(corpus):
    """Its training clips, decoded."""
    return training_data(corpus["train"], cache_settings(small_settings().signal))
