import io
import logging

import pytest

from smi_spark.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Shows the time that a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(caplog: pytest.LogCaptureFixture, total: int, *steps: tuple[float, int, int]) -> list[str]:
    """What the log gets when, at a time, so many more are done and quarantined."""
    caplog.set_level(logging.INFO, logger="smi_spark")
    clock = Clock()
    with Progress("secure/headers", total, stream=io.StringIO(), clock=clock) as progress:
        for now, done, quarantined in steps:
            clock.now = now
            progress.add(done, quarantined)
    return [record.getMessage() for record in caplog.records]


def test_a_long_job_tells_what_is_done_how_fast_and_what_is_left(caplog) -> None:
    assert told(caplog, 1_200_000, (60, 300_000, 12), (240, 900_000, 0)) == [
        "secure/headers: 300,000 of 1,200,000 files (25%), 5,000 a second, 12 quarantined, 3 min left",
        "secure/headers: 1,200,000 of 1,200,000 files (100%), 5,000 a second, 12 quarantined, in 4 min",
    ]


def test_the_log_gets_a_line_every_thirty_seconds_at_most_and_the_last(caplog) -> None:
    lines = told(caplog, 100, *((second, 1, 0) for second in range(1, 101)))
    assert [line.split(" of ")[0].split()[-1] for line in lines] == ["30", "60", "90", "100"]


@pytest.mark.parametrize(("seconds", "lines"), [(9.9, 0), (10.0, 1)])
def test_a_short_job_tells_nothing(caplog, seconds: float, lines: int) -> None:
    assert len(told(caplog, 10, (seconds / 2, 5, 0), (seconds, 5, 0))) == lines


def test_a_terminal_gets_a_bar_that_is_written_over() -> None:
    terminal, clock = Terminal(), Clock()
    with Progress("secure/images", 4, "partitions", stream=terminal, clock=clock) as progress:
        for clock.now in (2.0, 4.0):
            progress.add(2)

    assert terminal.getvalue() == (
        "\r\x1b[K[##########..........] secure/images: 2 of 4 partitions (50%), 1.0 a second, 2 s left"
        "\r\x1b[K[####################] secure/images: 4 of 4 partitions (100%), 1.0 a second, in 4 s\n"
    )


def test_a_terminal_gets_no_bar_for_a_short_job_in_one_part() -> None:
    terminal, clock = Terminal(), Clock()
    with Progress("secure/headers", 5, stream=terminal, clock=clock) as progress:
        clock.now = 3.0
        progress.add(5)
    assert terminal.getvalue() == ""
