import pytest

from shared.index.filters.syntax import MAX_DEPTH, MAX_TESTS, MAX_VALUES, BadFilter, parse_filter


def nested(depth: int) -> object:
    filter_: object = {"kind": "animal"}
    for _ in range(depth):
        filter_ = {"$not": filter_}
    return filter_


@pytest.mark.parametrize(
    ("filter_", "says"),
    [
        ("kind = 'animal'", "filter must be an object that names at least one field"),
        ({}, "filter must be an object that names at least one field"),
        ({"$xor": []}, r"\$xor stands where a field or one of \$and, \$or, \$not is expected"),
        ({"$and": []}, r"filter\.\$and must be a list of at least one condition"),
        ({"$or": {"a": 1}}, r"filter\.\$or must be a list"),
        ({"$or": [{"a": 1}, 2]}, r"filter\.\$or\[1\] must be an object"),
        ({"kind": {}}, r"filter\.kind must be a value or name at least one of \$eq"),
        ({"kind": {"$like": "a"}}, r"filter\.kind\.\$like: there is no operator \$like; use one of \$eq"),
        ({"kind": ["a"]}, "for lists use"),
        ({"kind": {"$in": "a"}}, "must be a list"),
        ({"kind": {"$in": [{}]}}, "not with {}"),
        (
            {"size": {"$gt": "large"}},
            r"filter\.size\.\$gt compares numbers, or times with an offset.*'large' is neither",
        ),
        ({"size": {"$gt": True}}, "True is neither"),
        ({"size": {"$lt": float("nan")}}, "nan is neither"),
        ({"size": float("nan")}, "compares with nan"),
        ({"taken": {"$gt": "2026-01-01T00:00:00"}}, "times with an offset"),
        ({"kind": {"$prefix": 1}}, "must be text, not 1"),
        ({"kind": {"$exists": "yes"}}, "must be true or false"),
        ({"kind": {"$not": 1}}, r"else use \$ne"),
        ({"@when": 1}, "there is no field @when; those with @ are @id, @uri, @occurred_at, @uploaded_at"),
        ({"kind": {"$in": list(range(MAX_VALUES + 1))}}, f"at most {MAX_VALUES} values"),
        ({f"field{number}": 1 for number in range(MAX_TESTS + 1)}, f"at most {MAX_TESTS} tests"),
        (nested(MAX_DEPTH), f"more than {MAX_DEPTH} deep"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_with_the_place_and_what_would_be_right(
    filter_: object, says: str
) -> None:
    with pytest.raises(BadFilter, match=says):
        parse_filter(filter_)


def test_nesting_up_to_the_limit_is_understood() -> None:
    parse_filter(nested(MAX_DEPTH - 1))
