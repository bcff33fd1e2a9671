"""Define LAION-CLAP's text tower, in the layout of its checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleybench.encoders._inputs.loading import load_strictly, with_random_weights
from foleybench.encoders._inputs.transformers import transformers_for
from foleybench.encoders._nets.htsat import BASE, ClapAudioTower, ClapSizes, Shapes, other_shapes, published_state

# RoBERTa-base's, where transformers' defaults are BERT's.
_NORM_EPS = 1e-5
_N_POSITIONS, _PAD = 514, 1
_HEAD_WIDTH = 64


class TextTower(nn.Module):
    """The text tower of CLAP, its tensors named as in the published file."""

    def __init__(self, sizes: ClapSizes = BASE) -> None:
        super().__init__()
        roberta = transformers_for("CLAP's text tower")
        config = roberta.RobertaConfig(
            vocab_size=sizes.words,
            hidden_size=sizes.text_width,
            num_hidden_layers=sizes.text_depth,
            num_attention_heads=max(1, sizes.text_width // _HEAD_WIDTH),
            intermediate_size=4 * sizes.text_width,
            max_position_embeddings=_N_POSITIONS,
            type_vocab_size=1,
            pad_token_id=_PAD,
            layer_norm_eps=_NORM_EPS,
        )
        self.text_branch: nn.Module = roberta.RobertaModel(config)
        self.text_projection = nn.Sequential(
            nn.Linear(sizes.text_width, sizes.out), nn.ReLU(), nn.Linear(sizes.out, sizes.out)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return unit vectors (B, 512) for tokens (B, 2, 77): token numbers, and a mask of 1 for real tokens."""
        pooled = self.text_branch(input_ids=tokens[:, 0], attention_mask=tokens[:, 1]).pooler_output
        return functional.normalize(self.text_projection(pooled), dim=-1)


def new_net(sizes: ClapSizes = BASE) -> TextTower:
    """Return the tower with random weights, in evaluation mode."""
    return with_random_weights(lambda: TextTower(sizes))


def load_weights(net: TextTower, path: Path, sizes: ClapSizes = BASE) -> TextTower:
    """Put the text tensors of a published file into the tower.

    Raises:
        FoleyError: The file does not hold exactly the tensors of the whole model.
    """
    own = net.state_dict()
    unused = {name: shape for name, shape in _whole(sizes).items() if name not in own}
    load_strictly(net, published_state(path), path, unused=unused)
    return net


def _whole(sizes: ClapSizes) -> Shapes:
    """Return the shapes of all tensors of a published file."""
    with torch.device("meta"):
        sound = ClapAudioTower(sizes).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in sound.items()} | other_shapes(sizes)
