"""Headers out of an S3 server, the same as from the folder that was put there."""

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import obstore
import pydicom.data
import pytest
import yaml
from obstore.store import S3Store
from pyspark.sql import SparkSession

from smi_spark import session, tables
from smi_spark.config import Config
from smi_spark.dicom import read_headers
from smi_spark.dicom.sources import addresses, list_files, list_prefixes
from smi_spark.errors import BusyError, InputError, MachineError, SourceError
from smi_spark.lease import FOLDER, Holder, lease
from smi_spark.objectstore import open_store
from smi_spark.secure.ingest import ingest_headers
from smi_spark.synthetic import Answers, write_archive
from tests.cluster.loopback import answers, free_port, program, running
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.standalone import ENVIRONMENT, SETTINGS, SUBMIT, flags
from tests.conftest import make_config
from tests.projects import LONG, LUNG, with_projects

pytestmark = pytest.mark.objectstore

FILES = Path(pydicom.data.__file__).parent / "test_files"
NAMES = ["CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "README.txt", "rtplan.dcm"]
KEYS = [f"archive/{folder}/{name}" for folder in ("2019", "2020") for name in NAMES]

COHORT = {
    "cohort": "ct_then_admitted",
    "project": "lab",
    "question": "Who had a CT?",
    "images": {"modality": "CT"},
    "deliver": {"records": {"smr01": {"from": "-5 years", "until": "5 years"}}},
}
S3_SETTINGS = SETTINGS | {
    "spark.driver.memory": "2g",
    "spark.jars.ivy": str(session.ivy()),
    "spark.hadoop.fs.s3a.path.style.access": "true",
}


@pytest.fixture(scope="session")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server shows as its store: a bucket is a folder in it, an object a file."""
    return tmp_path_factory.mktemp("buckets")


@pytest.fixture(scope="session")
def store(buckets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a bucket that holds the same five files in two folders; the environment says how to get at it."""
    server = program("versitygw", how="go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
    place, port = tmp_path_factory.mktemp("store"), free_port()
    (place / "sidecar").mkdir()
    access = {
        "AWS_ACCESS_KEY_ID": "smi",
        "AWS_SECRET_ACCESS_KEY": "loopback",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    command = [server, "--port", f"127.0.0.1:{port}", "--access", "smi", "--secret", "loopback", "--quiet",
               "posix", "--sidecar", str(place / "sidecar"), str(buckets)]  # fmt: skip
    with running(command, place / "log", lambda: answers(port)), pytest.MonkeyPatch.context() as patch:
        (buckets / "smi").mkdir()
        for name, value in access.items():
            patch.setenv(name, value)
        bucket = S3Store("smi", client_options={"allow_http": True})
        for key in KEYS:
            obstore.put(bucket, key, (FILES / Path(key).name).read_bytes())
        yield "s3://smi/archive"


def test_a_prefix_is_listed_as_a_folder_is(store: str) -> None:
    assert list_prefixes(store) == ["2019", "2020"]
    listed = {path: size for path, size, _modified in list_files(store, "2020")}
    assert listed == {f"2020/{name}": (FILES / name).stat().st_size for name in NAMES}


def test_days_of_a_prefix_lists_of_keys_and_keys_with_any_name(store: str, tmp_path: Path) -> None:
    bucket = S3Store("smi", client_options={"allow_http": True})
    names = ["a, b;#1 100% %41.dcm", r"å\xff+?.dcm", "n" * 200 + "/" + "n" * 200 + "/1.dcm"]
    content = (FILES / "CT_small.dcm").read_bytes()
    keys = [f"2026/11/{day}/A/{name}" for day in ("01", "02") for name in names]
    for key in (*keys, "2026/11/note.txt", "2026/13/1.dcm"):
        obstore.put(bucket, f"pacs/{key}", content)
    root = "s3://smi/pacs"
    assert list_prefixes(f"pacs:{root}@2026-11-02..") == ["2026/11/02"]
    assert list_prefixes(f"pacs:{root}") == ["2026/11/", "2026/11/01", "2026/11/02", "2026/13"]
    assert [path for path, _, _ in list_files(f"pacs:{root}", "2026/11/")] == ["2026/11/note.txt"]
    listed = {path: (size, time) for path, size, time in list_files(f"pacs:{root}@2026-11-02", "2026/11/02")}
    assert set(listed) == set(keys[3:])
    assert read_headers(addresses(root, listed), {"Rows": "Rows"}, within=root)["Rows"].to_pylist() == [128] * 3

    lines = [keys[3], f"{root}/{keys[4]}", f"s3a://smi/pacs/{keys[5]}", "2026/gone.dcm", "s3://other/1.dcm"]
    (tmp_path / "night.txt").write_text("\n".join(lines))
    obstore.put(bucket, "lists/night.txt", "\n".join(lines).encode())
    for place in (f"{tmp_path}/night.txt", "s3://smi/lists/night.txt"):
        (part,) = list_prefixes(f"list:{place}@{root}")
        named = {path: (size, time) for path, size, time in list_files(f"list:{place}@{root}", part)}
        assert named == {**listed, "2026/gone.dcm": (None, None), "../s3://other/1.dcm": (None, None)}


def test_headers_are_the_same_as_those_of_the_files(store: str) -> None:
    remote = read_headers([f"{store}/2020/{name}" for name in NAMES]).drop_columns(["source"])
    local = read_headers([str(FILES / name) for name in NAMES]).drop_columns(["source"])

    assert remote.to_pylist() == local.to_pylist()
    assert remote["modality_as_written"].to_pylist() == ["CT", "MR", "MR", None, "RTPLAN"]


def test_an_object_that_is_not_there_is_a_row_with_its_reason(store: str) -> None:
    row = read_headers([f"{store}/2020/none.dcm"]).to_pylist()[0]
    assert (row["reason"], row["StudyInstanceUID"]) == ("unreadable", None)


def test_a_bucket_that_is_not_there_is_told(store: str) -> None:
    with pytest.raises(SourceError, match="source s3://nobody/here cannot be listed"):
        list_prefixes("s3://nobody/here")


def test_a_job_ingests_from_the_store_and_a_second_run_adds_nothing(
    store: str, spark: SparkSession, config: Config
) -> None:
    ingest_headers(spark, config, [store])
    before = tables.versions_below(Path(config.root))
    ingest_headers(spark, config, [store])

    assert tables.versions_below(Path(config.root)) == before
    headers = tables.read(spark, tables.table(config, "secure/headers")).collect()
    assert sorted(f"archive/{row.path}" for row in headers) == KEYS
    assert {row.source for row in headers} == {store}


def test_a_header_that_fits_costs_one_request_and_no_look_before(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with through_proxy(monkeypatch) as proxy:
        found = read_headers([f"{store}/2020/{name}" for name in NAMES], with_header=True)
    assert found["requests"].to_pylist() == [1, 1, 1, 1, 1]
    assert proxy.requests == {"GET": 5}


def test_members_of_an_archive_cost_one_request_each_beside_its_directory(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(20):
            archive.write(FILES / "CT_small.dcm", f"{number}.dcm")
    obstore.put(S3Store("smi", client_options={"allow_http": True}), "zipped/night.zip", content.getvalue())
    root = "s3://smi/zipped"
    with through_proxy(monkeypatch) as proxy:
        paths = [path for path, _, _ in list_files(root, "")]
        found = read_headers([f"{root}/{path}" for path in paths], {"Rows": "Rows"})
    assert paths == [f"night.zip!{number}.dcm" for number in range(20)]
    assert found["Rows"].to_pylist() == [128] * 20
    assert proxy.requests["LIST"] == 1
    assert proxy.requests["GET"] <= 20 + 4  # its size, the end of its directory twice, and the directory


def test_a_lease_in_a_store_is_held_by_one_and_lapses_with_a_run_that_was_killed(store: str) -> None:
    zone = "s3a://smi/zone"
    with (
        lease(zone, "images", "run-1"),
        pytest.raises(BusyError, match="run run-1 on"),
        lease(zone, "images", "run-2"),
    ):
        pass
    ago = "2026-01-01T00:00:00+00:00"
    killed = json.dumps(asdict(Holder("run-3", "elsewhere", 1, ago, ago))).encode()
    obstore.put(open_store(zone), f"{FOLDER}/images", killed)
    with lease(zone, "images", "run-4"), pytest.raises(BusyError, match="run run-4 on"):
        lease(zone, "images", "run-5").__enter__()
    with lease(zone, "images", "run-6"):
        pass


def test_a_store_that_refuses_a_lease_is_told_in_a_line(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    wanted = "s3a://smi/others/_leases/images cannot be written: .*403 Forbidden.* See jobs/check.py: it looks at"
    with pytest.raises(MachineError, match=wanted), lease("s3a://smi/others", "images", "run-1"):
        pass


def test_a_rehearsal_archive_is_written_into_the_store_as_into_a_folder(
    store: str, buckets: Path, tmp_path: Path
) -> None:
    for out in (str(tmp_path / "rehearsal"), "s3://smi/rehearsal"):
        write_archive(out, patients=1, seed=7)
    made, stored = (
        {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}
        for place in (tmp_path / "rehearsal", buckets / "smi" / "rehearsal")
    )
    assert stored == made
    with pytest.raises(InputError, match=r"s3://smi/rehearsal holds something already\."):
        write_archive("s3://smi/rehearsal", patients=1, seed=7)


@pytest.mark.long
def test_a_whole_archive_lives_in_the_store_and_a_second_night_adds_no_version(
    store: str, buckets: Path, tmp_path: Path
) -> None:
    """In a session of its own: the jars of hadoop-aws are there only where a session asks for them."""
    write_archive(tmp_path / "made", patients=4, seed=7)
    planted = Answers.read(tmp_path / "made")
    made = [file for kind in ("dicom", "records") for file in (tmp_path / "made" / kind).rglob("*") if file.is_file()]
    bucket = open_store("s3://smi")
    for file in made:
        obstore.put(bucket, f"night/{file.relative_to(tmp_path / 'made')}", file.read_bytes())
    in_store = make_config(tmp_path).model_copy(update={"root": "s3a://smi/zones", "spark": {}})
    config = with_projects(in_store, tmp_path / "projects", LUNG | LONG | {"project": "lab"})
    settings = config.model_dump(exclude={"secure", "deidentified", "analysis"}, exclude_none=True)
    (tmp_path / "smi.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(COHORT))
    zones = buckets / "smi" / "zones"

    ended = subprocess.run(
        [SUBMIT, "--master", "local[2]", "--properties-file", "conf/spark-s3.conf", *flags(S3_SETTINGS),
         "tests/cluster/whole_way.py", tmp_path / "smi.yaml", "s3://smi/night", tmp_path / "cohort.yaml", zones],
        env=ENVIRONMENT | os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    first, second = told["nights"]
    assert first["versions"] == second["versions"]
    assert set(first["versions"]) >= {"secure/images", "secure/records/smr01", "secure/links", "deidentified/studies",
                                      "analysis/cohorts", "analysis/lab/ct_then_admitted/images"}  # fmt: skip
    assert first["said"][0].startswith(f"{planted.files} new files, {planted.files} read")
    assert f"added: images {sum(planted.good_images.values())}, " in first["said"][2]
    assert second["said"][0].startswith("0 new files, 0 read, 0 images added")
    assert second["said"][2].startswith("added: images 0, records/smr01 0; rolled up: series 0, studies 0")
    assert "version 1 is already this" in second["said"][3]

    scans = sum(count for place, count in planted.good_images.items() if place.startswith("CT/"))
    assert told["found"] == {
        "version": 1, "modalities": ["CT"], "images": scans, "patients": 3, "stays": 5,
        "writable": "s3a://smi/zones/secure",
    }  # fmt: skip
    manifest = json.loads((zones / "analysis" / "lab" / "ct_then_admitted" / "manifest-v1.json").read_text())
    assert (manifest["cohort"], manifest["version"]) == ("ct_then_admitted", 1)


@contextmanager
def through_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Requests to the store go through a proxy that counts them."""
    server = int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with proxied(server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        open_store.cache_clear()
        yield proxy
    monkeypatch.undo()
    open_store.cache_clear()
