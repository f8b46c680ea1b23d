"""What a CSV line holds does not depend on the lines around it."""

from hypothesis import given
from hypothesis import strategies as st

from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields

HEADER = b"id,y_true,y_pred,w,model,y_true"
number = st.sampled_from(
    [
        b"1",
        b" 2.5 ",
        b"-0",
        b"1e3",
        b"1_0",
        b"nan",
        b"inf",
        b"1e400",
        b"",
        b"x",
        b"\xd9\xa1",
        b'"3"',
    ]
)
good = st.sampled_from([b"1", b"2.5", b"-3e2"])
name = st.sampled_from([b"", b"eta", b" fare ", b"a_b", "København".encode()])
row = st.one_of(
    st.tuples(good, good, good, name).map(lambda c: b"7," + b",".join(c) + b",9"),
    st.tuples(number, number, number, name).map(lambda c: b"7," + b",".join(c) + b",9"),
    st.sampled_from(
        [b"", b"7,1", b"7,1,2,1,eta,9,8", b"7,1,2,1,eta,9\r", b"\xff", b"x" * 200, b'"']
    ),
)


def decoded(pieces):
    decoder = CsvDecoder(Fields(), "none", 100)
    decoder.decode([HEADER], 1)
    events, refused, line = [], [], 2
    for piece in pieces:
        batch = decoder.decode(piece, line)
        c = batch.columns
        events += zip(c.model, c.y_true, c.y_pred, c.w, c.line, strict=True)
        refused += batch.refused
        line += len(piece)
    return events, refused


@given(st.lists(row, max_size=30), st.integers(1, 7))
def test_batching_is_not_seen(rows, size):
    """All at once, in pieces and one by one: the same events and the same refusals."""
    one_by_one = decoded([[line] for line in rows])
    assert decoded([rows[i : i + size] for i in range(0, len(rows), size)]) == one_by_one
    assert decoded([rows]) == one_by_one
    assert len(one_by_one[0]) + len(one_by_one[1]) == len(rows)


@given(st.lists(row, min_size=1, max_size=10))
def test_the_careful_way_and_the_quick_way_agree(rows):
    """What the quick way takes, the careful way reads just so."""
    decoder = CsvDecoder(Fields(), "none", 100)
    decoder.decode([HEADER], 1)
    quick, careful = decoder._decode_together(rows, 2), decoder._decode_singly(rows, 2)
    if quick is None:
        return
    assert careful.refused == []
    for name in ("model", "y_true", "y_pred", "w", "line"):
        assert list(getattr(quick.columns, name)) == list(getattr(careful.columns, name))
