import pytest
import torch

from foleymodels._parts.blocks import rotary_table
from foleymodels._parts.causal import CausalTransformer, Memory, causal_mask

N, M, DIM, HEADS = 9, 5, 16, 2
TABLE = rotary_table(torch.arange(float(N)) / 31.25, DIM // HEADS)
MEMORY_TABLE = rotary_table(torch.arange(float(M)) / 25.0, DIM // HEADS)
VISIBLE = torch.ones(N, M, dtype=torch.bool).tril(1)


def network(memory_dim=None):
    torch.manual_seed(0)
    return CausalTransformer(DIM, HEADS, 32, 2, memory_dim).eval()


def inputs(batch=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, N, DIM, generator=generator), torch.randn(batch, M, 7, generator=generator)


@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize("parts", [[1] * N, [4, 1, 3, 1], [N]])
def test_steps_with_a_cache_equal_the_whole_sequence(rotated, crossed, parts):
    net, (x, values) = network(7 if crossed else None), inputs()
    table = TABLE if rotated else None
    key_table = MEMORY_TABLE if rotated else None
    whole = net(x, table, Memory(values, key_table, VISIBLE) if crossed else None)
    cache, found, at = net.new_cache(), [], 0
    for length in parts:
        here = slice(at, at + length)
        memory = Memory(values, key_table, VISIBLE[here]) if crossed else None
        found.append(net(x[:, here], None if table is None else table[here], memory, cache))
        at += length
        assert len(cache) == at
    torch.testing.assert_close(torch.cat(found, dim=1), whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("place", [3, N - 1])
def test_a_later_position_never_changes_an_earlier_one(place):
    net, (x, _) = network(), inputs()
    changed = x.clone()
    changed[:, place:] *= -1.0
    before, after = net(x, TABLE), net(changed, TABLE)
    assert torch.equal(before[:, :place], after[:, :place])
    assert (before[:, place:] - after[:, place:]).abs().amax(-1).min() > 1e-3


def test_every_earlier_position_is_seen():
    net, (x, _) = network(), inputs(batch=1)
    x.requires_grad_()
    net(x, TABLE)[0, -1][:3].sum().backward()
    assert (x.grad[0].abs().amax(-1) > 1e-6).all()


def test_only_the_visible_part_of_the_memory_is_seen():
    net, (x, values) = network(7), inputs(batch=1)
    values.requires_grad_()
    net(x, TABLE, Memory(values, MEMORY_TABLE, VISIBLE))[0, 2][:3].sum().backward()
    seen = values.grad[0].abs().amax(-1) > 1e-7
    assert seen.tolist() == [True, True, True, True, False]  # position 2 may look at 0 to 3


def test_without_positions_of_its_own_the_order_of_the_past_does_not_matter():
    """No rotation and no learned position: the last of the sequence sees a set."""
    net, (x, _) = network(), inputs(batch=1)
    other = torch.cat([x[:, [2, 0, 1]], x[:, 3:]], dim=1)
    net.blocks = net.blocks[:1]  # with more blocks the earlier ones differ among themselves
    torch.testing.assert_close(net(x)[:, -1], net(other)[:, -1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(net(x, TABLE)[:, -1], net(other, TABLE)[:, -1], atol=1e-3)


def test_the_mask_by_hand():
    assert causal_mask(3, 1, torch.device("cpu")).int().tolist() == [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert causal_mask(1, 5, torch.device("cpu")) is None
