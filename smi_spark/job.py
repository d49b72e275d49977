"""What every ``jobs/*.py`` shares: arguments, configuration, session, one call, a line of counts, the exit code."""

import argparse
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j has no types
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from smi_spark import errors
from smi_spark.config import Config, load_config
from smi_spark.progress import LOG
from smi_spark.session import get_session

Run = Callable[[SparkSession, Config, argparse.Namespace], object]

# What ends a job where the site's own set-up is at fault: Spark, what Java says through it, files and stores.
FAULTS = (errors.SmiError, PySparkException, Py4JError, OSError)


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are the user's input: exit code 1, not 2."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}. See {self.prog} --help.", file=sys.stderr)
        sys.exit(1)


def arguments(description: str | None) -> Arguments:
    """A parser with ``--config FILE`` and any number of ``--set field=value``."""
    parser = Arguments(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config", required=True, metavar="FILE", help="conf/local.yaml, conf/cluster.yaml or your own"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings",
        help="put one field of the configuration otherwise, as in --set root=/mnt/smi",
    )  # fmt: skip
    return parser


def main(parser: Arguments, run: Run) -> NoReturn:
    """Run a job: ``run(spark, config, options)`` gives what is printed; errors become a line and an exit code.

    Exit codes: 0 done, 1 the user's input, 2 the environment, 3 data over the quarantine threshold, or
    identifiers beyond zone 1.
    """
    main_without_spark(parser, lambda config, options: run(get_session(config, parser.prog), config, options))


def main_without_spark(parser: Arguments, run: Callable[[Config, argparse.Namespace], object]) -> NoReturn:
    """As ``main``, for ``run(config, options)``: no session is started unless ``run`` starts one."""
    try:
        options = parser.parse_args()
        with log_to_stderr():
            done = run(load_config(options.config, options.settings), options)
        print(done)
    except FAULTS as error:
        message, code = explain(error)
        print(message, file=sys.stderr)
        sys.exit(code)
    sys.exit(0)


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """How far a long job is goes to stderr, on a cluster too: stdout has the line of counts alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)


def explain(error: Exception) -> tuple[str, int]:
    """The message for users and the exit code; an error of ours that a worker raised is found in Spark's trace."""
    if isinstance(error, errors.SmiError):
        return str(error), error.exit_code
    raised = re.findall(r"smi_spark\.errors\.(\w+): (.*)", str(error))
    if raised:
        name, message = raised[-1]
        return message, int(getattr(errors, name, errors.SmiError).exit_code)
    if isinstance(error, OSError):
        return f"{error}. {errors.CHECK}", errors.MachineError.exit_code
    said = re.sub(r"^An error occurred while calling .*\n: ", "", str(error))  # as Python hears it from Java
    return f"Spark failed: {_without_values(said.splitlines()[0])}", errors.MachineError.exit_code


def _without_values(message: str) -> str:
    """Spark's message less what it quotes: a value that could not be cast may be a name. Columns are in backticks."""
    return re.sub(r"(?<!\w)'[^']*'(?!\w)|(?<=input string: )\"[^\"]*\"", "'…'", message)
