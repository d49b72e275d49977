"""One run at a time: who writes holds a lease beside the tables; another run says who is at work, and does nothing."""

import fcntl
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smi_spark.errors import CHECK, BusyError, MachineError
from smi_spark.objectstore import open_store

FOLDER = "_leases"
BEAT = timedelta(seconds=30)
LAPSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Holder:
    """The run that holds a lease, and when it last said so (UTC, ISO 8601)."""

    run_id: str
    host: str
    process: int
    since: str
    beat: str


@contextmanager
def lease(base: str, name: str, run_id: str) -> Iterator[None]:
    """Hold the lease ``name``, after what is written (``images``), below a zone's URI while the body runs.

    In a folder it is a lock of the operating system's, which ends with the process, however that ends. In an object
    store it is an object that is put only where none is, and again every 30 seconds: after five minutes without, its
    run counts as killed and the lease is anybody's. In HDFS there is none.
    Raises BusyError when another run holds it, MachineError when the store cannot be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = Holder(run_id, socket.gethostname(), os.getpid(), now, now)
    if base.startswith(("hdfs://", "viewfs://")):
        yield
    elif "://" in base and not base.startswith("file://"):
        with _object(base, name, holder):
            yield
    else:
        with _locked(Path(base.removeprefix("file://")) / FOLDER / name, base, holder):
            yield


@contextmanager
def _locked(place: Path, base: str, holder: Holder) -> Iterator[None]:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(place.name, base, place.read_bytes()) from None
        file.truncate(0)
        file.write(_written(holder))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)  # nobody is at work, and runs without work leave every file as it was


@contextmanager
def _object(base: str, name: str, holder: Holder) -> Iterator[None]:
    import obstore
    from obstore.exceptions import BaseError

    store, key = open_store(base), f"{FOLDER}/{name}"
    try:
        tag = _take(store, key, name, base, holder)
    except BaseError as error:
        said = f"{base}/{key} cannot be written: {str(error).splitlines()[0]}"
        raise MachineError(f"{said}. {CHECK}") from None
    ended = threading.Event()
    beating = threading.Thread(target=_beat, args=(store, key, holder, tag, ended), daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        obstore.delete(store, key)


def _take(store: Any, key: str, name: str, base: str, holder: Holder) -> str | None:
    """Put the object, in place of none or of one that has lapsed; gives its tag."""
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    try:
        return obstore.put(store, key, _written(holder).encode(), mode="create")["e_tag"]
    except AlreadyExistsError:
        found = obstore.get(store, key)
        said, tag = bytes(found.bytes()), found.meta["e_tag"]
    if not _has_lapsed(said):
        raise _busy(name, base, said)
    try:
        return obstore.put(store, key, _written(holder).encode(), mode={"e_tag": tag})["e_tag"]
    except PreconditionError:
        raise _busy(name, base, said) from None


def _beat(store: Any, key: str, holder: Holder, tag: str | None, ended: threading.Event) -> None:
    import obstore

    while not ended.wait(BEAT.total_seconds()):
        said = asdict(holder) | {"beat": datetime.now(UTC).isoformat(timespec="seconds")}
        with suppress(Exception):  # a beat that is missed is made up for by the next
            tag = obstore.put(store, key, json.dumps(said).encode(), mode={"e_tag": tag})["e_tag"]


def _has_lapsed(said: bytes) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(json.loads(said)["beat"]) > LAPSE


def _written(holder: Holder) -> str:
    return json.dumps(asdict(holder))


def _busy(name: str, base: str, said: bytes) -> BusyError:
    who = ""
    with suppress(ValueError, TypeError):  # it may just be writing its name
        found = Holder(**json.loads(said))
        who = f": run {found.run_id} on {found.host}, process {found.process}, since {found.since}"
    return BusyError(f"another run writes {name} in {base}{who}. Nothing was done: start again when it has ended.")
