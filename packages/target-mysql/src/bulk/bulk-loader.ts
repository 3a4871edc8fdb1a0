import {
  type BulkLoader,
  type HeldLane,
  imagesIn,
  LockstepError,
  type RowImage,
  type TargetTable,
} from "@lockstep/core";
import { countHeld } from "../lane/checkpoint-row.js";
import { upsert } from "../rows/upsert.js";
import type { Session } from "../session/session.js";
import { packets } from "../sql/packets.js";
import { rowLiteral, type TablePlan } from "../tables/mysql-table.js";

/** Rows by INSERT of many at once, each load in a transaction of a session of its own. (LOAD DATA was no faster, and needs a right at both ends.) */
export function bulkLoader(
  connect: () => Promise<Session>,
  source: string,
  held: readonly HeldLane[],
): BulkLoader {
  const idle: Session[] = [];
  const use = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const session = idle.pop() ?? (await connect());
    try {
      const result = await work(session);
      idle.push(session);
      return result;
    } catch (error) {
      // It may be in the middle of anything: the server rolls back when it is gone.
      session.drop();
      throw error;
    }
  };
  const write = (
    rows: AsyncIterable<Buffer>,
    writeSome: (session: Session, images: readonly RowImage[]) => Promise<void>,
  ): Promise<number> =>
    use(async (session) => {
      let written = 0;
      await session.write("START TRANSACTION");
      for await (const images of imagesIn(rows)) {
        await writeSome(session, images);
        written += images.length;
      }
      // The fence, as the last statement (PROTOCOL.md 14): whoever takes a lane over changes its row first, and so comes before this, or waits for the commit.
      if ((await countHeld(session, source, held, written)) !== held.length) {
        throw new LockstepError("TARGET_FENCED", "a lane isn't held any more");
      }
      await session.write("COMMIT");
      return written;
    });
  return {
    layout: (table) => (planOf(table).selfReferencing ? undefined : { format: "text" }),
    count: (table, most) =>
      use(async (session) => {
        const some = `SELECT 1 FROM ${planOf(table).table} LIMIT ${Math.ceil(most)}`;
        const [row] = await session.rows(`SELECT COUNT(*) AS n FROM (${some}) s`);
        return Number(row?.["n"]);
      }),
    load: (table, _, rows) => write(rows, (session, images) => insert(session, planOf(table), images)),
    merge: (table, rows) =>
      write(rows, (session, images) =>
        upsert(
          session,
          planOf(table),
          images.map((image) => ({ key: "", image })),
        ),
      ),
    async close() {
      await Promise.all(idle.splice(0).map((session) => session.close()));
    },
  };
}

async function insert(session: Session, plan: TablePlan, images: readonly RowImage[]): Promise<void> {
  const head = `INSERT INTO ${plan.table} (${plan.columns.map(({ quoted }) => quoted).join(",")}) VALUES `;
  const literals = images.map((image) => rowLiteral(plan.columns, image));
  for (const { sql } of packets(head, literals, ",", "", session.flavour.maxPacketBytes))
    await session.write(sql);
}

/** A table that this package's own `tables()` returned. */
function planOf(table: TargetTable): TablePlan {
  if ("columns" in table && "catalog" in table) return table as TablePlan;
  throw new TypeError("the table comes from another target");
}
