import type { Finding } from "@lockstep/core";
import type { Look } from "./server.js";

/** Of what capture by the write-ahead log needs, what belongs to the whole server: room for readers. The rest is in the capture's own plan. */
export async function examineLog({ connections }: Look): Promise<readonly Finding[]> {
  const { rows } = await connections.use((client) =>
    client.query<Record<"slots" | "used" | "senders", string>>(
      `select current_setting('max_replication_slots') as slots, (select count(*) from pg_replication_slots) as used,
       current_setting('max_wal_senders') as senders`,
    ),
  );
  const { slots, used, senders } = rows[0]!;
  const about = { check: "capture.wal" } as const;
  const fine = { level: "ok", message: "is as it should be" } as const;
  return [
    Number(slots) - Number(used) < 1
      ? {
          ...about,
          subject: "max_replication_slots",
          level: "warning",
          message: `${used} of ${slots} slots are in use: catching up a lagging target needs one more`,
          advice: "Raise max_replication_slots.",
        }
      : { ...about, subject: "max_replication_slots", ...fine },
    Number(senders) < 2
      ? {
          ...about,
          subject: "max_wal_senders",
          level: "error",
          message: `is ${senders}`,
          advice: "Set max_wal_senders to 4 or more.",
        }
      : { ...about, subject: "max_wal_senders", ...fine },
  ];
}
