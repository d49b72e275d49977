"""Files of projects for tests."""

from pathlib import Path
from typing import Any

import yaml

from smi_spark.config import Config

LUNG: dict[str, Any] = {
    "project": "lung",
    "title": "Lung cancer before and after screening",
    "approval": {"number": "2026-017", "reference": "Panel of 12 January 2026, minutes 4.2"},
    "people": ["A. Researcher"],
    "from": "2026-01-01",
    "until": "2028-12-31",
    "records": {"smr06": None, "smr01": ["ADMISSION_DATE", "MAIN_CONDITION"]},
    "modalities": ["CT", "DX"],
}
LONG = {"from": "2020-01-01", "until": "2099-12-31"}  # so that it can be built today


def with_projects(config: Config, folder: Path, *projects: dict[str, Any]) -> Config:
    """The configuration with these projects, as files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for project in projects:
        (folder / f"{project['project']}.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    return config.model_copy(update={"projects": str(folder)})
