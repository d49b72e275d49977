"""Two workers of one core against one."""

import shutil

from measures import line

from secure.driver import small_driver
from secure.ground import Ground, apart, timed
from smi_spark.secure.ingest import ingest_headers
from tests.cluster.standalone import standalone

FILES, WARM = 1_000_000, 10_000


def workers(ground: Ground) -> list[str]:
    """Each number of workers in a cluster of its own, each worker on a core of its own."""
    count = ground.count(FILES)
    one, two = (apart(_take_in, ground, count, number) for number in (1, 2))
    return [
        "",
        f"workers of one core, each pinned to one: {count:,} files; driver and master share the machine's two cores",
        f"  one {one:.1f} s, {count / one:,.0f} files/s; two {two:.1f} s, {count / two:,.0f} files/s",
        line("two workers against one", one / two, 1.5),
    ]


def _take_in(ground: Ground, count: int, number: int) -> float:
    cluster = ground.place / f"workers-{number}"
    cluster.mkdir()
    source, warm = ground.files(count), ground.files(ground.count(WARM))
    with standalone(cluster, number, "3g", pinned=True) as url, small_driver(ground, url) as (spark, _):
        for name in ("warm", "warm again"):
            ingest_headers(spark, ground.config(name), [warm])
        config = ground.config(f"by-{number}")
        seconds, counts = timed(lambda: ingest_headers(spark, config, [source]))
    if counts.images != count:
        raise RuntimeError(f"{counts.images} of {count} files became images")
    shutil.rmtree(config.root)
    shutil.rmtree(cluster)
    return seconds
