import { chown, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { everyoneMayTraverse } from "./binaries/cache-folder.js";
import { makeOwnedFolder } from "./owned-folder.js";
import type { ServerKind } from "./binaries/server-binary.js";

/**
 * Whom servers run as. PostgreSQL and MariaDB refuse to run as root, and a throw-away server has no business with root's
 * rights: started by root, all of them run as "nobody".
 */
export function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;
}

/** A new folder that the server user owns, below the temp folder. Its path has no symbolic links. */
export async function makeServerFolder(kind: ServerKind): Promise<string> {
  const user = serverUser();
  // "nobody" must be able to walk to the folder; a TMPDIR inside root's home would stop it.
  const parent = user !== undefined && !(await everyoneMayTraverse(tmpdir())) ? "/tmp" : tmpdir();
  const folder = await makeOwnedFolder(await realpath(parent), kind);
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}
