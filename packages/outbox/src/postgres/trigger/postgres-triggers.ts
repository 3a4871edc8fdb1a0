import {
  type CaptureFinding,
  type CapturePlan,
  type OutboxTriggers,
  type RowNote,
  tableId,
} from "@lockstep/core";
import { bounded } from "../bounded.js";
import { quoteName } from "../quote.js";
import { type FoundTable, type FoundTrigger, readTables } from "./catalog.js";
import { type OutboxNames, outboxNames, type PostgresOutboxOptions } from "../outbox-names.js";
import { removeTriggers } from "./remove-triggers.js";
import { createFunction, triggerFunction } from "./trigger-function.js";
import { nameOf, type TriggerTable } from "./trigger-table.js";
import {
  createTrigger,
  functionName,
  partitionTrigger,
  tableHash,
  type WantedTrigger,
  wantedTriggers,
} from "./triggers.js";

/** Triggers on PostgreSQL 13 or newer, writing to the outbox. */
export function postgresTriggers(options: PostgresOutboxOptions = {}): OutboxTriggers {
  const names = outboxNames(options);
  const { schema } = names;
  return {
    async plan(run, tables) {
      const found = await readTables(run, schema, tables);
      const plans = tables.map((table, index) => planTable(names, table, found[index]));
      return {
        findings: plans.flatMap(({ findings }) => findings),
        statements: plans.flatMap(({ statements }) => statements),
      };
    },
    removal: async () => ({ statements: [removeTriggers(schema)] }),
  };
}

/** What one table lacks. Pure. */
function planTable(names: OutboxNames, table: RowNote["table"], found: FoundTable | undefined): CapturePlan {
  const { schema } = names;
  const id = tableId(table);
  const refused = found === undefined ? `the table doesn't exist` : refusal(found);
  if (refused !== undefined || found === undefined) {
    return { findings: [{ table: id, problem: "refused", message: `${id}: ${refused}` }], statements: [] };
  }
  const own: TriggerTable = {
    ...table,
    ...found,
    level: found.isPartitioned || found.isSubscribed ? "row" : "statement",
  };
  const execute = functionName(schema, table);
  const made = triggerFunction(names, own, tableHash(table));
  const wanted = wantedTriggers(schema, own);
  const isFine = (trigger: WantedTrigger): boolean =>
    found.triggers.some((other) => isSame(trigger, other, execute));
  const missing = wanted.filter((trigger) => !isFine(trigger));
  const extra = found.triggers.filter(({ name }) => !wanted.some((trigger) => trigger.name === name));
  const unguarded = found.partitions.filter(({ guarded }) => !guarded);
  const finding = findingOf(id, found, { isDrifted: made.body !== found.body, missing, extra, unguarded });
  if (finding === undefined) return { findings: [], statements: [] };
  const changes = [
    ...(made.body === found.body ? [] : [createFunction(execute, made)]),
    ...missing.map((trigger) => createTrigger(table, trigger, execute)),
    ...unguarded.map((partition) => createTrigger(partition, partitionTrigger(schema), execute)),
    ...extra.map(({ name }) => `drop trigger ${quoteName(name)} on ${nameOf(table)};`),
  ];
  return { findings: [finding], statements: [bounded(changes)] };
}

function refusal({ key, isPartition, inherits }: FoundTable): string | undefined {
  if (key.length === 0) return "it has no primary key: give it one, or leave it out";
  if (isPartition) return "it is a partition: capture the partitioned table instead";
  if (inherits)
    return "it is part of an inheritance tree, whose rows have no common primary key: leave it out";
  return undefined;
}

function isSame(wanted: WantedTrigger, found: FoundTrigger, execute: string): boolean {
  return (
    found.name === wanted.name &&
    found.type === wanted.type &&
    found.enabled === "A" &&
    found.function === (wanted.function ?? execute) &&
    found.isDeferred === (wanted.isDeferred ?? false) &&
    found.oldTable === (wanted.oldTable ?? null) &&
    found.newTable === (wanted.newTable ?? null) &&
    [...found.columns].sort().join() === [...(wanted.columns ?? [])].sort().join()
  );
}

function findingOf(
  table: string,
  found: FoundTable,
  {
    isDrifted,
    missing,
    extra,
    unguarded,
  }: {
    isDrifted: boolean;
    missing: readonly WantedTrigger[];
    extra: readonly FoundTrigger[];
    unguarded: readonly { readonly name: string }[];
  },
): CaptureFinding | undefined {
  if (found.triggers.length === 0) {
    return {
      table,
      problem: "missing",
      message: `${table} has no capture triggers: its writes are not captured`,
      isBare: true,
    };
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    return {
      table,
      problem: "missing",
      message: `${table}: triggers missing, disabled or changed: ${names}`,
    };
  }
  if (unguarded.length > 0) {
    const names = unguarded.map(({ name }) => name).join(", ");
    return {
      table,
      problem: "drifted",
      message: `${table} has partitions that can be emptied by themselves, uncaptured: ${names}`,
    };
  }
  if (isDrifted) {
    return {
      table,
      problem: "drifted",
      message: `${table} is not as it was when its triggers were made: they read its columns anew at every write, which is slower`,
      isHarmless: true,
    };
  }
  if (extra.length === 0) return undefined;
  return { table, problem: "extra", message: `${table} has triggers that are no longer needed` };
}
