"""Sessions and windows, against days that anybody can look up."""

import pandas as pd
import pytest

from helpers import calendar
from helpers.files import HelperError


def test_thanksgiving_2025_is_a_short_week_in_november():
    short = calendar.shortened_weeks("2025-11-03", "2025-12-12")
    assert short["monday"].tolist() == ["2025-11-24"]
    assert short["closed"].tolist() == ["2025-11-27"]
    assert short["early"].tolist() == ["2025-11-28"]


def test_named_windows():
    assert str(calendar.month(2025, 11)) == "2025-10-31 to 2025-11-28"
    assert str(calendar.year_to_date("2025-12-10")) == "2024-12-31 to 2025-12-10"
    assert str(calendar.year_to_date("2000-12-29")) == "1999-12-31 to 2000-12-29"
    assert str(calendar.week_of("2025-11-27")) == "2025-11-21 to 2025-11-28"


def test_previous_and_next_session_jump_over_holidays():
    assert calendar.previous_session("2025-11-28") == pd.Timestamp("2025-11-26")
    assert calendar.next_session("2025-07-03") == pd.Timestamp("2025-07-07")
    assert calendar.previous_session("2025-12-10", 13) == pd.Timestamp("2025-11-20")
    assert calendar.session_on_or_before("2025-11-30") == pd.Timestamp("2025-11-28")


def test_week_ends_leave_out_a_week_that_is_cut():
    ends = calendar.week_ends("2025-11-17", "2025-12-10")
    assert [f"{d:%m-%d}" for d in ends] == ["11-21", "11-28", "12-05"]


def test_a_window_on_a_holiday_names_the_session_before():
    with pytest.raises(HelperError, match=r"2025-11-27, which is no New York session.*2025-11-26"):
        calendar.window("x", "2025-11-27", "2025-12-01")


def test_a_window_without_a_session_is_an_error():
    with pytest.raises(HelperError, match="holds no session"):
        calendar.window("x", "2025-12-10", "2025-12-10")
    with pytest.raises(HelperError, match="covers"):
        calendar.sessions("1900-01-01", "1900-02-01")


def test_required_sessions():
    index = calendar.sessions("2025-12-01", "2025-12-12")
    calendar.require_sessions(index, "2025-12-01", "2025-12-12")
    with pytest.raises(HelperError, match=r"lacks 1 session .*2025-12-09"):
        calendar.require_sessions(index.drop(pd.Timestamp("2025-12-09")), "2025-12-01", "2025-12-12", "x")
    with pytest.raises(HelperError, match="2025-12-12 twice"):
        calendar.require_sessions(index.append(index[-1:]), "2025-12-01", "2025-12-12", "x")
    with pytest.raises(HelperError, match="not in the order"):
        calendar.require_sessions(index[::-1], "2025-12-01", "2025-12-12", "x")
    with pytest.raises(HelperError, match="ends on 2025-12-12, before"):
        calendar.require_sessions(index, "2025-12-01", "2025-12-15", "x")
