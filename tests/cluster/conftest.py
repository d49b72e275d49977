"""The cluster that the tests of jobs on a cluster share."""

from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest

from tests.cluster.standalone import Installation, install, standalone

FILES = Path(pydicom.data.__file__).parent / "test_files"


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a standalone master with two workers of a core each, and nothing of ours in their environment."""
    with standalone(tmp_path_factory.mktemp("standalone"), workers=2) as url:
        yield url


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with keys and without tables."""
    names = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "README.txt")
    return install(tmp_path_factory.mktemp("installation"), [FILES / name for name in names])
