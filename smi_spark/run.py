"""The name of one run of one job, which every row that it writes carries."""

import secrets
from datetime import UTC, datetime, timedelta

_TIME = "%Y%m%dT%H%M%S.%fZ"


def new_run_id(after: str = "") -> str:
    """A name that sorts by time, ``20261123T231500.123456Z-9f2c``, and behind ``after``, whatever the clock says."""
    now = datetime.now(UTC)
    if after:
        behind = datetime.strptime(after.partition("-")[0], _TIME).replace(tzinfo=UTC) + timedelta(microseconds=1)
        now = max(now, behind)
    return f"{now:{_TIME}}-{secrets.token_hex(2)}"
