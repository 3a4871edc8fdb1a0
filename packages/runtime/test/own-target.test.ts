import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "@lockstep/config";
import { type Sink, sinkTarget } from "@lockstep/core";
import { postgresTarget } from "@lockstep/target-postgres";
import { freshPostgres } from "@lockstep/testing";
import { targetContract, type TargetFixture } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { Client } from "pg";
import { targetsOf } from "../src/index.js";

const page = new URL("../../../../docs/strategies/own-target.md", import.meta.url);

async function codeOnPage(): Promise<string> {
  const [, code] = /```ts\n(.*?)```/s.exec(await readFile(page, "utf8")) ?? [];
  return code!;
}

/** The page's code as a user's configuration file, its folder another one. */
async function writeConfig(work: string, folder: string): Promise<string> {
  const packages = join(work, "node_modules", "@lockstep");
  await mkdir(packages, { recursive: true });
  for (const name of ["config", "core"]) {
    const root = fileURLToPath(new URL("../..", import.meta.resolve(`@lockstep/${name}`)));
    await symlink(root, join(packages, name));
  }
  const file = join(work, "lockstep.config.ts");
  await writeFile(file, (await codeOnPage()).replace("/var/lib/mirror", folder));
  return file;
}

async function openSink(work: string, folder: string): Promise<Sink> {
  const config = await loadConfig({ file: await writeConfig(work, folder), environment: {} });
  const target = config.targets["files"];
  if (target?.type !== "sink") throw new Error("the page's target is a sink");
  return target.open();
}

async function openFixture(): Promise<TargetFixture> {
  const state = await freshPostgres();
  const client = new Client({ connectionString: state.url });
  await client.connect();
  const work = await mkdtemp(join(tmpdir(), "lockstep-own-"));
  const folder = join(work, `mirror-${basename(work).toLowerCase()}`);
  const sink = await openSink(work, folder);
  const blocked = join(work, "no-folder");
  await writeFile(blocked, "");
  const blockedWork = join(work, "blocked");
  const away = await openSink(blockedWork, blocked);
  const unused = () => Promise.reject(new Error("a folder has no SQL"));
  return {
    engine: "postgres",
    url: `folder://${basename(folder)}`,
    target: ({ name, url }) =>
      sinkTarget({
        name,
        sink: new URL(url).port === "1" ? away : sink,
        state: postgresTarget({ name, url: state.url }),
      }),
    run: unused,
    read: unused,
    async rows({ name, columns }) {
      const files = (await readdir(join(folder, name))).filter((file) => file.endsWith(".json"));
      const stored = await Promise.all(
        files.map(
          async (file) =>
            JSON.parse(await readFile(join(folder, name, file), "utf8")) as {
              row?: Record<string, string | null>;
            },
        ),
      );
      return stored.flatMap(({ row }) =>
        row === undefined ? [] : [columns.map((column) => row[column.name] ?? null)],
      );
    },
    killLanes: async () => {
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lockstep lane %'",
      );
    },
    drop: async () => {
      await client.end();
      await state.drop();
      await rm(work, { recursive: true });
    },
  };
}

describe("a target of one's own", () => {
  it("takes about 60 lines", async () => {
    const code = (await codeOnPage()).split("\n").filter((line) => line.trim() !== "");
    expect(code.length).within(40, 70);
  });

  it("comes out of the configuration under its name, with its mapping", async () => {
    const work = await mkdtemp(join(tmpdir(), "lockstep-own-"));
    try {
      const config = await loadConfig({ file: await writeConfig(work, "/mirror"), environment: {} });
      const mapped = { ...config.targets["files"]!, map: { orders: { to: "facts" } } };
      const [made] = await targetsOf({ ...config, targets: { files: mapped } });
      expect(made?.target).include({ name: "files", address: "/mirror" });
      expect(made?.mapping?.tables).deep.equal(["orders"]);
      await made?.target.close();
    } finally {
      await rm(work, { recursive: true });
    }
  });
});

targetContract("your own", openFixture, { transactions: false, letters: false });
