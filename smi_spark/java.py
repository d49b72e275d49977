"""Java, the one thing that pip cannot bring. Run as ``python -m smi_spark.java`` before anything is installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from smi_spark.errors import MachineError

SERVING = (17, 21)


def find_java() -> Path | None:
    """The ``java`` that Spark would start: from JAVA_HOME, else from the PATH."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    return Path(found) if found else None


def check_java() -> int:
    """The major version of Java; MachineError in one line where none serves."""
    remedy = (
        f"smi_spark needs Java {' or '.join(map(str, SERVING))}: "
        "install one, or point at it with JAVA_HOME=/path/to/jdk."
    )
    java = find_java()
    if java is None:
        home = os.environ.get("JAVA_HOME")
        raise MachineError(f"No Java found{f' in JAVA_HOME={home}' if home else ''}. {remedy}")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    if match is None:
        raise MachineError(f"{java} does not say its version. {remedy}")
    if int(match[1]) not in SERVING:
        raise MachineError(f"{java} is Java {match[1]}. {remedy}")
    return int(match[1])


if __name__ == "__main__":
    try:
        check_java()
    except MachineError as error:
        sys.exit(str(error))
