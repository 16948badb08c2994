# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EBS or S3 for a data set: what each costs for instances that are restarted, and rules of thumb where costs do not decide."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from ..facts.prices import HOURS_PER_MONTH
from ..facts.volume_limits import DEFAULT_TYPE, LIMITS
from ..inputs import choice, flag, gib, number, read_inputs
from .cost import rounded, volume_cost

EBS, S3 = "ebs", "s3"
# The AWS command line loads large objects in parts of 8 MiB, one request each.
_MIB_PER_REQUEST = 8


@dataclasses.dataclass(frozen=True)
class Workload:
    """Instances that need a data set, and are interrupted and restarted; see the filter spot_breakeven for each field."""

    dataset_gib: float = gib()
    restarts_per_month: float = number()
    download_mib_per_second: float = number(above=0)
    instance_usd_per_hour: float = number()
    volume_hours_per_month: float = number(default=HOURS_PER_MONTH)
    volume_type: str = choice(LIMITS, default=DEFAULT_TYPE)
    iops: int | None = number(default=None)
    throughput: int | None = number(default=None)
    attach_minutes: float = number(default=1)
    fills_per_month: float = number(default=1)
    keep_s3_copy: bool = flag(default=True)

    @property
    def download_hours(self) -> float:
        return self.dataset_gib * 1024 / self.download_mib_per_second / 3600

    @property
    def attach_hours(self) -> float:
        return self.attach_minutes / 60


@dataclasses.dataclass(frozen=True)
class Comparison:
    """EBS against S3 in USD a month: what is paid whatever happens, and what each restart adds."""

    workload: Workload
    s3_fixed: float
    ebs_fixed: float
    s3_restart: float
    ebs_restart: float

    @property
    def s3(self) -> float:
        return self.s3_fixed + self.workload.restarts_per_month * self.s3_restart

    @property
    def ebs(self) -> float:
        return self.ebs_fixed + self.workload.restarts_per_month * self.ebs_restart

    @property
    def cheaper(self) -> str:
        return EBS if self.ebs < self.s3 else S3

    @property
    def break_even_restarts(self) -> float | None:
        """Return above how many restarts a month EBS is cheaper; None when a restart costs no less with EBS."""
        saved = self.s3_restart - self.ebs_restart
        return max(0.0, (self.ebs_fixed - self.s3_fixed) / saved) if saved > 0 else None

    @property
    def sentence(self) -> str:
        restarts = self.break_even_restarts
        limit = "restarts do not change that" if restarts is None else f"EBS is cheaper above {restarts:.1f} restarts a month"
        return f"With {self.workload.restarts_per_month:g} restarts a month EBS costs {self.ebs:.2f} USD and S3 {self.s3:.2f} USD; {limit}."

    def to_result(self) -> dict[str, Any]:
        work, restarts = self.workload, self.break_even_restarts
        return {
            "cheaper": self.cheaper,
            "ebs_usd": rounded(self.ebs),
            "s3_usd": rounded(self.s3),
            "break_even_restarts": None if restarts is None else round(restarts, 1),
            "ebs_waiting_hours": round(work.restarts_per_month * work.attach_hours, 2),
            "s3_waiting_hours": round(work.restarts_per_month * work.download_hours, 2),
            "sentence": self.sentence,
        }


def compare(workload: Workload, prices: Mapping[str, float]) -> Comparison:
    """Return what a month costs with the data set on a volume, and with a download after each restart.

    A restart costs instance time until the data is there, with S3 also requests. A volume costs its storage for the hours that it
    exists, and one download for each time that it is filled. The copy in S3 is paid in both cases unless keep_s3_copy is false:
    a volume lives in one zone.
    Raises ExplainedError for a volume that EC2 would refuse.
    """
    size_gib = max(math.ceil(workload.dataset_gib), LIMITS[workload.volume_type].size_gib[0])
    volume = volume_cost(workload.volume_type, size_gib, iops=workload.iops, throughput=workload.throughput, prices=prices)
    requests = math.ceil(workload.dataset_gib * 1024 / _MIB_PER_REQUEST)
    download = workload.download_hours * workload.instance_usd_per_hour + requests / 1000 * prices["s3_thousand_get_requests"]
    s3_storage = workload.dataset_gib * prices["s3_gib_month"]
    kept = volume.usd * workload.volume_hours_per_month / HOURS_PER_MONTH
    return Comparison(
        workload,
        s3_fixed=s3_storage,
        ebs_fixed=kept + workload.fills_per_month * download + (s3_storage if workload.keep_s3_copy else 0),
        s3_restart=download,
        ebs_restart=workload.attach_hours * workload.instance_usd_per_hour,
    )


@dataclasses.dataclass(frozen=True)
class Question:
    """What is known of the use of a data set; None means "not known", and the rules about it stay silent."""

    dataset_gib: float = gib()
    run_hours: float | None = number(default=None)
    runs_per_month: float | None = number(default=None)
    restarts_per_month: float | None = number(default=None)
    checkpoint_bound: bool = flag()
    download_mib_per_second: float | None = number(default=None, above=0)
    instance_usd_per_hour: float | None = number(default=None)


@dataclasses.dataclass(frozen=True)
class Advice:
    """Where to keep the data. rule: the name of the rule that decided; reason: a sentence."""

    storage: str
    rule: str
    reason: str


# Thresholds of the first descriptions, "When to use EBS"; "very infrequent" is a number of ours.
SHORT_RUN_HOURS, LONG_RUN_HOURS = 0.5, 1
SMALL_GIB, LARGE_GIB = 1, 10
MANY_RESTARTS = 3
RARE_RUNS = 1


def advise(question: Question, prices: Mapping[str, float]) -> list[Advice]:
    """Return every rule that fires, the one that decides first.

    The order: checkpoints that hold a run up; reasons against EBS; computed costs, when everything for them is known; reasons for EBS.
    When no rule fires, S3, because a GiB costs less there.
    """
    fired = [*_checkpoints(question), *_against_ebs(question), *_costs(question, prices), *_for_ebs(question)]
    return fired or [Advice(S3, "default", "No rule speaks for EBS, and a GiB costs less in S3.")]


def _checkpoints(question: Question) -> list[Advice]:
    if not question.checkpoint_bound:
        return []
    reason = "Runs wait for their checkpoints: keep these on a volume of their own; the data set may stay in S3."
    return [Advice(EBS, "checkpoint_bound", reason)]


def _against_ebs(question: Question) -> list[Advice]:
    rules = []
    if question.dataset_gib < SMALL_GIB:
        rules.append(Advice(S3, "small_dataset", f"The data set is smaller than {SMALL_GIB} GiB: it is downloaded in no time."))
    once = question.runs_per_month is None or question.runs_per_month <= RARE_RUNS
    if question.run_hours is not None and question.run_hours < SHORT_RUN_HOURS and once:
        rules.append(Advice(S3, "short_run", f"A single run of less than {SHORT_RUN_HOURS:g} hours is over before a volume pays."))
    if question.runs_per_month is not None and question.runs_per_month < RARE_RUNS:
        rules.append(Advice(S3, "rare_runs", "There is less than one run a month, and a volume is paid for all of the month."))
    return rules


def _costs(question: Question, prices: Mapping[str, float]) -> list[Advice]:
    known = (question.restarts_per_month, question.download_mib_per_second, question.instance_usd_per_hour)
    if None in known:
        return []
    comparison = compare(Workload(question.dataset_gib, *known), prices)
    return [Advice(comparison.cheaper, "break_even", comparison.sentence)]


def _for_ebs(question: Question) -> list[Advice]:
    rules = []
    if question.restarts_per_month is not None and question.restarts_per_month > MANY_RESTARTS:
        reason = f"More than {MANY_RESTARTS} restarts a month; a rule of thumb, which holds for expensive instances only."
        rules.append(Advice(EBS, "restarts", f"{reason} Give the prices to have it computed."))
    if question.run_hours is not None and question.run_hours > LONG_RUN_HOURS:
        rules.append(Advice(EBS, "long_run", f"A run takes more than {LONG_RUN_HOURS} hour."))
    if question.dataset_gib > LARGE_GIB:
        rules.append(Advice(EBS, "large_dataset", f"The data set is larger than {LARGE_GIB} GiB: its download takes time at each start."))
    return rules


def workload_from(values: Mapping[str, Any]) -> Workload:
    """Read a Workload from what a template gives."""
    return read_inputs(Workload, values, "The break-even of EBS against S3")


def question_from(values: Mapping[str, Any]) -> Question:
    """Read a Question from what a template gives."""
    return read_inputs(Question, values, "The advice on storage")
