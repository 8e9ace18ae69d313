"""What a training run needs in memory, computed before it starts.

    shapes.py    the sizes of a model
    formulas.py  bytes from sizes: every formula with its units and source, every approximation marked [ours]
    job.py       what of a composed configuration decides the memory
    moments.py   the moments of a run, and what lies in a GPU's, a node's and the disk's memory at each
    mends.py     which setting to change where a moment doesn't fit

All of it is arithmetic: no GPU, no torch, no verl. Left out: composing the configuration (`doctor.compose`), printing
(`cli/plan.py`), how long a step takes (no source gives it for these runs).
"""
