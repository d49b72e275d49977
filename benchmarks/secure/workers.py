"""Two workers of one core against one."""

import shutil

from measures import line

from secure.driver import small_driver
from secure.ground import Ground, apart, timed
from smi_spark.cpu import cpu_times
from smi_spark.secure.ingest import ingest_headers
from tests.cluster.standalone import standalone

FILES, WARM = 1_000_000, 10_000


def workers(ground: Ground) -> list[str]:
    """Each number of workers in a cluster of its own, each worker on a core of its own."""
    count = ground.count(FILES)
    runs = [apart(_take_in, ground, count, number) for number in (1, 2)]
    (one, *_), (two, beside, working) = runs
    return [
        "",
        f"workers of one core, each pinned to one: {count:,} files; driver and master share the machine's two cores",
        *(
            f"  {number} of them: {seconds:.1f} s, {count / seconds:,.0f} files/s; CPU seconds of the workers "
            f"{executors:.1f}, of driver and master {driver:.1f}"
            for number, (seconds, driver, executors) in enumerate(runs, 1)
        ),
        line("two workers against one", one / two, 1.5),
        line(
            "one against all CPU seconds of two, shared by both cores without a pause",
            one / ((beside + working) / 2),
            None,
        ),
    ]


def _take_in(ground: Ground, count: int, number: int) -> tuple[float, float, float]:
    """Seconds, then CPU seconds of the driver with the master, and of the workers."""
    cluster = ground.place / f"workers-{number}"
    cluster.mkdir()
    source, warm = ground.files(count), ground.files(ground.count(WARM))
    with standalone(cluster, number, "3g", pinned=True) as url, small_driver(ground, url) as (spark, _):
        for name in ("warm", "warm again"):
            ingest_headers(spark, ground.config(name), [warm])
        config = ground.config(f"by-{number}")
        before = cpu_times(spark)
        seconds, counts = timed(lambda: ingest_headers(spark, config, [source]))
        spent = {name: used - before.get(name, 0.0) for name, used in cpu_times(spark).items()}
    if counts.images != count:
        raise RuntimeError(f"{counts.images} of {count} files became images")
    shutil.rmtree(config.root)
    shutil.rmtree(cluster)
    *executors, everything = spent.values()  # the cluster was started by this process: its own tree has all of it
    return seconds, everything - sum(executors), sum(executors)
