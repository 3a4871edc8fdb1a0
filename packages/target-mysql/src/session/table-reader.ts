import type { TableReader } from "@lockstep/core";
import type { Session } from "./session.js";

/** Reads the tables of `namespace`. Connects on first use, and again when the connection was lost. */
export function tableReader(connect: () => Promise<Session>, namespace: string): TableReader {
  let opening: Promise<Session> | undefined;
  const session = async (): Promise<Session> => {
    const opened = await (opening ??= connect());
    if (opened.alive) return opened;
    return (opening = connect());
  };
  return {
    engine: "mysql",
    namespace,
    async rows(sql) {
      try {
        // Rows are objects whose properties are in the order of the statement's columns, which have distinct names.
        return (await (await session()).rows(sql)).map((row) => Object.values(row));
      } catch (error) {
        if (!(await opening?.catch(() => undefined))?.alive) opening = undefined;
        throw error;
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
