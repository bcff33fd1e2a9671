"""What ``foleybench show`` says of metrics and protocols."""

import pytest

from foleybench import cli, registry
from foleybench.scoring import cards


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_every_metric_has_a_card(name):
    card = cards.metric_card(name)
    for word in ("Direction: ", "Range: ", "Unit: ", "Undefined: ", "Name: ", "Needs: ", "Protocols: ", "Here: "):
        assert word in card
    assert name in card


def test_a_card_says_why_no_system_is_ranked_by_a_metric():
    assert "Ranks:      none: additional sounds cost nothing\n" in cards.metric_card("source_recall")
    assert "Ranks" not in cards.metric_card("event_f1")


@pytest.mark.parametrize("name", registry.names("protocols"))
def test_every_protocol_has_a_card(name):
    card = cards.protocol_card(name)
    assert all(metric in card for metric in registry.load("protocols", name).metrics)
    assert "Channels: " in card


def test_a_protocols_card_says_that_audio_is_rounded():
    assert "mean removed" not in cards.protocol_card("fadtk")
    assert "rounded to 16 bits" in cards.protocol_card("fadtk")


def test_a_protocols_card_says_which_encoder_is_fed_otherwise():
    text = " ".join(cards.protocol_card("avbench").split())
    assert (
        "Sound: mean removed, resampler torchaudio; for synchformer_audio resampler torchaudio; for imagebind_audio"
        in text
    )


def test_command(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path))
    assert cli.main(["show", "metrics", "kld_passt"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("KLD (PaSST): divergence of the posteriors")
    assert "Direction:  lower is better" in said
    assert "Range:      0 upwards, ideal 0" in said
    assert "weights fetch passt" in " ".join(said.split())  # lines break where the path of the weights ends
    assert cli.main(["show", "protocols", "audioldm_eval"]) == 0
    assert "the first alone" in capsys.readouterr().out


def test_unknown_names_are_told(capsys):
    assert cli.main(["show", "metrics", "kld_past"]) == 2
    assert "Did you mean 'kld_passt'" in capsys.readouterr().err
    assert cli.main(["show", "models", "x"]) == 1
    assert "has no cards" in capsys.readouterr().err
