import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smi_spark.secure.settling import shared_out

KEYS = st.lists(st.integers(-(2**63), 2**63 - 1))


@given(KEYS, KEYS, st.integers(1, 9))
def test_keys_of_two_batches_are_shared_out_whole_and_equal_ones_meet(
    one: list[int], other: list[int], shares: int
) -> None:
    parts = [[np.frombuffer(part, np.int64).tolist() for part in shared_out(np.array(keys, np.int64), shares)]
             for keys in (one, other)]  # fmt: skip

    assert [sorted(key for part in batch for key in part) for batch in parts] == [sorted(one), sorted(other)]
    assert [len(batch) for batch in parts] == [shares, shares]
    assert [
        key for place, part in enumerate(parts[0]) for key in part
        if any(key in elsewhere for at, elsewhere in enumerate(parts[1]) if at != place)
    ] == []  # fmt: skip
