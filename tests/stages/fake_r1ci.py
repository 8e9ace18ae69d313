"""Stands for the commands `r1ci potential measure` and `r1ci stages build`: the groups of a policy are its number."""

import argparse
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
from safetensors.numpy import load_file

words, rest = sys.argv[1:3], sys.argv[3:]
parser = argparse.ArgumentParser()
for name in ("policy", "data", "out", "counts", "exclude"):
    parser.add_argument(f"--{name}", type=Path)
parser.add_argument("--response-tokens", type=int)
arguments = parser.parse_args(rest)
if words == ["potential", "measure"]:
    value = int(load_file(arguments.policy / "model.safetensors")["w"][0, 0])
    arguments.out.mkdir(exist_ok=True)
    (arguments.out / "counts.json").write_text(json.dumps(value))
    (arguments.out / "limit").write_text(str(arguments.response_tokens))
else:
    value = json.loads((arguments.counts / "counts.json").read_text())
    rows = parquet.read_table(arguments.data / "train.parquet")["extra_info"].to_pylist()
    ids, excluded = [row["question_id"] for row in rows], json.loads(arguments.exclude.read_text())
    groups = [0 if name in excluded else 1 + (index + value) % 2 for index, name in enumerate(ids)]
    parquet.write_table(pa.table({"question_id": ids, "group": groups}), arguments.out)
