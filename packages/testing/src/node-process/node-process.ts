import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.js";
import { makeOwnedFolder } from "../servers/owned-folder.js";
import { tellReaper } from "../servers/reaper/reaper.js";

/** What to run. */
export interface NodeProcessOptions {
  /** Path of the program. */
  readonly main: string;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files that it finds in its working folder, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shows its stderr and stdout. Default false: the last 200 lines are kept in `output`. */
  readonly show?: boolean;
}

const keptLines = 200;

/**
 * A Node program in a process and a temporary folder of its own, that can be killed at any instant, held still and watched.
 * It ends with this process, even when that is SIGKILLed.
 */
export class NodeProcess implements AsyncDisposable {
  readonly #lines: string[] = [];
  readonly #exited: Promise<unknown>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    show: boolean,
  ) {
    this.#exited = once(child, "exit");
    this.#exited.catch(() => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#keep(text, show));
    }
  }

  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const folder = await makeOwnedFolder(tmpdir(), "process");
    for (const [name, text] of Object.entries(options.files ?? {})) await writeFile(join(folder, name), text);
    const child = spawn(
      process.execPath,
      [...(options.nodeArgs ?? []), options.main, ...(options.args ?? [])],
      {
        cwd: folder,
        env: { ...process.env, ...options.env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    tellReaper({ watch: folder, signal: "SIGKILL", ...(child.pid === undefined ? {} : { pid: child.pid }) });
    return new NodeProcess(child, folder, options.show ?? false);
  }

  /** The last lines it wrote, oldest first. */
  get output(): readonly string[] {
    return this.#lines;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Exit code, once it has ended by itself. */
  get exitCode(): number | null {
    return this.child.exitCode;
  }

  /** Returns when it has written a line that holds `text`. */
  async untilSays(text: string, timeoutMs = 30_000): Promise<void> {
    const said = async () => this.#lines.some((line) => line.includes(text)) || !this.running;
    await eventually(said, { what: `a process that says ${text}`, timeoutMs, intervalMs: 20 });
    if (!this.#lines.some((line) => line.includes(text))) throw this.#ended();
  }

  /** Returns its exit code when it has ended. */
  async untilEnds(): Promise<number | null> {
    await this.#exited;
    return this.child.exitCode;
  }

  /** SIGKILL, at once. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; SIGKILL after `timeoutMs`. Returns the exit code, `null` when it had to be killed. */
  async stop(timeoutMs = 15_000): Promise<number | null> {
    if (!this.running) return this.child.exitCode;
    this.child.kill("SIGTERM");
    const bound = setTimeout(() => this.child.kill("SIGKILL"), timeoutMs);
    await this.#exited;
    clearTimeout(bound);
    return this.child.exitCode;
  }

  /** Holds it still (SIGSTOP) until {@link go}. */
  hold(): void {
    this.child.kill("SIGSTOP");
  }

  go(): void {
    this.child.kill("SIGCONT");
  }

  /** Resident memory now, in MB; 0 where the system can't say. */
  async residentMb(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, "utf8").catch(() => "");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill();
    await rm(this.folder, { recursive: true, force: true });
    tellReaper({ forget: this.folder });
  }

  #keep(text: string, show: boolean): void {
    if (show) process.stderr.write(text);
    this.#lines.push(...text.split("\n").filter((line) => line !== ""));
    this.#lines.splice(0, Math.max(0, this.#lines.length - keptLines));
  }

  #ended(): Error {
    return new Error(
      `the process ended with code ${this.child.exitCode}:\n${this.#lines.slice(-20).join("\n")}`,
    );
  }
}
