"""How the scripted teacher solves each task: a Python script that computes the answer from the operands in the prompt.

Every entry reads the *prompt* alone and returns a complete script; running it prints the answer. No entry knows the
stored answer. One module a suite. Left out: the words around the code and the forms of a trajectory (`teacher.py`).
"""

from r1ci_plugin.sft.scripts import bbh, reasoning_gym, symbench
from r1ci_plugin.sft.scripts.registry import SCRIPTS, Script

__all__ = ["SCRIPTS", "Script", "bbh", "reasoning_gym", "symbench"]
