"""How long it takes to check a definition, before Spark."""

import json
import subprocess
import sys

from measures import line

from analysis.ground import Place
from smi_spark.resources import folder

_CODE = """
import json, sys, time
times = [time.perf_counter()]
from smi_spark.analysis.definition import load_definition
times.append(time.perf_counter())
for _ in range(2):
    definition = load_definition(sys.argv[1])
    times.append(time.perf_counter())
assert "pyspark" not in sys.modules
from smi_spark.analysis.permission import load_permitted
from smi_spark.config import load_config
config = load_config(sys.argv[2])
times.append(time.perf_counter())
load_permitted(config, sys.argv[1])
times.append(time.perf_counter())
print(json.dumps([after - before for before, after in zip(times, times[1:])]))
"""


def validating(_: Place) -> list[str]:
    """Each worked definition in a process of its own: the first time and again, then with what its project may have."""
    conf = folder("conf")
    lines, most = [], 0.0
    for path in sorted((conf / "cohorts").glob("*.yaml")):
        command = [sys.executable, "-c", _CODE, str(path), str(conf / "local.yaml")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        imports, first, again, further, permitted = json.loads(done.stdout)
        most = max(most, first)
        lines.append(
            f"  {path.stem:42} {first:.3f} s, again {again:.3f}, after imports of {imports:.2f}; "
            f"with its project's terms {permitted:.3f}, after {further:.2f}"
        )
    return [
        "",
        "validation of a definition, without Spark, each in a process of its own",
        *lines,
        line("seconds of the slowest, imports apart", most, 0.2, "s", at_most=True),
    ]
