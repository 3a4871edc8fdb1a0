import type { ImageWriter } from "@lockstep/core";
import { tableNames } from "./ddl.js";
import type { MysqlOutboxOptions } from "./outbox-place.js";
import { insertRows, registerSchemas } from "./outbox-writer.js";

/** Rows that were read elsewhere as events of an outbox in MySQL or MariaDB. */
export function mysqlImageWriter(options: MysqlOutboxOptions = {}): ImageWriter {
  const names = tableNames(options);
  return {
    register: (run, schemas) => registerSchemas(run, names, schemas),
    async append(run, { fingerprint }, rows, transaction) {
      if (rows.length === 0) return;
      const written = rows.map(({ key, image }, order) => {
        const op = image === null ? ("d" as const) : ("s" as const);
        return { order, op, fingerprint, key, image, before: null };
      });
      await insertRows(run, names, written, transaction);
    },
  };
}
