"""The one way to an object store: obstore, with credentials from the environment."""

import os
from functools import cache
from typing import Any


@cache
def open_store(uri: str) -> Any:
    """The store at a bucket or prefix (``s3://``, ``s3a://`` as Hadoop writes it, ``gs://``, ``az://``, ``abfss://``).

    A store of one's own is AWS_ENDPOINT_URL; where that is plain HTTP, so are the requests.
    """
    import obstore

    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    options: Any = {"allow_http": True} if plain else None
    return obstore.store.from_url(uri.replace("s3a://", "s3://", 1), client_options=options)
