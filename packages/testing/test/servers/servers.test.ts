import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { startMariaDb, startPostgres, startRedis, type RunningServer } from "../../src/index.js";
import { askMariaDb, askPostgres, askRedis } from "./asking.js";

interface Case {
  readonly kind: RunningServer["kind"];
  start(): Promise<RunningServer>;
  write(url: string): Promise<unknown>;
  read(url: string): Promise<unknown>;
}

const cases: readonly Case[] = [
  {
    kind: "postgres",
    start: startPostgres,
    write: (url) => askPostgres(url, "CREATE TABLE kept AS SELECT 7 AS n"),
    read: async (url) => (await askPostgres(url, "SELECT n FROM kept"))[0]?.["n"],
  },
  {
    kind: "mariadb",
    start: startMariaDb,
    write: (url) => askMariaDb(url, "CREATE TABLE kept AS SELECT 7 AS n"),
    read: async (url) => (await askMariaDb(url, "SELECT n FROM kept"))[0]?.["n"],
  },
  {
    kind: "redis",
    start: () => startRedis({ appendOnly: true }),
    write: (url) => askRedis(url, (redis) => redis.set("kept", 7)),
    read: (url) => askRedis(url, async (redis) => Number(await redis.get("kept"))),
  },
];

for (const { kind, start, write, read } of cases) {
  describe(`a throw-away ${kind}`, () => {
    let server: RunningServer;
    before(async () => {
      server = await start();
      await write(server.url);
    });
    after(() => server[Symbol.asyncDispose]());

    it("refuses connections while stopped and has its data and port afterwards", async () => {
      await server.stop();
      expect(await failureOf(read(server.url))).to.equal("ECONNREFUSED");
      await server.start();
      expect(await read(server.url)).to.equal(7);
    });

    it("comes back with its data after a kill", async () => {
      await server.kill();
      expect(await failureOf(read(server.url))).to.equal("ECONNREFUSED");
      await server.start();
      expect(await read(server.url)).to.equal(7);
    });

    it("keeps its data over a restart", async () => {
      await server.restart();
      expect(await read(server.url)).to.equal(7);
    });

    it("takes stop twice, start twice and kill after stop", async () => {
      await server.stop();
      await server.stop();
      await server.kill();
      await server.start();
      await server.start();
      expect(await read(server.url)).to.equal(7);
    });

    it("leaves no folder behind when disposed", () =>
      inOwnTempFolder(async (temp) => {
        const second = await start();
        expect(await readdir(temp)).to.have.length(1);
        await second[Symbol.asyncDispose]();
        expect(await readdir(temp)).to.deep.equal([]);
      }));
  });
}

describe("server settings", () => {
  it("PostgreSQL can decode its log, and given settings win", async () => {
    const server = await startPostgres({ settings: { timezone: "Asia/Kathmandu" } });
    try {
      const rows = await askPostgres(
        server.url,
        "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'max_connections', 'TimeZone', 'wal_level') ORDER BY name COLLATE \"C\"",
      );
      expect(rows.map((row) => row["setting"])).to.deep.equal(["Asia/Kathmandu", "off", "200", "logical"]);
      const slot = "SELECT lsn IS NOT NULL AS made FROM pg_create_logical_replication_slot('s', 'pgoutput')";
      expect(await askPostgres(server.url, slot)).to.deep.equal([{ made: true }]);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  it("two PostgreSQL servers are two sources", async () => {
    const identity = "SELECT system_identifier::text AS id FROM pg_control_system()";
    const servers = await Promise.all([startPostgres(), startPostgres()]);
    try {
      const [one, two] = await Promise.all(servers.map((server) => askPostgres(server.url, identity)));
      expect(one?.[0]?.["id"]).to.not.equal(two?.[0]?.["id"]);
    } finally {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    }
  });

  it("MariaDB writes a row binlog with full metadata, and given settings win", async () => {
    const server = await startMariaDb({ settings: { max_connections: "50" } });
    try {
      const [row] = await askMariaDb(
        server.url,
        "SELECT @@log_bin AS has_binlog, @@binlog_format AS row_format, @@binlog_row_metadata AS row_metadata, @@local_infile AS local_data, @@max_connections AS connection_limit, @@character_set_database AS charset_used",
      );
      expect(row).to.deep.equal({
        has_binlog: 1,
        row_format: "ROW",
        row_metadata: "FULL",
        local_data: 1,
        connection_limit: 50,
        charset_used: "utf8mb4",
      });
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  it("Redis evicts nothing, and forgets over a restart unless it is told to keep", async () => {
    const server = await startRedis();
    try {
      await askRedis(server.url, (redis) => redis.set("kept", 7));
      await server.restart();
      const [size, policy] = await askRedis(server.url, (redis) =>
        Promise.all([redis.dbsize(), redis.config("GET", "maxmemory-policy")]),
      );
      expect(size).to.equal(0);
      expect(policy).to.deep.equal(["maxmemory-policy", "noeviction"]);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  it("a server that refuses its settings fails with its log, and leaves nothing", () =>
    inOwnTempFolder(async (temp) => {
      const failure = await startPostgres({ settings: { no_such_setting: "1" } }).then(
        () => "",
        (error: Error) => error.message,
      );
      expect(failure).to.contain("did not start").and.to.contain("no_such_setting");
      expect(await readdir(temp)).to.deep.equal([]);
    }));
});

/** Other test processes make folders too: what is counted must be this test's own. */
async function inOwnTempFolder(act: (temp: string) => Promise<void>): Promise<void> {
  const temp = await mkdtemp(join(tmpdir(), "servers-test-"));
  await chmod(temp, 0o755);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = temp;
  try {
    await act(temp);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    await rm(temp, { recursive: true });
  }
}

async function failureOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

// ioredis hides the reason of a failed first connection behind "Connection is closed."
function codeOf(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? (message.includes("Connection is closed") ? "ECONNREFUSED" : message);
}
