import type { Finding } from "@lockstep/core";
import type { Look } from "./server.js";

/** Settings that capture by the binlog needs. */
const needed = {
  log_bin: ["ON", "Start the server with log_bin."],
  binlog_format: ["ROW", "Set binlog_format = ROW."],
  binlog_row_image: ["FULL", "Set binlog_row_image = FULL."],
  binlog_row_metadata: ["FULL", "Set binlog_row_metadata = FULL."],
} as const;

/** What capture by the binary log needs. */
export async function examineBinlog({ connections }: Look): Promise<readonly Finding[]> {
  const rows = await connections.use((session) =>
    session.rows(
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${Object.keys(needed)
        .map((name) => `'${name}'`)
        .join(", ")})`,
    ),
  );
  const settings = new Map(rows.map(([name, value]) => [String(name), String(value)]));
  return Object.entries(needed).map(([subject, [value, advice]]) => {
    const is = settings.get(subject) ?? "unknown to this server";
    return is === value
      ? { check: "capture.binlog", level: "ok", subject, message: `is ${value}` }
      : { check: "capture.binlog", level: "error", subject, message: `is ${is}`, advice };
  });
}
