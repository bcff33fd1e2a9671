"""bfloat16 is taken where the device has it, and refused in words elsewhere."""

import contextlib
import re

import pytest
import torch

from foleybench.errors import FoleyError
from foleybench.runtime.precision import DRAFT, WHOLE, networks_in, require_precision


def cpu_with(monkeypatch, **has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": "Acme 1", "avx2": True, **has})


@pytest.mark.parametrize("unit", ["avx512_bf16", "amx_bf16", "bf16", "sve_bf16"])
def test_a_processor_with_any_such_unit_may_draft(monkeypatch, unit):
    cpu_with(monkeypatch, **{unit: True})
    require_precision(DRAFT, "cpu")


def test_a_processor_without_is_refused_and_named(monkeypatch):
    cpu_with(monkeypatch, avx512_bf16=False, amx_bf16=False)
    message = (
        "precision bf16 is for speed, and this processor (Acme 1) has none of avx512_bf16, amx_bf16, bf16: here it "
        "would take longer than float32. Leave --precision out, or take another --device."
    )
    with pytest.raises(FoleyError, match=re.escape(message)):
        require_precision(DRAFT, "cpu")
    require_precision(WHOLE, "cpu")


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu(monkeypatch, there):
    asked = []
    monkeypatch.setattr(torch.cuda, "device", lambda device: asked.append(device) or contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: there or including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old GPU")
    if there:
        require_precision(DRAFT, "cuda:1")
    else:
        with pytest.raises(FoleyError, match="Old GPU has no bfloat16 units"):
            require_precision(DRAFT, "cuda:1")
    assert asked == ["cuda:1"]


def test_a_device_of_another_kind_is_refused():
    with pytest.raises(FoleyError, match="whether xpu has bfloat16 units is not known"):
        require_precision(DRAFT, "xpu")


def test_products_are_in_bfloat16_within_and_only_there():
    one = torch.ones(2, 2)
    with networks_in(DRAFT, "cpu"):
        assert (one @ one).dtype == torch.bfloat16
    with networks_in(WHOLE, "cpu"):
        assert (one @ one).dtype == torch.float32
    assert (one @ one).dtype == torch.float32
