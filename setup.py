"""Packaging of r1ci_plugin: what installs with which extra, and the doors other programs find us by."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

TRAIN = [
    "verl>=0.9.1,<0.10",
    # verl's default trainer imports these four, which its plain wheel doesn't require
    "TransferQueue>=0.1.10",
    "cachetools",
    "uvicorn",
    "fastapi",
    "wandb",
]
REPORT = ["matplotlib>=3.8", "jinja2>=3.1"]
FUSION = ["sandbox-fusion>=0.3.7,<0.4"]
DEV = [
    *FUSION,
    "pytest>=8",
    "pytest-asyncio>=1.0",
    "pytest-xdist>=3.7",
    "hypothesis>=6.100",
    "jsonschema>=4",
    "networkx>=3",
    "selenium>=4.20",
    "ruff>=0.12",
    "mypy>=1.15",
    "setuptools>=77",
]

setup(
    name="r1ci_plugin",
    version=re.search(r'__version__ = "(.+)"', (HERE / "r1ci_plugin" / "__init__.py").read_text())[1],
    description="The R1-Code-Interpreter method for verl: language models learn when to think and when to write code",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.13",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    # recipes/ lies at the top of the checkout, for people, and inside the package in a wheel
    packages=[*find_packages(include=["r1ci_plugin", "r1ci_plugin.*"]), "r1ci_plugin.recipes"],
    package_dir={"": ".", "r1ci_plugin.recipes": "recipes"},
    package_data={"r1ci_plugin": ["py.typed", "assets/**/*"], "r1ci_plugin.recipes": ["*.yaml", "*/*.yaml"]},
    include_package_data=False,
    install_requires=[
        "typer>=0.12",
        "rich>=13",
        "pyarrow>=15",
        "numpy>=1.26",
        "PyYAML>=6",
        "httpx>=0.27",
        "typing_extensions>=4.10",
        "reasoning-gym==0.1.25",
    ],
    extras_require={
        "train": TRAIN,
        # an environment of its own: its torch pin differs from the CPU one
        "gpu": ["verl[vllm]>=0.9.1,<0.10", *TRAIN[1:]],
        # SandboxFusion's own client, for programs that use it against our server; serving needs nothing
        "sandbox-fusion": FUSION,
        "report": REPORT,
        "dev": DEV,
    },
    entry_points={
        "console_scripts": ["r1ci = r1ci_plugin.cli.main:main"],
        "verl.plugins": ["r1ci = r1ci_plugin.plugin"],
    },
)
