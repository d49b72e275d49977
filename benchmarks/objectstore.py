"""Headers a second out of an S3 server whose every request waits 20 ms: many readers against one.

    python benchmarks/objectstore.py [--files 2000] [--save benchmarks/results/objectstore.txt]

Needs versitygw on the PATH. Server and proxy run on this machine's loopback; the figure is how well waiting is hidden.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import samples
from headers import machine
from measures import line

sys.path.insert(0, str(Path(__file__).parents[1]))

from smi_spark.dicom import read_headers
from tests.cluster.loopback import answers, free_port, program, running
from tests.cluster.proxy import proxied

DELAY = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--save", type=Path, help="file for the result")
    options = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bucket = place / "buckets" / "smi"
        bucket.mkdir(parents=True)
        (place / "sidecar").mkdir()
        paths = samples.small_files(bucket, options.files)
        uris = [f"s3://smi/{Path(path).relative_to(bucket)}" for path in paths]
        port = free_port()
        server = program("versitygw", how="go install github.com/versity/versitygw/cmd/versitygw@v1.8.0")
        command = [server, "--port", f"127.0.0.1:{port}", "--access", "smi", "--secret", "loopback", "--quiet",
                   "posix", "--sidecar", str(place / "sidecar"), str(place / "buckets")]  # fmt: skip
        stack.enter_context(running(command, place / "log", lambda: answers(port)))
        proxy = stack.enter_context(proxied(port, DELAY))
        os.environ |= {"AWS_ACCESS_KEY_ID": "smi", "AWS_SECRET_ACCESS_KEY": "loopback", "AWS_REGION": "us-east-1"}
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.port}"
        columns = {keyword: keyword for keyword in samples.COMMON}
        read_headers(uris[:64], columns, readers=64)
        rates = {
            readers: rate(uris[:count], columns, readers) for readers, count in ((1, 100), (16, 1000), (64, len(uris)))
        }
        proxy.requests.clear()
        read_headers(uris[:500], columns, readers=64)
        lines = [
            *machine(),
            "",
            f"objects of an S3 server on the loopback, each request held up for {DELAY * 1000:.0f} ms",
        ]
        lines += [f"  {readers:3} readers: {each:8,.0f} headers/s" for readers, each in rates.items()]
        lines.append(f"  500 headers cost {dict(proxy.requests)} requests")
        lines.append(line("64 readers against one", rates[64] / rates[1], 25))
    print("\n".join(lines))
    if options.save:
        options.save.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rate(uris: list[str], columns: dict[str, str], readers: int) -> float:
    start = time.perf_counter()
    found = read_headers(uris, columns, readers=readers)
    took = time.perf_counter() - start
    if found["reason"].null_count != len(uris):
        sys.exit("headers could not be read")
    return len(uris) / took


if __name__ == "__main__":
    main()
