import os
import re
from pathlib import Path
from socket import gethostname

import pytest

from smi_spark.config import KeySource
from smi_spark.deidentified.keys import create_key, key_id, load_key, project_key
from smi_spark.deidentified.pseudonyms import worker_key
from smi_spark.errors import KeyFileError

DIGITS = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
KEY = bytes(range(32))


def key_file(folder: Path, text: str = DIGITS + "\n", mode: int = 0o600) -> KeySource:
    file = folder / "archive.key"
    file.write_text(text)
    file.chmod(mode)
    return KeySource(file=str(file))


def refusal(source: KeySource) -> str:
    with pytest.raises(KeyFileError) as caught:
        load_key(source)
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_is_read_from_a_private_file(tmp_path: Path, mode: int) -> None:
    assert load_key(key_file(tmp_path, mode=mode)) == KEY


def test_a_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMI_KEY", DIGITS.upper())
    assert load_key(KeySource(env="SMI_KEY")) == KEY


@pytest.mark.usefixtures("vault")
def test_a_secret_made_of_a_key_file_may_keep_its_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMI_KEY", DIGITS + "\n")
    assert load_key(KeySource(env="SMI_KEY")) == load_key(KeySource(plugin="line")) == KEY


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with plug-ins: one that answers, one that answers nonsense, one that fails."""
    (tmp_path / "site_vault.py").write_text(
        f"def key():\n    return {DIGITS!r}\n\ndef line():\n    return key() + '\\n'\n\n"
        "def short():\n    return 'abc'\n\n"
        f"def closed():\n    raise PermissionError({DIGITS!r})\n"
    )
    told = tmp_path / "site_vault-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: site-vault\nVersion: 1.0\n")
    names = "".join(f"{name} = site_vault:{name}\n" for name in ("key", "line", "short", "closed"))
    (told / "entry_points.txt").write_text(f"[smi_spark.keys]\n{names}")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("vault")
def test_a_key_is_asked_of_a_plug_in() -> None:
    assert load_key(KeySource(plugin="key")) == KEY


@pytest.mark.usefixtures("vault")
@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        ("short", "key plug-in short does not hold a key: 64 hexadecimal digits are one."),
        ("closed", "key plug-in closed failed with PermissionError. Call it by itself on an executor to see why."),
        ("keys", "entry points of smi_spark.keys: keys is not a plug-in."),
    ],
)
def test_a_plug_in_that_gives_no_key_is_told_without_what_it_holds(plugin: str, told: str) -> None:
    message = refusal(KeySource(plugin=plugin))
    assert message.startswith(told)
    assert DIGITS not in message


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o644, "can be read by group and others (mode 0644)"),
        (0o640, "can be read by group (mode 0640)"),
        (0o604, "can be read by others (mode 0604)"),
        (0o602, "can be changed by others (mode 0602)"),
    ],
)
def test_a_key_that_others_reach_is_refused(tmp_path: Path, mode: int, told: str) -> None:
    file = tmp_path / "archive.key"
    assert refusal(key_file(tmp_path, mode=mode)) == f"key file {file} {told}. Run: chmod 600 {file}"


def test_a_node_with_another_key_than_the_driver_is_told(tmp_path: Path) -> None:
    source = key_file(tmp_path)
    load = worker_key(source, None)
    assert load() == KEY
    key_file(tmp_path, "f" * 64)  # as it lies on a node where somebody made a key of its own
    with pytest.raises(KeyFileError) as caught:
        load()
    other = key_id(bytes.fromhex("f" * 64))
    assert str(caught.value) == (
        f"key file {source.file} holds key {other} on {gethostname()}, and key {key_id(KEY)} where the run was "
        "started. Make a key once, and copy it to every node."
    )


def test_a_driver_without_the_key_leaves_it_to_the_workers(tmp_path: Path) -> None:
    load = worker_key(KeySource(file=str(tmp_path / "archive.key")), "lung")
    key_file(tmp_path)
    assert load() == project_key(KEY, "lung")


def test_an_absent_key_is_told_with_how_to_make_it(tmp_path: Path) -> None:
    file = tmp_path / "none.key"
    told = f"key file {file} does not exist. Make it: jobs/create_key.py --out {file}"
    assert refusal(KeySource(file=str(file))) == told


@pytest.mark.parametrize("text", [DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "g", "é" * 64])
def test_a_malformed_key_is_told_without_what_it_holds(tmp_path: Path, text: str) -> None:
    message = refusal(key_file(tmp_path, text))

    assert "does not hold a key: 64 hexadecimal digits are one. " in message
    assert text[:16] not in message


def test_an_empty_key_file_holds_no_key(tmp_path: Path) -> None:
    assert "holds no key. Restore it, or make a new one" in refusal(key_file(tmp_path, "\n"))


def test_an_unset_variable_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMI_KEY", raising=False)
    assert refusal(KeySource(env="SMI_KEY")) == (
        "environment variable SMI_KEY holds no key. "
        "Set SMI_KEY for the executors to what jobs/create_key.py --out FILE wrote."
    )


def test_a_new_key_is_private_random_and_never_overwritten(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        names = [create_key(tmp_path / "keys" / name) for name in ("a.key", "b.key")]
    finally:
        os.umask(old)
    file = tmp_path / "keys" / "a.key"
    before = file.read_text()

    with pytest.raises(KeyFileError, match="is there already"):
        create_key(file)
    assert file.read_text() == before
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_id(load_key(KeySource(file=str(file)))) == names[0] != names[1]


def test_a_key_is_named_by_twelve_digits_that_are_not_its_own() -> None:
    # printf "key-id|" | openssl dgst -sha256 -mac HMAC -macopt hexkey:<KEY>
    assert key_id(KEY) == "6b4683bcc95b"
    assert re.fullmatch("[0-9a-f]{12}", key_id(KEY))
    assert key_id(KEY) not in DIGITS


def test_a_projects_key_is_the_one_that_hkdf_derives() -> None:
    # openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:<KEY> -kdfopt info:smi_spark/project|lung HKDF
    assert project_key(KEY, "lung").hex() == "3a0bd4e98a9bded1eb35a17c4d53f781118bc558db2a9e85fa6329906a3774c7"


def test_no_two_projects_share_a_key() -> None:
    assert len({KEY, project_key(KEY, "lung"), project_key(KEY, "lungs"), project_key(KEY, "heart")}) == 4
