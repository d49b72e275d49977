"""Object stores, through obstore: listing, and ranges of objects without asking for their size first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from smi_spark.errors import SourceError
from smi_spark.objectstore import open_store

SCHEMES = ("s3://", "s3a://", "gs://", "az://", "abfss://")
_AZURE = "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY"
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for a store of your own, AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": _AZURE,
    "abfss": _AZURE,
}


def is_remote(source: str) -> bool:
    return source.startswith(SCHEMES)


def normal(root: str) -> str:
    """The URI without a trailing slash; ``s3a://``, as Hadoop writes it, is ``s3://``."""
    root = root.rstrip("/")
    return "s3://" + root.removeprefix("s3a://") if root.startswith("s3a://") else root


def level(folder: str) -> tuple[list[str], list[str]]:
    """Folders and files at the first level below a URI, by name; SourceError when it cannot be listed."""
    import obstore

    bucket, key = _split(folder)
    cut = len(key) + 1 if key else 0
    try:
        found = obstore.list_with_delimiter(open_store(bucket), prefix=key or None)
    except Exception as error:
        raise _not_listed(folder, error) from None
    folders = sorted(name.rstrip("/")[cut:] for name in found["common_prefixes"])
    return folders, sorted(item["path"][cut:] for item in found["objects"])


def files(folder: str, prefix: str) -> Iterator[tuple[str, int, datetime]]:
    """The objects below a prefix (``""`` or with ``/`` at its end: those directly in it): path, bytes, time."""
    import obstore

    bucket, key = _split(folder)
    cut = len(key) + 1 if key else 0
    try:
        place = f"{key}/{prefix}".strip("/") or None
        if prefix == "" or prefix.endswith("/"):
            pages: Any = [obstore.list_with_delimiter(open_store(bucket), prefix=place)["objects"]]
        else:
            pages = obstore.list(open_store(bucket), prefix=place, chunk_size=1000)
        for page in pages:
            for item in page:
                yield item["path"][cut:], item["size"], item["last_modified"]
    except Exception as error:
        raise _not_listed(folder, error) from None


def read_range(source: str, offset: int, length: int) -> tuple[bytes, int]:
    """Up to ``length`` bytes from ``offset``, and the object's size, in one request.

    Raises OSError when the object is not there or the store does not answer.
    """
    import obstore

    bucket, key = _split(normal(source))
    try:
        got = obstore.get(open_store(bucket), key, options={"range": (offset, offset + length)})
        return bytes(got.bytes()), int(got.meta["size"])
    except Exception as error:
        if "416" in str(error) or "InvalidRange" in str(error) or "was out of bounds" in str(error):
            return b"", 0  # what stores say of an object without bytes
        raise OSError(str(error).splitlines()[0]) from None


def state(source: str) -> tuple[int, datetime] | None:
    """Bytes and time of last change of an object, in one request; none where it is not there.

    Raises SourceError when the store does not answer.
    """
    import obstore

    bucket, key = _split(normal(source))
    try:
        found = obstore.head(open_store(bucket), key)
        return found["size"], found["last_modified"]
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _not_listed(source, error) from None


def _split(uri: str) -> tuple[str, str]:
    scheme, _, rest = normal(uri).partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def _not_listed(folder: str, error: Exception) -> SourceError:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    credentials = _CREDENTIALS[folder.partition("://")[0]]
    return SourceError(f"source {folder} cannot be listed: {said}. Check the URI and the credentials: {credentials}.")
