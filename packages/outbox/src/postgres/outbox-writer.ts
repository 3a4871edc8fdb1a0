import {
  LockstepError,
  tableId,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type TableSchema,
} from "@lockstep/core";
import { createStatement, dropStatements } from "./ddl.js";
import { formatVersion } from "./format-version.js";
import { flushCalls, flushText, nameOf, type OwnFunctions } from "./flush-call.js";
import { rowMoved } from "./flush-function.js";
import { transactionsInTheWay } from "./in-the-way.js";
import { keptCapture } from "../kept-capture.js";
import { postgresHandOver } from "./hand-over.js";
import { keptQuery } from "./kept-query.js";
import { type OutboxNames, outboxNames, type PostgresOutboxOptions } from "./outbox-names.js";
import { refuseOtherOutbox } from "../outbox-table.js";
import { quoteText } from "./quote.js";
import { sayingWhoIsWaitedFor } from "../waited-for.js";
import { tableSchemaOf, type TableDefinition } from "./table-definition.js";

/** The outbox in a PostgreSQL database (13 or newer), as the application's transactions write it. */
export function postgresOutboxWriter(options: PostgresOutboxOptions = {}): OutboxWriter {
  const names = outboxNames(options);
  const { schema, s } = names;
  const create = createStatement(names);
  const tableFunctions = new Map<string, OwnFunctions>();
  return {
    async ensure(run) {
      await refuseShadowing(run, schema);
      if ((await formatOf(run, names)) < formatVersion) await runPatiently(run, names, [create]);
    },
    remove: (run) => runPatiently(run, names, dropStatements(names)),
    async check(run) {
      await refuseShadowing(run, schema);
      if ((await formatOf(run, names)) < formatVersion) {
        throw new LockstepError(
          "OUTBOX_MISSING",
          `the outbox is missing or older than version ${formatVersion}`,
        );
      }
    },
    async readCapture(run) {
      const [row] = await run(keptQuery(s));
      return keptCapture(row);
    },
    async keepCapture(run, { kind, from, stage, end }) {
      const values = [kind, from, stage, end].map((value) => value ?? null);
      await run(
        `update ${s}.state set capture = $1, capture_from = $2, capture_stage = $3, capture_end = $4`,
        values,
      );
    },
    handOver: postgresHandOver(names),
    hasTargets: async (run) => (await run(`select from ${s}.target limit 1`)).length > 0,
    describe: (run, tables, { inTransaction = false } = {}) =>
      // A function that is made in a transaction goes with it: whoever remembered its name would fail every later flush of the table.
      describe(run, s, inTransaction ? new Map() : tableFunctions, tables),
    appendStatement: (notes, transaction) => flushText(s, tableFunctions, notes, transaction),
    appendUpdated(note, transaction) {
      const calls = flushCalls(s, tableFunctions, [{ ...note, op: "update" }], transaction);
      const [sql, parameters] = calls[0]!;
      // The first parameter of both functions for one row.
      return { sql, parameters: ["U", ...parameters.slice(1)], moved: rowMoved };
    },
    keepsKeys(table) {
      const own = tableFunctions.get(nameOf(table));
      return `${s}.keeps_${own === undefined ? "keys" : own.name}(tableoid)`;
    },
    async append(run, notes, transaction) {
      try {
        let written = 0;
        for (const call of flushCalls(s, tableFunctions, notes, transaction)) {
          const [row] = await run(...call);
          written += Number(row?.["written"]);
        }
        return written;
      } catch (cause) {
        throw new LockstepError("OUTBOX_WRITE_FAILED", "the changes could not be written to the outbox", {
          cause,
        });
      }
    },
  };
}

async function runPatiently(
  run: RunStatement,
  { schema, table }: OutboxNames,
  statements: readonly string[],
): Promise<void> {
  const used = [table, "table_schema", "tick", "target", "state", "job", "schedule"];
  const tables = used.map((name) => ({ namespace: schema, name }));
  await sayingWhoIsWaitedFor(
    async () => {
      for (const statement of statements) await run(statement);
    },
    () => transactionsInTheWay(run, tables),
  );
}

// With PostgreSQL's default search_path ("$user", public) a schema named like the role comes first: from the moment it exists,
// tables that the application makes without naming a schema land in it, and TypeORM's synchronize makes all of them anew, empty.
async function refuseShadowing(run: RunStatement, schema: string): Promise<void> {
  const [row] = await run(
    `select current_user = ${quoteText(schema)} and current_setting('search_path') like '%"$user"%' as shadows`,
  );
  if (row?.["shadows"] !== true) return;
  throw new LockstepError(
    "CONFIG_INVALID",
    `outbox.schema: "${schema}" is also the name of the role that the application connects as, so it would come first in its search_path`,
  );
}

// One look at the catalog: another process may be making them.
function foundQuery({ schema, table }: OutboxNames): string {
  return `select coalesce(bool_or(c.relname = 'state'), false) as state, coalesce(bool_or(c.relname = ${quoteText(table)}), false) as outbox
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = ${quoteText(schema)} and c.relname in ('state', ${quoteText(table)})`;
}

/** Version of what is there; 0 when nothing is. @throws LockstepError OUTBOX_NAME. */
async function formatOf(run: RunStatement, names: OutboxNames): Promise<number> {
  const [found] = await run(foundQuery(names));
  const isMade = found?.["state"] === true;
  // Both are made by one statement, and go by one.
  const ours = isMade ? "ours" : "foreign";
  refuseOtherOutbox(names.outbox, { isMade, table: found?.["outbox"] === true ? ours : "none" });
  if (!isMade) return 0;
  const [row] = await run(`select format from ${names.s}.state`);
  return Number(row?.["format"] ?? 0);
}

async function describe(
  run: RunStatement,
  s: string,
  tableFunctions: Map<string, OwnFunctions>,
  tables: readonly RowNote["table"][],
): Promise<readonly TableSchema[]> {
  const names = JSON.stringify(tables.map(nameOf));
  const rows = await run(
    `select fingerprint, definition::text as definition, functions from ${s}.describe($1::jsonb) order by n`,
    [names],
  );
  const keyless: string[] = [];
  const schemas = rows.map((row, index) => {
    if (typeof row["definition"] !== "string") {
      throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(tables[index]!)} does not exist`);
    }
    const schema = tableSchemaOf(
      String(row["fingerprint"]),
      JSON.parse(row["definition"]) as TableDefinition,
    );
    if (schema.key.length === 0) keyless.push(tableId(schema));
    if (typeof row["functions"] === "string")
      tableFunctions.set(nameOf(schema), { name: row["functions"], keyLength: schema.key.length });
    return schema;
  });
  if (keyless.length > 0) {
    throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${keyless.join(", ")}`, {
      details: { tables: keyless },
    });
  }
  return schemas;
}
