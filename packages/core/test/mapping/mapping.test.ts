import { expect } from "chai";
import {
  isLockstepError,
  type LockstepError,
  mappingOf,
  mappingProblems,
  mapTable,
  type RowMapping,
  type SourceRow,
  type TableMapping,
  type TargetMapping,
} from "../../src/index.js";
import { image, orders, schemaOf } from "./orders.js";

const secret = "a secret of enough characters";

function only(spec: TableMapping, schema = orders): RowMapping {
  const mapping = mappingOf({ orders: spec }, { secret });
  expect(mapping.problems(schema)).deep.equal([]);
  return mapping.routes(schema)![0]!;
}

function failure(work: () => unknown): LockstepError {
  try {
    work();
  } catch (error) {
    if (isLockstepError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a mapping's columns", () => {
  const names = (route: RowMapping): string[] => route.schema.columns.map(({ name }) => name);

  it("are all as they are when none is named", () => {
    const route = only({ to: "facts" });
    expect(route.schema).deep.include({ name: "facts", namespace: "public", key: ["id"] });
    expect(route.mapRow(image)).deep.equal(image);
    expect(route.plain).equal(true);
  });

  it("are exactly those that are named, under the target's names", () => {
    const route = only({ columns: { number: "id", email: true } });
    expect(names(route)).deep.equal(["number", "email"]);
    expect(route.schema.key).deep.equal(["number"]);
    expect(route.mapRow(image)).deep.equal(["9007199254740993", "a@x"]);
    expect(route.plain).equal(true);
  });

  it('take in the rest with "*", less what is left out or has another name', () => {
    const route = only({ columns: { "*": true, email: false, amount: "total" } });
    expect(names(route)).deep.equal(["id", "open", "at", "data", "amount"]);
  });

  it("are masked by a value, whatever they held, or by a hash that is equal for equal values and NULL for NULL", () => {
    const spec = { columns: { id: true, email: { hash: "email" }, total: { fixed: 0 } } } as const;
    const mapped = only(spec).mapRow(image)!;
    expect(mapped.slice(1)).deep.equal([mapped[1], "0"]);
    expect(mapped[1]).match(/^[0-9a-f]{64}$/);
    expect(only(spec).mapRow(image.with(0, "2"))![1]).equal(mapped[1]);
    expect(only(spec).mapRow(image.with(1, "b@x"))![1]).not.equal(mapped[1]);
    expect(only(spec).mapRow(image.with(1, null))![1]).equal(null);
    const other = mappingOf({ orders: spec }, { secret: "another secret of that length" });
    expect(other.routes(orders)![0]!.mapRow(image)![1]).not.equal(mapped[1]);
  });

  it("are computed from exact values, and hold exact values", () => {
    let seen: SourceRow = {};
    const route = only({
      columns: {
        id: true,
        next: { type: "integer", value: (row) => (row["id"] as bigint) + 1n },
        cents: { type: "numeric(14,0)", value: (row) => (row["total"] as string).replace(".", "") },
        note: { type: "text(20)", value: (row) => ((seen = { ...row }), null) },
        raw: { type: "bytes", value: (row) => (row["data"] as Uint8Array).toReversed() },
        later: { type: "timestamptz", value: () => "2027-01-01T00:00:00.5Z" },
        closed: { type: "boolean", value: (row) => row["open"] === false },
        share: { type: "float", value: () => -0 },
        extra: { type: "json", value: () => '{"a":1}' },
      },
    });
    expect(route.mapRow(image)).deep.equal([
      "9007199254740993",
      "9007199254740994",
      "1050",
      null,
      "\\xff00",
      "2027-01-01 00:00:00.5+00",
      "false",
      "-0",
      '{"a":1}',
    ]);
    expect(seen).deep.equal({
      id: 9007199254740993n,
      email: "a@x",
      total: "10.50",
      open: true,
      at: "2026-01-02 03:04:05.6",
      data: Uint8Array.of(0, 255),
    });
    expect(route.schema.columns[2]).deep.include({ type: "numeric(14,0)", precision: 14, scale: 0 });
    expect(route.plain).equal(false);
  });

  it("have the types of the source's engine, so that both engines' targets know them", () => {
    const schema = schemaOf("orders", { engine: "mysql" });
    const spec: TableMapping = {
      columns: { id: true, at: { type: "timestamp", value: () => null }, t: { fixed: true } },
    };
    expect(
      only(spec, schema)
        .schema.columns.slice(1)
        .map(({ type }) => type),
    ).deep.equal(["datetime(6)", "tinyint(1)"]);
    expect(only(spec, schema).mapRow(image)![2]).equal("1");
  });
});

describe("a mapping's functions", () => {
  const total = (value: (row: SourceRow) => string | null): TableMapping => ({
    columns: { id: true, total: { type: "text", value } },
  });

  it("become TRANSFORM_FAILED with the code's place when they throw, and never the value", () => {
    const route = only(
      total((row) => {
        throw new Error(`bad ${String(row["email"])}`);
      }),
    );
    const error = failure(() => route.mapRow(image));
    expect(error.code).equal("TRANSFORM_FAILED");
    expect(error.details["about"]).match(/^columns\.total \(mapping\.test\.(js|ts):\d+\)$/);
    expect(error.message).not.contain("a@x");
    expect((error.cause as Error).message).equal("bad a@x");
  });

  it("fail when they give another type, nothing, or a promise", () => {
    for (const [given, what] of [
      [5, "this number"],
      [undefined, "undefined"],
      [Promise.resolve("x"), "a Promise"],
    ] as const) {
      const error = failure(() => only(total(() => given as never)).mapRow(image));
      expect((error.cause as Error).message).equal(`${what} is no value for text`);
      expect(error.details["about"]).equal("columns.total");
    }
    expect(failure(() => only({ where: () => 1 as never }).mapRow(image)).details["about"]).equal("where");
  });

  it("fail on a misspelt column instead of reading NULL", () => {
    const error = failure(() => only(total((row) => row["emial"] as string)).mapRow(image));
    expect((error.cause as Error).message).equal("public.orders has no column emial");
    expect(error.details["about"]).match(/^columns\.total \(mapping\.test/);
  });

  it("can't change the row", () => {
    const error = failure(() => only(total((row) => ((row as { email: string }).email = "x"))).mapRow(image));
    expect(error.code).equal("TRANSFORM_FAILED");
  });

  it("have typed rows with mapTable", () => {
    const spec = mapTable<{ readonly id: bigint; readonly total: string }>({
      columns: { id: true, double: { type: "integer", value: (row) => row.id * 2n } },
      where: (row) => row.total !== "0.00",
    });
    expect(only(spec).mapRow(image)).deep.equal(["9007199254740993", "18014398509481986"]);
  });
});

describe("a mapping's filter", () => {
  it("leaves out rows for which where is false", () => {
    const route = only({ where: (row) => row["open"] === true });
    expect(route.mapRow(image)).deep.equal(image);
    expect(route.mapRow(image.with(3, "false"))).equal(undefined);
  });

  it("leaves out soft-deleted rows where they are deletes, and keeps them where they are data", () => {
    expect(only({ softDeleted: "at" }).mapRow(image)).equal(undefined);
    expect(only({ softDeleted: "at" }).mapRow(image.with(4, null))).deep.equal(image.with(4, null));
    expect(only({}).mapRow(image)).deep.equal(image);
  });
});

describe("a mapping of partial images", () => {
  const unknown = (at: number) => image.map((cell, i) => (i === at ? 0 : cell));

  it("copies and hashes what is known and leaves the rest unknown", () => {
    const route = only({ columns: { id: true, email: { hash: "email" }, total: true } });
    expect(route.mapRow(unknown(1))!.slice(1)).deep.equal([0, "10.50"]);
    expect(route.mapRow(["1", null])).deep.equal(["1", null, 0]);
  });

  it("fails where a function reads an unknown cell, or a filter can't tell whether the target has the row", () => {
    const computed: TableMapping = {
      columns: { id: true, n: { type: "text", value: (row) => row["email"] as string } },
    };
    const open = (row: SourceRow): boolean => row["open"] === true;
    for (const [spec, at, about] of [
      [computed, 1, "email"],
      [{ where: open }, 3, "open"],
      [{ where: open }, 1, "email"],
      [{ softDeleted: "at" }, 4, "at"],
    ] as const) {
      const error = failure(() => only(spec).mapRow(unknown(at).with(4, at === 4 ? 0 : null)));
      expect([error.code, error.details["about"]]).deep.equal(["MAPPING_NEEDS_WHOLE_IMAGE", about]);
    }
    expect(only(computed).mapRow(unknown(2))).deep.equal(["9007199254740993", "a@x"]);
  });
});

describe("a mapping's key", () => {
  const two = schemaOf("orders", { key: ["id", "email"] });

  it("is the copy of the source's key, in its order", () => {
    const route = only({ columns: { mail: "email", number: "id" } }, two);
    expect(route.schema.key).deep.equal(["number", "mail"]);
    expect(route.mapKey('["1","a"]')).equal('["1","a"]');
  });

  it("can be in another order, hashed, and have fixed parts; it leads back where nothing is hashed", () => {
    const columns = { kind: { fixed: "o" }, mail: "email", number: "id", mask: { hash: "email" } } as const;
    const open = only({ columns, key: ["kind", "mail", "number"] }, two);
    expect(open.mapKey('["1","a"]')).equal('["o","a","1"]');
    expect(open.sourceKey('["o","a","1"]')).equal('["1","a"]');
    expect(open.sourceKey('["p","a","1"]')).equal(undefined);
    const masked = only({ columns, key: ["mask", "number"] }, two);
    const key = masked.mapKey('["1","a"]');
    expect(JSON.parse(key)).deep.equal([masked.mapRow(["1", "a", "0", "t", null, null])![3], "1"]);
    expect(masked.sourceKey(key)).equal(undefined);
    expect(masked.schema.columns.find(({ name }) => name === "mask")?.nullable).equal(false);
  });

  it("must follow from the source's key and hold all of it", () => {
    const problems = (spec: TableMapping): readonly string[] =>
      mappingOf({ orders: spec }, { secret }).problems(two);
    expect(problems({ columns: { id: true } })).deep.equal([
      'map["orders"] → orders: key: nothing holds email of the source\'s key: rows could not be told apart',
    ]);
    const computed = { type: "text" as const, value: () => "x" };
    expect(
      problems({ columns: { "*": true, c: computed }, key: ["id", "email", "c", "total", "d"] }),
    ).deep.equal([
      'map["orders"] → orders: key: d is none of the target\'s columns',
      "map[\"orders\"] → orders: key: c doesn't follow from the source's key (id, email)",
      "map[\"orders\"] → orders: key: total doesn't follow from the source's key (id, email)",
    ]);
  });
});

describe("a target's mapping", () => {
  it("takes the qualified name before the bare one, and leaves out what it is told to", () => {
    const mapping = mappingOf({ "public.orders": { to: "a" }, orders: { to: "b" }, "public.logs": false });
    expect(mapping.routes(orders)?.[0]?.schema.name).equal("a");
    expect(mapping.routes(schemaOf("orders", { namespace: "old" }))?.[0]?.schema.name).equal("b");
    expect(mapping.routes(schemaOf("logs"))).deep.equal([]);
    expect(mapping.routes(schemaOf("others"))).equal(undefined);
    expect(mappingOf({ "*": false }).routes(schemaOf("others"))).deep.equal([]);
  });

  it("names everything that doesn't fit a schema at once", () => {
    const mapping = mappingOf({
      orders: [
        {
          columns: {
            id: true,
            x: "no_such",
            y: { hash: "email" },
            z: false,
            n: { fixed: "x", type: "integer" },
          },
        },
        { to: "other", softDeleted: "gone_at" },
      ],
    });
    expect(mapping.problems(orders)).deep.equal([
      'map["orders"] → orders: columns.x: there is no column no_such',
      'map["orders"] → orders: columns.y: hash needs the target\'s maskSecret',
      'map["orders"] → orders: columns.z: there is no column z',
      'map["orders"] → orders: columns.n: this string is no value for integer',
      'map["orders"] → other: softDeleted: there is no column gone_at',
    ]);
  });

  it("refuses a table that isn't mapped and has the name of one into which another is mapped", () => {
    const mapping = mappingOf({ "public.archive": { to: "orders" } });
    expect(mapping.problems(orders)[0]).contain("public.orders isn't mapped and would be written to orders");
    expect(mapping.problems(schemaOf("archive"))).deep.equal([]);
  });

  it("shares a table only by a fixed key column with a value for each", () => {
    const share = (origin: string): TableMapping => ({
      to: "all",
      columns: { "*": true, origin: { fixed: origin } },
      key: ["origin", "id"],
    });
    const good: TargetMapping = { orders: share("o"), archive: [share("a"), share("b")] };
    expect(mappingProblems(good)).deep.equal([]);
    const [a, b] = mappingOf(good).routes(schemaOf("archive"))!;
    expect([a!.share, b!.share]).deep.equal([{ origin: "a" }, { origin: "b" }]);
    expect(a!.schema.namespace).equal("mapped");
    expect(a!.mapKey('["1"]')).equal('["a","1"]');
    expect(mappingProblems({ orders: share("o"), archive: share("o") })).length(1);
    expect(mappingProblems({ orders: { to: "all" }, archive: { to: "all" } })[0]).contain(
      "orders, archive → all",
    );
    expect(mappingProblems({ "eu.orders": {}, "us.orders": {} })).length(1);
  });

  it("makes the same schema of the same schema, and another of another", () => {
    const spec = { columns: { id: true, n: "email" } } as const;
    expect(only(spec).schema.fingerprint).equal(only(spec).schema.fingerprint);
    expect(only(spec).schema.fingerprint).not.equal(
      only({ columns: { id: true, m: "email" } }).schema.fingerprint,
    );
  });
});
