"""Evaluation: policies and agents answer questions, the verifier pool judges, records are kept and counted.

`policies.py` (what samples), `agents.py` (how a question is put and answered), `runner.py` (many answers, resumable),
`statistics.py` (what the answers say). Measuring potential and making fine-tuning data are callers of the same runner.
"""
