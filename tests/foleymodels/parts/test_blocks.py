import torch

from foleymodels._parts.blocks import Attention, ModulatedBlock, TimeConv, rotary_table, rotate, window_bias
from foleymodels._parts.windows import Windows
from foleymodels._training.ema import Ema


def test_rotation_makes_products_depend_on_the_time_between():
    query, key = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)

    def product(query_s, key_s):
        at_query, at_key = rotary_table(torch.tensor([query_s]), 16), rotary_table(torch.tensor([key_s]), 16)
        return float((rotate(query, at_query) * rotate(key, at_key)).sum())

    assert abs(product(1.0, 0.5) - product(3.25, 2.75)) < 1e-4
    assert abs(product(1.0, 0.5) - product(1.0, 0.9)) > 1e-3


def test_streams_of_other_rates_share_the_clock():
    audio, video = torch.arange(100) / 31.25, torch.arange(80) / 25.0
    assert torch.equal(rotary_table(audio, 8)[25], rotary_table(video, 8)[20])


def test_local_heads_do_not_see_beyond_the_window():
    times = torch.arange(20) * 0.1
    bias = window_bias(times, times, heads=4, local_heads=4, half_width_s=0.25)
    attention = Attention(16, 4)
    table = rotary_table(times, 4)
    x = torch.randn(1, 20, 16)
    changed = x.clone()
    changed[:, 15:] += 5.0
    before = attention(torch.zeros_like(x), table, x, table, bias)
    after = attention(torch.zeros_like(x), table, changed, table, bias)
    torch.testing.assert_close(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 15:], after[:, 15:], atol=1e-3)


def test_half_of_the_heads_are_global():
    times = torch.arange(20) * 0.1
    bias = window_bias(times, times, heads=4, local_heads=2, half_width_s=0.25)
    assert (bias[0] < 0).any()
    assert (bias[2:] == 0).all()


def test_time_convolution_equals_torch():
    layer = TimeConv(3, 5, 7)
    x = torch.randn(2, 11, 3)
    weight = layer.linear.weight.reshape(5, 7, 3).permute(0, 2, 1)
    wanted = torch.nn.functional.conv1d(x.transpose(1, 2), weight, layer.linear.bias, padding=3).transpose(1, 2)
    torch.testing.assert_close(layer(x), wanted)


def test_closed_gates_make_a_block_the_identity():
    block = ModulatedBlock(16, 2, 32)
    x = torch.randn(1, 5, 16)
    modulation = torch.zeros(1, 5, 6, 16)
    assert torch.equal(block(x, modulation, rotary_table(torch.arange(5.0), 8)), x)


def test_averages_follow_the_weights():
    module = torch.nn.Linear(1, 1, bias=False)
    ema = Ema(module, 0.9)
    with torch.no_grad():
        module.weight.fill_(1.0)
    start = float(ema.weights["weight"])
    ema.update(module, step=0)
    assert abs(float(ema.weights["weight"]) - (0.1 * start + 0.9)) < 1e-6  # the ramp: decay 1 / 10 at the first step
    for step in range(1000):
        ema.update(module, step)
    assert abs(float(ema.weights["weight"]) - 1.0) < 1e-6


def test_windows_cover_everything_and_merge_to_the_identity():
    for n in (1, 7, 125, 126, 200, 313, 1000):
        windows = Windows.cover(n, 125)
        x = torch.randn(2, n, 3)
        torch.testing.assert_close(windows.merge(windows.split(x)), x, atol=1e-5, rtol=0)
        assert windows.starts[0] == 0
        assert windows.starts[-1] + windows.length == n
        overlaps = [a + windows.length - b for a, b in zip(windows.starts[:-1], windows.starts[1:], strict=True)]
        assert all(overlap >= 30 for overlap in overlaps)


def test_a_fitting_sequence_is_one_window_untouched():
    windows = Windows.cover(100, 125)
    x = torch.randn(1, 100, 2)
    assert windows.starts == (0,)
    assert torch.equal(windows.merge(windows.split(x)), x)
