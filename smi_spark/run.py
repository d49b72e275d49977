"""The name of one run of one job, which every row that it writes carries, and who started it."""

import os
import pwd
import secrets
from datetime import UTC, date, datetime, timedelta

from smi_spark.config import Config

_TIME = "%Y%m%dT%H%M%S.%fZ"


def new_run_id(after: str = "") -> str:
    """A name that sorts by time, ``20261123T231500.123456Z-9f2c``, and behind ``after``, whatever the clock says."""
    now = datetime.now(UTC)
    if after:
        now = max(now, _moment(after) + timedelta(microseconds=1))
    return f"{now:{_TIME}}-{secrets.token_hex(2)}"


def started_on(run_id: str) -> date:
    """The day, UTC, on which the run that has this name began."""
    return _moment(run_id).date()


def operator(config: Config) -> str:
    """Who runs the jobs: the account of the operating system, behind the name that the configuration gives, if any.

    An environment variable may say anything; the account is what the machine knows. One that has no name is a number.
    """
    number = os.geteuid()
    try:
        account = pwd.getpwuid(number).pw_name
    except KeyError:
        account = str(number)
    return f"{config.operator} ({account})" if config.operator else account


def _moment(run_id: str) -> datetime:
    return datetime.strptime(run_id.partition("-")[0], _TIME).replace(tzinfo=UTC)
