"""The effort of a search rises while searches find too little, and sinks when they find plenty."""

from services.searcher.effort import EffortPolicy, SearchEffort

POLICY = EffortPolicy(least=100, most=400, target=0.9)


def taught(*recalls: float, effort: SearchEffort | None = None) -> SearchEffort:
    effort = effort or SearchEffort(POLICY)
    for recall in recalls:
        effort.learn(recall)
    return effort


def test_it_begins_with_the_least_and_knows_nothing() -> None:
    assert (taught().candidates, taught().recall) == (100, None)


def test_a_few_queries_change_nothing() -> None:
    assert taught(*[0.0] * 19).candidates == 100


def test_it_rises_below_the_target_and_no_further_than_it_may() -> None:
    assert taught(*[0.5] * 20).candidates == 151
    assert taught(*[0.5] * 39).candidates == 151
    assert taught(*[0.5] * 1000).candidates == 400


def test_it_stays_where_it_is_good_enough_and_not_more() -> None:
    risen = taught(*[0.5] * 20)
    assert taught(*[0.92] * 1000, effort=risen).candidates == 151


def test_it_sinks_again_when_searches_find_plenty_and_no_deeper_than_it_began() -> None:
    risen = taught(*[0.5] * 1000)
    assert taught(*[1.0] * 20, effort=risen).candidates == 333
    assert taught(*[1.0] * 1000, effort=risen).candidates == 100


def test_the_recall_is_the_mean_of_the_last_queries() -> None:
    assert taught(*[0.0] * 30, *[1.0] * 20).recall == 1.0
    assert taught(1.0, 0.5).recall == 0.75
