"""Evaluation: policies and agents answer questions, and what their trajectories say."""
