"""Diffusion: noise schedules, what a network predicts, samplers, guidance by gradients."""
