"""Supervised fine-tuning: making the trajectories that a policy first learns from, and choosing among them.

Left out: the training itself, which is verl's (recipe `r1ci_sft`).
"""
