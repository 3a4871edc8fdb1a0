import type { Source } from "./open-source.js";

/** What row triggers of the database saw: the truth that capture is held against. */
export interface Oracle {
  /** Changes committed since the last call: per row (`table key`) whether it was there before. */
  touched(): Promise<ReadonlyMap<string, { readonly existedBefore: boolean }>>;
}

interface KeyedTable {
  readonly name: string;
  readonly key: readonly string[];
}

/** Puts a trigger on each mapped table that logs every row change. */
export async function watchTables(source: Source, tables: readonly KeyedTable[]): Promise<Oracle> {
  const statements = source.type === "postgres" ? postgresTriggers(tables) : mysqlTriggers(tables);
  for (const statement of statements) await source.sql(statement);
  let seen = 0;
  return {
    async touched() {
      const rows = await source.sql(`SELECT n, tab, op, id FROM oracle WHERE n > ${seen} ORDER BY n`);
      seen = Number(rows.at(-1)?.["n"] ?? seen);
      const touched = new Map<string, { existedBefore: boolean }>();
      for (const row of rows) {
        const id = `${String(row["tab"])} ${keyTextOf(row["id"])}`;
        if (!touched.has(id)) touched.set(id, { existedBefore: row["op"] !== "insert" });
      }
      return touched;
    },
  };
}

/** Tables of the entities, with their keys, as TypeORM maps them. */
export function keyedTables(source: Source): KeyedTable[] {
  const tables = new Map(
    source.dataSource.entityMetadatas.map((metadata) => [
      metadata.tableName,
      metadata.primaryColumns.map((column) => column.databaseName),
    ]),
  );
  return [...tables].map(([name, key]) => ({ name, key }));
}

// A key that moves is a delete of the old one and an insert of the new one.
function postgresTriggers(tables: readonly KeyedTable[]): string[] {
  const table = "CREATE TABLE oracle (n serial PRIMARY KEY, tab text, op text, id text)";
  return [
    table,
    ...tables.flatMap(({ name, key }, index) => {
      const keyOf = (row: string) =>
        `json_build_array(${key.map((k) => `${row}."${k}"::text`).join(", ")})::text`;
      return [
        `CREATE FUNCTION oracle_${index}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF TG_OP = 'INSERT' THEN INSERT INTO oracle (tab, op, id) VALUES (TG_TABLE_NAME, 'insert', ${keyOf("NEW")});
           ELSIF TG_OP = 'DELETE' THEN INSERT INTO oracle (tab, op, id) VALUES (TG_TABLE_NAME, 'delete', ${keyOf("OLD")});
           ELSIF ${keyOf("NEW")} = ${keyOf("OLD")} THEN INSERT INTO oracle (tab, op, id) VALUES (TG_TABLE_NAME, 'update', ${keyOf("NEW")});
           ELSE INSERT INTO oracle (tab, op, id) VALUES (TG_TABLE_NAME, 'delete', ${keyOf("OLD")}), (TG_TABLE_NAME, 'insert', ${keyOf("NEW")});
           END IF; RETURN NULL; END $$`,
        `CREATE TRIGGER oracle AFTER INSERT OR UPDATE OR DELETE ON "${name}" FOR EACH ROW EXECUTE FUNCTION oracle_${index}()`,
      ];
    }),
  ];
}

function mysqlTriggers(tables: readonly KeyedTable[]): string[] {
  return [
    "CREATE TABLE oracle (n INT PRIMARY KEY AUTO_INCREMENT, tab VARCHAR(99), op VARCHAR(9), id TEXT)",
    ...tables.flatMap(({ name, key }, index) => {
      const keyOf = (row: string) =>
        `CONCAT(JSON_ARRAY(${key.map((k) => `CAST(${row}.\`${k}\` AS CHAR)`).join(", ")}), '')`;
      const log = (op: string, row: string) =>
        `INSERT INTO oracle (tab, op, id) VALUES ('${name}', '${op}', ${keyOf(row)});`;
      const trigger = (event: string, body: string) =>
        `CREATE TRIGGER oracle_${index}_${event} AFTER ${event} ON \`${name}\` FOR EACH ROW BEGIN ${body} END`;
      return [
        trigger("insert", log("insert", "NEW")),
        trigger("delete", log("delete", "OLD")),
        trigger(
          "update",
          `IF ${keyOf("NEW")} = ${keyOf("OLD")} THEN ${log("update", "NEW")} ELSE ${log("delete", "OLD")} ${log("insert", "NEW")} END IF;`,
        ),
      ];
    }),
  ];
}

function keyTextOf(id: unknown): string {
  return JSON.stringify(typeof id === "string" ? JSON.parse(id) : id);
}
