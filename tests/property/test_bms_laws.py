"""Laws of advice: JSON loses nothing, and no set-point lives longer than two steps."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.bms import (
    Advice,
    Expected,
    Job,
    JobStart,
    Observation,
    Outlook,
    Reading,
    SetPoint,
    State,
    setpoints_of,
)
from aidc.bms.look import look
from aidc.bms.speak import speak
from aidc.bms.state import PlanInForce
from tests.bms import hall, readings

ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))]
)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001
FINITE = st.floats(allow_nan=False, allow_infinity=False)
READINGS = st.builds(
    Reading, FINITE | st.sampled_from([float("inf"), float("-inf")]), TIMES, st.text(), st.text()
)
JOBS = st.builds(Job, st.text(), st.text(), st.integers(), FINITE, TIMES, FINITE, FINITE)
OBSERVATIONS = st.builds(
    Observation,
    TIMES,
    st.dictionaries(st.text(), READINGS, max_size=3),
    st.lists(JOBS, max_size=2).map(tuple),
    st.dictionaries(st.text(), TIMES, max_size=3),
    st.dictionaries(st.text(), TIMES, max_size=3),
)
OUTLOOKS = st.builds(Outlook, FINITE, FINITE, FINITE)
EXPECTED = st.builds(Expected, TIMES, TIMES, OUTLOOKS, OUTLOOKS)
SETPOINTS = st.lists(
    st.builds(
        SetPoint,
        st.text(),
        st.none() | FINITE,
        st.text(),
        TIMES,
        TIMES,
        st.sampled_from(["write", "hold", "release"]),
        st.text(),
    ),
    max_size=3,
).map(tuple)
ADVICE = st.builds(
    Advice,
    TIMES,
    st.sampled_from(["planned", "held", "fallback"]),
    SETPOINTS,
    st.lists(st.builds(JobStart, st.text(), TIMES), max_size=2).map(tuple),
    st.none() | EXPECTED,
    st.lists(st.text(), max_size=2).map(tuple),
)
STARTS = st.dictionaries(st.text(), FINITE, max_size=3)
PLANS = st.builds(
    PlanInForce,
    TIMES,
    TIMES,
    TIMES,
    FINITE,
    st.dictionaries(st.text(), st.lists(FINITE, max_size=3).map(tuple), max_size=2),
    STARTS,
    STARTS,
    st.lists(st.text(), max_size=2).map(tuple),
    EXPECTED,
)
STATES = st.builds(
    State,
    st.none() | TIMES,
    st.dictionaries(st.text(), READINGS, max_size=2),
    st.text(),
    st.none() | FINITE,
    st.lists(st.tuples(TIMES, FINITE), max_size=2).map(tuple),
    SETPOINTS,
    st.dictionaries(st.text(), JOBS, max_size=2),
    STARTS,
    STARTS,
    st.none() | PLANS,
)


@settings(deadline=None)
@given(OBSERVATIONS)
def test_an_observation_is_the_same_after_json(observation: Observation) -> None:
    assert Observation.from_json(observation.to_json()) == observation


@settings(deadline=None)
@given(ADVICE)
def test_an_advice_is_the_same_after_json(advice: Advice) -> None:
    assert Advice.from_json(advice.to_json()) == advice


@settings(deadline=None)
@given(STATES)
def test_a_state_is_the_same_after_json(state: State) -> None:
    again = State.from_json(state.to_json())
    assert again == state
    assert again.to_json() == state.to_json()


def test_a_reading_without_a_number_is_null_and_comes_back() -> None:
    text = Observation(hall().start, {"it_kw": Reading(float("nan"), hall().start)}).to_json()
    assert '"value":null' in text
    assert Observation.from_json(text).values["it_kw"].value != 0
    assert not Observation.from_json(text).values["it_kw"].usable


HOURS = st.floats(-1e5, 1e5)


@settings(max_examples=300, deadline=None)
@given(
    now=HOURS, start=HOURS, commit=st.floats(0, 48), ends=HOURS, given_h=HOURS, bad=st.booleans()
)
def test_no_set_point_outlives_two_steps_whatever_was_planned_or_given_before(
    now: float, start: float, commit: float, ends: float, given_h: float, bad: bool
) -> None:
    scenario = hall()
    begin = scenario.start

    def at(hours: float) -> datetime:
        return begin + timedelta(hours=hours)

    points = setpoints_of(scenario.sites["lingang"].site)
    plan = PlanInForce(
        start=at(start),
        committed_until=at(start + commit),
        valid_until=at(start + 2 * commit),
        step_s=1800.0,
        columns={point.name: (1.0,) * 200 for point in points},
        starts={"job": start * 3600.0},
        standing={},
        running=(),
        expected=Expected(at(0), at(1), Outlook(1.2, 1.0, 1.0), Outlook(1.2, 1.0, 1.0)),
    )
    before = tuple(
        SetPoint(point.name, 1.0, point.unit, at(ends - 1), at(ends), "write", "")
        for point in points
    )
    time = at(now)
    values = readings(scenario, at(given_h) if bad else time)
    seen = look(scenario, Observation(time, values), State(setpoints=before, plan=plan))
    advice, state = speak(scenario, seen, None, "no plan came" if seen.due else "")
    two_steps = timedelta(minutes=60)
    for point in advice.setpoints:
        assert point.valid_from <= time < point.valid_until <= time + two_steps
        if point.action == "hold":
            assert point.valid_until <= at(ends)
        assert (point.value is None) == (point.action == "release")
    assert {point.point for point in advice.setpoints} == {point.name for point in points}
    assert state.setpoints == advice.setpoints
    assert all(start.at < time + two_steps for start in advice.job_starts)
    if advice.status == "planned":
        assert plan.start <= time < plan.committed_until
