import { LockstepError, type RunStatement } from "@lockstep/core";

const lock = "CONCAT('lockstep install ', LEFT(SHA2(DATABASE(), 256), 32))";
const waitSeconds = 30;

/**
 * Lets one process at a time put something into a MySQL or MariaDB database: whatever makes a trigger there fails on one that is there already. On PostgreSQL the statements see to it
 * themselves.
 * @throws LockstepError CAPTURE_INSTALL_WAITS.
 */
export async function installAlone<T>(run: RunStatement, work: () => Promise<T>): Promise<T> {
  const [row] = await run(`SELECT GET_LOCK(${lock}, ${waitSeconds}) AS got`);
  if (Number(row?.["got"]) !== 1)
    throw new LockstepError(
      "CAPTURE_INSTALL_WAITS",
      `another process has been installing for ${waitSeconds} s`,
    );
  try {
    return await work();
  } finally {
    // A session that is gone has let go of it.
    await run(`SELECT RELEASE_LOCK(${lock}) AS released`).catch(() => undefined);
  }
}
