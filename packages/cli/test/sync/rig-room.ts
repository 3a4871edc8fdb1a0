import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FreshDatabase, freshMariaDb, freshPostgres, openSide, type Side } from "@lockstep/testing";

/** A database kind of the tests. */
export type Kind = "postgres" | "mariadb";

/** What rigs are made of; disposing takes everything down, the last first. */
export interface RigRoom extends AsyncDisposable {
  readonly folder: string;
  fresh(kind: Kind): Promise<FreshDatabase>;
  open(url: string): Promise<Side & AsyncDisposable>;
  /** To be called when it is taken down. */
  undo(step: () => Promise<unknown>): void;
}

/** An empty one. */
export async function openRigRoom(): Promise<RigRoom> {
  const steps: (() => Promise<unknown>)[] = [];
  const folder = await mkdtemp(join(tmpdir(), "lockstep-sync-"));
  steps.push(() => rm(folder, { recursive: true, force: true }));
  return {
    folder,
    async fresh(kind) {
      const database = await (kind === "postgres" ? freshPostgres() : freshMariaDb());
      steps.push(() => database.drop());
      return database;
    },
    async open(url) {
      const side = await openSide(url);
      steps.push(async () => side[Symbol.asyncDispose]());
      return side;
    },
    undo: (step) => void steps.push(step),
    async [Symbol.asyncDispose]() {
      for (const step of steps.toReversed()) await step();
    },
  };
}
