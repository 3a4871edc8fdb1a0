import type { ImageWriter } from "@lockstep/core";
import { audienceText } from "../event-row.js";
import { outboxNames, type PostgresOutboxOptions } from "./outbox-names.js";
import { quoteText } from "./quote.js";
import { wakeUpOf } from "./wake-up.js";

/** Rows that were read elsewhere as events of an outbox in PostgreSQL. */
export function postgresImageWriter(options: PostgresOutboxOptions = {}): ImageWriter {
  const { schema, s, outbox } = outboxNames(options);
  const { channel, lock } = wakeUpOf(schema);
  return {
    async register(run, schemas) {
      for (const one of schemas) {
        // No statements that read rows: nothing of this outbox's database is read by it.
        await run(
          `insert into ${s}.table_schema (fingerprint, rel, version, definition, image, images, keys, befores, cells, key_cells, key_same)
  select $1, 0, '', $2::jsonb, '', '', '', '', '', '', '' where not exists (select from ${s}.table_schema where fingerprint = $1)`,
          [one.fingerprint, JSON.stringify(one)],
        );
      }
    },
    async append(run, { fingerprint }, rows, { traceparent, origin, audience }) {
      if (rows.length === 0) return;
      // A row alone may be so large that writing it takes long.
      if (rows.length === 1) await run("set local statement_timeout = '60s'");
      await run(
        `insert into ${outbox} (seq, op, fingerprint, key, image, traceparent, origin, audience)
  select nextval(${quoteText(`${s}.outbox_seq`)}), case when r.image is null then 'd' else 's' end::"char", $1, r.key, r.image, $4, $5, $6
    from (select * from unnest($2::text[], $3::text[]) with ordinality as u (key, image, n) order by u.n) r`,
        [
          fingerprint,
          rows.map(({ key }) => key),
          rows.map(({ image }) => image),
          traceparent ?? null,
          origin ?? null,
          audienceText(audience),
        ],
      );
      await run(
        `select case when not pg_try_advisory_xact_lock_shared(${lock}) then pg_notify(${quoteText(channel)}, '') end`,
      );
    },
  };
}
