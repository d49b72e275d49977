"""The ways to an object store, with the environment's credentials: obstore for objects, pyarrow for files in it."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


@cache
def open_store(uri: str) -> Any:
    """The store at a bucket or prefix (``s3://``, ``s3a://`` as Hadoop writes it, ``gs://``, ``az://``, ``abfss://``).

    A store of one's own is AWS_ENDPOINT_URL; where that is plain HTTP, so are the requests.
    """
    import obstore

    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    options: Any = {"allow_http": True} if plain else None
    return obstore.store.from_url(uri.replace("s3a://", "s3://", 1), client_options=options)


def open_files(uri: str) -> "tuple[FileSystem, str]":
    """The file system of a URI or of an absolute path, and the path in it; ``s3a://`` is ``s3://`` here too."""
    from pyarrow.fs import FileSystem

    return FileSystem.from_uri(uri.replace("s3a://", "s3://", 1))


def read_text(uri: str) -> str | None:
    """A small text file in UTF-8; none where there is no such file."""
    from pyarrow.fs import FileType

    system, path = open_files(uri)
    if system.get_file_info(path).type == FileType.NotFound:
        return None
    with system.open_input_stream(path) as stream:
        return bytes(stream.read()).decode()


def write_text(uri: str, content: str) -> None:
    """Put a small text file there, in place of one that is."""
    system, path = open_files(uri)
    with system.open_output_stream(path) as stream:
        stream.write(content.encode())
