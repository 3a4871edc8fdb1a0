import type { Finding, TableSchema } from "@lockstep/core";
import { notOwnTable } from "../outbox-place.js";
import type { Look } from "./server.js";

/** The tables of the database: those that aren't captured, or that a rolled-back transaction would leave changed. */
export async function examineTables(look: Look): Promise<readonly Finding[]> {
  const { connections, place } = look;
  const captured = await capturedTables(look);
  const rows = await connections.use((session) =>
    session.rows(`SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.ENGINE,
       EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS k WHERE k.TABLE_SCHEMA = t.TABLE_SCHEMA
                  AND k.TABLE_NAME = t.TABLE_NAME AND k.CONSTRAINT_TYPE = 'PRIMARY KEY')
  FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE'
   AND ${notOwnTable(place, "t.TABLE_NAME")} ORDER BY t.TABLE_NAME`),
  );
  const findings = rows.flatMap(([namespace, name, engine, keyed]): Finding[] => {
    const subject = `${namespace}.${name}`;
    if (!captured.has(subject)) {
      const keyless = Number(keyed) === 0 ? ", and has no primary key" : "";
      return [
        {
          check: "capture.tables",
          level: "warning",
          subject,
          message: `is not captured${keyless}`,
          advice: "Name it for capture if targets are to have it; else leave it.",
        },
      ];
    }
    if (engine === "InnoDB") return [];
    return [
      {
        check: "capture.tables",
        level: "error",
        subject,
        message: `is a table of ${engine}, whose changes a roll-back doesn't undo`,
        advice: "ALTER TABLE … ENGINE = InnoDB.",
      },
    ];
  });
  return [...findings, countOf(captured.size)];
}

/** Ids of the tables that the outbox knows. */
export async function capturedTables({ connections, names }: Look): Promise<ReadonlySet<string>> {
  const rows = await connections.use((session) =>
    session.rows(`SELECT definition FROM ${names.tableSchema}`),
  );
  return new Set(
    rows.map(([definition]) => {
      const { namespace, name } = JSON.parse(String(definition)) as TableSchema;
      return `${namespace}.${name}`;
    }),
  );
}

function countOf(captured: number): Finding {
  const about = { check: "capture.tables", subject: "source" } as const;
  return captured > 0
    ? { ...about, level: "ok", message: `${captured} table(s) are captured` }
    : {
        ...about,
        level: "error",
        message: "no table is captured yet",
        advice: "Start the application with the publisher once, or install the triggers.",
      };
}
