"""Codebooks and residual levels: nearest codes, running means, dead codes, straight-through gradients."""

import itertools

import numpy as np
import pytest
import torch

from foleymodels._codecs.quantiser import Codebook, ResidualQuantiser
from foleymodels._codecs.usage import usage_of


def book_of(codes, decay=0.9, dead_below=0.1):
    book = Codebook(len(codes), len(codes[0]), decay, dead_below)
    book.codes.copy_(torch.tensor(codes))
    book.counts.fill_(1.0)
    book.sums.copy_(book.codes)
    return book


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_nearest_codes_by_hand():
    book = book_of([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    vectors = torch.tensor([[[1.4, 0.0], [1.6, 0.0]], [[0.0, 2.1], [1.5, 0.0]]])
    assert book.nearest(vectors).tolist() == [[0, 1], [2, 0]]  # the last is as far from 0 as from 1: the first
    assert torch.equal(book.values(torch.tensor([2, 0])), torch.tensor([[0.0, 4.0], [0.0, 0.0]]))


def test_residual_codes_by_hand():
    quantiser = ResidualQuantiser(2, 2, 2, 0.9, 0.1)
    quantiser.books[0].codes.copy_(torch.tensor([[0.0, 0.0], [10.0, 10.0]]))
    quantiser.books[1].codes.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    vectors = torch.tensor([[9.8, 8.7], [0.9, 0.2]])
    codes = quantiser.encode(vectors)
    assert codes.tolist() == [[1, 1], [0, 0]]
    assert quantiser.decode(codes).tolist() == [[10.0, 9.0], [1.0, 0.0]]
    assert quantiser.decode(codes[:, :1]).tolist() == [[10.0, 10.0], [0.0, 0.0]]
    found = quantiser(vectors[None])
    assert torch.equal(found.codes[0], codes)
    # After level 1: (-.2, -1.3) and (.9, .2); after level 2: (-.2, -.3) and (-.1, .2).
    first = (0.2**2 + 1.3**2 + 0.9**2 + 0.2**2) / 4
    second = (0.2**2 + 0.3**2 + 0.1**2 + 0.2**2) / 4
    assert float(found.commitment) == pytest.approx((first + second) / 2, rel=1e-5)


def test_running_means_agree_with_a_plain_loop():
    rng = np.random.default_rng(0)
    decay, book = 0.8, book_of(rng.normal(size=(5, 3)).tolist(), decay=0.8)
    counts, sums = np.ones(5), book.codes.numpy().astype(np.float64).copy()
    for _ in range(4):
        vectors = rng.normal(size=(7, 3)).astype(np.float32)
        chosen = rng.integers(0, 4, size=7)  # nothing takes the last code
        book.update(torch.from_numpy(vectors), torch.from_numpy(chosen))
        for code in range(5):
            own = [vectors[i] for i in range(7) if chosen[i] == code]
            counts[code] = decay * counts[code] + (1 - decay) * len(own)
            sums[code] = decay * sums[code] + (1 - decay) * np.sum(own, axis=0, initial=0.0)
    np.testing.assert_allclose(book.counts, counts, rtol=1e-5)
    np.testing.assert_allclose(book.codes, sums / counts[:, None], rtol=1e-4, atol=1e-5)
    before = torch.from_numpy(sums / counts[:, None])[4]
    torch.testing.assert_close(book.codes[4], before.float(), rtol=1e-4, atol=1e-5)


def test_dead_codes_become_vectors_of_the_batch_and_living_ones_stay():
    book = book_of([[0.0], [1.0], [50.0], [60.0]], dead_below=0.1)
    book.counts.copy_(torch.tensor([1.0, 0.11, 0.09, 0.0]))
    vectors = torch.tensor([[7.0], [8.0], [9.0]])
    assert book.revive(vectors, seeded()) == 2
    assert book.codes[:2].tolist() == [[0.0], [1.0]]
    revived = book.codes[2:, 0].tolist()
    assert set(revived) <= {7.0, 8.0, 9.0}
    assert len(set(revived)) == 2
    assert book.revive(vectors, seeded()) == 0, "a replaced code lives on for a while"
    book.update(vectors, torch.zeros(3, dtype=torch.int64))
    assert book.codes[2:, 0].tolist() == pytest.approx(revived), "and keeps its place while nothing takes it"


def test_more_dead_codes_than_vectors_are_replaced_all():
    book = Codebook(8, 2, 0.9, 0.5)
    vectors = torch.arange(6.0).reshape(3, 2)
    assert book.revive(vectors, seeded()) == 8
    assert {tuple(code) for code in book.codes.tolist()} == {tuple(vector) for vector in vectors.tolist()}


def learned(levels=4, size=16, dim=6, steps=60):
    quantiser = ResidualQuantiser(levels, size, dim, 0.9, 0.2)
    generator = seeded(1)
    data = torch.randn(512, dim, generator=generator)
    for _ in range(steps):
        quantiser(data[torch.randint(0, 512, (2, 64), generator=generator)], generator)
    return quantiser, data


def test_the_residual_error_falls_with_every_level_and_all_codes_are_used():
    quantiser, data = learned()
    codes = quantiser.encode(data)
    errors = [float((quantiser.decode(codes[:, :n]) - data).square().mean()) for n in range(1, 5)]
    assert all(later < 0.8 * earlier for earlier, later in itertools.pairwise(errors)), errors
    assert errors[0] < 0.75
    assert min(usage_of(codes, 16).used) > 0.9
    assert min(usage_of(codes, 16).perplexity) > 8


def test_codebooks_learn_in_training_only():
    quantiser, data = learned(steps=3)
    before = quantiser.state_dict()["books.0.codes"].clone()
    quantiser(data[None])
    assert torch.equal(quantiser.books[0].codes, before)
    quantiser(data[None], seeded())
    assert not torch.equal(quantiser.books[0].codes, before)


def test_the_gradient_passes_straight_through():
    quantiser, data = learned(steps=3)
    vectors = data[None, :8].clone().requires_grad_()
    found = quantiser(vectors)
    torch.testing.assert_close(found.values[0], quantiser.decode(found.codes)[0])
    weights = torch.randn(found.values.shape, generator=seeded())
    (found.values * weights).sum().backward()
    torch.testing.assert_close(vectors.grad, weights)
    vectors.grad = None
    quantiser(vectors).commitment.backward()
    rest, expected = vectors.detach(), torch.zeros_like(vectors)
    for level in range(4):  # every level pulls its rest towards its code
        rest = rest - quantiser.books[level].values(found.codes[..., level])
        expected += 2 * rest / rest.numel() / 4
    torch.testing.assert_close(vectors.grad, expected, rtol=1e-4, atol=1e-6)


def test_left_out_levels_keep_the_first_ones_and_the_codes():
    quantiser, data = learned(steps=5)
    batch = data.reshape(64, 8, -1)
    whole = quantiser(batch)
    kinds = [quantiser.decode(whole.codes[..., :n]) for n in range(1, 5)]
    dropped = quantiser(batch, seeded(), 1.0)  # the codebooks move afterwards
    ways = [[bool(torch.allclose(row, kind[i], atol=1e-5)) for kind in kinds] for i, row in enumerate(dropped.values)]
    assert all(any(way) for way in ways)
    assert {way.index(True) for way in ways} == {0, 1, 2, 3}
    assert torch.equal(dropped.codes, whole.codes)


def test_vectors_that_are_not_finite_teach_nothing():
    quantiser, data = learned(steps=3)
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    broken = data[None].clone()
    broken[0, 3, 2] = float("nan")
    quantiser(broken, seeded())
    assert all(torch.equal(value, before[name]) for name, value in quantiser.state_dict().items())


def test_usage_by_hand():
    codes = torch.tensor([[0, 0], [0, 1], [0, 2], [1, 3]])
    found = usage_of(codes, 4)
    assert found.used == [0.5, 1.0]
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert found.perplexity == [pytest.approx(np.exp(entropy), abs=1e-4), 4.0]


def test_codebooks_learn_from_the_whole_batch_and_levels_are_left_out_alike(monkeypatch):
    """As in a run of two processes: each sees its rows, and is given those of the other to learn from."""
    from foleymodels._training import data_parallel

    whole, data = learned(steps=3)
    batch = data[:128].reshape(16, 8, -1)
    start = {name: value.clone() for name, value in whole.state_dict().items()}
    expected = whole(batch, seeded(), 0.5).values
    after = {name: value.clone() for name, value in whole.state_dict().items()}
    found = []
    for rank in (0, 1):
        twin = ResidualQuantiser(4, 16, 6, 0.9, 0.2)
        twin.load_state_dict(start)
        part = data_parallel.Share(rank=rank, of=2)
        others = iter(gathered_by(whole, start, batch))
        monkeypatch.setattr(data_parallel.Share, "gathered", lambda self, rows, others=others: next(others))
        with data_parallel.sharing(part):
            found.append(twin(part.rows(batch), seeded(), 0.5).values)
        for name, value in twin.state_dict().items():
            torch.testing.assert_close(value, after[name])
    torch.testing.assert_close(torch.cat(found), expected)


def gathered_by(quantiser, state, batch):
    """Yield what all processes together hold at every level: the rest before it, then its codes."""
    quantiser.load_state_dict(state)
    rest = batch
    with torch.no_grad():
        for book in quantiser.books:
            codes = book.nearest(rest)
            value = book.values(codes)
            yield rest
            yield codes
            rest = rest - value
