# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a deployment would do, cost and risk, before anything is made: as data for an approval, and as text for a person."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..cost.cost import Term, rounded, volume_cost
from ..ebs.hydration import Question, choose
from ..facts import instance_prices
from ..facts.instance_types import find_instance_type
from ..facts.prices import DATE, HOURS_PER_MONTH, REGION
from ..software.diff import compare_packages

# ParallelCluster's root volumes: what its image needs (45 GiB) where nothing else is asked for.
ROOT_GIB = 45


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known before a deployment.

    model, problems, notes: of plan_cluster. lookup: what snapshot_registry_info says ("found", "snapshot", "trace", "msg").
    packages: the seed's specs. running: the cluster of that name as cluster_info describes it, or None; running_packages: its specs, None:
    unknown. differences: what the new configuration would change of the one that runs; None: unknown, or nothing runs.
    reading: what is known of the first reads; None where the software comes from elsewhere.
    prices: of storage. instance_prices: USD an hour by instance type, in place of ours.
    """

    model: dict[str, Any]
    problems: list[str]
    notes: list[str]
    lookup: dict[str, Any]
    packages: list[str]
    prices: Mapping[str, float]
    running: dict[str, Any] | None = None
    running_packages: list[str] | None = None
    differences: list[str] | None = None
    reading: Question | None = None
    instance_prices: Mapping[str, float] = dataclasses.field(default_factory=dict)


def deploy_plan(facts: Facts) -> dict[str, Any]:
    """Return the plan as plain data; "ready" says whether the deployment can go on as it stands."""
    snapshot = facts.lookup.get("snapshot")
    missing = [] if snapshot or not facts.packages or facts.model["custom_ami"] else [str(facts.lookup.get("msg") or "No snapshot fits.")]
    problems = [*missing, *(problem for problem in facts.problems if not (missing and problem.startswith("Nothing brings")))]
    storage, nodes = _storage_terms(facts), _node_rows(facts)
    return {
        "ready": not problems and not facts.differences,
        "cluster": {key: facts.model[key] for key in ("cluster_name", "region", "os", "seed_name", "fingerprint")},
        "action": "create" if facts.running is None else "exists",
        "running": facts.running,
        "differences": facts.differences,
        "snapshot": snapshot,
        "trace": list(facts.lookup.get("trace") or []),
        "packages": compare_packages(facts.packages, facts.running_packages),
        "cost": _cost(facts, storage, nodes),
        "reading": _reading(facts),
        "problems": problems,
        "risks": _risks(facts, nodes),
        "notes": list(facts.notes),
    }


def _cost(facts: Facts, storage: list[Term], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    head = _hourly(facts, facts.model["head_node"]["instance_type"])
    always = [(node["min_count"], node["usd_per_hour"]) for node in nodes] + [
        (pool["count"], _hourly(facts, pool["instance_type"])) for pool in facts.model["login_nodes"]
    ]
    unknown = {node["instance_type"] for node in nodes if node["usd_per_hour"] is None}
    unknown |= {facts.model["head_node"]["instance_type"]} if head is None else set()
    hourly = (head or 0) + sum(count * (price or 0) for count, price in always)
    stored = sum(term.usd for term in storage)
    busiest = (head or 0) + sum(node["max_count"] * (node["usd_per_hour"] or 0) for node in nodes)
    return {
        "idle_usd_month": rounded(hourly * HOURS_PER_MONTH + stored),
        "storage_usd_month": rounded(stored),
        "head_node_usd_hour": head,
        "busiest_usd_hour": rounded(busiest),
        "nodes": nodes,
        "storage": [term.to_result() for term in storage],
        "unknown_prices": sorted(unknown),
        "prices": {
            "instances": {"date": instance_prices.DATE, "region": instance_prices.REGION, "overridden": sorted(facts.instance_prices)},
            "storage": {"date": DATE, "region": REGION},
        },
    }


def _hourly(facts: Facts, instance_type: str) -> float | None:
    kind = find_instance_type(instance_type)
    return instance_prices.usd_per_hour(kind, facts.instance_prices) if kind else None


def _node_rows(facts: Facts) -> list[dict[str, Any]]:
    """Return a row for each compute resource; of its types the dearest counts, since any of them may be started."""
    rows = []
    for queue in facts.model["queues"]:
        for resource in queue["resources"]:
            priced = [(_hourly(facts, name), name) for name in resource["instance_types"]]
            price, name = max(priced, key=lambda pair: (pair[0] is None, pair[0] or 0))
            rows.append(
                {
                    "queue": queue["name"],
                    "resource": resource["name"],
                    "instance_type": name,
                    "capacity_type": queue["capacity_type"],
                    "min_count": resource["min_count"],
                    "max_count": resource["max_count"],
                    "usd_per_hour": price,
                }
            )
    return rows


def _storage_terms(facts: Facts) -> list[Term]:
    """Return what is paid for volumes while no job runs."""
    terms = []
    software = facts.model["software"]
    if software and not software["volume_id"]:
        speed = {"iops": software["iops"] or None, "throughput": software["throughput"] or None}
        terms += volume_cost(software["volume_type"], software["size_gib"], prices=facts.prices, **speed).terms
    root = facts.model["head_node"]["root_volume_size_gib"] or ROOT_GIB
    always_on = 1 + sum(resource["min_count"] for queue in facts.model["queues"] for resource in queue["resources"])
    root_term = volume_cost("gp3", root, prices=facts.prices).terms[0]
    terms.append(dataclasses.replace(root_term, what="gp3 root disks of the nodes that always run", quantity=root * always_on))
    for entry in facts.model["shared_storage"]:
        settings = entry.get("EbsSettings") or {}
        if entry.get("StorageType") == "Ebs" and not settings.get("VolumeId"):
            kind, size = settings.get("VolumeType", "gp3"), int(settings.get("Size", 40))
            terms += volume_cost(kind, size, prices=facts.prices, iops=settings.get("Iops"), throughput=settings.get("Throughput")).terms
    return terms


def _reading(facts: Facts) -> dict[str, Any] | None:
    if facts.reading is None:
        return None
    chosen, ways = choose(facts.reading, facts.prices)
    return {
        "chosen": chosen,
        "lazy_minutes": round(facts.reading.lazy_minutes, 1),
        "ways": [way.to_result() for way in ways],
    }


def _risks(facts: Facts, nodes: Iterable[dict[str, Any]]) -> list[str]:
    """Return what may go wrong although nothing forbids it."""
    risks = []
    model, software = facts.model, facts.model["software"]
    if facts.running is not None:
        risks.append(
            f"A cluster {model['cluster_name']} exists ({facts.running.get('status')}). ParallelCluster cannot change its snapshot: "
            "use petal.hpc.upgrade_software, or another name."
        )
    if facts.running is not None and facts.differences is None:
        why = facts.running.get("config_problem") or "It was not read."
        risks.append(f"Whether this would change the cluster is not known: what it runs with cannot be compared. {why}")
    if facts.running is not None and facts.running_packages is None:
        risks.append("What the running cluster has is not known, so that nobody can say what its users would lose.")
    if software and software["deletion_policy"] == "Retain":
        risks.append("The software volume outlives the cluster (Retain) and goes on costing; it holds nothing that the snapshot lacks.")
    spot = [node["queue"] for node in nodes if node["capacity_type"] == "SPOT" and node["min_count"]]
    if spot:
        risks.append(
            f"Spot capacity may be taken back at any time, also that of the nodes which always run: {', '.join(dict.fromkeys(spot))}."
        )
    unpriced = sorted({node["instance_type"] for node in nodes if node["usd_per_hour"] is None})
    if unpriced:
        risks.append(f"No price is known for {', '.join(unpriced)}: the amounts leave them out. Give instance_prices.")
    if model["region"] != instance_prices.REGION:
        risks.append(f"The amounts are those of {instance_prices.REGION}; in {model['region']} most types cost more. Give instance_prices.")
    return risks


def plan_text(plan: Mapping[str, Any]) -> str:
    """Return the plan for a person to read and approve."""
    cluster, cost = plan["cluster"], plan["cost"]
    lines = [f"Cluster {cluster['cluster_name']} in {cluster['region']}, {cluster['os']}: {_verdict(plan)}"]
    lines += _section("Cannot be deployed", plan["problems"])
    lines += _section("Exists, and would change", plan["differences"] or [])
    lines += _section("Software", _software_lines(plan))
    lines += _section("Packages against the running cluster", _package_lines(plan["packages"])) if plan["running"] else []
    lines += _section("Cost", _cost_lines(cost))
    lines += _section("First reads", _reading_lines(plan["reading"]))
    lines += _section("Risks", plan["risks"])
    lines += _section("Notes", plan["notes"])
    return "\n".join(lines) + "\n"


def _verdict(plan: Mapping[str, Any]) -> str:
    if plan["differences"] and not plan["problems"]:
        return "exists, and would change; create=true refuses that"
    if not plan["ready"]:
        return "cannot be deployed as it stands"
    return "would be created" if plan["action"] == "create" else "exists already"


def _section(title: str, sentences: Iterable[str]) -> list[str]:
    listed = list(sentences)
    return ["", f"{title}:", *(f"  - {sentence}" for sentence in listed)] if listed else []


def _software_lines(plan: Mapping[str, Any]) -> list[str]:
    snapshot = plan["snapshot"]
    chosen = f"{snapshot['snapshot_id']}, {snapshot.get('size_gib')} GiB, from {snapshot.get('source')}" if snapshot else "No snapshot."
    return [chosen, *plan["trace"]]


def _package_lines(packages: Mapping[str, Any]) -> list[str]:
    if not packages["known"]:
        return ["Not known: neither tags nor a registry name the packages of the running cluster."]
    changed = [f"changed: {', '.join(one['before'])} becomes {', '.join(one['after'])}" for one in packages["changed"]]
    return [
        *(f"removed: {spec}" for spec in packages["removed"]),
        *changed,
        *(f"added: {spec}" for spec in packages["added"]),
        f"unchanged: {packages['unchanged']} packages",
    ]


def _cost_lines(cost: Mapping[str, Any]) -> list[str]:
    nodes = [
        f"{node['queue']}/{node['resource']}: {_usd(node['usd_per_hour'])} for each hour of a node (on demand {node['instance_type']}), "
        f"{node['min_count']} to {node['max_count']} nodes" + (", spot costs less" if node["capacity_type"] == "SPOT" else "")
        for node in cost["nodes"]
    ]
    dates = cost["prices"]
    return [
        f"{_usd(cost['idle_usd_month'])} a month while no job runs, {_usd(cost['storage_usd_month'])} of it for volumes",
        *nodes,
        f"{_usd(cost['busiest_usd_hour'])} an hour when all nodes run",
        f"prices of {dates['instances']['region']}: instances as of {dates['instances']['date']}, storage as of {dates['storage']['date']}",
    ]


def _reading_lines(reading: Mapping[str, Any] | None) -> list[str]:
    if reading is None:
        return []
    return [f"{_choice(way, reading['chosen'])} {way['how']}" for way in reading["ways"]]


def _choice(way: Mapping[str, Any], chosen: str) -> str:
    price = "" if not way["usd"] else f", {_usd(way['usd'])}"
    name = f"{way['name']} (ready after {way['ready_minutes']:.0f} min{price})"
    return f"chosen: {name}." if way["name"] == chosen else f"{name}: no, {way['why_not']}."


def _usd(amount: float | None) -> str:
    return "an unknown price" if amount is None else f"{amount:.2f} USD"
