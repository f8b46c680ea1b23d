"""The Accept header: what a scraper likes best of what can be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import choose_encoder

from losswatch.core.monitors import Monitors
from losswatch.prometheus import Exposition
from losswatch.prometheus.negotiation import format_for

OM, TEXT = "application/openmetrics-text", "text/plain"
PROMETHEUS_3 = (
    f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.6,{OM};version=0.0.1;q=0.5,"
    f"{TEXT};version=1.0.0;escaping=allow-utf-8;q=0.4,{TEXT};version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = f"{OM};version=1.0.0,{OM};version=0.0.1;q=0.75,{TEXT};version=0.0.4;q=0.5,*/*;q=0.1"


@pytest.mark.parametrize(
    "accept",
    [
        PROMETHEUS_3,
        PROMETHEUS_2,
        f"{OM}; version=0.0.1,{TEXT};version=0.0.4;q=0.5,*/*;q=0.1",
        f"{TEXT};version=1.0.0;escaping=values;q=0.6,{TEXT};version=0.0.4;q=0.5",
        f"{TEXT};version=1.0.0;escaping=none",
        OM,
        TEXT,
        "*/*",
        "",
        "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    ],
)
def test_what_scrapers_ask_for_is_answered_as_the_client_does(accept):
    """Every Prometheus, a browser, and one that says nothing."""
    assert format_for(accept).content_type == choose_encoder(accept)[1]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"{TEXT};version=0.0.4;q=0.5,{OM};version=1.0.0;q=0.4", f"{TEXT}; version=0.0.4"),
        (f"{OM};q=0,{TEXT}", f"{TEXT}; version=0.0.4"),
        (f"{OM};q=0", f"{TEXT}; version=0.0.4"),
        (f"{OM};version=2.0.0,{OM};version=1.0.0;q=0.9", f"{OM}; version=1.0.0"),
        (f"{OM};version=9.0.0", f"{TEXT}; version=0.0.4"),
        (f"{TEXT};version=7.0.0", f"{TEXT}; version=0.0.4"),
        (f'{OM}; Version="1.0.0"', f"{OM}; version=1.0.0"),
        (f"*/*,{OM}", f"{OM}; version=1.0.0"),
        (f"{OM.upper()};q=soon,{TEXT};q=nan", f"{OM}; version=1.0.0"),
    ],
)
def test_the_format_is_the_one_that_is_liked_best(accept, content_type):
    """By ``q``, and never a version that the page is not of."""
    page, found = Exposition(Monitors().snapshot).render(accept)
    assert found.startswith(f"{content_type}; charset=utf-8")
    assert page.endswith(b"# EOF\n") == found.startswith(OM)


@given(st.text(st.sampled_from('ao/*;,=q ".019-e') | st.characters()))
def test_any_header_has_an_answer(accept):
    """Whatever it is; text where it makes no sense."""
    assert format_for(accept).content_type.startswith((TEXT, OM))
