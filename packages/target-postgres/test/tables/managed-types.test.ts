import { contractContext, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("managed tables of a PostgreSQL source", () => {
  const context = contractContext(openFixture);

  const values: readonly (readonly [type: string, text: string, expectedType?: string])[] = [
    ["smallint", "-32768"],
    ["numeric", "-12345678901234567890.123456789"],
    ["numeric", "NaN"],
    ["numeric(1000,0)", "9".repeat(900)],
    ["real", "1.1754944e-38"],
    ["double precision", "-Infinity"],
    ["money", "-$1,234.50"],
    ["character(5)", "ab   "],
    ['"char"', "x"],
    ["name", "a_name"],
    ["bit(3)", "101"],
    ["bit varying", ""],
    ["integer[]", "{{1,NULL},{-3,4}}"],
    ["text[]", '{"a,b","{}","\\"",NULL,"NULL"}'],
    ["interval", "-1 years -2 mons +3 days -04:05:06.789"],
    ["time with time zone", "12:30:00.5-05:30"],
    ["timestamp without time zone", "4713-01-01 00:00:00 BC"],
    ["timestamp with time zone", "294276-12-31 23:59:59.999999+00"],
    ["timestamp with time zone", "infinity"],
    ["date", "0044-03-15 BC"],
    ["inet", "2001:db8::1/64"],
    ["cidr", "10.0.0.0/8"],
    ["macaddr", "08:00:2b:01:02:03"],
    ["uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["json", '{"b":1,  "a":"\\u0000"}'],
    ["jsonb", '{"a": [1.0, 1e2, null]}'.replace("1e2", "100")],
    ["xml", "<a>content</a>text"],
    ["tsvector", "'a':1A 'fat':2,3"],
    ["int4range", "[1,10)"],
    ["tstzrange", '["2026-01-02 00:00:00+00",)'],
    ["int4multirange", "{[1,3),[5,7)}"],
    ["point", "(1.5,-2)"],
    ["polygon", "((0,0),(1,1),(1,0))"],
    ["pg_lsn", "16/B374D848"],
    ["oid", "4294967295"],
    ["regclass", "public.only_at_the_source", "text"],
    ["regrole[]", "{only_at_the_source}", "text[]"],
    ["aclitem", "only_at_the_source=r/app", "text"],
    ["mood", "happy", "text"],
    ["shop.mood[]", "{happy,NULL}", "text[]"],
    ["shop.address", '("Some street 1",12345)', "text"],
    ["geometry(Point,4326)", "0101000020E6100000000000000000F03F0000000000000040", "text"],
  ];

  it("have the source's built-in types, text for all others, and keep every text", async () => {
    const columns = Object.fromEntries(
      values.map(([type], n) => [`c${n}`, [type, type === "mood" ? "enum" : "other"]] as const),
    );
    const schema = sourceTable("all_types", { id: ["integer", "integer"], ...columns });
    const lane = await openLane(await context.target({ schema: "managed" }), "types");
    const [table] = await lane.session.tables([schema]);
    const texts = values.map(([, text]) => text);
    const types = await context.fixture.read(
      "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'all_types'::regclass and attnum > 1 order by attnum",
    );
    expect(types.map(([type]) => type)).deep.equal(values.map(([type, , expected]) => expected ?? type));
    for (const count of [1, 10, 120]) {
      const rows = Array.from({ length: count }, (_, n) => row([String(n), ...texts]));
      await lane.step((transaction) => transaction.upsert(table!, rows));
      const list = values.map((_, n) => `c${n}::text`).join(", ");
      const read = await context.fixture.read(`select ${list} from all_types where id = ${count - 1}`);
      // Printing strips the padding; what is stored has it.
      expect(read[0]).deep.equal(
        texts.map((text, n) => (values[n]![0] === "character(5)" ? text.trimEnd() : text)),
      );
    }
    await lane.close();
  });

  it("carry the key and nothing else that could refuse a row, in a namespace of their own when asked", async () => {
    const schema = sourceTable("bare", { id: ["bigint", "integer"], note: ["text", "text"] });
    const strict = { ...schema, columns: schema.columns.map((column) => ({ ...column, nullable: false })) };
    const lane = await openLane(
      await context.target({ schema: "managed", namespace: "mirror of app" }),
      "bare",
    );
    const [table] = await lane.session.tables([strict]);
    expect(table!.name).equal("mirror of app.bare");
    await lane.step((transaction) => transaction.upsert(table!, [row(["1", null])]));
    expect(await context.fixture.read('select * from "mirror of app".bare')).deep.equal([["1", null]]);
    await lane.close();
  });
});
