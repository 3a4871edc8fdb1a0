import { type LockstepConfig, loadConfig } from "@lockstep/config";
import {
  type Finding,
  fingerprintOf,
  mappingOf,
  type RunStatement,
  tableId,
  type TableSchema,
} from "@lockstep/core";
import { type CaptureSource, runAtSource } from "@lockstep/publisher/capture";

type Targets = LockstepConfig["targets"];

/** Whether the tables and columns that targets' mappings name are in the source: a lane only learns of a table when its first change comes. */
export async function examineMappings(
  source: CaptureSource,
  file: string | undefined,
): Promise<readonly Finding[]> {
  const { targets } = await loadConfig(file === undefined ? {} : { file });
  const mapped = Object.entries(targets).filter(
    ([, { map, sources }]) => map && (sources?.includes(source.name) ?? true),
  );
  if (mapped.length === 0) return [];
  try {
    const tables = await runAtSource(source, (run) => readTables(run, source.engine));
    return mapped.flatMap(([name, target]) => judgeMapping(name, target, tables));
  } catch {
    // That the source can't be reached is a finding already.
    return [];
  }
}

/** What a mapping names and the source lacks. Pure. */
function judgeMapping(
  name: string,
  { map = {}, maskSecret, sources }: Pick<Targets[string], "map" | "maskSecret" | "sources">,
  tables: readonly TableSchema[],
): readonly Finding[] {
  const mapping = mappingOf(map, { secret: maskSecret });
  const subject = `targets.${name}.map`;
  const unknown = mapping.tables.filter(
    (table) => !tables.some((one) => tableId(one) === table || one.name === table),
  );
  const lacking = unknown.map((table): Finding => {
    const bare = table.split(".").at(-1);
    const alike = tables.filter((one) => one.name === bare).map(tableId);
    return {
      check: "mapping.tables",
      // The table may be another source's.
      level: sources?.length === 1 ? "error" : "warning",
      subject,
      message: `names ${table}, which the source doesn't have`,
      advice:
        alike.length === 0
          ? "Name a table as namespace.table, or table."
          : `Did you mean ${alike.join(" or ")}?`,
    };
  });
  // Without its key a table can't be judged: the role may not be allowed to see it.
  const problems = tables.flatMap((table) => (table.key.length === 0 ? [] : mapping.problems(table)));
  const unfit = problems.map((message): Finding => {
    return {
      check: "mapping.columns",
      level: "error",
      subject,
      message,
      advice: "Correct the mapping: the lane would stop.",
    };
  });
  if (lacking.length + unfit.length > 0) return [...lacking, ...unfit];
  return [{ check: "mapping.tables", level: "ok", subject, message: "fits the source" }];
}

/** Tables with their columns and keys: all that a mapping is judged by. */
async function readTables(run: RunStatement, engine: TableSchema["engine"]): Promise<readonly TableSchema[]> {
  const columns = await run(
    `select c.table_schema as namespace, c.table_name as name, c.column_name as column_name
     from information_schema.columns c
     join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
     where t.table_type = 'BASE TABLE' and t.table_schema not in ('information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys')
     order by c.table_schema, c.table_name, c.ordinal_position`,
  );
  const keys = await run(
    `select k.table_schema as namespace, k.table_name as name, k.column_name as column_name
     from information_schema.table_constraints t
     join information_schema.key_column_usage k on k.constraint_name = t.constraint_name
       and k.table_schema = t.table_schema and k.table_name = t.table_name
     where t.constraint_type = 'PRIMARY KEY' order by k.table_schema, k.table_name, k.ordinal_position`,
  );
  const keyOf = byTable(keys);
  return [...byTable(columns).values()].map(({ namespace, name, names }) => {
    const schema = {
      engine,
      namespace,
      name,
      columns: names.map((column) => ({ name: column, type: "", kind: "text" as const, nullable: true })),
      key: keyOf.get(tableId({ namespace, name }))?.names ?? [],
    };
    return { ...schema, fingerprint: fingerprintOf(schema) };
  });
}

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly names: string[];
}

function byTable(rows: readonly Record<string, unknown>[]): ReadonlyMap<string, Named> {
  const tables = new Map<string, Named>();
  for (const row of rows) {
    const table = { namespace: String(row["namespace"]), name: String(row["name"]) };
    const named = tables.get(tableId(table)) ?? { ...table, names: [] };
    tables.set(tableId(table), named);
    named.names.push(String(row["column_name"]));
  }
  return tables;
}
