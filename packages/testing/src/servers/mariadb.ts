import { chown, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { exists } from "./binaries/cache-folder.js";
import { findBinary, inBase, serverEnvironment } from "./binaries/find-binary.js";
import { run } from "./binaries/run.js";
import type { ServerBinary } from "./binaries/server-binary.js";
import { launch, type ServerRecipe } from "./launch.js";
import type { RunningServer, ServerOptions } from "./running-server.js";
import { serverUser } from "./server-folder.js";

const defaults: Readonly<Record<string, string>> = {
  "character-set-server": "utf8mb4",
  "collation-server": "utf8mb4_unicode_ci",
  "default-time-zone": "+00:00",
  // Written at each commit, flushed to disk once a second: safe against the death of the process.
  "innodb-flush-log-at-trx-commit": "2",
  "innodb-buffer-pool-size": "128M",
  "log-bin": "binlog",
  "binlog-format": "ROW",
  "binlog-row-image": "FULL",
  "binlog-row-metadata": "FULL",
  "local-infile": "1",
  "max-connections": "200",
  "bind-address": "127.0.0.1",
};

// What must be the same when the folder is filled and when the server runs.
const fixed: readonly string[] = ["--innodb-log-file-size=48M", "--innodb-use-native-aio=0"];

/**
 * Starts MariaDB with a database "lockstep"; user root, no password, from 127.0.0.1 only. utf8mb4, row binlog with full
 * metadata, `local_infile` on. Setting names may be written with "_" or "-".
 */
export async function startMariaDb(options: ServerOptions = {}): Promise<RunningServer> {
  const binary = await findBinary("mariadb");
  const serverId = String(1 + Math.floor(Math.random() * 0x7fff_ffff));
  return launch(recipe(binary, { "server-id": serverId, ...defaults, ...dashed(options.settings ?? {}) }));
}

function dashed(settings: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name.replaceAll("_", "-"), value]),
  );
}

function recipe(binary: ServerBinary, settings: Readonly<Record<string, string>>): ServerRecipe {
  return {
    kind: "mariadb",
    prepare: (folder) => initialise(binary, folder),
    plan: (folder, port) => {
      const url = `mysql://root@127.0.0.1:${port}/lockstep`;
      const args = [
        ...commonArguments(binary, folder),
        `--port=${port}`,
        `--socket=${join(folder, "socket")}`,
        `--pid-file=${join(folder, "pid")}`,
        // Whoever can connect must not read or write files elsewhere.
        `--secure-file-priv=${folder}`,
        "--skip-name-resolve",
      ];
      for (const [name, value] of Object.entries(settings)) args.push(`--${name}=${value}`);
      return {
        kind: "mariadb",
        folder,
        port,
        url,
        command: { program: binary.program, args, env: serverEnvironment(binary) },
        probe: () => isServing(url, dataFolder(folder)),
        stopSignal: "SIGTERM",
        killSignal: "SIGKILL",
      };
    },
  };
}

function commonArguments(binary: ServerBinary, folder: string): readonly string[] {
  // --no-defaults must be first. tmpdir: the server user may not be allowed to write elsewhere.
  return [
    "--no-defaults",
    `--basedir=${binary.base}`,
    `--datadir=${dataFolder(folder)}`,
    `--tmpdir=${folder}`,
    ...fixed,
  ];
}

/** The part of mariadb-install-db that a test server needs: system tables, and root without a password. */
async function initialise(binary: ServerBinary, folder: string): Promise<void> {
  const user = serverUser();
  await mkdir(dataFolder(folder), { mode: 0o700 });
  if (user !== undefined) await chown(dataFolder(folder), user.uid, user.gid);
  const share = await shareFolder(binary);
  const files = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
  const scripts = await Promise.all(files.map((file) => readFile(join(share, file), "utf8")));
  // Bootstrap mode wants each statement to end its line.
  const before =
    "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n";
  const after = "CREATE DATABASE lockstep CHARACTER SET utf8mb4;\n";
  await run(
    binary.program,
    [
      ...commonArguments(binary, folder),
      "--bootstrap",
      "--skip-log-bin",
      "--innodb-flush-log-at-trx-commit=0",
    ],
    { cwd: folder, env: serverEnvironment(binary), input: before + scripts.join("\n") + after, ...user },
  );
}

async function shareFolder(binary: ServerBinary): Promise<string> {
  for (const name of ["mysql", "mariadb", ""]) {
    const folder = inBase(binary, "share", name);
    if (await exists(join(folder, "mysql_system_tables.sql"))) return folder;
  }
  throw new Error(`no mysql_system_tables.sql below ${inBase(binary, "share")}`);
}

async function isServing(url: string, data: string): Promise<boolean> {
  const connection = await createConnection({ uri: url, connectTimeout: 5_000 });
  try {
    const [rows] = await connection.query<RowDataPacket[]>("SELECT @@datadir AS datadir");
    return rows[0]?.["datadir"] === `${data}/`;
  } finally {
    connection.destroy();
  }
}

function dataFolder(folder: string): string {
  return join(folder, "data");
}
