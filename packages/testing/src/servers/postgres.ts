import { chown, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { findBinary, serverEnvironment } from "./binaries/find-binary.js";
import { run } from "./binaries/run.js";
import type { ServerBinary } from "./binaries/server-binary.js";
import { launch, type ServerRecipe } from "./launch.js";
import type { RunningServer, ServerOptions } from "./running-server.js";
import { serverUser } from "./server-folder.js";

const USER = "app";
const PASSWORD = "app";
const DATABASE = "postgres";

const defaults: Readonly<Record<string, string>> = {
  // Safe against the death of the process, not of the machine: the folder is thrown away anyway.
  fsync: "off",
  full_page_writes: "off",
  wal_level: "logical",
  max_connections: "200",
  max_wal_senders: "20",
  max_replication_slots: "20",
  shared_buffers: "128MB",
  listen_addresses: "127.0.0.1",
  // No socket file: its path would have to be short.
  unix_socket_directories: "",
  timezone: "UTC",
  log_min_messages: "warning",
};

/** What PostgreSQL takes beside the settings. */
export interface PostgresOptions extends ServerOptions {
  /** URL of a server started here: this one becomes its standby, read-only, following it by streaming replication. */
  readonly standbyOf?: string;
}

/** Starts PostgreSQL with a superuser "app"; the URL names the database "postgres". `wal_level` is logical, `fsync` is off. */
export async function startPostgres({ settings, standbyOf }: PostgresOptions = {}): Promise<RunningServer> {
  const binary = await findBinary("postgres");
  const standby = standbyOf !== undefined && {
    primary_conninfo: standbyOf,
    recovery_target_timeline: "latest",
  };
  return launch(recipe(binary, { ...defaults, ...standby, ...settings }, standbyOf));
}

function recipe(
  binary: ServerBinary,
  settings: Readonly<Record<string, string>>,
  standbyOf: string | undefined,
): ServerRecipe {
  const env = serverEnvironment(binary);
  return {
    kind: "postgres",
    prepare: (folder) =>
      standbyOf === undefined ? initialise(binary, folder) : copyOf(standbyOf, dataFolder(folder)),
    plan: (folder, port) => {
      const url = `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${DATABASE}`;
      const data = dataFolder(folder);
      const args = ["-D", data, "-p", String(port)];
      for (const [name, value] of Object.entries(settings)) args.push("-c", `${name}=${value}`);
      return {
        kind: "postgres",
        folder,
        port,
        url,
        command: { program: binary.program, args, env },
        probe: () => isServing(url, data),
        stopSignal: "SIGINT",
        // Immediate shutdown: no checkpoint, the next start recovers as after a crash. SIGKILL would leave backends behind
        // that hold the shared memory, and the next start would refuse.
        killSignal: "SIGQUIT",
      };
    },
  };
}

async function initialise(binary: ServerBinary, folder: string): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, PASSWORD, { mode: 0o600 });
  const user = serverUser();
  if (user !== undefined) await chown(passwordFile, user.uid, user.gid);
  const login = ["--username", USER, "--pwfile", passwordFile, "--auth", "scram-sha-256"];
  const text = ["--locale=C", "--encoding=UTF8"];
  // Never from a copied template: all copies would share one system identifier, which says who a source is.
  await run(join(binary.bin, "initdb"), ["-D", dataFolder(folder), ...login, ...text, "--no-sync"], {
    cwd: folder,
    env: serverEnvironment(binary),
    ...user,
  });
}

/** A copy of the data of a server that runs, as a base backup is made; not by pg_basebackup, which isn't everywhere. */
async function copyOf(primary: string, data: string): Promise<void> {
  const client = new Client({ connectionString: primary });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    await client.query("SELECT pg_backup_start('standby', true)");
    await run("cp", ["-a", rows[0]!.data_directory, data], { ...serverUser() });
    const stopped = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
    await rm(join(data, "postmaster.pid"), { force: true });
    for (const [name, text] of [
      ["backup_label", stopped.rows[0]!.labelfile],
      ["standby.signal", ""],
    ] as const) {
      await writeFile(join(data, name), text, { mode: 0o600 });
      const user = serverUser();
      if (user !== undefined) await chown(join(data, name), user.uid, user.gid);
    }
  } finally {
    await client.end();
  }
}

async function isServing(url: string, data: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    return rows[0]?.data_directory === data;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function dataFolder(folder: string): string {
  return join(folder, "data");
}
