"""Stands for verl.model_merger: makes a Hugging Face folder of the fake job's shards."""

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

parser = argparse.ArgumentParser()
parser.add_argument("--local_dir", type=Path)
parser.add_argument("--target_dir", type=Path)
arguments = parser.parse_args()
value = json.loads((arguments.local_dir / "model_world_size_1_rank_0.pt").read_text())
arguments.target_dir.mkdir()
save_file({"w": np.full((2, 2), value, dtype=np.float32)}, arguments.target_dir / "model.safetensors")
