/** The ways in which a source's writes become change events; one per source. */
export const captureKinds = ["subscriber", "trigger", "wal", "binlog"] as const;

/**
 * How a source is captured. `subscriber`: by following TypeORM's statements; `trigger`: by triggers of the database; `wal`: from PostgreSQL's
 * write-ahead log; `binlog`: from MySQL's or MariaDB's binary log.
 */
export type CaptureKind = (typeof captureKinds)[number];
