import { type OutboxWriter, silentLogger, type Logger } from "@lockstep/core";
import { mysqlOutboxWriter, postgresOutboxWriter } from "@lockstep/outbox";
import { unpack } from "@lockstep/outbox/postgres";
import { freshMariaDb, freshPostgres } from "@lockstep/testing";
import type { DataSource, DataSourceOptions } from "typeorm";
import {
  type CaptureSettings,
  type InstalledCapture,
  installCapture,
  withRunner,
} from "../../src/capture/subscriber/install-capture.js";
import { shopEntities, type Shop } from "./entities.js";
import { type TypeOrm, typeOrmVersions } from "./typeorm-versions.js";

/** How the application reaches its database. `mysql` against MariaDB takes the way without RETURNING, as on MySQL. */
export type DriverType = "postgres" | "mariadb" | "mysql";

/** One row of the outbox. */
export interface OutboxRow {
  readonly seq: number;
  readonly xid: string;
  readonly table: string;
  readonly op: "insert" | "update" | "delete";
  readonly key: readonly string[];
  readonly before?: readonly string[];
  readonly image?: readonly (string | null)[];
}

/** An application with capture installed, on an empty database. */
export interface Source extends Shop {
  readonly orm: TypeOrm;
  readonly type: DriverType;
  readonly dataSource: DataSource;
  readonly capture: InstalledCapture;
  readonly writer: OutboxWriter;
  readonly logged: { readonly fields: object; readonly message: string }[];
  readonly commits: () => number;
  readonly options: DataSourceOptions;
  /** Runs SQL beside capture. */
  sql(text: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Everything that reached the outbox and was committed, in order. */
  outbox(): Promise<OutboxRow[]>;
  emptyOutbox(): Promise<void>;
  /** Installs capture anew, with the same settings; after the DataSource's entities have changed. */
  reinstall(): Promise<void>;
  installOn(dataSource: DataSource): Promise<InstalledCapture>;
  close(): Promise<void>;
}

/** Choices for {@link openSource}. */
export interface SourceChoices {
  readonly version?: string;
  readonly settings?: Partial<CaptureSettings>;
  readonly options?: Record<string, unknown>;
  /** Makes the outbox refuse, while it gives an error. */
  readonly failAppend?: () => Error | undefined;
}

/** Makes a database with the shop's tables and installs capture. */
export async function openSource(type: DriverType, choices: SourceChoices = {}): Promise<Source> {
  const orm = typeOrmVersions[choices.version ?? "1.1.1"]!;
  const dialect = type === "postgres" ? "postgres" : "mysql";
  const database = await (dialect === "postgres" ? freshPostgres() : freshMariaDb());
  // All copies of TypeORM in a process share one global store of decorators.
  Reflect.deleteProperty(globalThis, "typeormMetadataArgsStorage");
  const shop = shopEntities(orm, dialect);
  const options = {
    type,
    url: database.url,
    entities: Object.values(shop),
    synchronize: true,
    // So that the tests may read values as the outbox prints them.
    ...(dialect === "postgres" && { extra: { options: "-c TimeZone=UTC" } }),
    ...choices.options,
  } as unknown as DataSourceOptions;
  const dataSource = await new orm.DataSource(options).initialize();
  const real = dialect === "postgres" ? postgresOutboxWriter() : mysqlOutboxWriter();
  const writer = refusing(real, choices.failAppend);
  const sql: Source["sql"] = (text, parameters = []) =>
    withRunner(dataSource, (run) => run(text, parameters));
  await withRunner(dataSource, (run) => writer.ensure(run));
  const logged: { fields: object; message: string }[] = [];
  const log = (fields: object, message: string) => void logged.push({ fields, message });
  const logger: Logger = { ...silentLogger, warn: log, error: log };
  let commits = 0;
  const installOn = (on: DataSource) =>
    installCapture(on, {
      engine: dialect,
      writer,
      bulkWrites: "error",
      onBlindWrite: "warn",
      logger,
      committed: () => void commits++,
      ...choices.settings,
    });
  let capture = await installOn(dataSource);
  return {
    ...shop,
    orm,
    type,
    dataSource,
    get capture() {
      return capture;
    },
    installOn,
    reinstall: async () => void (capture = await installOn(dataSource)),
    writer,
    logged,
    commits: () => commits,
    options,
    sql,
    outbox: async () => (await sql(outboxQuery(dialect))).flatMap(changesOf).map(outboxRow),
    emptyOutbox: async () => {
      await sql(dialect === "postgres" ? "DELETE FROM lockstep.outbox" : "DELETE FROM lockstep_outbox");
    },
    async close() {
      capture.uninstall();
      if (dataSource.isInitialized) await dataSource.destroy();
      await database.drop();
    },
  };
}

function outboxQuery(dialect: "postgres" | "mysql"): string {
  return dialect === "postgres"
    ? `SELECT o.seq, o.xid::text AS xid, t.definition->>'name' AS tab, o.op::text AS op, o.key, o.image, o.before
         FROM lockstep.outbox o JOIN (SELECT DISTINCT ON (fingerprint) * FROM lockstep.table_schema) t ON t.fingerprint = ltrim(o.fingerprint, 'p')
        ORDER BY o.seq`
    : `SELECT o.id AS seq, o.tx AS xid, JSON_UNQUOTE(JSON_EXTRACT(t.definition, '$.name')) AS tab, o.op, o.row_key AS \`key\`, o.image, o.before_key AS \`before\`
         FROM lockstep_outbox o JOIN (SELECT fingerprint, MIN(definition) AS definition FROM lockstep_table_schema GROUP BY fingerprint) t
           ON t.fingerprint = o.fingerprint ORDER BY o.id`;
}

/** The changes of a row that packs several, each as a row. */
function changesOf(row: Record<string, unknown>): Record<string, unknown>[] {
  const { op, key, image } = row as { op: string; key: string; image: string | null };
  return unpack({ op, key, image }).map((change) => ({ ...row, ...change }));
}

const ops: Readonly<Record<string, OutboxRow["op"]>> = { i: "insert", u: "update", d: "delete" };

function outboxRow(row: Record<string, unknown>): OutboxRow {
  const json = (cell: unknown) => (cell === null ? undefined : (JSON.parse(String(cell)) as string[]));
  const before = json(row["before"]);
  const image = json(row["image"]);
  return {
    seq: Number(row["seq"]),
    xid: String(row["xid"]),
    table: String(row["tab"]),
    op: ops[String(row["op"])[0] ?? ""]!,
    key: json(row["key"])!,
    ...(before && { before }),
    ...(image && { image }),
  };
}

function refusing(writer: OutboxWriter, failAppend: (() => Error | undefined) | undefined): OutboxWriter {
  return {
    ...writer,
    append: async (run, notes, transaction) => {
      const error = failAppend?.();
      if (error) throw error;
      return writer.append(run, notes, transaction);
    },
    ...(writer.appendStatement && {
      // Refused by the server, as a full disk is.
      appendStatement: (notes, transaction) =>
        failAppend?.()
          ? "do $$ begin raise exception 'the outbox is full'; end $$"
          : writer.appendStatement!(notes, transaction),
    }),
  };
}
