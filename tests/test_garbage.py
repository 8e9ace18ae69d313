"""What a worker of a job on the CPU does first."""

from __future__ import annotations

import subprocess
import sys

from r1ci_plugin import recipe_files


def test_the_hook_that_the_recipe_names_makes_python_look_less_often_and_imports_nothing_heavy() -> None:
    recipe = recipe_files.load_recipe(recipe_files.recipes_folder() / "r1ci_backend" / "cpu.yaml")
    hook = recipe["ray_kwargs"]["ray_init"]["runtime_env"]["worker_process_setup_hook"]
    module, name = hook.rsplit(".", 1)
    code = f"import gc, sys, {module}; before = gc.get_threshold(); {module}.{name}(); after = gc.get_threshold()\n"
    code += "print(after[0] > 50 * before[0], after[1:] == before[1:], {'torch', 'ray', 'verl'} & set(sys.modules))"
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert outcome.stdout.split() == ["True", "True", "set()"], outcome.stderr
