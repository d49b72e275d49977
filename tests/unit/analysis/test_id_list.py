"""Lists of ids: what a file becomes, and what a wrong one says."""

import json
from pathlib import Path
from typing import Any

import pytest

from smi_spark.analysis.definition import Definition, load_definition, read_definition
from smi_spark.errors import ConfigError

UIDS = "StudyInstanceUID\n2.25.7\n2.25.3\n2.25.7\n\n 2.25.11 \n"
CHI = "0101010028"


def definition(given: Any) -> Definition:
    content = {"cohort": "lung", "project": "demo", "question": "Who?", "images": {"from_list": given}}
    return read_definition(content, "lung.yaml")


def written(place: Path, text: str) -> str:
    place.write_text(text, encoding="utf-8")
    return str(place)


def error(place: Path, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        definition(written(place, text))
    end = f" Given: '{place}'. It is: a CSV of one column, ids of zone 2."
    assert str(raised.value).endswith(end)
    return str(raised.value).removeprefix("lung.yaml: images.from_list: ").removesuffix(end)


def test_a_list_is_its_different_ids_whatever_its_file_is(tmp_path: Path) -> None:
    one = definition(written(tmp_path / "one.csv", UIDS))
    other = definition(
        written(tmp_path / "other.csv", "\ufeffSTUDYINSTANCEUID\r\n2.25.11\r\n  \r\n2.25.3\r\n2.25.7\r\n")
    )
    assert one.images.from_list is not None
    assert (one.images.from_list.column, one.images.from_list.count) == ("StudyInstanceUID", 3)
    assert str(one.images.from_list) == "in the list of 3 ids (StudyInstanceUID)"
    assert (one, one.sha256()) == (other, other.sha256())
    further = definition(written(tmp_path / "one.csv", UIDS + "2.25.12\n"))
    series = definition(written(tmp_path / "one.csv", UIDS.replace("Study", "Series")))
    assert len({one.sha256(), further.sha256(), series.sha256()}) == 3


def test_a_list_lies_beside_its_definition_and_its_ids_stay_there(tmp_path: Path) -> None:
    written(tmp_path / "studies.csv", UIDS)
    file = tmp_path / "lung.yaml"
    file.write_text("cohort: lung\nproject: demo\nquestion: Who?\nimages: {from_list: studies.csv}\n")
    loaded = load_definition(file)
    assert loaded == definition(str(tmp_path / "studies.csv"))
    assert "2.25." not in loaded.to_json()
    assert "studies" not in loaded.to_json()
    again = read_definition(json.loads(loaded.to_json()), "registry")
    assert again == loaded
    with pytest.raises(ConfigError) as raised:
        again.images.from_list.ids()  # type: ignore[union-attr]
    assert str(raised.value) == (
        f"images.from_list: of the 3 ids (SHA-256 {loaded.images.from_list.sha256}) "  # type: ignore[union-attr]
        "only their hash is here. Give the definition's file, with its list beside it."
    )


def test_ids_of_a_projects_snapshots_are_another_list_and_become_those_of_zone_2(tmp_path: Path) -> None:
    place = written(tmp_path / "picked.csv", "patient_id\np1\np2\np3\n")
    of_zone_2, of_project = (definition(given) for given in (place, {"file": place, "of": "project"}))
    assert of_zone_2.sha256() != of_project.sha256()
    assert read_definition(json.loads(of_project.to_json()), "registry") == of_project
    listed = of_project.images.from_list
    assert listed is not None
    assert str(listed) == "in the list of 3 ids (patient_id of the project)"
    known = listed.translated([("p3", "z3"), ("p1", "z1")])
    assert known == listed
    assert known.ids() == {"z1": 2, "p2": 3, "z3": 4}
    assert known.tell(["p2"], write=True) == f"1 of 3 ids, line 3; all of them in {tmp_path / 'picked.unknown.csv'}"
    with pytest.raises(
        ConfigError, match=r"images.from_list: a list is a file's name, or {file: ids.csv, of: project}"
    ):
        definition({"file": place, "of": "snapshot"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2.25.7\n2.25.3\n", "line 1 has to say what the ids are: one of StudyInstanceUID, SeriesInstanceUID, "
                             "SOPInstanceUID, patient_id."),
        ("", "line 1 has to say what the ids are: one of StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, "
             "patient_id."),
        ("StudyInstanceUID,patient_id\n2.25.7,a\n", "line 1 has 2 columns, and a list has one: take out the others, "
                                                    "and commas at its end."),
        ("StudyInstanceUID\n2.25.7\n1.2.840.1\n\n2.25.7,x\n",
         "lines 3, 5: not one of the UIDs (2.25.…) that zone 2 has."),
        (f"patient_id\nab12\n{CHI}\n{CHI[:6]}-{CHI[6:]}\n{CHI[1:]}\nO'Neill\n",
         "lines 3, 4, 5, 6: not one of the patient ids that zone 2 has."),
        ("SOPInstanceUID\n" + "x\n" * 25,
         f"lines {', '.join(map(str, range(2, 22)))} and 5 more: not one of the UIDs (2.25.…) that zone 2 has."),
        ("patient_id\n\n", "the file has a header and no id."),
        ('patient_id\n"a\n', "the file is no CSV: a quote has no end."),
    ],
)  # fmt: skip
def test_a_wrong_list_names_the_line_and_repeats_no_id(tmp_path: Path, text: str, told: str) -> None:
    assert error(tmp_path / "list.csv", text) == told


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for name in (tmp_path / "none.csv", tmp_path, "/dev/zero"):
        with pytest.raises(ConfigError, match=r"images\.from_list: there is no such file\."):
            definition(str(name))
    (tmp_path / "latin.csv").write_bytes(b"patient_id\n\xe9\n")
    with pytest.raises(ConfigError, match=r"images\.from_list: the file is no text in UTF-8\."):
        definition(str(tmp_path / "latin.csv"))
    with pytest.raises(ConfigError, match=r"images\.from_list: "):
        definition(["2.25.7"])
