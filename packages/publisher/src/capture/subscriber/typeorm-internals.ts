import type { DataSource, QueryRunner } from "typeorm";

// The parts of TypeORM that capture reads beyond its public types: the same in 0.3.20, 0.3.31 and 1.1.1. Every use of a private
// name goes through this file, so that a new version of TypeORM is checked here first.

/** What a query runner gives for `query(sql, parameters, true)`. */
export interface StructuredResult {
  raw: unknown;
  records?: Record<string, unknown>[];
  affected?: number;
}

/** A query runner with the parts that its public type leaves out. */
export interface RunnerInternals {
  readonly dataSource?: DataSource;
  readonly connection?: DataSource;
  readonly isReleased: boolean;
  readonly isTransactionActive: boolean;
  query(sql: string, parameters?: unknown[], useStructuredResult?: boolean): Promise<unknown>;
  release(): Promise<void>;
  /** The driver's own connection. */
  connect(): Promise<unknown>;
  startTransaction(isolationLevel?: string): Promise<void>;
}

/** A column as TypeORM describes it. */
export interface ColumnInternals {
  readonly databaseName: string;
  readonly propertyPath: string;
  readonly isGenerated: boolean;
  readonly generationStrategy?: string;
  readonly isDiscriminator: boolean;
  readonly isUpdate: boolean;
  getEntityValue(entity: object): unknown;
}

/** An entity's metadata. */
interface MetadataInternals {
  readonly tablePath: string;
  readonly columns: readonly ColumnInternals[];
  readonly discriminatorValue?: unknown;
  findColumnsWithPropertyPath(path: string): readonly ColumnInternals[];
}

/** What a query builder is about to do. */
interface ExpressionMap {
  readonly queryType: string;
  readonly mainAlias?: {
    readonly hasMetadata: boolean;
    readonly metadata: MetadataInternals;
    readonly tablePath?: string;
  };
  readonly valuesSet?: object | readonly object[];
  readonly insertFromSelect?: unknown;
  readonly onIgnore?: unknown;
  readonly onUpdate?: {
    readonly overwrite?: readonly string[];
    readonly columns?: readonly string[];
    /** Columns, or the name of a constraint. */
    readonly conflict?: string | readonly string[];
  };
  /** Until 0.3: what stands behind ON CONFLICT, as the application wrote it; empty when nothing does. */
  readonly onConflict?: string;
  readonly commonTableExpressions?: readonly {
    readonly queryBuilder: string | { getQuery(): string };
  }[];
  readonly locallyGenerated: Readonly<Record<number, object>>;
  readonly nativeParameters?: Record<string, unknown>;
}

/** A write query builder: insert, update, delete, soft delete, restore. */
export interface WriteBuilder {
  readonly dataSource?: DataSource;
  readonly connection?: DataSource;
  queryRunner?: RunnerInternals;
  readonly expressionMap: ExpressionMap;
  execute(): Promise<unknown>;
  getParameters(): Record<string, unknown>;
  /** The statement and its parameters: the very list that `execute` hands to the runner. */
  getQueryAndParameters(): [string, unknown[]];
  getInsertedColumns(): readonly ColumnInternals[];
  createReturningExpression(kind: string): string;
  createWhereExpression(): string;
  createOrderByExpression?(): string;
  createLimitExpression?(): string;
  createCteExpression(): string;
  replacePropertyNamesForTheWholeQuery(statement: string): string;
}

/** The driver's parts that differ by engine. */
export interface DriverInternals {
  isReturningSqlSupported(kind: "insert" | "update" | "delete"): boolean;
  escapeQueryWithParameters(
    sql: string,
    parameters: Record<string, unknown>,
    nativeParameters: Record<string, unknown>,
  ): [string, unknown[]];
  preparePersistentValue(value: unknown, column: ColumnInternals): unknown;
  readonly database?: string;
  readonly schema?: string;
  readonly searchSchema?: string;
}

/** The DataSource of a runner or builder: `connection` until 0.3, `dataSource` from 1.0. */
export function dataSourceOf(owner: {
  readonly dataSource?: DataSource;
  readonly connection?: DataSource;
}): DataSource | undefined {
  return owner.dataSource ?? owner.connection;
}

/** The driver behind a DataSource. */
export function driverOf(dataSource: DataSource): DriverInternals {
  return dataSource.driver as unknown as DriverInternals;
}

/** The runner behind TypeORM's public type. */
export function runnerOf(queryRunner: QueryRunner): RunnerInternals {
  return queryRunner as unknown as RunnerInternals;
}
