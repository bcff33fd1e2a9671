"""The published files of CAVP, Diff-Foley's classifier and Synchformer: names, shapes, counts; strict, by name."""

import functools

import pytest
import torch

from foleybench.encoders import cavp_video, diff_foley_align, synchformer_offset
from foleybench.encoders._nets import synchformer
from foleybench.errors import FoleyError
from tests.encoders.made_weights import count, flat_state, layout, refuses_by_name

# As lie in the published files: tensors, values; some names with their shapes.
LAYOUTS = {
    "cavp": (
        cavp_video,
        402,
        {
            "logit_scale": (),
            "video_encoder.conv1.conv.weight": (64, 3, 1, 7, 7),
            "video_encoder.layer3.0.conv1.conv.weight": (256, 512, 3, 1, 1),
            "video_encoder.layer2.0.conv1.conv.weight": (128, 256, 1, 1, 1),
            "video_encoder.layer4.0.downsample.bn.running_var": (2048,),
            "video_project_head.weight": (512, 2048),
            "spec_encoder.bn.weight": (128,),
            "spec_encoder.conv_block6.conv2.weight": (2048, 2048, 3, 3),
            "spec_encoder.final_project.weight": (512, 2048),
        },
    ),
    "classifier": (
        diff_foley_align,
        410,
        {
            "scale_factor": (),
            "posterior_mean_coef2": (1000,),
            "first_stage_model.encoder.conv_out.weight": (8, 512, 3, 3),
            "first_stage_model.encoder.down.1.block.0.nin_shortcut.weight": (256, 128, 1, 1),
            "first_stage_model.decoder.up.3.upsample.conv.weight": (512, 512, 3, 3),
            "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
            "model.input_blocks.3.0.skip_connection.weight": (256, 128, 1, 1),
            "model.input_blocks.3.1.transformer_blocks.0.ff.net.0.proj.weight": (2048, 256),
            "model.input_blocks.5.1.transformer_blocks.0.attn2.to_k.weight": (256, 512),
            "model.middle_block.2.out_layers.3.weight": (256, 256, 3, 3),
            "model.classifier.weight": (1, 128),
            "cond_model.pos_emb.weight": (40, 512),
        },
    ),
    "synchformer": (
        synchformer,
        513,
        {
            "vfeat_extractor.pos_embed": (1, 197, 768),
            "vfeat_extractor.temp_embed": (1, 8, 768),
            "vfeat_extractor.patch_embed.proj.weight": (768, 3, 16, 16),
            "vfeat_extractor.patch_embed_3d.proj.weight": (768, 3, 2, 16, 16),
            "vfeat_extractor.blocks.11.timeattn.qkv.weight": (2304, 768),
            "vfeat_extractor.spatial_attn_agg.self_attn.in_proj_weight": (2304, 768),
            "afeat_extractor.ast.embeddings.position_embeddings": (1, 74, 768),
            "afeat_extractor.ast.encoder.layer.11.attention.attention.query.weight": (768, 768),
            "afeat_extractor.freq_attn_agg.linear1.weight": (3072, 768),
            "transformer.pos_emb_cfg.pos_emb": (1, 198, 768),
            "transformer.blocks.2.mlp.2.weight": (768, 3072),
            "transformer.off_head.weight": (21, 768),
        },
    ),
}


@functools.cache
def on_meta(module):
    with torch.device("meta"):
        return module.new_net()


def official(module):
    """A state dict of the official layout, small on disk."""
    net = on_meta(module)
    return flat_state(layout(net), {name: tensor.dtype for name, tensor in net.state_dict().items()})


def is_flat(net):
    return all(float(p.min()) == float(p.max()) == pytest.approx(0.01) for p in net.parameters())


@pytest.mark.parametrize("name", LAYOUTS)
def test_names_and_shapes(name):
    module, n_tensors, shapes = LAYOUTS[name]
    state = on_meta(module).state_dict()
    assert len(state) == n_tensors
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


def test_number_of_values():
    def parameters(net):
        return sum(parameter.numel() for parameter in net.parameters())

    cavp, classifier, sync = (on_meta(module) for module, _, _ in LAYOUTS.values())
    assert parameters(cavp) == 113_406_593
    assert (parameters(cavp.video_encoder), count(cavp.video_encoder)[0]) == (31_634_496, 318)
    assert (parameters(cavp.spec_encoder), count(cavp.spec_encoder)[0]) == (80_723_008, 81)
    assert count(classifier) == (410, 95_399_753)
    assert count(classifier.model) == (146, 11_450_753)
    assert parameters(classifier.cond_model) == 283_136
    assert count(classifier.first_stage_model)[0] == 248
    assert parameters(classifier.first_stage_model.encoder) == 34_163_592
    assert count(sync) == (513, 237_460_245)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "classifier" else pytest.mark.slow) for name in LAYOUTS]
)
def test_one_name_missing_or_changed_is_refused_by_name(name, tmp_path):
    module, _, shapes = LAYOUTS[name]
    refuses_by_name(module.load_weights, tmp_path / "weights", official(module), torch.save, of=list(shapes)[-1])


class Callback:
    """A class that only the trainer that wrote the file knows."""

    def __init__(self):
        self.best = 0.5


class Harmful:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.mark.parametrize("module", [pytest.param(cavp_video, marks=pytest.mark.slow), diff_foley_align])
def test_a_trainers_checkpoint_is_read_without_its_code(module, tmp_path, capsys, monkeypatch):
    """A Lightning file: a state dict under its key, ``module.`` before names, and the trainer's objects beside it."""
    path = tmp_path / "epoch.ckpt"
    beside = {"callbacks": {Callback: {"best": 1.0}}, "hyper": Callback(), "harm": Harmful(), "global_step": 3}
    state = {f"module.{name}": tensor for name, tensor in official(module).items()}
    torch.save({"state_dict": state, **beside}, path)
    monkeypatch.setattr(Callback, "__init__", lambda self: pytest.fail("the file's own class was made"))
    net = module.load_weights(path)
    assert is_flat(net)
    assert not net.training
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert capsys.readouterr().out == ""
    torch.save({"state_dict": {**state, "module.extra": Harmful()}}, path)
    with pytest.raises(FoleyError, match="not a state dict of tensors"):
        module.load_weights(path)


def test_names_that_become_one_are_refused(tmp_path):
    path = tmp_path / "epoch.ckpt"
    torch.save({"state_dict": {"module.logit_scale": torch.zeros(()), "logit_scale": torch.zeros(())}}, path)
    with pytest.raises(FoleyError, match=r"differ only in 'module\.'"):
        cavp_video.load_weights(path)


@pytest.mark.slow
def test_synchformers_own_file_keeps_its_weights_one_level_down(tmp_path):
    path = tmp_path / "epoch.pt"
    torch.save({"model": official(synchformer), "epoch": 3}, path)
    net = synchformer.load_weights(path)
    assert is_flat(net.transformer)
    assert net.transformer.off_head.out_features == synchformer_offset.N_OFFSETS


def test_building_leaves_the_random_state():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with torch.device("meta"):
        for module, _, _ in LAYOUTS.values():
            module.new_net()
    assert torch.equal(torch.get_rng_state(), before)
