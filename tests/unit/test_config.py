"""YAML with places, and how maps are laid on each other."""

from aidc.config import merge, nearest, parse_yaml


def test_yaml_is_read_by_version_1_2_and_times_stay_text() -> None:
    document = parse_yaml(
        "a: 1e3\nb: no\nc: 12:30\nd: 2023-07-03T00:00:00+08:00\ne: true\nf: null\n", "x.yaml"
    )
    assert document.data == {
        "a": 1000.0,
        "b": "no",
        "c": "12:30",
        "d": "2023-07-03T00:00:00+08:00",
        "e": True,
        "f": None,
    }


def test_a_key_given_twice_is_refused_and_both_lines_are_named() -> None:
    document = parse_yaml("a: 1\nb: 2\na: 3\n", "x.yaml")
    (fault,) = document.faults
    assert str(fault) == "x.yaml:3:1: a: given twice, first in line 1; keep one"


def test_broken_yaml_is_a_fault_with_its_line() -> None:
    document = parse_yaml("a: [1, 2\nb: 3\n", "x.yaml")
    assert document.faults[0].line == 2
    assert "not YAML" in document.faults[0].message


def test_a_missing_key_points_at_its_parent() -> None:
    document = parse_yaml("outer:\n  inner: 1\n", "x.yaml")
    place = document.place(("outer", "absent"))
    assert (place.line, place.column) == (1, 1)


def test_maps_merge_by_key_and_lists_are_replaced_or_changed_by_index() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": [1, 2], "c": [{"n": 1}, {"n": 2}]}
    assert merge(base, {"a": {"y": 3}}, named=False) == {
        "a": {"x": 1, "y": 3},
        "b": [1, 2],
        "c": [{"n": 1}, {"n": 2}],
    }
    assert merge(base, {"b": [9]}, named=False)["b"] == [9]
    assert merge(base, {"c": {"1": {"n": 5}}}, named=False)["c"] == [{"n": 1}, {"n": 5}]


def test_a_map_on_a_catalog_name_keeps_the_name() -> None:
    assert merge({"ups": "modern"}, {"ups": {"no_load_frac": 0.01}}, named=True) == {
        "ups": {"like": "modern", "no_load_frac": 0.01}
    }


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("chiler", ["chiller", "tower"]) == " - did you mean 'chiller'?"
    assert nearest("xyz", ["chiller", "tower"]) == ""
