import type { OutboxWriter, RowNote, TableSchema } from "@lockstep/core";
import { fingerprintOf } from "@lockstep/core";

/** A stand-in for the MySQL outbox: one table, images as JSON arrays of texts. */
export function mysqlOutboxWriter(): OutboxWriter {
  const up = [
    "CREATE TABLE IF NOT EXISTS lockstep_outbox (seq BIGINT PRIMARY KEY AUTO_INCREMENT, xid BIGINT, tab VARCHAR(200), op VARCHAR(10), `key` TEXT, image TEXT, `before` TEXT)",
  ];
  return {
    ddl: { up, down: ["DROP TABLE lockstep_outbox"] },
    ensure: async (run) => void (await run(up[0]!)),
    check: async () => undefined,
    async describe(run, tables) {
      const schemas: TableSchema[] = [];
      for (const table of tables) {
        const columns = await run(
          "SELECT COLUMN_NAME n, DATA_TYPE t, COLUMN_KEY k FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
          [table.namespace, table.name],
        );
        const key = await run(
          "SELECT COLUMN_NAME n FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
          [table.namespace, table.name],
        );
        const schema = {
          engine: "mysql" as const,
          ...table,
          columns: columns.map((c) => ({
            name: String(c["n"]),
            type: String(c["t"]),
            kind: String(c["t"]).endsWith("int") ? ("integer" as const) : ("text" as const),
            nullable: true,
          })),
          key: key.map((k) => String(k["n"])),
        };
        schemas.push({ ...schema, fingerprint: fingerprintOf(schema) });
      }
      return schemas;
    },
    async append(run, notes, _tx) {
      const last = new Map<string, RowNote>();
      const born = new Map<string, boolean>();
      for (const note of notes) {
        const id = JSON.stringify([note.table, note.key]);
        if (!born.has(id)) born.set(id, note.op === "insert");
        last.delete(id);
        last.set(id, note);
        if (note.before) {
          const old = JSON.stringify([note.table, note.before]);
          if (!born.has(old)) born.set(old, false);
          if (!last.has(old)) last.set(old, { table: note.table, op: "delete", key: note.before });
        }
      }
      const [{ x }] = (await run("SELECT CONNECTION_ID() x")) as [{ x: number }];
      let n = 0;
      for (const [id, { table, key }] of last) {
        const [schema] = await this.describe(run, [table]);
        const cells = schema!.columns.map((c) => `CAST(\`${c.name}\` AS CHAR)`).join(", ");
        const where = schema!.key.map((k) => `\`${k}\` = ?`).join(" AND ");
        const [row] = await run(
          `SELECT CONCAT(JSON_ARRAY(${cells}), "") image FROM \`${table.namespace}\`.\`${table.name}\` WHERE ${where} LOCK IN SHARE MODE`,
          key,
        );
        if (!row && born.get(id)) continue;
        n++;
        await run("INSERT INTO lockstep_outbox (xid, tab, op, `key`, image) VALUES (?, ?, ?, ?, ?)", [
          x,
          table.name,
          row ? "update" : "delete",
          JSON.stringify(key),
          row ? (typeof row["image"] === "string" ? row["image"] : JSON.stringify(row["image"])) : null,
        ]);
      }
      return n;
    },
  };
}
