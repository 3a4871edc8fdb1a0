import type { Finding, RunStatement } from "@lockstep/core";

interface Need {
  /** What the setting must be. */
  readonly is: string;
  /** A server that doesn't know the setting needs it all the same. */
  readonly everywhere: boolean;
  readonly advice: string;
}

/** Settings that capture by the binlog needs. */
const needed: Readonly<Record<string, Need>> = {
  log_bin: { is: "ON", everywhere: true, advice: "Start the server with log_bin." },
  binlog_format: { is: "ROW", everywhere: true, advice: "Set binlog_format = ROW." },
  binlog_row_image: { is: "FULL", everywhere: true, advice: "Set binlog_row_image = FULL." },
  binlog_row_metadata: { is: "FULL", everywhere: true, advice: "Set binlog_row_metadata = FULL." },
  // Compressed events: MariaDB's, MySQL's; JSON columns of which only a part is logged: MySQL's.
  log_bin_compress: { is: "OFF", everywhere: false, advice: "Set log_bin_compress = OFF." },
  binlog_transaction_compression: {
    is: "OFF",
    everywhere: false,
    advice: "Set binlog_transaction_compression = OFF.",
  },
  binlog_row_value_options: { is: "", everywhere: false, advice: "Set binlog_row_value_options to nothing." },
};

/** What keeps exact rows from being read from the server's binlog, setting by setting. */
export async function binlogFindings(run: RunStatement): Promise<readonly Finding[]> {
  const rows = await run(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${Object.keys(needed)
      .map((name) => `'${name}'`)
      .join(", ")})`,
  );
  const settings = new Map(rows.map((row) => [String(row["Variable_name"]), String(row["Value"])]));
  return Object.entries(needed).flatMap(([subject, { is: wanted, everywhere, advice }]): Finding[] => {
    const is = settings.get(subject);
    const about = { check: "capture.binlog", subject } as const;
    if (is === undefined && !everywhere) return [];
    if (is === wanted) return [];
    return [{ ...about, level: "error", message: `is ${is ?? "unknown to this server"}`, advice }];
  });
}
