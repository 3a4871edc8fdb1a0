import type { Engine } from "@lockstep/core";
import { freshMariaDb, freshPostgres, freshRedis } from "@lockstep/testing";
import { expect } from "chai";
import { testedCaptures } from "../../src/values/captures.js";
import { mysqlTypes } from "../../src/values/mysql/index.js";
import { postgresTypes } from "../../src/values/postgres/index.js";
import { judge } from "../../src/values/run/judge.js";
import { openTarget, type TargetOnTrial } from "../../src/values/run/lane-on.js";
import { openTextReader, type TextReader } from "../../src/values/run/read-texts.js";
import { type KeyedTable, openKeyedSource } from "./keyed-source.js";

const fresh = { postgres: freshPostgres, mysql: freshMariaDb };
const types = { postgres: postgresTypes, mysql: mysqlTypes };
const engines = ["postgres", "mysql"] as const satisfies readonly Engine[];

/**
 * Types that no application has for keys, and that are refused, by name: the index of a POINT looks like one over the start of the column; the
 * name of an object is another one under another search_path.
 */
const noKeys = new Set(["point", "regclass", "regtype"]);

describe("keys of every type", () => {
  for (const from of engines) {
    for (const [capture, to] of testedCaptures(from).flatMap((one) =>
      engines.map((to) => [one, to] as const),
    )) {
      it(`of ${from} find their rows in ${to}: changed, removed (${capture})`, async () => {
        const [redis, database, other] = await Promise.all([freshRedis(), fresh[from](), fresh[to]()]);
        const all = types[from].groups
          .flatMap((group) => group.types)
          .filter(({ type }) => !noKeys.has(type));
        const source = await openKeyedSource(database.url, redis.url, capture, all);
        const target = await openTarget(other.url, redis.url);
        const reader = await openTextReader(database.url);
        await target.registered();
        await source.write();
        await target.reached(1);
        const wrong: string[] = [];
        for (const table of source.tables) wrong.push(...(await differences(table, from, reader, target)));
        await target[Symbol.asyncDispose]();
        await source[Symbol.asyncDispose]();
        await reader[Symbol.asyncDispose]();
        await Promise.all([redis, database, other].map((one) => one.drop()));
        expect(source.tables.length).greaterThan(30);
        expect(wrong).deep.equal([]);
      });
    }
  }
});

async function differences(
  { name, type, keys }: KeyedTable,
  from: Engine,
  source: TextReader,
  target: TargetOnTrial,
): Promise<readonly string[]> {
  const left = (await source.texts(name))!;
  const right = (await target.reader.texts(name)) ?? new Map<string, string>();
  const letters = [...(await target.letters()).values()].filter((letter) =>
    letter.table.endsWith(`.${name}`),
  );
  const codes = new Map(letters.map(({ key, code }) => [(JSON.parse(key) as string[])[0]!, code]));
  const there = new Set(left.values());
  // PostgreSQL can't even be asked for a key that its column can't hold: the letter stays, as one about a delete.
  const asks = target.reader.engine === "mysql" || from === "postgres";
  const idle = (asks ? [...codes.keys()] : [])
    .filter((text) => !there.has(text))
    .map(() => `${type.type}: a letter for a removed row`);
  const rows = [...keys].flatMap(([id, value]) => {
    const about = `${type.type} to ${target.reader.engine}, ${value.slice(0, 60)}`;
    const text = left.get(String(id));
    const found = right.get(String(id));
    if (text === undefined) return found === undefined ? [] : [`${about}: removed, and still there`];
    const verdict = judge(type, from, target.reader.engine, {
      source: text,
      target: found,
      letter: codes.get(text!),
    });
    return verdict.is === "wrong" ? [`${about}: ${verdict.why}`] : [];
  });
  return [...idle, ...rows];
}
