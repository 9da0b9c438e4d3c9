"""Who reaches whom, and who may be disturbed: policies and budgets mean the pods that there are."""

from typing import Any

from tests.unit.deploy.chart.rendering import Container, Rendered, every_scenario, render, rendered

DNS, KAFKA, REDIS, HTTP, HTTPS, TRACES, MORE = 53, 9092, 6379, 80, 443, 4318, 3128


def selected(made: Rendered, selector: dict[str, Any]) -> list[Container]:
    labels = selector["matchLabels"].items()
    return [each for each in made.containers() if labels <= each.labels.items()]


def policies(made: Rendered, container: Container) -> list[dict[str, Any]]:
    found = [each["spec"] for each in made.of_kind("NetworkPolicy")]
    return [each for each in found if container in selected(made, each["podSelector"])]


def ports_out(made: Rendered, container: Container) -> set[int]:
    rules = [rule for policy in policies(made, container) for rule in policy.get("egress", [])]
    return {port["port"] for rule in rules for port in rule["ports"]}


@every_scenario
def test_every_selector_is_that_of_the_pods_that_it_names(scenario: str) -> None:
    made = rendered(scenario)
    for each in made.containers():
        if each.worker != "topics":
            assert selected(made, each.owner["spec"]["selector"]) == [each]
    for service in made.of_kind("Service"):
        (behind,) = selected(made, {"matchLabels": service["spec"]["selector"]})
        assert service["metadata"]["name"] == behind.owner["metadata"]["name"]
        assert service["spec"]["ports"][0]["targetPort"] == behind.spec["ports"][0]["name"]


@every_scenario
def test_no_more_than_one_pod_of_a_kind_is_evicted_at_a_time(scenario: str) -> None:
    made = rendered(scenario)
    budgets = made.of_kind("PodDisruptionBudget")
    if scenario == "trial":
        assert budgets == []
        return
    guarded = [selected(made, budget["spec"]["selector"]) for budget in budgets]
    assert all(len(each) == 1 for each in guarded)
    assert sorted(each.owner["metadata"]["name"] for (each,) in guarded) == sorted(
        each.owner["metadata"]["name"] for each in made.containers() if each.worker != "topics"
    )
    assert {budget["spec"]["maxUnavailable"] for budget in budgets} == {1}


@every_scenario
def test_what_no_policy_allows_is_denied_to_every_pod(scenario: str) -> None:
    made = rendered(scenario)
    if scenario == "trial":
        assert made.of_kind("NetworkPolicy") == []
        return
    for each in made.containers():
        nothing = [policy for policy in policies(made, each) if policy.keys() == {"podSelector", "policyTypes"}]
        assert [policy["policyTypes"] for policy in nothing] == [["Ingress", "Egress"]]


@every_scenario
def test_every_policy_is_about_pods_that_there_are(scenario: str) -> None:
    made = rendered(scenario)
    for policy in made.of_kind("NetworkPolicy"):
        assert selected(made, policy["spec"]["podSelector"]) != []


def test_each_worker_reaches_what_it_needs_and_no_more() -> None:
    made = rendered("default")
    assert {each.worker: ports_out(made, each) for each in made.containers()} == {
        "extractor": {DNS, KAFKA, REDIS, HTTP, HTTPS},
        "indexer": {DNS, KAFKA, REDIS},
        "searcher": {DNS, KAFKA, REDIS, HTTP, HTTPS},
        "gateway": {DNS, KAFKA, REDIS},
        "topics": {DNS, KAFKA},
    }


def test_a_bucket_thumbnails_and_a_collector_of_traces_open_their_ports() -> None:
    made = rendered("production")
    assert {each.worker: ports_out(made, each) for each in made.containers()} == {
        "extractor": {DNS, KAFKA, REDIS, HTTP, HTTPS, TRACES, MORE},
        "indexer": {DNS, KAFKA, REDIS, HTTPS, TRACES, MORE},
        "searcher": {DNS, KAFKA, REDIS, HTTP, HTTPS, TRACES, MORE},
        "gateway": {DNS, KAFKA, REDIS, HTTP, HTTPS, TRACES, MORE},
        "topics": {DNS, KAFKA, MORE},
    }


def test_ports_are_those_of_the_addresses() -> None:
    made = render(kafka={"bootstrapServers": "a:19092,b:29092"}, redis={"url": "rediss://redis:6380/0"})
    assert ports_out(made, made.container("indexer")) == {DNS, 19092, 29092, 6380}
    unsaid = render(
        redis={"url": "redis://redis/0"}, settings={"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.org"}
    )
    assert ports_out(unsaid, unsaid.container("indexer")) == {DNS, KAFKA, REDIS, HTTPS}


def test_images_are_not_fetched_from_private_networks() -> None:
    """As AFTERIMAGE_FETCH_PRIVATE has it by default."""
    made = rendered("default")
    rules = [rule for policy in policies(made, made.container("extractor")) for rule in policy.get("egress", [])]
    (images,) = (rule for rule in rules if {port["port"] for port in rule["ports"]} == {HTTP, HTTPS})
    blocks = {peer["ipBlock"]["cidr"]: set(peer["ipBlock"]["except"]) for peer in images["to"]}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= blocks["0.0.0.0/0"]
    assert "fc00::/7" in blocks["::/0"]


def test_only_a_gateway_is_called_and_the_others_are_scraped() -> None:
    made = rendered("production")
    callers = {
        each.worker: [
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for policy in policies(made, each)
            for rule in policy.get("ingress", [])
            for peer in rule["from"]
        ]
        for each in made.containers()
    }
    assert callers == {
        "extractor": ["monitoring"],
        "indexer": ["monitoring"],
        "searcher": ["monitoring"],
        "gateway": ["monitoring", "ingress-nginx"],
        "topics": [],
    }


def test_an_ingress_leads_to_the_gateway() -> None:
    made = rendered("production")
    (ingress,) = made.of_kind("Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    (service,) = (each for each in made.of_kind("Service") if each["metadata"]["name"] == backend["name"])
    (behind,) = selected(made, {"matchLabels": service["spec"]["selector"]})
    assert behind.worker == "gateway"
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
