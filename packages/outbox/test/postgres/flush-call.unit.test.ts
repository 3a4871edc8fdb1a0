import type { RowNote } from "@lockstep/core";
import { expect } from "chai";
import { flushCalls, type OwnFunctions } from "../../src/postgres/flush-call.js";

const note = (table: string, op: RowNote["op"], key: string, before?: string): RowNote => ({
  table: { namespace: "s", name: table },
  op,
  key: [key],
  ...(before === undefined ? {} : { before: [before] }),
});

const flushCall = (...given: Parameters<typeof flushCalls>): ReturnType<typeof flushCalls>[number] =>
  flushCalls(...given)[0]!;
const none = new Map<string, OwnFunctions>();
const own = new Map([['"s"."a"', { name: "a", keyLength: 1 }]]);

describe("the call of the flush", () => {
  it("takes the short way for one row", () => {
    const notes = [note("a", "insert", "1"), note("a", "update", "1")];
    expect(flushCall('"x"', none, notes, { traceparent: "t", origin: "o" })).to.deep.equal([
      'select "x".flush_row($5, $1, $2::jsonb, $3, $4) as written',
      ["i", '["1"]', "t", "o", '"s"."a"'],
    ]);
  });

  it("takes the table's own way for one row where there is one", () => {
    expect(flushCall('"x"', own, [note("a", "delete", "1")], {})).to.deep.equal([
      'select "x".row_a($1, $2::jsonb, $3, $4) as written',
      ["u", '["1"]', null, null],
    ]);
  });

  it("takes it for many rows too, in the order of their notes, unless keys changed", () => {
    const notes = [note("a", "update", "1"), note("a", "insert", "2"), note("a", "update", "1")];
    expect(flushCall('"x"', own, notes, { origin: "o" })).to.deep.equal([
      'select "x".rows_a($1::"char"[], $2::text[], $3, $4) as written',
      ["{i,u}", '{"2","1"}', null, "o"],
    ]);
    expect(flushCall('"x"', own, [...notes, note("a", "update", "4", "3")], {})[0]).to.contain(".flush($1");
    expect(flushCall('"x"', own, [...notes, note("b", "update", "4")], {})[0]).to.contain(".flush($1");
  });

  it("gives the columns of keys as arrays, as many as the functions were made for", () => {
    const pairs = new Map([['"s"."a"', { name: "a", keyLength: 2 }]]);
    const pair = (...key: string[]): RowNote => ({ ...note("a", "insert", ""), key });
    const notes = [pair('a"b', "{1,2}"), pair("c\\d", ""), pair("NULL", "'")];
    expect(flushCall('"x"', pairs, notes, {})).to.deep.equal([
      'select "x".rows_a($1::"char"[], $2::text[], $3::text[], $4, $5) as written',
      ["{i}", '{"a\\"b","c\\\\d","NULL"}', '{"{1,2}","","\'"}', null, null],
    ]);
    expect(flushCall('"x"', own, notes, {})[0]).to.contain(".flush($1");
  });

  it("gives many rows by table, with their order, and says where keys changed", () => {
    const notes = [note("a", "update", "1"), note('b"', "update", "3", "2"), note("a", "insert", "4")];
    const [sql, [given, ...context]] = flushCall('"x"', none, notes, {});
    expect(sql).to.equal('select "x".flush($1::jsonb, $2, $3) as written');
    expect(JSON.parse(given!)).to.deep.equal([
      {
        t: '"s"."a"',
        r: [
          [1, "u", ["1"]],
          [3, "i", ["4"]],
        ],
      },
      { t: '"s"."b"""', r: [[2, "u", ["3"], ["2"]]], b: true },
    ]);
    expect(context).to.deep.equal([null, null]);
  });

  it("takes the long way for one row whose key changed", () => {
    expect(flushCall('"x"', none, [note("a", "update", "2", "1")], {})[0]).to.contain(".flush($1");
  });

  it("goes in parts where there are many rows", () => {
    const notes = Array.from({ length: 1001 }, (_, i) => note(i % 2 ? "a" : "b", "update", String(i)));
    const calls = flushCalls('"x"', none, notes, {});
    expect(calls.map(([sql]) => /flush(_row)?\(/.exec(sql)?.[0])).to.deep.equal([
      "flush(",
      "flush(",
      "flush_row(",
    ]);
    const orders = calls.slice(0, 2).map(([, [given]]) => {
      const tables = JSON.parse(given!) as { r: [number][] }[];
      return tables.flatMap(({ r }) => r.map(([order]) => order)).sort((a, b) => a - b);
    });
    expect(orders.map((all) => [all.length, all[0], all.at(-1)])).to.deep.equal([
      [500, 1, 500],
      [500, 501, 1000],
    ]);
  });
});
