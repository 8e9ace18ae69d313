"""Evaluation: policies, agents, runs and their statistics."""
