"""What each part of the continuous systems is trained on: the right sound beside the right video."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleymodels._sound_text import flow as sound_flow
from foleymodels._sound_text.stage import clip_vectors, sound_text_in
from foleymodels._training.decoded_data import cache_settings, training_data
from foleymodels.diff_foley import training as diff_foley_training
from foleymodels.diff_foley.network import CrossDenoiser
from foleymodels.diff_foley.system import SYSTEM as DIFF_FOLEY
from foleymodels.seeing_hearing.aligner import Aligner
from foleymodels.seeing_hearing.system import SYSTEM as SEEING_HEARING
from foleymodels.v2a_mapper.mapper import Prior
from foleymodels.v2a_mapper.system import SYSTEM as V2A_MAPPER
from tests.foleymodels.small import small_settings, train_system

N_TOKENS = {"0.96": 30, "1.0": 31}


@pytest.fixture(scope="module")
def first(corpus, tmp_path_factory):
    return train_system(V2A_MAPPER, corpus, tmp_path_factory.mktemp("pairs") / "run")


@pytest.fixture(scope="module")
def data(corpus):
    return training_data(corpus["train"], cache_settings(small_settings().signal))


@pytest.fixture(scope="module")
def features(first, data):
    """The frame features of every clip, shape (n_clips, n_tokens, width)."""
    alignment = V2A_MAPPER.load(first)[1]["alignment"]
    with torch.no_grad():
        return torch.cat([alignment.condition(frames[None], n_tokens) for frames, n_tokens in data.videos()])


def whole_tokens(data):
    return torch.from_numpy(data.tokens.astype(np.float32)).reshape(len(data), -1, 128)


def places(crops, whole):
    """Return the clip and the start of every crop (batch, n, dim) within whole clips (n_clips, m, dim)."""
    n, found = crops.shape[1], []
    for crop in crops:
        near = [
            (float((whole[clip, start : start + n] - crop).abs().max()), clip, start)
            for clip in range(len(whole))
            for start in range(whole.shape[1] - n + 1)
        ]
        error, clip, start = min(near)
        assert error < 0.02
        found.append((clip, start))
    return found


def test_the_flow_is_told_the_vector_of_its_own_sound(corpus, first, data, tmp_path, monkeypatch):
    told = []

    def train_flow(job, flow, condition_of, generator_of):
        told.append(condition_of(torch.tensor([3, 1]), np.zeros(2, dtype=np.int64), 5, torch.device("cpu")))

    monkeypatch.setattr(sound_flow, "train_flow", train_flow)
    shared = {name: str(first / name) for name in ("alignment", "sound_text")}
    train_system(V2A_MAPPER, corpus, tmp_path / "run", **shared)
    vectors = clip_vectors(sound_text_in(V2A_MAPPER.load(first)[1]), data)
    torch.testing.assert_close(told[0], vectors[[3, 1]][:, None].expand(-1, 5, -1))


def test_the_mapper_maps_a_video_to_its_own_sound(corpus, first, data, features, tmp_path, monkeypatch):
    seen, loss = [], Prior.loss
    monkeypatch.setattr(Prior, "loss", lambda self, *given: (seen.append(given[:2]), loss(self, *given))[1])
    shared = {name: str(first / name) for name in ("alignment", "sound_text")}
    train_system(V2A_MAPPER, corpus, tmp_path / "run", stage="mapper", **shared)
    vectors = clip_vectors(sound_text_in(V2A_MAPPER.load(first)[1]), data)
    clips = set()
    for video, sound in seen:
        which = torch.cdist(video, features.mean(1)).argmin(1)
        torch.testing.assert_close(video, features.mean(1)[which], atol=2e-3, rtol=2e-3)
        torch.testing.assert_close(sound, vectors[which], atol=1e-5, rtol=1e-5)
        clips |= set(which.tolist())
    assert clips == set(range(8))


def test_the_aligner_compares_the_same_second(corpus, first, data, features, tmp_path, monkeypatch):
    seen, heard, see, hear = [], [], Aligner.see, Aligner.hear
    monkeypatch.setattr(Aligner, "see", lambda self, x: (seen.append(x), see(self, x))[1])
    monkeypatch.setattr(Aligner, "hear", lambda self, x: (heard.append(x), hear(self, x))[1])
    shared = {name: str(first / name) for name in ("alignment", "sound_text")}
    train_system(SEEING_HEARING, corpus, tmp_path / "run", stage="aligner", **shared)
    starts = set()
    for video, audio in zip(seen, heard, strict=False):  # looks are taken after training
        assert video.shape[1] == audio.shape[1] == N_TOKENS["1.0"]
        found = places(audio, whole_tokens(data))
        assert places(video, features) == found
        starts |= {start for _, start in found}
    assert len(starts) > 1


def test_the_judge_wants_the_pairs_that_go_together(corpus, first, data, features, tmp_path, monkeypatch):
    """Pairs are read from what the judge is given: audio at its place, features at theirs."""
    seen, wanted, kinds_seen = [], [], []
    mismatched, entropy = diff_foley_training.mismatched, F.binary_cross_entropy_with_logits

    def watched(pairs, other, kinds, moves):
        found = mismatched(pairs, other, kinds, moves)
        seen.append((pairs, other, found))
        kinds_seen.append(kinds)
        return found

    monkeypatch.setattr(diff_foley_training, "mismatched", watched)
    monkeypatch.setattr(
        diff_foley_training.F, "binary_cross_entropy_with_logits",
        lambda logits, want: (wanted.append(want), entropy(logits, want))[1],
    )  # fmt: skip
    train_system(
        DIFF_FOLEY, corpus, tmp_path / "run", stage="judge", judge_steps="12", alignment=str(first / "alignment")
    )
    for (pairs, other, found), want in zip(seen, wanted, strict=True):
        assert places(pairs.tokens, whole_tokens(data)) == places(pairs.conditions, features)
        assert all(
            here[0] != there[0]
            for here, there in zip(places(pairs.conditions, features), places(other, features), strict=True)
        )
        together = [torch.equal(a, b) for a, b in zip(found.conditions, pairs.conditions, strict=True)]
        assert want.bool().tolist() == together
    counts = torch.cat(kinds_seen).bincount(minlength=3).tolist()
    assert min(counts) > 0
    assert counts[0] == pytest.approx(24, abs=10)  # half of 48


def test_the_denoiser_is_given_the_features_of_its_sound(corpus, first, data, features, tmp_path, monkeypatch):
    """Half of the examples are spliced, of two clips, and a fifth of all has zeros for features."""
    seen, dropped, spliced, forward = [], [], diff_foley_training.spliced, CrossDenoiser.forward

    def watched(one, other, at):
        found = spliced(one, other, at)
        seen.append((one, other, at, found))
        return found

    def denoise(self, x, t, video):
        dropped.extend((video == 0).all(dim=(1, 2)).tolist())
        return forward(self, x, t, video)

    monkeypatch.setattr(diff_foley_training, "spliced", watched)
    monkeypatch.setattr(CrossDenoiser, "forward", denoise)
    train_system(
        DIFF_FOLEY, corpus, tmp_path / "run", stage="diffusion", net_steps="20", alignment=str(first / "alignment")
    )
    lengths = torch.cat([at for _, _, at, _ in seen])
    assert int((lengths < N_TOKENS["0.96"]).sum()) == pytest.approx(40, abs=15)
    assert int(lengths.min()) >= 7
    for one, other, _, _ in seen[:4]:
        assert places(one.tokens, whole_tokens(data)) == places(one.conditions, features)
        assert places(other.tokens, whole_tokens(data)) == places(other.conditions, features)
    assert sum(dropped) == pytest.approx(16, abs=10)
