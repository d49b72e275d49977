"""Chromium without a window: what it makes of a page."""

import re
import subprocess
from pathlib import Path

from tests.cluster.loopback import program

# Nothing is fetched, nothing is kept, and no sandbox, which needs rights that a build machine does not give.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


def drawn(page: Path, folder: Path, *flags: str) -> str:
    """The page's DOM, or nothing where ``flags`` ask for a picture instead."""
    browser = program("chromium", "chromium-browser", "google-chrome", how="apt install chromium")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def said(page: Path, folder: Path) -> list[str]:
    """What the page wrote to the browser's console: errors and warnings of its own, and of what it could not fetch."""
    browser = program("chromium", "chromium-browser", "google-chrome", how="apt install chromium")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    return re.findall(r"CONSOLE.*?\] (.*)", done.stderr)
