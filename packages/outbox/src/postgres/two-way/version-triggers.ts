import {
  type CaptureFinding,
  type CapturePlan,
  type RowNote,
  type RunStatement,
  tableId,
  type VersionTriggers,
} from "@lockstep/core";
import { bounded } from "../bounded.js";
import { type OutboxNames, outboxNames, type PostgresOutboxOptions } from "../outbox-names.js";
import { quoteName, quoteText } from "../quote.js";
import { createFunction } from "../trigger/trigger-function.js";
import { nameOf } from "../trigger/trigger-table.js";
import { createTrigger, hashOf, tableHash, type WantedTrigger } from "../trigger/triggers.js";
import { eventVersionBody } from "./event-version.js";
import { readVersionFacts, tablesWithVersions, type VersionFacts } from "./facts.js";
import { ownTriggers } from "./own-triggers.js";
import { bornTable, versionBody, versionTable } from "./version-function.js";

type Table = RowNote["table"];

/** Version triggers on PostgreSQL 14 or newer, beside the outbox. */
export function postgresVersionTriggers(options: PostgresOutboxOptions = {}): VersionTriggers {
  const names = outboxNames(options);
  const { schema } = names;
  const prefix = versionPrefix(schema);
  return {
    async plan(run, node, tables) {
      const refused = await refusedAsAWhole(run, tables);
      if (refused !== undefined) return { findings: [refused], statements: [] };
      const ofTables = tables.map((table) => ofTable(schema, node, table));
      const wanted = ofTables.length === 0 ? [] : [...ofTables, ofOutbox(names, tables)];
      const found = await readVersionFacts(run, prefix, wanted);
      const plans = wanted.map((one, i) => planOne(one, found[i]));
      const ids = new Set(wanted.map(({ table }) => tableId(table)));
      const extra = (await tablesWithVersions(run, prefix)).filter((table) => !ids.has(tableId(table)));
      if (tables.length > 0) plans.push(await planPublication(run, schema));
      const findings = [
        ...plans.flatMap((plan) => plan.findings),
        ...extra.map(noLonger),
        ...(await ownTriggers(run, { schema, prefix }, tables)),
      ];
      const statements = [
        ...plans.flatMap((plan) => plan.statements),
        ...extra.map((table) => dropAll(prefix, table)),
      ];
      const isRefused = findings.some(({ problem }) => problem === "refused");
      return { findings, statements: statements.length === 0 || isRefused ? [] : [bounded(statements)] };
    },
    removal: async () => ({ statements: [bounded([removal(schema, prefix)], { declare: "made record; " })] }),
  };
}

/** The target's, beside its versions: in the log it says whose a transaction is. */
const checkpointTable = "lockstep.checkpoint";

// After every other BEFORE trigger: what they make of a row is what is written, and a row that they leave out has no new version.
function versionPrefix(schema: string): string {
  return `zzz_${schema.length > 40 ? hashOf(schema) : schema}_version`;
}

/** A table, its trigger function, and the triggers that run it. */
interface Wanted {
  readonly table: Table;
  readonly execute: string;
  readonly body: (facts: VersionFacts) => string;
  readonly triggers: readonly WantedTrigger[];
  readonly refusal: (facts: VersionFacts) => string | undefined;
  /** What is needed beside. */
  readonly first: readonly string[];
}

function ofTable(schema: string, node: string, table: Table): Wanted {
  return {
    table,
    execute: `${quoteName(schema)}.version_${tableHash(table)}`,
    body: ({ key, unique }) => versionBody(node, { ...table, key: key.map(({ name }) => name), unique }),
    triggers: tableTriggers(versionPrefix(schema)),
    refusal: refusalOf,
    first: [],
  };
}

function ofOutbox({ schema, s, table }: OutboxNames, tables: readonly Table[]): Wanted {
  const row = { name: versionPrefix(schema), type: 7, when: "before insert", forEach: "for each row" };
  return {
    table: { namespace: schema, name: table },
    execute: `${s}.event_version`,
    body: () => eventVersionBody(schema, tables),
    triggers: [row],
    refusal: () => undefined,
    first: [`create index if not exists table_schema_fingerprint on ${s}.table_schema (fingerprint);`],
  };
}

/** `type`: `pg_trigger.tgtype`. */
function tableTriggers(prefix: string): readonly WantedTrigger[] {
  return [
    {
      name: prefix,
      type: 31,
      when: "before insert or update or delete",
      forEach: "for each row",
    },
    {
      name: `${prefix}_born`,
      type: 4,
      when: "after insert",
      forEach: `referencing new table as ${bornTable} for each statement`,
    },
    { name: `${prefix}_truncate`, type: 34, when: "before truncate", forEach: "for each statement" },
  ];
}

async function refusedAsAWhole(
  run: RunStatement,
  tables: readonly Table[],
): Promise<CaptureFinding | undefined> {
  const refused = (message: string): CaptureFinding => ({ problem: "refused", message });
  if (new Set(tables.map(({ namespace }) => namespace)).size > 1) {
    return refused("two-way tables of one node must lie in one schema");
  }
  const [row] = await run(`select (to_regclass(${quoteText(versionTable)}) is not null)::text as found`);
  if (row?.["found"] === "true") return undefined;
  return refused(`${versionTable} is missing: start a consumer of this target first`);
}

/** Where the log is captured, versions must be in it from the first on, and so must whose transactions are. */
async function planPublication(run: RunStatement, schema: string): Promise<CapturePlan> {
  const wal = `${quoteName(schema)}.wal`;
  const [there] = await run(`select (to_regclass(${quoteText(wal)}) is not null)::text as found`);
  if (there?.["found"] !== "true") return { findings: [], statements: [] };
  const lacking = await run(
    `select w.publications[2]::text as name, t.name as relation from ${wal} w, unnest($1::text[]) t(name)
 where to_regclass(t.name) is not null and not exists (select from pg_publication_tables p
  where p.pubname = w.publications[2] and format('%I.%I', p.schemaname, p.tablename) = t.name)`,
    [[versionTable, checkpointTable]],
  );
  return {
    findings: lacking.map(({ relation }) => ({
      problem: "missing",
      message: `not published: ${String(relation)}`,
    })),
    statements: lacking.map(
      ({ name, relation }) => `alter publication ${quoteName(String(name))} add table ${String(relation)};`,
    ),
  };
}

const keyTypes: ReadonlySet<string> = new Set(["int2", "int4", "int8", "uuid", "text", "varchar"]);

function refusalOf({ isPlain, key }: VersionFacts): string | undefined {
  if (!isPlain) return "it is partitioned, a partition, part of an inheritance tree, or no table at all";
  if (key.length === 0) return "it has no primary key";
  const odd = key.filter(({ type, isExact }) => !keyTypes.has(type) || !isExact).map(({ name }) => name);
  if (odd.length === 0) return undefined;
  return `keys must print alike on every node: integers, uuid, or text of a deterministic collation (${odd.join(", ")})`;
}

/** What a table, or the outbox, lacks. Pure. */
function planOne(wanted: Wanted, found: VersionFacts | undefined): CapturePlan {
  const { table, execute, triggers, first } = wanted;
  const id = tableId(table);
  const refusal = found === undefined ? "it doesn't exist" : wanted.refusal(found);
  if (refusal !== undefined || found === undefined) {
    return {
      findings: [{ table: id, problem: "refused", message: `${id} can't be two-way: ${refusal}` }],
      statements: [],
    };
  }
  const body = wanted.body(found);
  const missing = triggers.filter((t) => !found.triggers.some((f) => isSame(t, f, execute)));
  const extra = found.triggers.filter(({ name }) => !triggers.some((t) => t.name === name));
  const isDrifted = body !== found.body;
  if (!isDrifted && missing.length === 0 && extra.length === 0) return { findings: [], statements: [] };
  const isBare = found.triggers.length === 0;
  const message = isBare
    ? `${id} has no version triggers: its writes have no versions`
    : `${id}: version triggers are missing, disabled or made for something else`;
  return {
    findings: [{ table: id, problem: isBare ? "missing" : "drifted", message }],
    statements: [
      ...first,
      ...(isDrifted ? [createFunction(execute, { body, pins: false })] : []),
      ...missing.map((trigger) => createTrigger(table, trigger, execute)),
      ...extra.map(({ name }) => `drop trigger ${quoteName(name)} on ${nameOf(table)};`),
    ],
  };
}

function isSame(wanted: WantedTrigger, found: VersionFacts["triggers"][number], execute: string): boolean {
  return (
    found.name === wanted.name &&
    found.type === wanted.type &&
    found.enabled === "A" &&
    found.function === execute
  );
}

function noLonger(table: Table): CaptureFinding {
  const id = tableId(table);
  return { table: id, problem: "extra", message: `${id} is no longer two-way and has version triggers` };
}

function dropAll(prefix: string, table: Table): string {
  return tableTriggers(prefix)
    .map(({ name }) => `drop trigger if exists ${quoteName(name)} on ${nameOf(table)};`)
    .join("\n");
}

function removal(schema: string, prefix: string): string {
  return `for made in select t.tgname, t.tgrelid::regclass::text as relation from pg_trigger t
 where starts_with(t.tgname, ${quoteText(prefix)}) loop
  execute format('drop trigger %I on %s', made.tgname, made.relation);
end loop;
for made in select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname = ${quoteText(schema)} and p.proname ~ '^(version_[0-9a-f]{16}|event_version)$' loop
  execute 'drop function ' || made.name;
end loop;
drop index if exists ${quoteName(schema)}.table_schema_fingerprint;`;
}
