"""The systems of masked codes: lengths, conditions, what each is given of the video, training and guidance."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError
from foleybench.generation.folder import generate_one
from foleybench.shards.dataset import ShardDataset
from foleymodels._codes import training
from foleymodels._codes.generate import guided_logits
from foleymodels._codes.masked import Unmasking, unmask
from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.settings import of_size
from foleymodels._systems.features import features_at
from foleymodels._training.loop import n_parameters, seeded
from foleymodels.maskvat.system import SYSTEM as MASKVAT
from foleymodels.vab.system import SYSTEM as VAB
from foleymodels.vatt.system import SYSTEM as VATT
from tests.foleymodels.small import SMALL_SYSTEM, assert_same_in_a_batch, first_is_fast, names_and_lengths, train_system
from tests.foleymodels.toy import toy_clip

SYSTEMS = {"maskvat": MASKVAT, "vab": VAB, "vatt": VATT}
NAMES = tuple(SYSTEMS)
SMALLER = {"retrieval_steps": "3", "retrieval_dim": "8", "decoder_blocks": "1"}


def train(name, corpus, out, **settings):
    net = of_size(SYSTEMS[name].settings, "tiny").net
    known = {key: text for key, text in SMALLER.items() if hasattr(net, key)}
    return train_system(SYSTEMS[name], corpus, out, **{**known, **settings})


@pytest.fixture(scope="module")
def runs(corpus, tmp_path_factory):
    """All of them, on one alignment stage and one codec."""
    base, found, shared = tmp_path_factory.mktemp("masked"), {}, {}
    for name in NAMES:
        found[name] = train(name, corpus, base / name, **shared)
        shared = {part: str(found["maskvat"] / part) for part in ("alignment", "codec")}
    return found


def network_of(name, runs):
    """Return the trained network with all weights drawn at random: gates of 0 would hide what it looks at."""
    network = SYSTEMS[name].load(runs[name])[1]["generator"]
    generator = torch.Generator().manual_seed(0)
    for value in network.parameters():
        value.data.copy_(torch.randn(value.shape, generator=generator) * 0.3)
    return network


@pytest.mark.parametrize(
    ("name", "duration_s", "fps"),
    names_and_lengths(NAMES, [(1.0, 23.976), (1.28, 25.0), (0.3, 30.0), (3.777, 12.5)]),
)
def test_length_is_exact_at_any_rate_and_duration(name, duration_s, fps, corpus, runs):
    data = ShardDataset(corpus["val"])
    frames, _, _ = toy_clip(np.random.default_rng(0), "click", duration_s, fps, side=48)
    clip = dataclasses.replace(
        data.load(data.clip_ids[0]), frames=frames, frame_times_s=np.arange(len(frames)) / fps, duration_s=duration_s
    )
    model = registry.load("models", name)
    generator = model.build(BuildContext(checkpoint=runs[name]))
    audio = generate_one(model, generator, clip, seed=3)
    assert audio.shape == (round(duration_s * generator.rate_hz),)
    assert np.abs(audio).max() <= 1.0
    assert np.array_equal(audio, generate_one(model, generator, clip, seed=3))
    assert not np.array_equal(audio, generate_one(model, generator, clip, seed=4))


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_is_as_large_as_the_flow(name):
    """Within a tenth, so that rows differ by paradigm and not by size."""
    flow = Flow(FlowSettings.sizes()["tiny"], of_size(MASKVAT.settings, "tiny").signal.mel, 192)
    settings = of_size(SYSTEMS[name].settings, "tiny")
    parts = {"alignment": _Features(192), "codec": seeded(lambda: _codec(settings), 0)}
    network = _new(name, settings, parts)
    assert n_parameters(network) == pytest.approx(n_parameters(flow), rel=0.1)


class _Features(torch.nn.Module):
    def __init__(self, condition_dim):
        super().__init__()
        self.condition_dim = condition_dim


def _codec(settings):
    from foleymodels._codecs.codec import ResidualCodec

    return ResidualCodec(settings.codec, settings.signal.mel)


def _new(name, settings, parts):
    from foleymodels.maskvat.system import MaskVat
    from foleymodels.vab.network import Vab
    from foleymodels.vatt.network import Vatt

    if name == "maskvat":
        return MaskVat(settings, parts["alignment"].condition_dim)
    return {"vab": Vab, "vatt": Vatt}[name](settings, parts["codec"], parts["alignment"].condition_dim)


@pytest.mark.parametrize("name", NAMES)
def test_steps_guidance_and_size_are_told(name, corpus, runs):
    generator = SYSTEMS[name].build(BuildContext(checkpoint=runs[name], nfe=3, guidance=1.5))
    assert (generator.nfe, generator.guidance, generator.sampler) == (3, 1.5, None)
    default = SYSTEMS[name].build(BuildContext(checkpoint=runs[name]))
    assert (default.nfe, default.guidance) == (2, of_size(SYSTEMS[name].settings, "tiny").net.guidance)
    _, parts = SYSTEMS[name].load(runs[name])
    assert default.n_parameters == sum(n_parameters(parts[part]) for part in ("alignment", "codec", "generator"))
    with pytest.raises(FoleyError, match="heun"):
        SYSTEMS[name].build(BuildContext(checkpoint=runs[name], sampler="heun"))
    assert of_size(SYSTEMS[name].settings, "tiny").net.nfe == 16


@pytest.mark.parametrize("name", NAMES)
def test_the_network_sees_video_and_codes_and_forgets_the_video_when_dropped(name, runs):
    network = network_of(name, runs)
    codes = torch.randint(0, 16, (2, 40, 2), generator=torch.Generator().manual_seed(0))
    first, second = torch.randn(2, 2, 40, 32, generator=torch.Generator().manual_seed(1)).unbind()
    kept, dropped = torch.zeros(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)
    with torch.no_grad():
        plain = network(codes, first, kept)
        assert plain.shape == (2, 40, 2, 16)
        assert not torch.allclose(network(codes, second, kept), plain)
        assert torch.equal(network(codes, second, dropped), network(codes, first, dropped))
        other = codes.clone()
        other[:, 30] = 16
        assert not torch.allclose(network(other, first, kept)[:, :30], plain[:, :30]), "later codes are seen as well"


def test_maskvat_gives_every_token_the_frame_of_its_time(runs):
    """With attention shut, a token's logits depend on the features of its own time and of no other."""
    network = network_of("maskvat", runs)
    for block in network.blocks:
        block.attention.out.weight.data.zero_()
    codes, conditions = torch.full((1, 20, 2), 16), torch.randn(1, 20, 32)
    changed, kept = conditions.clone(), torch.zeros(1, dtype=torch.bool)
    changed[0, 7] += 1.0
    with torch.no_grad():
        moved = (network(codes, changed, kept) - network(codes, conditions, kept)).abs().amax((0, 2, 3))
    assert moved.nonzero()[:, 0].tolist() == [7]


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_maskvat_fills_what_is_masked_and_leaves_given_codes(scale, runs):
    """A partial mask over times and levels, with the network itself; what is given decides what is filled in."""
    network, n_codes, n = network_of("maskvat", runs), 16, 40
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, n_codes, (2, n, 2), generator=generator)
    mask = torch.rand(codes.shape, generator=generator) < 0.5
    conditions, seen = torch.randn(2, n, 32, generator=generator), []

    def logits_of(now):
        seen.append(now)
        return guided_logits(network, now, conditions, scale)

    def filled(given):
        how = Unmasking(steps=4, noise=0.0, codes=CodeSampling(top_k=1))
        return unmask(logits_of, given, mask, n_codes, how, np.random.default_rng(0))

    with torch.no_grad():
        found = filled(codes)
        other = filled(torch.where(mask, codes, (codes + 1) % n_codes))
        hidden = filled(torch.where(mask, 0, codes))
    assert torch.equal(found[~mask], codes[~mask])
    assert torch.equal(seen[0] == n_codes, mask)
    assert all(torch.equal(now[~mask], codes[~mask]) for now in seen[:4])
    assert 0 <= int(found.min()) <= int(found.max()) < n_codes
    assert not torch.equal(other[mask], found[mask]), "the given codes are looked at"
    assert torch.equal(hidden, found), "what stands below the mask is not"


@pytest.mark.parametrize(("name", "rate_hz"), [("vab", 1.0), ("vatt", 5.0)])
def test_a_prefix_has_its_own_features_a_second_and_no_others(name, rate_hz, runs):
    """Of features; how far pixels reach into one is in ``test_reach_of_the_video``."""
    network = network_of(name, runs)
    n = 94  # 3 s
    codes, conditions = torch.full((1, n, 2), 16), torch.randn(1, n, 32)
    kept = torch.zeros(1, dtype=torch.bool)
    assert network.frames(conditions, kept).shape[1] == 3 * rate_hz
    shown = features_at(torch.arange(float(n)).reshape(1, n, 1), 31.25, rate_hz)[0, :, 0].long().tolist()
    hidden = conditions + 5.0
    hidden[:, shown] = conditions[:, shown]
    with torch.no_grad():
        assert torch.equal(network(codes, hidden, kept), network(codes, conditions, kept))
        changed = conditions.clone()
        changed[:, shown[1]] += 1.0
        assert not torch.allclose(network(codes, changed, kept), network(codes, conditions, kept))


def test_vatts_encoder_has_a_feed_forward_part_for_each_modality_and_vabs_blocks_are_apart(runs):
    vatt, vab = network_of("vatt", runs), network_of("vab", runs)
    assert [len(block.mlps) for block in vatt.encoder] == [2]
    assert [len(block.mlps) for block in vatt.decoder] == [1]
    codes = torch.randint(0, 16, (2, 40, 2), generator=torch.Generator().manual_seed(0))
    conditions = torch.randn(2, 40, 32)
    with torch.no_grad():
        vector = vab.video_vector(conditions)
        vab.audio_blocks[0].mlps[0].leave.bias += 1.0
        assert torch.equal(vab.video_vector(conditions), vector)
        heard = vab.audio_vector(codes)
        vab.video_blocks[0].mlps[0].leave.bias += 1.0
        assert torch.equal(vab.audio_vector(codes), heard)
        assert not torch.allclose(vab.video_vector(conditions), vector)


def test_frozen_codebooks_stay_those_of_the_codec(runs):
    for name in ("vab", "vatt"):
        _, parts = SYSTEMS[name].load(runs[name])
        assert torch.equal(parts["generator"].hear.known, parts["codec"].codebooks())


@pytest.mark.parametrize("name", NAMES)
def test_features_are_standardised_by_the_training_data(name, toy_data, runs):
    _, parts = SYSTEMS[name].load(runs[name])
    alignment = parts["alignment"]
    with torch.inference_mode():
        given = torch.cat([alignment.condition(frames[None], n)[0] for frames, n in toy_data.videos()]).half().float()
    torch.testing.assert_close(parts["generator"].scale.centre, given.mean(0), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(parts["generator"].scale.spread, given.std(0), atol=1e-3, rtol=1e-3)


def test_the_fine_tuned_copy_of_vab_leaves_its_generator_alone(corpus, runs, tmp_path):
    shared = {part: str(runs["vab"] / part) for part in ("alignment", "codec")}
    longer = train("vab", corpus, tmp_path / "longer", retrieval_steps="5", **shared)
    first, second = (VAB.load(folder)[1] for folder in (runs["vab"], longer))
    for name, value in first["generator"].state_dict().items():
        assert torch.equal(value, second["generator"].state_dict()[name])
    assert not torch.equal(first["retrieval"].see.weight, second["retrieval"].see.weight)
    weights = [parts["retrieval"].net.joint_blocks[0].attention.out.weight for parts in (first, second)]
    assert not torch.equal(*weights)
    found = json.loads((longer / "metrics.json").read_text())["retrieval"]
    assert found["candidates"] == 4
    assert 0.0 <= found["video_to_audio_r1"] <= 1.0


def test_recall_counts_the_pairs_that_are_found(toy_data, runs):
    from foleymodels.vab.retrieval import recall

    _, parts = VAB.load(runs["vab"])

    class Known(torch.nn.Module):
        """Its k-th video and its k-th audio are the same vector, but for one pair of exchanged audios."""

        def __init__(self):
            super().__init__()
            self.anchor, self.at = torch.nn.Parameter(torch.zeros(1)), 0

        def embed(self, codes, conditions):
            assert conditions.shape[1] == codes.shape[1] == 30
            order = [1, 0, *range(2, 8)]
            pair = torch.eye(8)[[self.at]], torch.eye(8)[[order[self.at]]]
            self.at += 1
            return pair

    found = recall(Known(), parts["codec"], parts["alignment"], toy_data, 30)
    assert found == {"video_to_audio_r1": 0.75, "audio_to_video_r1": 0.75, "candidates": 8}


@pytest.mark.parametrize("name", NAMES)
def test_what_training_shows_and_asks(name, corpus, runs, tmp_path, monkeypatch):
    """The network sees the true codes, hidden exactly where the loss counts, and the video of most examples."""
    shown, asked = [], []
    kind, plain = type(SYSTEMS[name].load(runs[name])[1]["generator"]), training.masked_loss
    forward = kind.forward

    def watched_forward(self, codes, conditions, dropped, *rest):
        shown.append((codes, dropped.float().mean().item()))
        return forward(self, codes, conditions, dropped, *rest)

    def watched_loss(logits, codes, mask, n_masked, smoothing):
        asked.append((codes, mask, smoothing, n_masked == float(mask.sum())))
        return plain(logits, codes, mask, n_masked, smoothing)

    monkeypatch.setattr(kind, "forward", watched_forward)
    monkeypatch.setattr(training, "masked_loss", watched_loss)
    shared = {part: str(runs[name] / part) for part in ("alignment", "codec")}
    train(name, corpus, tmp_path, stage="generator", net_steps="12", net_drop_p="0.5", **shared)
    assert len(shown) == len(asked) == 12
    for (seen, _), (codes, mask, smoothing, whole) in zip(shown, asked, strict=True):
        assert torch.equal(seen, torch.where(mask, 16, codes))
        assert int(codes.max()) < 16
        assert smoothing == (0.1 if name == "vatt" else 0.0)
        assert whole
    shares = [mask.float().mean().item() for _, mask, _, _ in asked]
    assert min(shares) > (0.0 if name == "maskvat" else 0.4)
    assert 0.45 < np.mean(shares) < 0.85
    assert 0.3 < np.mean([dropped for _, dropped in shown]) < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_killed_run_ends_with_the_same_bytes(name, corpus, runs, tmp_path, monkeypatch):
    from foleymodels._training import loop

    shared = {part: str(runs["maskvat"] / part) for part in ("alignment", "codec")}
    generator_of = loop.step_generator

    def failing(seed, *parts):
        if parts == ("step", 4):
            raise KeyboardInterrupt
        return generator_of(seed, *parts)

    monkeypatch.setattr(loop, "step_generator", failing)
    with pytest.raises(KeyboardInterrupt):
        train(name, corpus, tmp_path, save_every_s="0", **shared)
    monkeypatch.setattr(loop, "step_generator", generator_of)
    train(name, corpus, tmp_path, save_every_s="0", **shared)
    assert (tmp_path / "model.safetensors").read_bytes() == (runs[name] / "model.safetensors").read_bytes()


def test_every_size_has_heads_that_divide_its_width():
    for system in SYSTEMS.values():
        for size in ("tiny", "base", "std16k", "paper"):
            net = of_size(system.settings, size).net
            assert net.net_dim % (2 * net.net_heads) == 0
    assert {"codec_steps", "net_steps", "vama_steps"} <= set(SMALL_SYSTEM)


@pytest.mark.parametrize("name", first_is_fast(NAMES))
def test_a_batch_gives_each_clip_what_it_gets_alone(name, corpus, runs):
    assert_same_in_a_batch(name, runs[name], corpus)
