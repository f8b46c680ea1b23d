"""What a CSV line holds does not depend on the lines around it."""

from hypothesis import given
from hypothesis import strategies as st

from losswatch.sources.csv import CsvDecoder
from losswatch.sources.fields import Fields

HEADER = b"id,y_true,y_pred,w,model,time,segment.city"
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
good_time = st.sampled_from([b"5", b" 1e3 ", b"2026-01-31T10:00:00Z", b"2026-01-31", b""])
time = st.one_of(good_time, st.sampled_from([b"1_0", b"-1", b"nan", b"x", b"1769853600000"]))
good_city = st.sampled_from([b"oslo", b" rome ", b"12", b""])
city = st.one_of(good_city, st.sampled_from([b"\x01", b"x" * 40, b'"a"']))


def rows_of(*cells):
    return st.tuples(*cells).map(lambda found: b"7," + b",".join(found))


row = st.one_of(
    rows_of(good, good, good, name, good_time, good_city),
    rows_of(good, good, good, name, st.just(b"5"), good_city),
    rows_of(good, good, good, name, time, city),
    rows_of(number, number, number, name, time, city),
    st.sampled_from(
        [b"", b"7,1", b"7,1,2,1,eta,9,8,7", b"7,1,2,1,eta,9,8\r", b"\xff", b"x" * 200, b'"']
    ),
)


def make_decoder():
    decoder = CsvDecoder(Fields({}, ["city"]), "none", 100)
    assert not decoder.decode([HEADER], 1).refused
    return decoder


def events_of(columns):
    times = columns.time or [None] * len(columns)
    cities = columns.segment["city"] if len(columns) else ()
    numbers = (columns.y_true, columns.y_pred, columns.w)
    return list(zip(columns.model, *numbers, times, cities, columns.line, strict=True))


def decoded(pieces):
    decoder = make_decoder()
    events, refused, line = [], [], 2
    for piece in pieces:
        batch = decoder.decode(piece, line)
        events += events_of(batch.columns)
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
    decoder = make_decoder()
    quick, careful = decoder._decode_together(rows, 2), decoder._decode_singly(rows, 2)
    if quick is None:
        return
    assert careful.refused == []
    assert events_of(quick.columns) == events_of(careful.columns)


def test_the_quick_way_is_taken():
    """Good rows go the quick way, or the test above would compare nothing."""
    rows = [b"7,1,2,1,eta,5,oslo", b"7,1,2,1,eta,2026-01-31,"]
    for batch in (rows, rows[:1], rows[1:]):
        assert make_decoder()._decode_together(batch, 2) is not None
