"""Load metrics, encoders, protocols and models by name, typed."""

from __future__ import annotations

from foleybench import registry
from foleybench.api.encoder import Encoder
from foleybench.api.metric import Metric
from foleybench.api.model import Model
from foleybench.api.protocol import Protocol


def load_metric(name: str) -> Metric:
    """Return a metric: its card, ``per_clip`` (features of a clip to statistics) and ``pool`` (statistics to a value).

    Args:
        name: A name from ``foleybench list metrics``, or ``path/to/file.py:NAME``.

    Raises:
        UnknownNameError: There is no such metric; the nearest name is suggested.
        FoleyError: The file has a fault, or what it gives is no ``foleybench.api.metric.Metric``.

    Example:
        A value is in the metric's ``unit``:

        >>> from foleybench import load_metric
        >>> metric = load_metric("silence_share")
        >>> metric.unit, metric.better, metric.ideal
        ('%', 'lower', 0.0)
    """
    metric: Metric = registry.load("metrics", name)
    return metric


def load_encoder(name: str) -> Encoder:
    """Return an encoder; ``build(device)`` gives the function from signals to features and loads the weights.

    Args:
        name: A name from ``foleybench list encoders``, or ``path/to/file.py:NAME``.

    Raises:
        UnknownNameError: There is no such encoder; the nearest name is suggested.
        FoleyError: The file has a fault, or what it gives is no ``foleybench.api.encoder.Encoder``. ``build`` raises
            ``WeightsMissingError`` when the weights are absent.

    Example:
        Audio goes in as (N,) float32 mono at ``rate_hz``; out come the ``layers`` with the shapes they say:

        >>> import numpy as np
        >>> from foleybench import load_encoder
        >>> from foleybench.api.encoder import Signal
        >>> encoder = load_encoder("loudness")
        >>> encoder.rate_hz, encoder.layers
        (48000, {'integrated_lufs': ()})
        >>> sine = np.sin(2 * np.pi * 997 * np.arange(96000) / 48000).astype(np.float32)
        >>> (features,) = encoder.build("cpu")([Signal(audio=sine, duration_s=2.0)])
        >>> round(float(features["integrated_lufs"]), 1)
        -3.0
    """
    encoder: Encoder = registry.load("encoders", name)
    return encoder


def load_protocol(name: str) -> Protocol:
    """Return a protocol: which metrics, on what cut of the audio, after which steps.

    Args:
        name: A name from ``foleybench list protocols``, or ``path/to/file.py:NAME``.

    Raises:
        UnknownNameError: There is no such protocol; the nearest name is suggested.
        FoleyError: The file has a fault, or what it gives is no ``foleybench.api.protocol.Protocol``.

    Example:
        >>> from foleybench import load_protocol
        >>> load_protocol("synth").headline["timing"]
        'event_f1_25ms'
    """
    protocol: Protocol = registry.load("protocols", name)
    return protocol


def load_model(name: str) -> Model:
    """Return a model's card; ``build(context)`` gives the generator that turns clips into audio.

    Args:
        name: A name from ``foleybench list models``, or ``path/to/file.py:NAME``.

    Raises:
        UnknownNameError: There is no such model; the nearest name is suggested.
        FoleyError: The file has a fault, or what it gives is no ``foleybench.api.model.Model``.

    Example:
        For every clip (N,) float32 mono, N exactly the clip's length at the generator's rate:

        >>> import numpy as np
        >>> from foleybench import ShardDataset, load_model
        >>> from foleybench.api.model import BuildContext
        >>> model = load_model("silence")
        >>> model.kind, sorted(model.sees)
        ('control', ['audio'])
        >>> clips = [ShardDataset(manifest).load("clip00_000000")]
        >>> (audio,) = model.build(BuildContext()).generate(clips, np.random.default_rng(0))
        >>> audio.shape, audio.dtype
        ((32000,), dtype('float32'))
    """
    model: Model = registry.load("models", name)
    return model
