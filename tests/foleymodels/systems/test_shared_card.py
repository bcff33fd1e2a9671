"""The card of what the compared systems share, against the networks at size tiny and the files."""

import functools
import re
from pathlib import Path

import pytest

from foleymodels._codecs.codec import ResidualCodec
from foleymodels._codecs.patches import PatchCodec
from foleymodels._codecs.two_rates import TwoRateCodec
from foleymodels._flow.network import Flow
from foleymodels._parts.settings import of_size
from foleymodels._sound_text.flow import SoundFlow
from foleymodels._sound_text.network import SoundText
from foleymodels._training.loop import n_parameters
from foleymodels.diff_foley.network import CrossDenoiser, PairJudge
from foleymodels.diff_foley.system import SYSTEM as DIFF_FOLEY
from foleymodels.foleyflow.settings import FoleyFlowSettings
from foleymodels.foleygen.system import FoleyGenSettings, FoleyGenWriter
from foleymodels.im2wav.system import Im2WavSettings, Im2WavWriter
from foleymodels.maskvat.system import SYSTEM as MASKVAT
from foleymodels.maskvat.system import MaskVat
from foleymodels.seeing_hearing.aligner import Aligner
from foleymodels.seeing_hearing.system import SYSTEM as SEEING_HEARING
from foleymodels.specvqgan.system import SpecVqganSettings, SpecVqganWriter
from foleymodels.v2a_mapper.mapper import new_mapper
from foleymodels.v2a_mapper.system import SYSTEM as V2A_MAPPER
from foleymodels.vab.network import Vab
from foleymodels.vab.system import SYSTEM as VAB
from foleymodels.vatt.network import Vatt
from foleymodels.vatt.system import SYSTEM as VATT

MODELS = Path(__file__).parents[3] / "models/foleymodels"
CARD = (MODELS / "_systems/MODEL_CARD.md").read_text(encoding="utf-8")
BOTH_HALVES, FRAME_HALF = 192, 96
MOST_OFF = 0.05


def tiny(system):
    return of_size(system.settings, "tiny")


def with_a_flow_or_a_diffusion():
    mapped, steered, guided = tiny(V2A_MAPPER), tiny(SEEING_HEARING), tiny(DIFF_FOLEY)
    mel = mapped.signal.mel
    return {
        "v2a_mapper": [
            SoundFlow(mapped).flow,
            new_mapper(mapped.mapper, BOTH_HALVES, mapped.sound.vector_dim),
            SoundText(mapped),
        ],
        "seeing_hearing": [
            SoundFlow(steered).flow,
            Aligner(steered.aligner, BOTH_HALVES, mel.token_dim),
            SoundText(steered),
        ],
        "diff_foley": [
            CrossDenoiser(guided.net, mel, BOTH_HALVES),
            PairJudge(guided.judge, guided.net.feature_hz, mel, BOTH_HALVES),
        ],
    }


def with_masked_codes():
    settings = tiny(MASKVAT)
    codec = ResidualCodec(settings.codec, settings.signal.mel)
    return {
        "maskvat": [MaskVat(settings, BOTH_HALVES), codec],
        "vab": [Vab(tiny(VAB), codec, BOTH_HALVES), codec],
        "vatt": [Vatt(tiny(VATT), codec, BOTH_HALVES), codec],
    }


def with_a_writer():
    found = {}
    for name, kind, writer, codec in (
        ("foleygen", FoleyGenSettings, FoleyGenWriter, ResidualCodec),
        ("specvqgan", SpecVqganSettings, SpecVqganWriter, PatchCodec),
        ("im2wav", Im2WavSettings, Im2WavWriter, TwoRateCodec),
    ):
        settings = of_size(kind, "tiny")
        own = codec(settings.codec, settings.signal.mel)
        found[name] = [writer(settings, FRAME_HALF, own), own]
    return found


@functools.cache
def sizes():
    """Return the parameters by system: those of the generator, then those of its other parts."""
    networks = with_a_flow_or_a_diffusion() | with_masked_codes() | with_a_writer()
    flow = of_size(FoleyFlowSettings, "tiny")
    networks["foleyflow"] = [Flow(flow.flow, flow.signal.mel, BOTH_HALVES)]
    return {name: [n_parameters(network) for network in parts] for name, parts in networks.items()}


def row(name):
    """Return the cells of a system in the table of parameters."""
    part = CARD.partition("\n## Parameters\n")[2].partition("\n## ")[0]
    (line,) = (line for line in part.splitlines() if line.startswith(f"| `{name}` |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


@pytest.mark.parametrize("name", sizes())
def test_the_parameters_are_those_of_the_networks(name):
    generator, share, *others = row(name)
    wanted = sizes()[name]
    assert generator == f"{wanted[0]:,}"
    assert share == f"{100 * (wanted[0] / sizes()['foleyflow'][0] - 1):+.1f} %"
    assert [int(text.replace(",", "")) for text in re.findall(r"\d+,\d{3}", " ".join(others[:2]))] == wanted[1:]


@pytest.mark.parametrize(("name", "used"), [("v2a_mapper", 2), ("seeing_hearing", 3), ("diff_foley", 2)])
def test_what_makes_the_audio_is_larger_than_the_flow_where_the_card_says_so(name, used):
    """All parts of its own that are used at generation, as a share of the flow's."""
    more = sum(sizes()[name][:used]) / sizes()["foleyflow"][0] - 1
    assert row(name)[-1].startswith(f"{100 * more:+.0f} %")
    assert more > 0.1


def examples():
    """Return steps, batch and rate of every stage that a system trains for itself."""
    mapped, steered, guided = tiny(V2A_MAPPER), tiny(SEEING_HEARING), tiny(DIFF_FOLEY)
    vab, vatt = tiny(VAB).net, tiny(VATT).net
    return {
        "main stage": (mapped.flow.flow_steps, mapped.flow.flow_batch, mapped.flow.flow_rate),
        "`mapper`": (mapped.mapper.mapper_steps, mapped.mapper.mapper_batch, mapped.mapper.mapper_rate),
        "`sound_text`": (mapped.sound.sound_steps, mapped.sound.sound_batch, mapped.sound.sound_rate),
        "`aligner`": (steered.aligner.aligner_steps, steered.aligner.aligner_batch, steered.aligner.aligner_rate),
        "`judge`": (guided.judge.judge_steps, guided.judge.judge_batch, guided.judge.judge_rate),
        "`retrieval`, which makes no audio": (vab.retrieval_steps, vab.net_batch, vab.retrieval_rate),
        "`captions`, in no table": (vatt.caption_steps, vatt.net_batch, vatt.caption_rate),
    }


def test_the_examples_seen_are_those_of_the_settings():
    part = CARD.partition("\n## Examples seen\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if " x " in line][1:]
    told = {name: (text, count, float(rate)) for name, _, text, count, _, rate in rows}
    wanted = {
        name: (f"{steps} x {batch}", f"{steps * batch:,}", rate) for name, (steps, batch, rate) in examples().items()
    }
    assert told == wanted


@pytest.mark.parametrize("system", [DIFF_FOLEY, MASKVAT, VAB, VATT])
def test_the_main_stage_sees_as_many_examples_as_the_flow(system):
    net = tiny(system).net
    assert (net.net_steps, net.net_batch, net.net_rate) == examples()["main stage"]


@pytest.mark.parametrize("kind", [FoleyGenSettings, SpecVqganSettings, Im2WavSettings])
def test_a_writer_sees_as_many_examples_as_the_flow(kind):
    net = of_size(kind, "tiny").net
    assert (net.net_steps, net.net_batch, net.net_rate) == examples()["main stage"]


def test_the_lines_of_code_are_about_right():
    """Within a twentieth, so that not every change of a file is one of the card."""
    part = CARD.partition("\n## Lines of code\n")[2]
    told = {name: int(text) for name, text in re.findall(r"`(\w+)` \| (\d+) ", part)}
    shared = {folder.name for folder in MODELS.glob("_[a-z]*") if (folder / "__init__.py").is_file()}
    assert set(told) == sizes().keys() | shared
    for name, count in told.items():
        lines = [
            line for path in (MODELS / name).glob("*.py") for line in path.read_text(encoding="utf-8").splitlines()
        ]
        assert count == pytest.approx(sum(bool(line.strip()) for line in lines), rel=MOST_OFF), name
