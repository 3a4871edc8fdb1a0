import {
  type CaptureFinding,
  type CapturePlan,
  type ColumnSchema,
  type RowNote,
  type RunStatement,
  tableId,
  type VersionTriggers,
} from "@lockstep/core";
import { type MysqlOutboxOptions, outboxPlace, type OutboxPlace } from "../outbox-place.js";
import { quoteName, quoteTable, quoteText } from "../quote.js";
import { shapeReader, type TableShape } from "../table-shape.js";
import { hashOf } from "../trigger/hash.js";
import { dropTrigger, type FoundTrigger, removalOf, withMode } from "../trigger/plan-table.js";
import { tablesWithActions, triggersInOrder, versionTriggersOf } from "./found.js";
import { ownTriggers } from "./own-triggers.js";
import { eventVersionBody, versionBody, type VersionRules, versionTable } from "./version-body.js";

type Table = RowNote["table"];

/** Version triggers on MySQL 8 or MariaDB 10.6 or newer, beside the outbox. */
export function mysqlVersionTriggers(options: MysqlOutboxOptions = {}): VersionTriggers {
  const place = outboxPlace(options);
  const { prefix } = place;
  const shapes = shapeReader();
  return {
    async plan(run, node, tables) {
      const [row] = await run("SELECT DATABASE() AS name");
      const rules = { node, prefix, database: String(row?.["name"]) };
      const refused = await refusals(run, shapes, rules, tables);
      if (refused.length > 0) return { findings: refused, statements: [] };
      const wanted = [];
      for (const table of tables) wanted.push(ofTable(rules, (await shapes(run, table))!));
      if (tables.length > 0) wanted.push(ofOutbox(rules, place, tables));
      const found = await versionTriggersOf(run, namePrefix(prefix));
      const order = await triggersInOrder(run, rules.database);
      const ids = new Set(wanted.map(({ table }) => tableId(table)));
      const plans = wanted.map((one) => planOne(one, found, order));
      const extra = found.filter(({ table }) => !ids.has(tableId(table)));
      const statements = [...plans.flatMap((plan) => plan.statements), ...extra.map(dropTrigger)];
      return {
        findings: [
          ...plans.flatMap((plan) => plan.findings),
          ...noLonger(extra),
          ...(await ownTriggers(run, namePrefix(prefix), tables)),
        ],
        statements: withMode(statements),
      };
    },
    removal: async (run) => removalOf((await versionTriggersOf(run, namePrefix(prefix))).map(dropTrigger)),
  };
}

function namePrefix(prefix: string): string {
  return prefix.length > 22 ? `lockstep_${hashOf(prefix)}_` : prefix;
}

/** A table and its triggers; their names say what they do. */
interface Wanted {
  readonly table: Table;
  readonly triggers: readonly { readonly name: string; readonly when: string; readonly body: string }[];
}

function ofTable(rules: VersionRules, shape: TableShape): Wanted {
  const { namespace, name } = shape.schema;
  const triggers = (["insert", "update", "delete"] as const).map((event) => {
    const body = versionBody(rules, shape, event);
    return { ...named(rules, { namespace, name }, event, body), when: `AFTER ${event.toUpperCase()}` };
  });
  return { table: { namespace, name }, triggers };
}

function ofOutbox(rules: VersionRules, { table: name }: OutboxPlace, tables: readonly Table[]): Wanted {
  const table = { namespace: rules.database, name };
  const body = eventVersionBody(rules, tables);
  return { table, triggers: [{ ...named(rules, table, "before", body), when: "BEFORE INSERT" }] };
}

function named({ prefix }: VersionRules, table: Table, event: string, body: string) {
  return { name: `${namePrefix(prefix)}version_${hashOf(tableId(table))}_${event}_${hashOf(body)}`, body };
}

/** What a table, or the outbox, lacks. Pure. */
function planOne(
  { table, triggers }: Wanted,
  all: readonly FoundTrigger[],
  order: ReadonlyMap<string, readonly string[]>,
): CapturePlan {
  const id = tableId(table);
  const found = all.filter((trigger) => tableId(trigger.table) === id).map(({ name }) => name);
  // Before all others: what they write of the row shall have its version.
  const inOrder = (when: string): readonly string[] => order.get(`${id} ${when}`) ?? [];
  const missing = triggers.filter(({ name, when }) => !found.includes(name) || inOrder(when)[0] !== name);
  const extra = found.filter((name) => !triggers.some((trigger) => trigger.name === name));
  if (missing.length === 0 && extra.length === 0) return { findings: [], statements: [] };
  const drops = [...extra, ...missing.map(({ name }) => name).filter((name) => found.includes(name))];
  const isBare = found.length === 0;
  const creates = missing.map(({ name, when, body }) => {
    const other = inOrder(when).find((one) => !drops.includes(one));
    const place = other === undefined ? "" : ` PRECEDES ${quoteName(other)}`;
    return `CREATE TRIGGER ${quoteTable({ ...table, name })} ${when} ON ${quoteTable(table)} FOR EACH ROW${place} ${body}`;
  });
  const message = isBare
    ? `${id} has no version triggers: its writes have no versions`
    : `${id}: version triggers are missing, not the first, or made for something else`;
  return {
    findings: [{ table: id, problem: isBare ? "missing" : "drifted", message }],
    // Nobody writes in between: a write without a version would count for nothing elsewhere.
    statements: [
      `LOCK TABLES ${quoteTable(table)} WRITE`,
      ...drops.map((name) => dropTrigger({ table, name })),
      ...creates,
      "UNLOCK TABLES",
    ],
  };
}

async function refusals(
  run: RunStatement,
  shapes: ReturnType<typeof shapeReader>,
  { database }: VersionRules,
  tables: readonly Table[],
): Promise<CaptureFinding[]> {
  const [kept] = await run(
    `SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${quoteText(versionTable)}`,
  );
  if (Number(kept?.["n"]) === 0) {
    const message = `${versionTable} is missing: start a consumer of this target first`;
    return [{ problem: "refused", message }];
  }
  const findings: CaptureFinding[] = [];
  const acted = await tablesWithActions(run, database);
  for (const table of tables) {
    const why = refusalOf(await shapes(run, table), database, acted);
    const id = tableId(table);
    if (why !== undefined) {
      findings.push({ table: id, problem: "refused", message: `${id} can't be two-way: ${why}` });
    }
  }
  return findings;
}

/** Longest text of a key: with its JSON and other keys it is still one that every node can keep. */
const maxKeyText = 255;

function refusalOf(
  shape: TableShape | undefined,
  database: string,
  acted: ReadonlySet<string>,
): string | undefined {
  if (shape === undefined) return "it doesn't exist";
  if (shape.schema.namespace !== database) return `it doesn't lie in ${database}`;
  if (shape.keyColumns.length === 0) return "it has no primary key";
  const odd = shape.keyColumns.filter((column) => !isPlainKey(column)).map(({ name }) => name);
  if (odd.length > 0) {
    return `keys must print alike on every node: integers, uuid, or text of at most ${maxKeyText} characters (${odd.join(", ")})`;
  }
  if (!acted.has(shape.schema.name)) return undefined;
  return "a foreign key changes its rows (ON DELETE or ON UPDATE CASCADE, SET NULL), which fires no trigger";
}

function isPlainKey({ kind, length = 0 }: ColumnSchema): boolean {
  return kind === "integer" || kind === "uuid" || (kind === "text" && length > 0 && length <= maxKeyText);
}

function noLonger(triggers: readonly FoundTrigger[]): CaptureFinding[] {
  return [...new Set(triggers.map(({ table }) => tableId(table)))].map((id) => ({
    table: id,
    problem: "extra",
    message: `${id} is no longer two-way and has version triggers`,
  }));
}
