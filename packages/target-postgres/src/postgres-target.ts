import {
  answeringDesk,
  type BulkLoader,
  type Checkpoint,
  type ConflictDesk,
  type Fault,
  type HeldLane,
  type KeyPage,
  type LaneSession,
  type LetterDesk,
  LockstepError,
  type Position,
  type TableReader,
  type Target,
  type TableSchema,
  type TargetOptions,
} from "@lockstep/core";
import { PostgresLoader } from "./bulk/bulk-loader.js";
import { conflictDesk } from "./guarded/conflict-desk.js";
import { classify } from "./classify.js";
import { checkpointColumns, type LaneName, readCheckpoint, restartLane } from "./lane/checkpoint-row.js";
import { PostgresLane } from "./lane/lane-session.js";
import { PostgresLetterDesk } from "./letters/letter-desk.js";
import { own } from "./own-tables/ddl.js";
import { ensureOwnTables } from "./own-tables/ensure.js";
import { listKeys } from "./rows/list-keys.js";
import { SessionPool } from "./session/session-pool.js";
import { sqlState } from "./wire/sql-state.js";
import { tableReader } from "./session/table-reader.js";

/** Options of a PostgreSQL target. Connections come from `url` (`sslmode` and the like included); PostgreSQL 13 or newer. */
export type PostgresTargetOptions = TargetOptions;

const undefinedTable = "42P01";

/** One load is bounded by its rows; beyond this the source or the network has stopped. */
const loadTimeoutMs = 10 * 60_000;

const defaults = { statementTimeoutMs: 30_000 } as const;

/** A PostgreSQL database as a target: rows, checkpoint and letters move in one transaction. Connects when it is first used. */
export function postgresTarget(options: PostgresTargetOptions): Target {
  return new PostgresTarget(options);
}

class PostgresTarget implements Target {
  readonly name: string;
  readonly address: string;
  readonly capabilities = { transactions: true } as const;
  readonly letters: LetterDesk;
  readonly conflicts: ConflictDesk;
  readonly #options: PostgresTargetOptions & { readonly statementTimeoutMs: number };
  readonly #pool: SessionPool;

  constructor(options: PostgresTargetOptions) {
    this.name = options.name;
    this.address = addressOf(options.url);
    this.#options = { ...defaults, ...options };
    const { url, statementTimeoutMs } = this.#options;
    this.#pool = new SessionPool({ url, statementTimeoutMs, applicationName: `lockstep ${options.name}` });
    const letters = new PostgresLetterDesk((text, values) => this.#pool.query(text, values));
    this.letters =
      options.beforeDiscard === undefined ? letters : answeringDesk(letters, options.beforeDiscard);
    this.conflicts = conflictDesk((text, values) => this.#pool.query(text, values));
  }

  async open(): Promise<{ readonly id: string }> {
    return { id: await this.#pool.use(ensureOwnTables) };
  }

  lane(lane: LaneName): Promise<LaneSession | undefined> {
    const applicationName = `lockstep lane ${lane.source}/${lane.partition}`;
    return PostgresLane.open({ ...this.#options, lane, applicationName, origin: lane.source });
  }

  async checkpoints(): Promise<readonly (Checkpoint & LaneName)[]> {
    const { rows } = await this.#pool
      .query(
        `select source, partition, ${checkpointColumns} from ${own.checkpoint} order by source, partition`,
      )
      .catch((error: unknown) => {
        if (sqlState(error) === undefinedTable) return { rows: [] };
        throw error;
      });
    return rows.map(([source, partition, ...row]) => ({
      ...readCheckpoint(row).checkpoint,
      source: source!,
      partition: Number(partition),
    }));
  }

  async setPaused({ source, partition }: LaneName, paused: boolean): Promise<void> {
    await this.#mark(`paused = ${paused}`, { source, partition });
  }

  async restart(
    { source, partition }: LaneName,
    start: { readonly position: Position; readonly incarnation: string },
  ): Promise<void> {
    const values = [source, String(partition), start.position, start.incarnation];
    const { rows } = await this.#pool.query(restartLane, values);
    if (rows[0]?.[0] !== "1") throw unknownLane({ source, partition });
  }

  async unseat({ source, partition }: LaneName): Promise<void> {
    await this.#mark("epoch = epoch + 1", { source, partition });
  }

  loader(source: string, held: readonly HeldLane[]): BulkLoader {
    const applicationName = `lockstep full sync ${source}`;
    const limits = { statementTimeoutMs: loadTimeoutMs, origin: source };
    return new PostgresLoader({ url: this.#options.url, applicationName, ...limits }, source, held);
  }

  async setSeeded({ source, partition }: LaneName): Promise<void> {
    await this.#mark(`seeded = true`, { source, partition });
  }

  keys(
    schema: TableSchema,
    page: { readonly after?: readonly string[]; readonly limit: number },
  ): Promise<KeyPage> {
    const { namespace = "public" } = this.#options;
    return this.#pool.use((session) =>
      listKeys((text, values) => session.query(text, values), namespace, schema, page),
    );
  }

  /** Changes what persons and jobs say of a lane. @throws LockstepError LANE_UNKNOWN. */
  async #mark(change: string, { source, partition }: LaneName): Promise<void> {
    const { count } = await this.#pool.query(
      `update ${own.checkpoint} set ${change} where source = $1 and partition = $2::integer`,
      [source, String(partition)],
    );
    if (count === 0) throw unknownLane({ source, partition });
  }

  reader(): TableReader {
    const { url, namespace } = this.#options;
    return tableReader({ url, applicationName: `lockstep verify ${this.name}` }, namespace ?? "public");
  }

  classify(error: unknown): Fault {
    return classify(error);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function unknownLane({ source, partition }: LaneName): LockstepError {
  return new LockstepError("LANE_UNKNOWN", "the target has no such lane", { details: { source, partition } });
}

/** Host, port and database: no credentials. */
function addressOf(text: string): string {
  const url = new URL(text);
  return `${url.hostname === "" ? "localhost" : url.hostname}:${url.port === "" ? "5432" : url.port}${url.pathname}`;
}
