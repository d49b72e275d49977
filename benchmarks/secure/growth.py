"""From 10,000 files to a million: what one more costs, and what the driver holds."""

import shutil

from measures import line

from secure.driver import Driver, small_driver
from secure.ground import Ground, apart, timed
from smi_spark.secure.ingest import ingest_headers
from tests.cluster.standalone import standalone

SIZES = (10_000, 100_000, 1_000_000)
FLAT = 1.25  # times the memory of a tenth of the files


def growth(ground: Ground) -> list[str]:
    """Each size into new tables by a new driver of 1 GB, once it has taken in the smallest as a warm-up."""
    sizes = [ground.count(size) for size in SIZES]
    seen = [apart(_take_in, ground, size) for size in sizes]
    lines = [
        "",
        "growth: one ingest of so many new files; two executors of one core, driver of its own with 1g of heap",
    ]
    lines += [
        f"  {size:9,} files: {seconds:7.1f} s, {size / seconds:,.0f} files/s; driver: {driver}"
        for size, (seconds, driver) in zip(sizes, seen, strict=True)
    ]
    (first, _), (second, before), (third, after) = seen
    each = (second - first) / (sizes[1] - sizes[0]), (third - second) / (sizes[2] - sizes[1])
    lines += [
        f"  a further file costs {each[0] * 1e6:.0f} µs up to {sizes[1]:,}, {each[1] * 1e6:.0f} µs up to {sizes[2]:,}",
        line("marginal time a file of the last step against the step before", each[1] / each[0], 1.1, at_most=True),
        line(
            "driver's memory, the last size against a tenth of it", after.resident / before.resident, FLAT, at_most=True
        ),
    ]
    return lines


def _take_in(ground: Ground, count: int) -> tuple[float, Driver]:
    sources = [ground.files(size) for size in (ground.count(SIZES[0]), count)]
    cluster = ground.place / f"cluster-{count}"
    cluster.mkdir()
    with standalone(cluster, workers=2, memory="3g") as url, small_driver(ground, url) as (spark, watched):
        for name in ("warm", "warm again"):
            ingest_headers(spark, ground.config(name), sources[:1])
        config = ground.config(f"of-{count}")
        seconds, counts = timed(lambda: ingest_headers(spark, config, sources[1:]))
        if counts.images != count:
            raise RuntimeError(f"{counts.images} of {count} files became images")
        driver = watched()
    shutil.rmtree(config.root)
    shutil.rmtree(cluster)
    return seconds, driver
