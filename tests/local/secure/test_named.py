"""Whom rows of zone 1 name, however it is written."""

from pyspark.sql import DataFrame, SparkSession

from smi_spark.secure.named import naming, naming_nobody, numbers_in, unnamed

ANN, BEA = "0101010028", "0202020052"
WRITTEN = {
    1: (ANN, "7;010101 0028;x"), 2: (" 101010028 ", "7,101010028,x"), 3: (f"{BEA}\\{ANN}", None),
    4: (BEA, f"1.2.{ANN}9"), 5: (None, ANN), 6: (f"{ANN}1", f"{ANN}1"), 7: ("ANON", f"at\t{ANN}"),
}  # fmt: skip


def numbers(rows: DataFrame) -> set[int]:
    return {row["number"] for row in rows.select("number").collect()}


def test_rows_are_found_by_a_number_in_a_column_of_ids_or_anywhere_in_a_text(spark: SparkSession) -> None:
    given = [(number, *texts) for number, texts in WRITTEN.items()]
    rows = spark.createDataFrame(given, "number int, id string, text string")
    ann = spark.createDataFrame([(ANN,)], "chi string")

    assert numbers(naming(rows, ["id"], ann)) == {1, 2, 3}
    assert numbers(naming(rows, ["id", "text"], ann)) == {1, 2, 3, 5}
    assert numbers(naming(rows, ["text"], ann, numbers_in)) == {1, 2, 5, 7}
    assert numbers(naming_nobody(rows, "id", ["anon"])) == {5, 7}
    left = unnamed(rows, ["id", "text"], ann).orderBy("number").select("id", "text").collect()
    assert [tuple(row) for row in left] == [
        (None, "7;010101 0028;x"), (None, "7,101010028,x"), (None, None), WRITTEN[4], (None, None), WRITTEN[6],
        WRITTEN[7],
    ]  # fmt: skip
