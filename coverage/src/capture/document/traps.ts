/** Where a trap is covered: rows of the matrix, or a test by file and title. */
export type Covered = { readonly rows: readonly string[] } | { readonly file: string; readonly test: string };

const at = (file: string, test: string): Covered => ({
  file: `packages/publisher/test/${file}.test.ts`,
  test,
});
const inTransactions = (test: string): Covered => at("capture/subscriber/transactions", test);
const inSurroundings = (test: string): Covered => at("capture/subscriber/surroundings", test);
const rows = (...names: string[]): Covered => ({ rows: names });

/** What goes wrong for whoever captures by TypeORM's events and entity objects, and where Lockstep is held against it. */
export const traps: readonly (readonly [trap: string, covered: Covered])[] = [
  ["`reload: false`: the event has no key", rows("save with `reload: false`")],
  [
    "a partial save: the entity object has invented NULLs",
    rows("save of a partial entity (TypeORM's object has invented NULLs)"),
  ],
  [
    "the same instance saved twice: TypeORM writes NULL over a `select: false` column",
    rows("save of the same instance twice (TypeORM nulls a `select: false` column)"),
  ],
  [
    "columns set by a trigger are stale in the object",
    rows(
      "save of a column that a trigger sets (the entity object is stale)",
      "a BEFORE trigger that changes the row",
    ),
  ],
  [
    "values as the application sees them: transformers, simple-array, `insert: false`, big numbers in JSON",
    rows(
      "save of transformers, simple-array, simple-json, generated column, `update: false`, `insert: false`",
    ),
  ],
  [
    "microseconds and 64-bit numbers as keys",
    rows("insert of microseconds and of numbers beyond 2^53 as keys"),
  ],
  [
    "key texts under any session settings",
    at("capture/subscriber/key-types", "is told as the database prints it"),
  ],
  ["a save that changes nothing", rows("save that changes nothing")],
  ["an orphan that is nullified: the event has no entity and no key", rows("orphanedRowAction nullify")],
  ["a foreign key set from the inverse side", rows("relation query builder: add and remove of one-to-many")],
  [
    "join rows: junction events without an entity",
    rows("many-to-many: replaced, added, emptied", "many-to-many from the inverse side"),
  ],
  ["a single-table child: no discriminator in the event", rows("insert of a single-table child")],
  [
    "`insert()`: no key in the event, values that are functions",
    rows("insert of one row", "insert with SQL expressions"),
  ],
  [
    "`upsert()`: always called an insert; on type `mysql` wrong keys for a mixed batch",
    rows("upsert of new and existing rows, by a unique column"),
  ],
  [
    "an upsert that changes nothing",
    rows("upsert with `skipUpdateIfNoValuesChanged`, nothing changed", "upsert that writes what is there"),
  ],
  [
    "an upsert that gives a row another primary key",
    rows(
      "upsert that gives the existing row another primary key",
      "ON UPDATE CASCADE of a key that an upsert moves",
    ),
  ],
  [
    "`orIgnore`: events for ignored rows, shifted keys",
    rows("insert with `orIgnore`, a conflict among new rows"),
  ],
  [
    "`update`, `delete`, `softDelete`, `restore` by criteria: no key in the event, one event also for no row",
    rows(
      "repository.update by criteria",
      "repository.delete by criteria",
      "softDelete by key and by criteria",
      "restore by key and by criteria",
      "update of no row",
      "delete of no row",
    ),
  ],
  [
    "a WHERE that chooses other rows when it is asked twice: LIMIT, `rand()`, `now()`",
    rows(
      "update with LIMIT",
      "update whose WHERE is different each time it is asked",
      "delete whose WHERE is different each time it is asked",
      "ON DELETE CASCADE below a delete whose WHERE is different each time it is asked",
    ),
  ],
  ["`increment`: a function instead of a value", rows("increment", "repository.decrement by criteria")],
  ["`returning`: rows only in the raw result", rows("update with `returning`", "delete with `returning`")],
  [
    "the application's results stay what they were",
    at("capture/subscriber/results", "the same as without capture"),
  ],
  ["`remove()`: the entity's key is set to undefined", rows("remove of an entity with join rows")],
  [
    "`relation()` builders: remove and set without a key",
    rows("relation query builder: add, remove and addAndRemove of many-to-many"),
  ],
  [
    "`listeners: false`, `callListeners(false)`: no events at all",
    rows("save with `listeners: false`", "insert with `callListeners(false)` and `updateEntity(false)`"),
  ],
  ["`valuesFromSelect`: no events", rows("insert from a select (valuesFromSelect)")],
  [
    "raw SQL and `clear()`: no events",
    rows(
      "manager.query with UPDATE",
      'manager.query with UPDATE, `onBlindWrite: "error"`',
      "repository.clear",
    ),
  ],
  ["a CTE that writes beside the statement", rows("update with a common table expression that writes")],
  [
    "ON DELETE CASCADE and other actions of the database",
    rows("ON DELETE CASCADE and, behind it, SET NULL", "ON UPDATE CASCADE through composite keys"),
  ],
  [
    "trees: TypeORM writes nested sets and closure tables by hand",
    rows("nested-set: a branch moved", "closure-table: a branch moved", "materialized-path: a branch moved"),
  ],
  [
    "single writes outside a transaction: no transaction events, row and outbox row must be one",
    inTransactions("row and outbox row of a write outside a transaction are one"),
  ],
  [
    "savepoints fire the same events as commits",
    rows(
      "a savepoint rolled back between writes that stay",
      "an inner transaction that commits inside an outer one that doesn't",
    ),
  ],
  [
    "a released savepoint that an outer roll-back takes along",
    inTransactions("an outer rollback takes released savepoints along"),
  ],
  [
    "PostgreSQL answers COMMIT with ROLLBACK, TypeORM reports success",
    rows("a statement failed and swallowed: PostgreSQL answers COMMIT with ROLLBACK"),
  ],
  [
    "an error that the application swallows",
    inTransactions("a listener's error that the application swallows doesn't hide the row"),
  ],
  [
    "another subscriber's error before the commit",
    inTransactions("another subscriber's error before the commit"),
  ],
  [
    "another subscriber's writes at the last moment",
    rows("another subscriber that writes in beforeTransactionCommit"),
  ],
  [
    "an error of a listener behind a write outside a transaction: the row stays",
    rows("another subscriber that throws in afterUpdate of a write outside a transaction"),
  ],
  ["BEGIN and COMMIT by hand", rows("BEGIN and COMMIT by hand", "BEGIN and ROLLBACK by hand")],
  ["`await using` of a query runner commits", rows("`await using` of a query runner (it commits)")],
  [
    "a query runner released inside its transaction",
    rows("a query runner released inside an open transaction"),
  ],
  ["saves side by side in one transaction", inTransactions("saves side by side in one transaction")],
  [
    "nested transactions side by side: savepoints of one name, a connection given back inside a transaction",
    rows("nested transactions at the same time, one of which fails (TypeORM mixes up their savepoints)"),
  ],
  ["a save that nobody waited for", inTransactions("a write that nobody waited for before the commit")],
  ["`queryRunner.data` is replaced during a save", inTransactions("queryRunner.data replaced during a save")],
  [
    "implicit commits of MySQL and MariaDB",
    inTransactions("an implicit commit keeps row and outbox row together"),
  ],
  ["a pool of one connection", inTransactions("is never asked for a second one")],
  ["several statements in one string", rows("manager.query with several statements in one string")],
  [
    "`subscribers` that TypeORM drops silently; `initialize()` again",
    at("publish-changes", "called before initialize, and again after destroy and initialize"),
  ],
  [
    "two DataSources, two copies of TypeORM in one process",
    at("publish-changes", "two DataSources in one process keep apart"),
  ],
  [
    "`replication`: reads of replicas, writes of the master",
    inSurroundings("reads of replicas and writes of the master"),
  ],
  ["tables of one name in two schemas", inSurroundings("tables of other schemas, also of the same name")],
  [
    "names that need quotes, embedded columns",
    rows("insert of embedded columns, quoted names, an embedded key"),
  ],
  ["an entity that maps a view", rows("update through an entity that maps a view")],
  ["a table without a primary key", at("publish-changes", "refuses a table without a primary key")],
];
