"""One archive for all tests of its parts: every story, and a few people whom chance alone leads."""

from pathlib import Path
from typing import NamedTuple

import pytest

from smi_spark.synthetic import Answers, write_archive


class Archive(NamedTuple):
    root: Path
    answers: Answers


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    root = tmp_path_factory.mktemp("synthetic") / "archive"
    return Archive(root, write_archive(root, patients=48, seed=3))
