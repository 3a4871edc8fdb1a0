import type { Finding } from "@lockstep/core";
import { clockFinding } from "../../clock-finding.js";
import type { Connections } from "../connections.js";
import type { TableNames } from "../ddl.js";
import type { OutboxPlace } from "../outbox-place.js";

/** What every part of an examination works with. */
export interface Look {
  readonly connections: Connections;
  readonly names: TableNames;
  readonly place: OutboxPlace;
  readonly capture: "subscriber" | "trigger" | "binlog";
}

/** Compares the server's clock with this process's. */
export function examineClock({ connections }: Look): Promise<Finding> {
  return clockFinding(async () => {
    const [row] = await connections.use((session) =>
      session.rows("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000 AS SIGNED)"),
    );
    return Number(row![0]);
  });
}

/** Version and settings that a promise depends on. */
export async function examineServer({ connections }: Look): Promise<readonly Finding[]> {
  const [row] = await connections.use((session) =>
    session.rows("SELECT @@version, @@innodb_flush_log_at_trx_commit, @@read_only"),
  );
  const [version, flush, readOnly] = row!.map(String) as [string, string, string];
  const findings = [versionOf(version)];
  if (flush !== "1") {
    findings.push({
      check: "source.durability",
      level: "warning",
      subject: "innodb_flush_log_at_trx_commit",
      message: `is ${flush}: a crash of the server may take back what was already published`,
      advice: "Set it to 1 for data that matters.",
    });
  }
  if (readOnly !== "0") {
    findings.push({
      check: "source.role",
      level: "error",
      subject: "source",
      message: "this server is read-only: nothing can be captured here",
      advice: "Name the primary.",
    });
  }
  return findings;
}

const oldest = { MariaDB: [10, 6], MySQL: [8, 0] } as const;

function versionOf(version: string): Finding {
  const product = /mariadb/i.test(version) ? "MariaDB" : "MySQL";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [needMajor, needMinor] = oldest[product];
  const about = { check: "source.version", subject: "source" } as const;
  return major > needMajor || (major === needMajor && minor >= needMinor)
    ? { ...about, level: "ok", message: `${product} ${version}` }
    : {
        ...about,
        level: "error",
        message: `${product} ${version} is too old`,
        advice: `Use ${product} ${needMajor}.${needMinor} or newer.`,
      };
}
