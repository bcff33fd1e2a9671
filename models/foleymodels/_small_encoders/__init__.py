"""Pretrain small frozen encoders on the train split.

Their objectives are of the kinds that the paper's encoders were trained with. The paper's own encoders hold a hundred
million to a billion numbers and cannot be trained at size ``tiny``; with these the choice of encoders (Table 3) is
measured on the same axis. ``image_label`` stands for EVA-CLIP (frames against their labels), ``mae`` for
MAE, ``av_contrast`` for ImageBind, ``audio_mae`` for AudioMAE. All of them
see a frame with two to either side, unlike the paper's image encoders: without motion a sound cannot be timed.
"""
