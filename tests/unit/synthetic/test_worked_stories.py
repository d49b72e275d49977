"""People whose answers to the worked definitions are known: each story ends as told, and changes no other person."""

from collections import Counter

import pytest

from smi_spark.synthetic.courses import Block, blocks, plan_block
from smi_spark.synthetic.lives import Life
from smi_spark.synthetic.profile import load_profile
from smi_spark.synthetic.worked_answers import answer_cohorts, answer_controls


def planned(seed: int) -> list[Life]:
    return plan_block(load_profile(), Block(1, 60, 0, worked=True), seed)


@pytest.mark.parametrize("seed", [3, 5, 2026])
def test_each_story_ends_as_it_was_planted(seed: int) -> None:
    lives = planned(seed)
    cohorts, controls = answer_cohorts(lives), answer_controls(lives)
    told = Counter()
    for life in lives:
        if life.story:
            name = life.story.cohort
            held = life.person.chi in (*cohorts[name].patients, *controls.get(name, []))
            assert (name, life.story.name, held) == (name, life.story.name, life.story.hit)
            told[name, held] += 1
    further = {name for name, _ in told}
    assert len(further) == 10
    assert all(told[name, True] >= 2 and told[name, False] >= 4 for name in further)


def test_of_two_studies_one_is_kept_where_one_is_asked_for() -> None:
    lives = planned(5)
    cohorts = answer_cohorts(lives)
    two = [life for life in lives if life.story and len(life.studies) == 2 and life.story.hit]
    kept = {
        life.story.name: [study.uid in cohorts[life.story.cohort].studies for study in life.studies]
        for life in two
        if life.story
    }
    assert kept == {
        "two X-rays, of which the earlier is kept": [False, True],  # as they were added
        "two ultrasounds of one pregnancy": [True, True],
        "case of 60 years, of two mammograms the nearest": [True, False],
        "two MRs, of which the nearer is kept": [False, True],
        "CT, and MR with diffusion on the day after": [True, True],
    }


def test_nobody_else_of_the_archive_changes() -> None:
    assert blocks(60, 50, worked=True) == [*blocks(60, 50), Block(2, 60, 0, worked=True)]
