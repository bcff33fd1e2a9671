import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.model import BuildContext
from foleybench.errors import FoleyError
from foleybench.shards.dataset import ShardDataset
from foleymodels._flow.network import Flow
from foleymodels._flow.training import flow_loss
from foleymodels.foleyflow import heads
from foleymodels.foleyflow.checkpoints import load_foleyflow, new_flow
from foleymodels.foleyflow.generate import _sampling
from foleymodels.foleyflow.settings import HeadSettings
from tests.foleymodels.small import small_settings, train

WIDTH = 5


@pytest.fixture(scope="module")
def base(corpus, tmp_path_factory):
    return train("foleyflow", corpus, tmp_path_factory.mktemp("base") / "run")


@pytest.fixture(scope="module", params=["imf", "reflow"])
def headed(request, corpus, base, tmp_path_factory):
    out = tmp_path_factory.mktemp("heads") / request.param
    return request.param, train("foleyflow", corpus, out, head=request.param, flow=str(base))


def random_flow(**more):
    torch.manual_seed(0)
    flow = new_flow(small_settings(**more), WIDTH)
    for value in flow.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return flow.eval()


@pytest.mark.slow
def test_a_head_is_fine_tuned_from_the_flow_and_makes_sound_in_one_step(headed, base, corpus):
    name, out = headed
    settings, flow, _ = load_foleyflow(out)
    before = load_foleyflow(base).flow
    assert settings.head.head == name
    assert not torch.equal(flow.enter.linear.weight, before.enter.linear.weight)
    assert (flow.span is not None) == (name == "imf")
    generator = registry.load("models", "foleyflow").build(BuildContext(checkpoint=out))
    assert (generator.nfe, generator.guidance) == (1, None)
    data = ShardDataset(corpus["val"])
    clip = data.load(data.clip_ids[0], audio=False)
    sound = generator.generate([clip], np.random.default_rng(0))[0]
    assert sound.shape == (round(clip.duration_s * 16000),)
    assert not list(out.rglob("pairs.safetensors"))
    assert json.loads((out / "metrics.json").read_text())["head"]["name"] == name
    with pytest.raises(FoleyError, match="trained into this model"):
        registry.load("models", "foleyflow").build(BuildContext(checkpoint=out, guidance=2.0))


@pytest.mark.slow
def test_a_head_trains_what_it_lacks_first(corpus, tmp_path):
    out = train("foleyflow", corpus, tmp_path, head="imf")
    assert (out / "flow" / "model.safetensors").is_file()
    assert load_foleyflow(out / "flow").settings.head.head == "ode"
    with pytest.raises(FoleyError, match="head=ode"):
        train("foleyflow", corpus, tmp_path / "again", head="imf", flow=str(out))


@pytest.mark.slow
@pytest.mark.parametrize("head", ["imf", "reflow"])
def test_a_head_that_was_cut_short_ends_with_the_same_bits(head, corpus, base, tmp_path, monkeypatch):
    more = {"head": head, "flow": str(base), "save_every_s": "0"}
    whole = train("foleyflow", corpus, tmp_path / "whole", **more)

    class KilledError(Exception):
        pass

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise KilledError
        return loss(*args, **kwargs)

    calls: list[int] = []
    owner, name = (heads, "mean_flow_loss") if head == "imf" else (heads.Pairs, "loss")
    loss = getattr(owner, name)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying)
        with pytest.raises(KilledError):
            train("foleyflow", corpus, tmp_path / "broken", **more)
    broken = train("foleyflow", corpus, tmp_path / "broken", **more)
    assert (whole / "model.safetensors").read_bytes() == (broken / "model.safetensors").read_bytes()


@pytest.mark.parametrize("path", ["linear", "gvp"])
def test_the_student_starts_as_its_teacher(path):
    teacher = random_flow(path=path)
    student = heads.student(teacher, HeadSettings(head="imf"), seed=0).eval()
    x, condition = torch.randn(2, 7, 128), torch.randn(2, 7, WIDTH)
    tau, kept = torch.tensor([0.9, 0.4]), torch.zeros(2, dtype=torch.bool)
    with torch.no_grad():
        a = teacher(x, tau, condition, kept)
        b = student(x, tau, condition, kept, torch.tensor([0.1, 0.0]))
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("path", ["linear", "gvp"])
def test_the_mean_velocity_takes_the_step_and_has_the_velocity_as_its_limit(path):
    flow = random_flow(path=path, head="imf")
    x, condition = torch.randn(2, 7, 128), torch.randn(2, 7, WIDTH)
    late, kept = torch.tensor([0.9, 0.6]), torch.zeros(2, dtype=torch.bool)
    with torch.no_grad():
        whole = heads._mean_velocity(flow, x, late, torch.zeros(2), condition)
        data = flow.data(x, late, condition, kept, torch.zeros(2))
        torch.testing.assert_close(x - late[:, None, None] * whole, data, atol=1e-4, rtol=1e-4)
        limit = heads._mean_velocity(flow, x, late, late, condition)
        near = heads._mean_velocity(flow, x, late, late - 0.002, condition)
        torch.testing.assert_close(limit, near, atol=0.05, rtol=0.05)
        torch.testing.assert_close(limit, flow.path.speed * flow(x, late, condition, kept, late), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("path", ["linear", "gvp"])
def test_the_slope_is_the_derivative_along_the_path(path):
    flow = random_flow(path=path, head="imf").double()
    x, velocity, condition = (torch.randn(2, 7, d, dtype=torch.float64) for d in (128, 128, WIDTH))
    late, early = torch.tensor([0.8, 0.6], dtype=torch.float64), torch.tensor([0.1, 0.3], dtype=torch.float64)
    step = 1e-6
    with torch.no_grad():
        slope = heads._slope(flow, x, late, early, condition, velocity)
        ends = [heads._mean_velocity(flow, x + s * velocity, late + s, early, condition) for s in (-step, step)]
    difference = (ends[1] - ends[0]) / (2 * step)
    torch.testing.assert_close(slope, difference, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", ["linear", "gvp"])
def test_the_loss_vanishes_where_the_data_are_one_point(path, monkeypatch):
    """With one possible audio every step ends there: the identity then holds exactly, slope included."""
    flow = random_flow(path=path, head="imf")
    point = torch.randn(1, 7, 128)
    monkeypatch.setattr(Flow, "data", lambda self, x, *rest: point.expand_as(x) + 0.0 * x)
    for target in ("teacher", "data"):
        head = HeadSettings(head="imf", imf_target=target)
        tokens, condition = point.expand(6, -1, -1), torch.zeros(6, 7, WIDTH)
        loss = heads.mean_flow_loss(flow, flow, head, tokens, condition, torch.Generator().manual_seed(0))
        assert float(loss) < 0.02
    wrong = heads.mean_flow_loss(flow, flow, head, tokens + 1.0, condition, torch.Generator().manual_seed(0))
    assert float(wrong) > 0.4  # of the examples, those with equal times pin what the identity leaves open


@pytest.mark.parametrize("head", ["ode", "imf"])
def test_the_gradient_in_bfloat16_points_where_the_exact_one_does(head):
    teacher, flow = random_flow(), random_flow(head=head)
    tokens, condition = torch.randn(32, 20, 128), torch.randn(32, 20, WIDTH)
    found = []
    for mixed in (False, True):
        flow.zero_grad()
        generator = torch.Generator().manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed, cache_enabled=False):
            if head == "imf":
                loss = heads.mean_flow_loss(flow, teacher, HeadSettings(), tokens, condition, generator)
            else:
                loss = flow_loss(flow, tokens, condition, generator)
        loss.backward()
        found.append(torch.cat([p.grad.flatten() for p in flow.parameters() if p.grad is not None]))
    exact, rough = found
    assert not torch.equal(exact, rough)
    assert float(torch.nn.functional.cosine_similarity(exact, rough, dim=0)) > 0.999
    assert float(rough.norm() / exact.norm()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("condition", ["dynamic", "none"])
def test_a_head_takes_one_step_with_the_guidance_of_its_weights(condition):
    plain = _sampling(small_settings(condition=condition), BuildContext())
    headed = _sampling(small_settings(condition=condition, head="reflow"), BuildContext(sampler="heun"))
    assert (plain.nfe, headed.nfe) == (2, 1)
    assert (plain.guidance, headed.guidance) == (None if condition == "none" else 2.5, None)
    assert (plain.scale, headed.scale) == ((None, None) if condition == "none" else (2.5, 1.0))
    assert headed.sampler == "heun"
    more = _sampling(small_settings(condition=condition, head="imf"), BuildContext(nfe=3))
    assert more.nfe == 3
    with pytest.raises(FoleyError, match=r"2\.5 is trained into this model"):
        _sampling(small_settings(head="imf"), BuildContext(guidance=2.0))


def test_steps_of_a_head_are_drawn_as_asked():
    head = HeadSettings(imf_same_p=0.25, imf_jump_p=0.5)
    late, early = heads._draw_steps(random_flow(head="imf"), head, 4000, torch.Generator().manual_seed(0))
    assert bool((late >= early).all())
    assert float((late == early).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert float(((late == 1) & (early == 0)).float().mean()) == pytest.approx(0.375, abs=0.03)
