"""The name of one run of one job, which every row that it writes carries."""

import secrets
from datetime import UTC, datetime


def new_run_id() -> str:
    """A name that sorts by time: ``20261123T231500Z-9f2c41``."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
