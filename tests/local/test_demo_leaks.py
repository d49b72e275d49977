"""The whole demonstration, and runs that go wrong on its data, taken apart: nobody outside zone 1, no key anywhere."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pydicom
import pytest

from smi_spark.deidentified.keys import project_key
from smi_spark.deidentified.pseudonyms import STANDARD_UIDS
from smi_spark.demo import REAL_FILES
from smi_spark.synthetic import Answers
from tests.conftest import SPARK
from tests.leaks import Leak, find_tokens, key_tokens
from tests.parquet_parts import BLOOM_FILTER, column_metadata

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]

JOBS = Path(__file__).parents[2] / "jobs"
PLANNED = "Plannedforyou"
KEYS = {name: hashlib.sha256(f"a key that a test knows: {name}".encode()).digest() for name in ("archive", "projects")}
SECURE = ("data/secure", "data/demo", "data/keys", "local", "tmp", "heap.hprof", "wrong")
MEASURED = re.compile(rb'(?<=[^\\]"):[0-9]+(?=[,}])|(?<="Update":)"[0-9]+"|(?<="Value":)"[0-9]+"')
LOG4J = """
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {place}/logs/spark.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{HH:mm:ss}} %p %c: %m%n%ex%n
"""


@dataclass(frozen=True)
class Shown:
    """What a run of the demonstration left below ``place``: data, events, logs, local, tmp, said …"""

    place: Path

    @property
    def said(self) -> str:
        return (self.place / "said" / "out.txt").read_text() + (self.place / "said" / "errors.txt").read_text()

    @cached_property
    def identities(self) -> list[str]:
        """Texts that say who somebody is, of the synthetic archive and of pydicom's files."""
        answers = Answers.read(self.place / "data" / "demo")
        texts = {text for texts in answers.identifiers.values() for text in texts}
        unpadded = {chi.removeprefix("0") for chi in answers.identifiers["chi"]}
        return sorted(texts | unpadded | set(_of_real_files()))

    def outside_zone_1(self) -> Iterator[Path]:
        inside = [self.place / name for name in SECURE]
        folders = [*self.place.iterdir(), *(self.place / "data").iterdir()]
        yield from (path for path in sorted(folders) if path not in inside and path.name != "data")


def _of_real_files() -> Iterator[str]:
    """No text that is as likely to be somebody else's: numbers of nine digits, texts of eight characters, or more."""
    for path in (path for path in REAL_FILES.rglob("*.dcm") if path.is_file()):
        yield path.name
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        except Exception:  # some are broken on purpose
            continue
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            if not (uid := str(dataset.get(keyword, ""))).startswith(STANDARD_UIDS) and len(uid) > 20:
                yield uid
        for text in (str(dataset.get(keyword, "")) for keyword in ("PatientID", "PatientName", "AccessionNumber")):
            if len(text) > 8 - (not text.isdigit()) and text not in ("Anonymous", "Anonymized"):
                yield text


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demonstration as a user starts it, with keys that are there already, and wrong runs behind it."""
    place = tmp_path_factory.mktemp("shown")
    for name in ("data/keys", "events", "logs", "local", "tmp", "said", "wrong/files"):
        (place / name).mkdir(parents=True)
    for name, key in KEYS.items():
        _write_key(place / "data" / "keys" / f"{name}.key", key.hex())
    (place / "logs" / "log4j2.properties").write_text(LOG4J.format(place=place))
    jobs = [["demo"], *_wrong(place)]
    steps = [[str(JOBS / f"{job}.py"), *_given(place), *arguments] for job, *arguments in jobs]
    todo = {"jobs": steps, "planned": PLANNED, "heap": str(place / "heap.hprof")}
    (place / "wrong" / "todo.json").write_text(json.dumps(todo))
    with (place / "said" / "out.txt").open("w") as out, (place / "said" / "errors.txt").open("w") as errors:
        subprocess.run(
            [sys.executable, "-m", "tests.watched", str(place / "wrong" / "todo.json")],
            cwd=JOBS.parent, env=os.environ | {"TMPDIR": str(place / "tmp")}, stdout=out, stderr=errors, check=True,
        )  # fmt: skip
    return Shown(place)


def _write_key(file: Path, digits: str, mode: int = 0o600) -> None:
    file.touch(mode=0o600)
    file.write_text(digits + "\n")
    file.chmod(mode)


def _given(place: Path) -> list[str]:
    spark = SPARK | {
        "spark.driver.extraJavaOptions": f"{SPARK['spark.driver.extraJavaOptions']} -Djava.io.tmpdir={place}/tmp "
        f"-Dlog4j2.configurationFile=file:{place}/logs/log4j2.properties",
        "spark.driver.memory": "1500m",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": f"file://{place}/events",
        "spark.local.dir": f"{place}/local",
        "spark.sql.warehouse.dir": f"{place}/warehouse",
        # What lies in spark.local.dir stays there, can be read, and the commands that workers are sent are among it.
        "spark.cleaner.referenceTracking": "false",
        "spark.shuffle.compress": "false",
        "spark.shuffle.spill.compress": "false",
        "spark.broadcast.compress": "false",
        "spark.broadcast.UDFCompressionThreshold": "1",
    }
    settings = {"root": place / "data"} | {f"keys.{name}.file": place / "data/keys" / f"{name}.key" for name in KEYS}
    settings |= {f"spark.{name}": value for name, value in spark.items()}
    return ["--config", str(JOBS.parent / "conf" / "local.yaml"), *_set(settings)]


def _set(settings: dict[str, object]) -> list[str]:
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


def _wrong(place: Path) -> Iterator[list[str]]:
    """Runs that end with an error: a damaged key, an open one, no table, no field, a folder of nothing, bad rows."""
    wrong = place / "wrong"
    _write_key(wrong / "damaged.key", KEYS["archive"].hex()[:63])
    _write_key(wrong / "open.key", KEYS["archive"].hex(), 0o644)
    (wrong / "files" / "letter.dcm").write_text("Nothing that DICOM knows")
    (wrong / "cohort.yaml").write_text("cohort: wrong\nproject: demo\nquestion: Who?\nimages: {modalty: CT}\n")
    yield ["pseudonymise", *_set({"keys.archive.file": wrong / "damaged.key"})]
    yield ["pseudonymise", *_set({"keys.archive.file": wrong / "open.key"})]
    yield ["scan_identifiers", "--table", "deidentified/nothing"]
    yield ["build_cohort", "--cohort", str(wrong / "cohort.yaml")]
    yield ["ingest_headers", "--source", str(wrong / "nothing")]
    # The demography has other columns; and what is good of it is too little.
    yield ["load_records", "--table", "smr01", "--source", str(place / "data/demo/records/demography")]
    yield ["load_records", "--again", "--table", "demography", "--source", str(place / "data/demo/records/demography"),
           *_set({"records.max_bad_fraction": 0})]  # fmt: skip
    yield ["ingest_headers", "--source", str(wrong / "files"), *_set({"ingest.max_bad_fraction": 0})]


def test_the_demonstration_runs_and_what_is_wrong_ends_with_an_error(shown: Shown) -> None:
    ended = [line for line in shown.said.splitlines() if " ended with " in line]
    assert ended == [
        "demo.py ended with 0",
        *["pseudonymise.py ended with 2"] * 2,
        *[f"{job}.py ended with 1" for job in ("scan_identifiers", "build_cohort", "ingest_headers", "load_records")],
        "load_records.py ended with 3",
        "ingest_headers.py ended with 3",
    ]


def test_every_kind_of_planted_text_is_found_in_zone_1(shown: Shown) -> None:
    kinds = Answers.read(shown.place / "data" / "demo").identifiers
    found = {token for _, token, _ in find_tokens(shown.place / "data" / "secure", shown.identities)}
    assert [kind for kind, texts in kinds.items() if not found & set(texts)] == []


def test_nothing_that_says_who_somebody_is_stands_outside_zone_1(shown: Shown) -> None:
    places = list(shown.outside_zone_1())
    assert {place.name for place in places} >= {"analysis", "deidentified", "events", "logs", "said"}
    leaks = [(place, leak) for place in places for leak in find_tokens(place, shown.identities)]
    assert [leak for place, leak in leaks if not _is_measured(place / leak.file, leak)] == []


def _is_measured(file: Path, leak: Leak) -> bool:
    """Whether digits are a time or a size that Spark measured, as 19650330 ns: plans are texts in the event log."""
    if file.parent.parent.name != "events" or leak.encoding != "text" or not str(leak.token).isdigit():
        return False
    return str(leak.token).encode() not in MEASURED.sub(b"", file.read_bytes())


def test_a_time_that_spark_measured_is_nobodys_birth_date(tmp_path: Path) -> None:
    (log := tmp_path / "events" / "eventlog_v2_1" / "events_1").parent.mkdir(parents=True)
    leak = Leak(log.name, "19650330", "text")
    log.write_text('{"Executor CPU Time":19650330,"Accumulables":[{"Update":19650330,"Value":"19650330"}]}')
    assert _is_measured(log, leak)
    for plan in (r'{"Plan":"birth_date = 19650330"}', r'{"Plan":"{\"birth_date\":19650330}"}', '{"Path":"19650330"}'):
        log.write_text(plan)
        assert not _is_measured(log, leak)


def test_no_key_stands_anywhere_but_in_its_file(shown: Shown) -> None:
    keys = [*KEYS.values(), project_key(KEYS["projects"], "demo")]
    leaks = find_tokens(shown.place, [token for key in keys for token in key_tokens(key)])
    files = {f"data/keys/{name}.key" for name in KEYS} | {f"wrong/{name}.key" for name in ("open", "damaged")}
    assert {leak.file for leak in leaks} == files


def test_what_was_put_into_a_plan_on_purpose_is_found_in_the_event_log(shown: Shown) -> None:
    (leak,) = find_tokens(shown.place / "events", [PLANNED])
    assert (leak.token, leak.encoding) == (PLANNED, "text")


def test_the_commands_of_workers_lie_where_they_are_searched(shown: Shown) -> None:
    leaks = find_tokens(shown.place / "local", [str(shown.place / "data/keys/archive.key")])
    assert leaks, "a worker is told where its key lies"


def test_no_file_has_a_bloom_filter(shown: Shown) -> None:
    files = [path for path in shown.place.rglob("*.parquet") if path.is_file() and "demo" not in path.parts]
    assert len(files) > 100
    assert [path for path in files for column in column_metadata(path.read_bytes()) if BLOOM_FILTER in column] == []
