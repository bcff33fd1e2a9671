"""SpecVQGAN's core: the order of the grid, the prefix, and what one feature cannot tell."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foleymodels._autoregression.writer import Writing
from foleymodels._codecs.patches import PatchCodec
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.settings import of_size, replaced
from foleymodels.specvqgan.system import SpecVqganSettings, SpecVqganWriter, prefix_frames

WIDTH, N = 5, 20  # 20 tokens are 16 frames and 10 columns of 8 bands
SMALL = {"net_dim": 16, "net_heads": 2, "net_blocks": 2, "net_hidden": 16, "net_crop_s": 0.64, "patch_codes": 12}
SEEN = torch.zeros(1, dtype=torch.bool)
HOW = Writing(sampling=CodeSampling())


def writer(**changed):
    torch.manual_seed(0)
    settings = replaced(of_size(SpecVqganSettings, "tiny"), **{**SMALL, "patch_channels": 8, **changed})
    made = SpecVqganWriter(settings, WIDTH, PatchCodec(settings.codec, settings.signal.mel))
    for value in made.parameters():
        torch.nn.init.normal_(value, std=0.6)
    return made.eval()


def features(n=N, seed=1):
    return torch.randn(1, n, WIDTH, generator=torch.Generator().manual_seed(seed))


def linspace_rule(n_frames, n):
    """The published rule, by plain numbers: floor of i * n_frames / n, plus n_frames // (n + 1)."""
    return [int(index * n_frames / n) + n_frames // (n + 1) for index in range(n)]


@pytest.mark.parametrize(("n_frames", "n"), [(212, 5), (212, 1), (51, 5), (51, 1), (24, 24), (7, 5)])
def test_frames_of_the_prefix_are_chosen_as_published(n_frames, n):
    assert prefix_frames(n_frames, n).tolist() == linspace_rule(n_frames, n)
    assert max(linspace_rule(n_frames, n)) < n_frames


def test_all_features_are_all_frames_in_order():
    assert prefix_frames(16, 16).tolist() == list(range(16))
    assert writer().n_features == 16
    assert writer(n_features="5").n_features == 5


def shuffled_but_the_middle(given):
    """Frames in another order, the middle one (frame 8, which token 10 shows) where it was."""
    other = given.clone()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    others = [index for index in order.tolist() if index != 10]
    other[:, [index for index in range(N) if index != 10]] = given[:, others]
    return other


def test_with_one_feature_there_is_no_timing():
    """The same sound for any order of the features that leaves the chosen one where it is; with all it is another.

    In a clip of one window: a clip of 4 s has three, each with a feature of its own.
    """
    given, other = features(), shuffled_but_the_middle(features())
    one, all_of_them = writer(n_features="1"), writer()
    written = one.write(given, HOW, np.random.default_rng(0))
    assert torch.equal(written, one.write(other, HOW, np.random.default_rng(0)))
    assert not torch.equal(*(all_of_them.write(seen, HOW, np.random.default_rng(0)) for seen in (given, other)))
    moved = given.clone()
    moved[:, 10] *= -3.0
    assert not torch.equal(written, one.write(moved, HOW, np.random.default_rng(0)))


def test_codes_are_written_column_by_column():
    """A code depends on those below it in its column and on all of earlier columns, on none else."""
    made = writer()
    codes = torch.randint(0, 12, (1, 10, 8), generator=torch.Generator().manual_seed(2))
    logits = whole_forward(made, codes)
    column, row = 4, 3
    changed = codes.clone()
    changed[:, column, row] = (changed[:, column, row] + 1) % 12
    differs = (whole_forward(made, changed) - logits).abs().amax(-1)[0] > 1e-6
    place = torch.arange(10 * 8).reshape(10, 8)
    assert torch.equal(differs, place > column * 8 + row)


def whole_forward(made, codes):
    """Logits of all codes, (batch, n_columns, n_rows, n_codes), without the writer's own loss or loop."""
    prefix, row = made.prefix(features(), SEEN), codes.flatten(1)
    x = torch.cat([prefix, made.embed(row[:, :-1]) + made.code_positions[: row.shape[1] - 1]], dim=1)
    return made.head(made.decoder(x)[:, 15:]).reshape(*codes.shape, -1)


def test_the_loss_is_the_cross_entropy_of_every_code():
    made = writer()
    codes = torch.randint(0, 12, (1, 10, 8), generator=torch.Generator().manual_seed(2))
    wanted = -F.log_softmax(whole_forward(made, codes), -1).gather(-1, codes[..., None]).mean()
    torch.testing.assert_close(made.losses(codes, features(), SEEN)["loss"], wanted, atol=1e-5, rtol=1e-5)


def test_written_codes_are_the_most_probable_of_the_whole_forward():
    made = writer()
    codes = made.write(features(), Writing(sampling=CodeSampling(temperature=0.0)), np.random.default_rng(0))
    assert codes.shape == (1, 10, 8)
    assert torch.equal(whole_forward(made, codes).argmax(-1), codes)


@pytest.mark.parametrize("n", [1, 2, 19, 21, 43])
def test_any_number_of_tokens_has_its_columns(n):
    made = writer()
    codes = made.write(features(n), HOW, np.random.default_rng(0))
    assert codes.shape == (1, -(-n // 2), 8)
    assert made.evaluations(n) == (len(codes[0]) if n <= 20 else {21: 2 * 10, 43: 3 * 10}[n]) * 8


def test_a_later_window_has_its_own_frames():
    """Other features from token 34 on: windows start at columns 0, 6 and 12, and only the last sees tokens after 31."""
    made, given = writer(), features(43)
    changed = given.clone()
    changed[:, 34:] *= -3.0
    first, second = (made.write(seen, HOW, np.random.default_rng(0)) for seen in (given, changed))
    assert torch.equal(first[:, :16], second[:, :16])
    assert not torch.equal(first[:, 16:], second[:, 16:])


def test_there_is_no_null_vector_unless_it_is_trained():
    assert writer().null is None
    assert writer(net_drop_p=0.1).null is not None
    dropped = torch.ones(1, dtype=torch.bool)
    made = writer(net_drop_p=0.1)
    assert torch.equal(made.prefix(features(), dropped), made.prefix(-features(), dropped))
