"""What `import verl` loads, in every process of a job: our recipes in Hydra, our CPU platform in verl.

verl imports this module by the entry point group `verl.plugins` at the very end of its own `__init__`, and hides
whatever it raises. So this module does its work when imported, says its errors loudly on stderr, and stays light: no
torch work, no import of verl.trainer. What it costs is measured by `r1ci bench startup`.

Recipes go into Hydra's ConfigStore and not on its search path: a search path plugin is not found in setuptools' default
editable mode, and Hydra then takes `+recipe=x` for a plain new key and trains verl's defaults without a word.

Left out: choosing the back end (`backend.py`), reading recipes (`recipe_files.py`), registering the agent loop and
engines (`rollout/`, loaded in workers by `actor_rollout_ref.model.external_lib`).
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from r1ci_plugin import backend, recipe_files

ASKED = ("+recipe=r1ci_", "++recipe=r1ci_")
"""How a command line names a recipe of ours."""


def register() -> None:
    """Open all our doors in verl. May be called twice."""
    if warning := backend.version_warning():
        print(warning, file=sys.stderr, flush=True)
    _register_recipes()
    if backend.choose().backend == "cpu":
        _register_platform()


def _register_platform() -> None:
    """Load the CPU platform, which registers itself with verl, without its package: importing `r1ci_plugin.rollout`
    imports verl's agent loop, which is neither light nor possible before verl knows its platform."""
    name = "r1ci_plugin.rollout.cpu.platform"
    if name in sys.modules:
        return
    file = Path(__file__).parent / "rollout" / "cpu" / "platform.py"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _register_recipes() -> None:
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    for group, name, file in recipe_files.recipe_files():
        store.store(group=group, name=name, node=recipe_files.load_recipe(file), package="_global_", provider="r1ci")


def _register_loudly() -> None:
    try:
        register()
    except Exception as error:
        print(
            "r1ci: the plugin could not be loaded, recipes and back ends may be missing "
            f"(`r1ci doctor` says more): {type(error).__name__}: {error}",
            file=sys.stderr,
            flush=True,
        )
        if any(argument.startswith(ASKED) for argument in sys.argv):
            # verl hides errors of plugins, and Hydra would take the recipe for a plain new key: the run would go on
            # with verl's own defaults
            raise SystemExit(1) from None
        raise


_register_loudly()
