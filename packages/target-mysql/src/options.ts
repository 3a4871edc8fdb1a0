import { type AnnounceRows, LockstepError, type TargetOptions } from "@lockstep/core";

/** Options of a MySQL or MariaDB target. */
export interface MysqlTargetOptions extends TargetOptions {
  /**
   * Types of managed columns, by `namespace.table.column` of the source, e.g. `{ "public.orders.total": "DECIMAL(38,9)" }`: for PostgreSQL's
   * numeric without precision, say, which is DECIMAL(65,30) otherwise. Default: none.
   */
  readonly columnTypes?: Readonly<Record<string, string>>;
  /** Length of a managed key column that has none at the source (text, bytea), characters or bytes. Default 255, at most 768. */
  readonly keyLength?: number;
}

/** Options with defaults, and what the URL says. */
export interface ResolvedOptions {
  readonly name: string;
  readonly url: string;
  readonly address: string;
  /** Database that holds the mirrored tables and Lockstep's own. */
  readonly namespace: string;
  readonly mode: "managed" | "external";
  readonly allowInsensitiveKeys: boolean;
  readonly statementTimeoutMs: number;
  readonly columnTypes: Readonly<Record<string, string>>;
  readonly keyLength: number;
  readonly announce: AnnounceRows | undefined;
}

const defaults = { statementTimeoutMs: 30_000, keyLength: 255, port: "3306" } as const;
const typeForm = /^[a-z]+( ?\(\d+( ?, ?\d+)?\))?( unsigned)?$/i;

/** @throws LockstepError CONFIG_INVALID. */
export function resolveOptions(options: MysqlTargetOptions): ResolvedOptions {
  const url = parsed(options);
  const namespace = options.namespace ?? decodeURIComponent(url.pathname.slice(1));
  const wrong: string[] = [];
  if (namespace === "") wrong.push("name a database in the URL or as namespace");
  for (const [column, type] of Object.entries(options.columnTypes ?? {})) {
    if (!typeForm.test(type)) wrong.push(`columnTypes of ${column} is not a type like DECIMAL(38,9)`);
  }
  const keyLength = options.keyLength ?? defaults.keyLength;
  if (!Number.isInteger(keyLength) || keyLength < 1 || keyLength > 768)
    wrong.push("keyLength must be 1 to 768");
  if (wrong.length > 0) throw invalid(options, wrong.join("; "));
  return {
    name: options.name,
    url: options.url,
    address: `${url.hostname}:${url.port === "" ? defaults.port : url.port}/${namespace}`,
    namespace,
    mode: options.schema ?? "external",
    allowInsensitiveKeys: options.allowInsensitiveKeys ?? false,
    statementTimeoutMs: options.statementTimeoutMs ?? defaults.statementTimeoutMs,
    columnTypes: options.columnTypes ?? {},
    keyLength,
    announce: options.announce,
  };
}

function parsed(options: MysqlTargetOptions): URL {
  try {
    return new URL(options.url);
  } catch {
    // The URL's text may hold a password.
    throw invalid(options, "the url is not a URL");
  }
}

function invalid(options: MysqlTargetOptions, what: string): LockstepError {
  return new LockstepError("CONFIG_INVALID", `target ${options.name}: ${what}`);
}
