"""Provide the models: one file a system, on shared parts.

The file (or folder) of a registry name defines ``MODEL``. Systems stand here, controls in ``controls``. What systems
share lies in folders with an underscore; each imports only itself and those before it:

- ``_parts``: networks, mel tokens, frame maps, paths and samplers, windows, settings, checkpoints;
- ``_training``: decoded data, the loop, crops, conditions, samples; a ``Job`` holds them together;
- ``_diffusion``: noise schedules, what a network predicts, samplers, guidance by gradients;
- ``_vocoders``: Griffin-Lim, a trained vocoder, and ``MelGenerator``: audio of exact length from mel tokens;
- ``_babble``: the mixture of training clips that two baselines play;
- ``_small_encoders``: small frozen encoders of frames and audio, pretrained on the train split;
- ``_alignment``: the alignment network, its objectives (masked, contrastive, supervised), its training and probes;
- ``_flow``: a flow on mel tokens: network, training, sampling;
- ``_sound_text``: sound and text in one space, a text encoder, and a flow that never sees video.

To add a system: write ``name.py`` that defines ``MODEL``. Compose its settings of subjects (``SignalSettings``,
``AlignmentSettings``, ``FlowSettings``, ``LoopSettings``, its own), train its stages in a ``Job``, and give
``MelGenerator`` the function that makes its mel tokens. ``constant_flow.py`` is the smallest; a system never imports
another, unless it is a variant of it.
"""
