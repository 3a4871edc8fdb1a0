import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, realpath, rm, chmod } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { kill } from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { eventually } from "../../../src/index.js";
import { processesIn } from "../../../src/servers/reaper/processes-in.js";

interface Server {
  readonly kind: string;
  readonly port: number;
}

describe("the reaper", () => {
  let folder: string;
  let owners: ChildProcess[];
  beforeEach(async () => {
    owners = [];
    folder = await realpath(await mkdtemp(join(tmpdir(), "reaper-test-")));
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    for (const owner of owners) owner.kill("SIGKILL");
    await eventually(async () => (await readdir(folder)).length === 0, {
      what: "the temp folder to be empty",
    });
    await rm(folder, { recursive: true });
  });

  async function startOwner(...args: readonly string[]): Promise<readonly [ChildProcess, readonly Server[]]> {
    const script = fileURLToPath(new URL("./owner.js", import.meta.url));
    const owner = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["pipe", "pipe", "inherit"],
    });
    owners.push(owner);
    const [line] = (await once(createInterface({ input: owner.stdout }), "line")) as [string];
    return [owner, JSON.parse(line) as readonly Server[]];
  }

  it("ends all servers and removes their folders when their process is SIGKILLed", async () => {
    const [owner, servers] = await startOwner();
    expect(await readdir(folder)).to.have.length(3);
    for (const { kind, port } of servers) expect(await listens(port), kind).to.equal(true);
    owner.kill("SIGKILL");
    await allGone(servers);
  });

  it("does the same when the process ends by itself, and never keeps it alive", async () => {
    const [owner, servers] = await startOwner("--end");
    if (owner.exitCode === null) await once(owner, "exit");
    expect(owner.exitCode).to.equal(0);
    await allGone(servers);
  });

  it("serves several processes at once: one's death leaves the others' servers alone", async () => {
    const started = await Promise.all([startOwner(), startOwner()]);
    const [[first, firstServers], [, secondServers]] = started as [(typeof started)[0], (typeof started)[0]];
    first.kill("SIGKILL");
    await eventually(async () => (await readdir(folder)).length === 3, {
      what: "the first one's folders to go",
    });
    for (const { kind, port } of firstServers) expect(await listens(port), kind).to.equal(false);
    for (const { kind, port } of secondServers) expect(await listens(port), kind).to.equal(true);
  });

  it("leaves folders to the next run when it is killed with its process and the servers", async () => {
    const [{ pid }, servers] = await startOwner();
    const folders = (await readdir(folder)).map((name) => join(folder, name));
    const inside = (await Promise.all(folders.map(processesIn))).flat();
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8"))
      .trim()
      .split(" ")
      .map(Number);
    for (const victim of new Set([...children, pid!, ...inside])) kill(victim!, "SIGKILL");
    for (const { port } of servers) await eventually(async () => !(await listens(port)));
    expect(await readdir(folder)).to.have.length(3);
    const [next, others] = await startOwner();
    expect(await readdir(folder))
      .to.have.length(3)
      .and.not.include(basename(folders[0]!));
    next.kill("SIGKILL");
    await allGone(others);
  });

  async function allGone(servers: readonly Server[]): Promise<void> {
    await eventually(async () => (await readdir(folder)).length === 0, { what: "the folders to go" });
    for (const { kind, port } of servers) expect(await listens(port), kind).to.equal(false);
  }
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
