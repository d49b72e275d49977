"""A proxy on the loopback that counts HTTP requests on their way to a server, and can hold each of them up."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_METHODS = (b"GET ", b"HEAD ", b"PUT ", b"POST ", b"DELETE ")


@dataclass
class Proxy:
    """``requests`` counts by method; LIST stands for a GET of a listing."""

    port: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def count(self, data: bytes) -> None:
        """Requests begin with what the client writes after an answer; those of these tests have no long bodies."""
        if data.startswith(_METHODS):
            method, target = data.split(b" ", 2)[:2]
            self.requests["LIST" if b"list-type=" in target else method.decode()] += 1


@contextmanager
def proxied(server: int, delay: float = 0.0) -> Iterator[Proxy]:
    """A proxy to a port of this machine; ``delay``: seconds that each request waits."""
    proxy, started = Proxy(), threading.Event()
    stop: list[Callable[[], object]] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", server)
        await asyncio.gather(pump(reader, forth, delay, proxy.count), pump(back, writer, 0, None))

    async def serve() -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
        listening = await asyncio.start_server(accept, "127.0.0.1", 0)
        proxy.port = listening.sockets[0].getsockname()[1]
        started.set()
        await stopped.wait()
        listening.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    started.wait()
    yield proxy
    stop[0]()
    thread.join()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, seen: object) -> None:
    """Bytes of one direction, until that side closes."""
    try:
        while data := await reader.read(1 << 16):
            if callable(seen):
                seen(data)
            if delay:
                await asyncio.sleep(delay)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
