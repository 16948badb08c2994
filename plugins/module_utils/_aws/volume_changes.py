# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out the plans of many volumes together: each action for all of them at once, then one wait for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .._core import tags as tag_keys
from .._core.ebs.volume import DELETED_STATES, Modification, Volume, already_attached, find_volume
from .._core.errors import ExplainedError
from .errors import aws_code
from .fleet import in_order, together
from .volume_items import VolumeItem
from .volumes import VolumeGateway
from .waiting import VISIBLE_WITHIN, TimeIsUp, growing_pauses, wait_until

if TYPE_CHECKING:
    from .snapshot_making import SnapshotMaker

# Most volumes are ready within two seconds, and one request looks at 200 of them: looking often costs little.
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.5, 1.1, 5.0
# Between two looks for a volume that another run has just created.
RIVAL_PAUSE = 1.0
# How many volumes of one identity may have been deleted or failed before; each costs one refused request.
GENERATIONS = 100
# A volume that EC2 drops right after creating it was refused later on, mostly for its KMS key.
VANISHINGS = 3

_LOOK = "Look at the volume with ebs_volume_info; run the task again or raise wait_timeout if it is only slow."
_UNMOUNT = "Unmount it on the instance first (the role shared_volume does so), or set force to take it away and lose unwritten data."


class Vanished(ExplainedError):
    """A volume that EC2 said it created is not there: its token was used up by an earlier volume, or EC2 dropped it."""


Done = Callable[[VolumeItem, Any], bool]


@dataclasses.dataclass(frozen=True)
class Changes:
    """Carry out plans through the gateways.

    snapshots: makes the gateway for snapshots; wait: also for the last action; time_limit: seconds for each wait.
    """

    gateway: VolumeGateway
    snapshots: Callable[[], SnapshotMaker]
    wait: bool = True
    time_limit: float = 300

    def carry_out(self, items: list[VolumeItem]) -> None:
        """Bring every item to what its plan wants; a failure is noted in its item and does not stop the others."""
        steps = {
            "create": self._create,
            "tag": self._tag,
            "untag": self._untag,
            "modify": self._modify,
            "detach": self._detach,
            "attach": self._attach,
            "set_delete_on_termination": self._correct_flags,
            "snapshot": self._take_final_snapshots,
            "delete": self._delete,
        }
        in_order(items, steps)
        self._watch([item for item in items if item.stale and item.plan.wanted], _is_there, "visible", _LOOK)

    # One action for many, one wait for many

    def _together(self, items: list[VolumeItem], act: Callable[[VolumeItem], None]) -> None:
        def act_once(item: VolumeItem) -> None:
            act(item)
            item.acted = item.stale = True

        together(items, act_once)

    def _to_await(self, action: str, items: list[VolumeItem]) -> list[VolumeItem]:
        return [item for item in items if item.error is None and self._waits(item, action)]

    def _waits(self, item: VolumeItem, action: str) -> bool:
        """Without wait, only the last action is left running: every other one must be over before the next begins."""
        return self.wait or item.plan.actions[-1] != action

    def _watch(
        self,
        items: list[VolumeItem],
        done: Done,
        what: str,
        next_step: str,
        read: Callable[[Iterable[str]], dict[str, Any]] | None = None,
    ) -> None:
        """Look at all items together until each is done or failed; without `read`, look at the volumes themselves."""
        waiting = [item for item in items if item.error is None]
        last_seen: dict[str, Any] = {}

        def look() -> dict[str, Any]:
            return (read or self._volumes)([item.volume_id for item in waiting])

        def all_done(found: dict[str, Any]) -> bool:
            last_seen.update(found)
            waiting[:] = [item for item in waiting if not self._is_over(item, found.get(item.volume_id), done)]
            return not waiting

        if not waiting:
            return
        try:
            wait_until(
                look,
                all_done,
                what=what,
                resource="A volume",
                time_limit=self.time_limit,
                next_step=next_step,
                pauses=growing_pauses(FIRST_PAUSE, GROWTH, LONGEST_PAUSE),
                clock=self.gateway.clock,
                sleep=self.gateway.sleep,
            )
        except ExplainedError as error:
            for item in waiting:
                item.error = self._late(item, last_seen, error, what)

    @staticmethod
    def _is_over(item: VolumeItem, seen: Any, done: Done) -> bool:
        if isinstance(seen, Volume):
            item.volume, item.stale = seen, False
        try:
            return done(item, seen)
        except ExplainedError as error:
            item.error = error
            return True

    def _late(self, item: VolumeItem, last_seen: dict[str, Any], error: ExplainedError, what: str) -> ExplainedError:
        """Name the one volume in a failure that ended the wait for many."""
        if not isinstance(error, TimeIsUp):
            return error
        seen = last_seen.get(item.volume_id)
        state = _state(seen) if seen is not None else error.details["last_seen"]
        return TimeIsUp(f"Volume {item.volume_id}", what, time_limit=self.time_limit, last_seen=state, next_step=error.next_step)

    def _volumes(self, ids: Iterable[str]) -> dict[str, Volume]:
        return {volume.volume_id: volume for volume in self.gateway.find_volumes(ids=ids)}

    def _look(self, item: VolumeItem) -> Volume | None:
        return self._volumes([item.volume_id]).get(item.volume_id)

    # Creating

    def _create(self, items: list[VolumeItem]) -> None:
        """Create, then look: where a token answers with a volume that is gone, the next generation's turn has come."""
        for _attempt in range(VANISHINGS):
            self._together(items, self._create_once)
            self._watch(items, self._is_created, "available", _LOOK)
            items = [item for item in items if isinstance(item.error, Vanished)]
            for item in items:
                item.error, item.generation = None, item.generation + 1
        for item in items:
            item.error = Vanished(
                f"EC2 accepted volume {item.label} {VANISHINGS} times and dropped it each time.",
                resource=item.label,
                next_step="Check that the KMS key exists, is enabled and may be used by these credentials.",
            )

    def _create_once(self, item: VolumeItem) -> None:
        wanted = item.plan.wanted
        for generation in range(item.generation, GENERATIONS):
            tags = {**wanted.tags, tag_keys.key(tag_keys.GENERATION): str(generation)} if generation else wanted.tags
            try:
                item.volume = self.gateway.create_volume(dataclasses.replace(wanted, tags=tags), generation)
            except ExplainedError as error:
                if aws_code(error) != "IdempotentParameterMismatch":
                    raise
                self._refuse_rival(item)
            else:
                item.generation, item.created_at = generation, self.gateway.clock()
                return
        raise ExplainedError(
            f"{GENERATIONS} volumes named {item.label} were created and deleted lately.",
            resource=item.label,
            next_step="Choose another name, or wait a day: EC2 forgets them after a while.",
        )

    def _refuse_rival(self, item: VolumeItem) -> None:
        """Refuse if another run has just created the volume with other values; look twice, as EC2's lists lag behind."""
        wanted = item.plan.wanted
        request = dataclasses.replace(item.request, availability_zone=wanted.availability_zone)
        for attempt in range(2):
            if attempt:
                self.gateway.sleep(RIVAL_PAUSE)
            rival = find_volume(request, self.gateway.find_volumes(names=[wanted.name]))
            if rival is not None:
                raise ExplainedError(
                    f"Another run has just created volume {wanted.name} ({rival.volume_id}) with other values.",
                    resource=rival.volume_id,
                    next_step="Run the task again: it compares what is asked with what is there.",
                )

    def _is_created(self, item: VolumeItem, volume: Volume | None) -> bool:
        too_late = self.gateway.clock() - item.created_at >= VISIBLE_WITHIN
        if (volume is None and too_late) or (volume is not None and volume.state in DELETED_STATES):
            raise Vanished(f"Volume {item.volume_id} is gone.", resource=item.volume_id)
        return volume is not None and (self._is_ready(item, volume) or not self._waits(item, "create"))

    @staticmethod
    def _is_ready(item: VolumeItem, volume: Volume | None) -> bool:
        if volume is not None and volume.state == "error":
            raise ExplainedError(
                f"EC2 could not create volume {item.volume_id} ({item.label}): it is in state error.",
                resource=item.volume_id,
                next_step="Run the task again to create the next one; delete this one by its volume_id.",
            )
        return volume is not None and volume.state in ("available", "in-use")

    # Changing

    def _tag(self, items: list[VolumeItem]) -> None:
        self._together(items, lambda item: self.gateway.create_tags(item.volume_id, item.plan.new_tags()))

    def _untag(self, items: list[VolumeItem]) -> None:
        self._together(items, lambda item: self.gateway.delete_tags(item.volume_id, item.plan.old_tags()))

    def _modify(self, items: list[VolumeItem]) -> None:
        self._together(items, self._modify_one)
        self._watch(self._to_await("modify", items), self._is_modified, "modified", _LOOK, read=self.gateway.find_modifications)

    def _modify_one(self, item: VolumeItem) -> None:
        changes = item.plan.modifications()
        try:
            self.gateway.modify_volume(item.volume_id, changes)
        except ExplainedError as error:
            # DescribeVolumes shows the old values for a while: the modification that runs may be the wanted one.
            running = self.gateway.find_modifications([item.volume_id]).get(item.volume_id)
            if aws_code(error) != "IncorrectModificationState" or running is None or not running.aims_at(changes):
                raise

    @staticmethod
    def _is_modified(item: VolumeItem, modification: Modification | None) -> bool:
        """The new size and speed can be used as soon as EC2 is optimizing, which may go on for a day."""
        if modification is not None and modification.state == "failed":
            raise ExplainedError(
                f"EC2 could not modify volume {item.volume_id}; it is as it was.",
                resource=item.volume_id,
                next_step="Run the task again; the EC2 console shows the volume's status if it fails again.",
            )
        return modification is not None and modification.state in ("optimizing", "completed")

    # Attaching, detaching, deleting

    def _detach(self, items: list[VolumeItem]) -> None:
        self._together(items, self._detach_one)
        self._watch(self._to_await("detach", items), self._is_detached, "detached", _UNMOUNT)

    def _detach_one(self, item: VolumeItem) -> None:
        for attachment in item.leaving():
            try:
                self.gateway.detach_volume(item.volume_id, attachment.instance_id, item.request.force)
            except ExplainedError as error:
                now = self._look(item)
                if aws_code(error) != "IncorrectState":
                    raise
                if now is not None and now.on_instance(attachment.instance_id) is not None:
                    raise _still_in_use(item.volume_id, attachment.instance_id, error) from error

    @staticmethod
    def _is_detached(item: VolumeItem, volume: Volume | None) -> bool:
        gone = {attachment.instance_id for attachment in item.leaving()}
        return volume is not None and not any(attachment.instance_id in gone for attachment in volume.holders)

    def _attach(self, items: list[VolumeItem]) -> None:
        self._watch([item for item in items if item.volume.state == "creating"], self._is_ready, "available", _LOOK)
        self._together(items, self._attach_one)
        self._watch(self._to_await("attach", items), self._is_attached, "attached", _LOOK)
        # Another run may have attached it, and with another value.
        self._correct_flags(self._to_await("attach", items))

    def _attach_one(self, item: VolumeItem) -> None:
        attachment = item.plan.wanted.on_instance(item.request.instance_id)
        try:
            self.gateway.attach_volume(item.volume_id, attachment.instance_id, attachment.device)
        except ExplainedError as error:
            if aws_code(error) not in ("VolumeInUse", "IncorrectState"):
                raise
            # Someone was faster: EC2 lets one of two attach. Look up who, which EC2's refusal does not say.
            now = self._look(item)
            if now is None or not now.holders:
                raise
            if now.on_instance(attachment.instance_id) is None:
                raise already_attached(now, now.holders[0].instance_id, attachment.instance_id) from error

    @staticmethod
    def _is_attached(item: VolumeItem, volume: Volume | None) -> bool:
        held = volume.on_instance(item.request.instance_id) if volume is not None else None
        return held is not None and held.state == "attached"

    def _correct_flags(self, items: list[VolumeItem]) -> None:
        """Set delete_on_termination where the attachment turned out to have another value, and verify it."""
        wrong = [item for item in items if item.flag_to_correct()]
        self._together(wrong, lambda item: self.gateway.set_delete_on_termination(item.volume_id, item.flag_to_correct()))
        self._watch(
            wrong,
            lambda item, volume: volume is not None and item.flag_to_correct() is None,
            "corrected in delete_on_termination",
            _LOOK,
        )

    def _take_final_snapshots(self, items: list[VolumeItem]) -> None:
        self._together(items, self._take_final_snapshot)

    def _take_final_snapshot(self, item: VolumeItem) -> None:
        """Take a last snapshot and wait for it, as nothing else will be left; one that a former run began is waited for."""
        # The code for snapshots is loaded where one is taken: it would be a tenth of every other run.
        from .last_snapshot import begin_last_snapshot

        snapshots = self.snapshots()
        taken = begin_last_snapshot(snapshots, item.plan.found)
        item.acted, item.final_snapshot_id = True, taken.snapshot_id
        snapshots.wait_until_completed(taken.snapshot_id, self.time_limit)

    def _delete(self, items: list[VolumeItem]) -> None:
        self._together(items, self._delete_one)
        self._watch(self._to_await("delete", items), self._is_deleted, "deleted", _LOOK)

    def _delete_one(self, item: VolumeItem) -> None:
        try:
            self.gateway.delete_volume(item.volume_id)
        except ExplainedError as error:
            if aws_code(error) != "InvalidVolume.NotFound":
                raise

    @staticmethod
    def _is_deleted(item: VolumeItem, volume: Volume | None) -> bool:
        return volume is None or volume.state == "deleted"


def _is_there(item: VolumeItem, volume: Volume | None) -> bool:
    return volume is not None


def _state(seen: Volume | Modification) -> str:
    holders = getattr(seen, "holders", ())
    return f"{seen.state}, {holders[0].state} to {holders[0].instance_id}" if holders else seen.state


def _still_in_use(volume_id: str, instance_id: str | None, error: ExplainedError) -> ExplainedError:
    return ExplainedError(
        f"Volume {volume_id} is still in use on instance {instance_id}: {error.details.get('aws_message')}",
        resource=volume_id,
        next_step=_UNMOUNT,
        attached_to=instance_id or "unknown",
        aws_code=aws_code(error),
    )
