"""Sums whose contributions are in Spark are judged as those in pandas are."""

import pandas as pd
from pyspark.sql import SparkSession

from smi_spark.analysis.disclosure import check


def test_several_rows_of_a_person_are_one_contribution_in_spark_and_in_pandas(spark: SparkSession) -> None:
    images = [("A", 2020, "ann", 50), ("A", 2020, "ann", 45)] + [("A", 2020, f"p{k}", 1) for k in range(11)]
    images += [("B", 2020, f"p{k}", 10) for k in range(12)] + [("C", 2020, "zoe", 7)]
    contributions = pd.DataFrame(images, columns=["site", "year", "patient_id", "images"])
    table = contributions.pivot_table(index="site", columns="year", values="images", aggfunc="sum", margins=True)
    rows = spark.createDataFrame(images, "site string, year int, patient_id string, images int").coalesce(1)
    found = check(table, contributions=rows)
    assert found.found == check(table, contributions=contributions).found
    assert [(one.rule, one.row, one.why) for one in found.found if one.column == "2020"] == [
        ("small", "C", "a sum of 1 people"),
        ("dominance", "A", "the largest has 90%, the largest two 91% of the sum"),
        ("dominance", "C", "the largest has 100%, the largest two 100% of the sum"),
    ]
