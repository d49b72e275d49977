"""Bytes that the tables of zone 1 take for an image of a CT series."""

import random
from collections import Counter
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pydicom.data
from measures import line
from pyspark.sql import SparkSession

from secure.archive import SLICES
from secure.ground import Ground
from smi_spark import tables
from smi_spark.config import Config
from smi_spark.dicom import read_headers
from smi_spark.secure.ingest import ingest_headers
from smi_spark.synthetic.files import encode, series_images
from smi_spark.synthetic.people import Population
from smi_spark.synthetic.stories import HEAD_CT
from smi_spark.synthetic.studies import plan_study

SERIES = 20
_SEED = 1


def stored(ground: Ground) -> list[str]:
    """Series of 300 slices as the synthetic archive makes them; and the longest series that comes with pydicom."""
    made, real = ground.place / "series", ground.place / "real"
    names = _write_series(made, ground.count(SERIES, least=2))
    longest = _copy_longest(real)
    lines = ["", "stored bytes an image: data files of a table by its rows, zstd"]
    with ground.session({}) as spark:
        sizes = _sizes(spark, ground.config("made"), made)
        lines.append(f"  {names} synthetic CT series of {SLICES} slices: {_told(sizes)}")
        lines.append(line("kB of headers, bytes and all, an image", sizes["headers"] / 1000, 0.5, "kB", at_most=True))
        sizes = _sizes(spark, ground.config("real"), real)
        lines.append(f"  real, the longest that comes with pydicom, {longest} slices: {_told(sizes)}")
    return lines


def _told(sizes: dict[str, float]) -> str:
    first = f"{sizes.pop('header'):,.0f} bytes of header; "
    return first + ", ".join(f"{name} {size:,.0f}" for name, size in sizes.items())


def _sizes(spark: SparkSession, config: Config, source: Path) -> dict[str, float]:
    """Bytes a row of each table's data files, and of a header as it is in the file."""
    ingest_headers(spark, config, [str(source)])
    found: dict[str, float] = {}
    for place in sorted(Path(config.zone("secure")).glob("*/_delta_log")):
        name = place.parent.name
        rows = tables.read(spark, tables.table(config, f"secure/{name}"))
        files = [Path(unquote(urlsplit(file).path)) for file in rows.inputFiles()]
        if files and name != "runs":
            found[name] = sum(file.stat().st_size for file in files) / rows.count()
    headers = tables.read(spark, tables.table(config, "secure/headers"))
    found["header"] = headers.selectExpr("avg(length(header))").collect()[0][0]
    return found


def _write_series(folder: Path, count: int) -> int:
    """CT series of SLICES each, of people and scanners that differ; gives their number."""
    chance, people = random.Random(_SEED), Population()  # noqa: S311
    for _ in range(count):
        person = people.new(chance)
        study = plan_study(person, 1, HEAD_CT, date(2018, 3, 1), person.chi, chance)
        place = folder / study.accession
        place.mkdir(parents=True)
        for slice_, image in enumerate(series_images(study, study.series[-1], _SEED, range(1, SLICES + 1))):
            image.Rows = image.Columns = 1
            image.PixelData = b"\0\0"
            (place / f"{slice_:03}.dcm").write_bytes(encode(image))
    return count


def _copy_longest(folder: Path) -> int:
    """The CT series with the most files among pydicom's test data; gives the number of its slices."""
    source = Path(pydicom.data.__file__).parent / "test_files"
    paths = [str(path) for path in sorted(source.rglob("*")) if path.is_file()]
    read = read_headers(paths, {"series": "SeriesInstanceUID", "modality": "Modality", "image": "SOPInstanceUID"})
    rows = {row["image"]: (path, row) for path, row in zip(paths, read.to_pylist(), strict=True) if not row["reason"]}
    series = Counter(row["series"] for _, row in rows.values() if row["modality"] == "CT")
    wanted, count = series.most_common(1)[0]
    folder.mkdir()
    for path, row in rows.values():
        if row["series"] == wanted:
            (folder / f"{row['image']}.dcm").write_bytes(Path(path).read_bytes())
    return count
