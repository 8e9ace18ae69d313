"""Pages that people read about runs: the viewer of trajectories and the report. Left out: judging and statistics."""
