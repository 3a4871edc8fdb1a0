import { randomUUID } from "node:crypto";
import type { Session } from "../session/session.js";
import { own, ownTables, ownTablesVersion } from "./ddl.js";

/** Makes Lockstep's tables if they are missing or older, and gives the target's id. */
export async function ensureOwnTables(session: Session): Promise<string> {
  return (await readId(session)) ?? makeOwnTables(session);
}

// Read first: a role that may only use the tables, made by somebody else, needs no right to make them.
async function readId(session: Session): Promise<string | undefined> {
  const known = await session.query("select to_regclass($1) is not null", [own.identity]);
  if (known.rows[0]?.[0] !== "t") return undefined;
  const found = await session.query(`select id from ${own.identity} where version = ${ownTablesVersion}`);
  return found.rows[0]?.[0] ?? undefined;
}

async function makeOwnTables(session: Session): Promise<string> {
  const answers = await session.run([
    { text: "begin" },
    // IF NOT EXISTS alone races: two sessions that make the same table at once, one fails.
    { text: "select pg_advisory_xact_lock(hashtextextended('lockstep own tables', 0))" },
    ...ownTables.map((text) => ({ text })),
    {
      text: `insert into ${own.identity} (id, version) select $1::uuid, ${ownTablesVersion}
        where not exists (select from ${own.identity})`,
      values: [randomUUID()],
    },
    { text: `update ${own.identity} set version = ${ownTablesVersion} returning id` },
    { text: "commit" },
  ]);
  const id = answers[answers.length - 2]?.rows[0]?.[0];
  if (id === null || id === undefined) throw new Error("the target's identity could not be read");
  return id;
}
