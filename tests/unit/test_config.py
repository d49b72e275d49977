from pathlib import Path

import pytest

from smi_spark.config import Config, load_config
from smi_spark.errors import ConfigError

KEYS = "keys:\n  archive: {file: /keys/archive.key}\n  projects: {env: SMI_PROJECTS}\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "smi.yaml"
    file.write_text(text)
    return file


def problem(file: Path, *settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(file, settings)
    return str(caught.value).replace(str(file), "smi.yaml")


def test_zones_lie_below_the_root_unless_they_have_a_place_of_their_own(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, f"root: /mnt/smi/\nsecure: s3a://vault/\n{KEYS}"))

    assert config.zone("secure") == "s3a://vault"
    assert config.zone("deidentified") == "/mnt/smi/deidentified"
    assert config.zone("analysis") == "/mnt/smi/analysis"


def test_a_relative_root_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(written(tmp_path, KEYS)).zone("secure") == f"{tmp_path}/data/secure"


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("root=/mnt/smi", lambda config: (config.root, "/mnt/smi")),
        ("ingest.readers=4", lambda config: (config.ingest.readers, 4)),
        ("records.max_bad_fraction=0.2", lambda config: (config.records.max_bad_fraction, 0.2)),
        ("pseudonyms.patients=lookup", lambda c: ((c.pseudonyms.patients, c.pseudonyms.misses), ("lookup", "draw"))),
        ("maintenance.horizons.secure/headers=90", lambda c: (c.maintenance.horizons, {"secure/headers": 90})),
        ("spark.spark.sql.shuffle.partitions=8", lambda c: (c.spark["spark.sql.shuffle.partitions"], "8")),
    ],
)
def test_a_setting_replaces_one_field(tmp_path: Path, setting: str, read) -> None:
    found, expected = read(load_config(written(tmp_path, KEYS), [setting]))
    assert found == expected


def test_a_later_setting_wins(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, KEYS), ["root=/one", "root=/two"]).root == "/two"


def test_a_wrong_field_is_named_with_those_accepted(tmp_path: Path) -> None:
    assert problem(written(tmp_path, f"rot: /mnt/smi\n{KEYS}")) == (
        "smi.yaml: rot is not a field. Fields here: root, secure, deidentified, analysis, profile, projects, "
        "operator, cards, keys, ingest, records, pseudonyms, energy, maintenance, text, spark. Did you mean root?"
    )


def test_a_wrong_field_of_a_section_is_named_by_its_path(tmp_path: Path) -> None:
    assert problem(written(tmp_path, f"{KEYS}ingest: {{reader: 4}}\n")) == (
        "smi.yaml: ingest.reader is not a field. Fields here: readers, first_read, keep_binary, keep_text, "
        "batch_files, slice_files, strict, max_bad_fraction, max_vanished_fraction. Did you mean readers?"
    )


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    lines = problem(written(tmp_path, f"rot: x\nsecur: y\n{KEYS}")).splitlines()
    assert [line.split(" is not a field")[0] for line in lines] == ["smi.yaml: rot", "smi.yaml: secur"]


def test_a_missing_field_is_told_with_what_it_is_for(tmp_path: Path) -> None:
    assert problem(written(tmp_path, "keys:\n  archive: {file: /k}\n")) == (
        "smi.yaml: keys.projects is missing. It is: parent of every project's key; read by build_cohort, "
        "load_annotations and withdraw."
    )


def test_a_value_of_the_wrong_kind_is_told_with_what_was_given(tmp_path: Path) -> None:
    assert problem(written(tmp_path, KEYS), "ingest.readers=many") == (
        "smi.yaml: ingest.readers: a whole number is wanted. Given: 'many'. It is: files read at once in one task."
    )


def test_the_ways_of_making_patient_ids_are_named(tmp_path: Path) -> None:
    assert problem(written(tmp_path, KEYS), "pseudonyms.patients=table") == (
        "smi.yaml: pseudonyms.patients: Input should be 'keyed', 'lookup' or 'lookup_or_keyed'. Given: 'table'. "
        "It is: patient ids: by the key, from secure/mapping, or from there, else by the key."
    )
    assert load_config(written(tmp_path, KEYS)).pseudonyms.patients == "keyed"


def test_a_key_has_exactly_one_source(tmp_path: Path) -> None:
    both = "keys:\n  archive: {file: /k, env: K}\n  projects: {env: P}\n"
    assert problem(written(tmp_path, both)) == (
        "smi.yaml: keys.archive: give exactly one of file, env and plugin. "
        "It is: CHI → pseudonym; read by pseudonymise, withdraw and rotate_key alone."
    )


def test_a_key_is_no_setting_of_spark(tmp_path: Path) -> None:
    given = "keys:\n  archive: {env: SMI_KEY}\n  projects: {env: P}\n"
    assert problem(written(tmp_path, given), "spark.spark.executorEnv.SMI_KEY=0a1b2c") == (
        "smi.yaml: spark.executorEnv.SMI_KEY would show a key to whoever sees Spark's pages and event logs. "
        "Set SMI_KEY in the environment of the workers themselves."
    )


def test_a_setting_without_a_value_is_refused(tmp_path: Path) -> None:
    assert problem(written(tmp_path, KEYS), "root") == (
        "--set root is not field=value. Write it as in --set root=/mnt/smi."
    )


def test_a_setting_below_a_plain_value_is_refused(tmp_path: Path) -> None:
    assert problem(written(tmp_path, f"root: /mnt\n{KEYS}"), "root.place=x") == (
        "--set root.place=x: root is a value, not a section."
    )


def test_a_configuration_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("conf/none.yaml")
    assert str(caught.value) == (
        "configuration file conf/none.yaml does not exist. Give --config conf/local.yaml or your own."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a\n- b\n", "smi.yaml must hold fields (name: value), not a list."),
        ("", "smi.yaml must hold fields (name: value), not nothing."),
        ("root: [\n", "smi.yaml is not readable as YAML: line 2, column 1: did not find expected node content, while"),
        (
            "root: x\nkeys:\n\tarchive: {}\n",
            "smi.yaml is not readable as YAML: line 3, column 1: found character that "
            "cannot start any token, while scanning for the next token (from line 3). Indent with spaces; ",
        ),
        (
            "root: a\nspark: {}\nroot: b\n",
            "smi.yaml is not readable as YAML: line 3, column 1: root stands here again, "
            "first in line 1: keep one of the two.",
        ),
        (
            "root: !!int x\n",
            "smi.yaml is not readable as YAML: a value is not what its tag (!!) says. Take the tag out.",
        ),
        (
            "root: who: me\n",
            "smi.yaml is not readable as YAML: line 1, column 10: mapping values are not allowed in "
            "this context. Put a text with a colon in quotes, ",
        ),
    ],
)
def test_what_is_not_a_mapping_is_told(tmp_path: Path, text: str, told: str) -> None:
    assert problem(written(tmp_path, text)).startswith(told)


@pytest.mark.parametrize("name", ["local", "cluster"])
def test_the_configurations_that_we_ship_are_right(name: str) -> None:
    assert isinstance(load_config(f"conf/{name}.yaml"), Config)
