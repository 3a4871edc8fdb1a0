import {
  isPacked,
  LockstepError,
  partitionOf,
  tableId,
  type ChangeEvent,
  type Changes,
  type LoggedChanges,
} from "@lockstep/core";

/** An event, or packed ones, and the partition they go to. */
export interface Routed {
  readonly partition: number;
  readonly changes: Changes;
}

/**
 * Where an event goes. With one partition: there, as it is, packed or not. With several (nothing is packed there), by its row's key; then
 * - a `barrier` goes to every partition;
 * - a `truncate` is refused: its table's rows are in all of them, and a lane that is slower would empty what another has written since;
 * - a key that moves to another partition becomes a delete there and a write here: the two lanes don't wait for each other, so
 *   neither may touch the other's row.
 * @throws LockstepError TRUNCATE_PARTITIONED.
 */
export function route(event: LoggedChanges, partitions: number): readonly Routed[] {
  if (partitions === 1 || isPacked(event)) return [{ partition: 0, changes: event }];
  if (event.op === "truncate") {
    throw new LockstepError("TRUNCATE_PARTITIONED", `${tableId(event.table)} was truncated`, {
      details: { table: tableId(event.table), tick: String(event.tick) },
    });
  }
  if (event.op === "barrier") {
    return Array.from({ length: partitions }, (_, partition) => ({ partition, changes: event }));
  }
  const table = tableId(event.table);
  const partition = partitionOf(table, event.key, partitions);
  if (event.before === undefined) return [{ partition, changes: event }];
  const left = partitionOf(table, event.before, partitions);
  if (left === partition) return [{ partition, changes: event }];
  const { before, ...arrival } = event;
  const departure: ChangeEvent = {
    ordinal: event.ordinal,
    op: "delete",
    schema: event.schema,
    key: before,
  };
  return [
    { partition: left, changes: departure },
    { partition, changes: arrival },
  ];
}
