"""Where ``schemas/`` and ``conf/`` are: beside the package in a checkout, inside it in a wheel."""

from importlib import resources
from pathlib import Path


def folder(name: str) -> Path:
    """The folder ``schemas`` or ``conf`` that travels with this installation."""
    inside = Path(str(resources.files("smi_spark"))) / name
    return inside if inside.is_dir() else inside.parent.parent / name
