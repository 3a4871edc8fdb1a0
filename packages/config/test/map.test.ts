import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { defineConfig, mapTable, parseConfig } from "../src/index.js";

const url = "postgres://h/d";
const base = { redis: "redis://h", sources: { shop: {} } };

function problemsOf(map: unknown): string {
  try {
    parseConfig({ ...base, targets: { t: { type: "postgres", url, map } } });
  } catch (error) {
    if (isLockstepError(error, "CONFIG_INVALID")) return error.message;
    throw error;
  }
  return "";
}

describe("config of mappings", () => {
  it("takes every form, and functions see the row's type", () => {
    const config = defineConfig({
      ...base,
      targets: {
        t: {
          type: "postgres",
          url,
          maskSecret: "sixteen characters",
          map: {
            "public.orders": {
              to: "facts",
              columns: {
                "*": true,
                note: false,
                number: "id",
                email: { hash: "email" },
                phone: { fixed: null },
                cents: { type: "integer", value: (row) => BigInt(String(row["total"]).replace(".", "")) },
              },
              where: (row) => row["open"] === true,
            },
            customers: [
              mapTable<{ readonly name: string }>({ where: (row) => row.name !== "test" }),
              { to: "people", softDeleted: "deleted_at" },
            ],
            secrets: false,
            "*": false,
          },
        },
      },
    });
    expect(parseConfig(config).targets["t"]?.map).equal(config.targets?.["t"]?.map);
  });

  it("names every wrong piece at its own place", () => {
    const message = problemsOf({
      "*": {},
      a: { too: "x", where: true },
      b: [
        { columns: { c: { type: "money", value: 1 }, d: 5, "*": "x", e: { hash: "" }, f: { fixed: {} } } },
        7,
      ],
      c: [],
    });
    for (const line of [
      "targets.t.map.*: can only be false",
      'targets.t.map.a: Unrecognized key: "too"',
      "targets.t.map.a.where: must be a function",
      "targets.t.map.b.0.columns.c.type: must be a type such as",
      "targets.t.map.b.0.columns.c.value: must be a function",
      "targets.t.map.b.0.columns.d: must be true, false",
      "targets.t.map.b.0.columns.*: can only be true",
      "targets.t.map.b.0.columns.e.hash:",
      "targets.t.map.b.0.columns.f.fixed: must be a text",
      "targets.t.map.b.1:",
      "targets.t.map.c: must hold a mapping",
    ])
      expect(message).contain(line);
    expect(problemsOf("x")).contain("targets.t.map: must be an object");
  });

  it("refuses hashes without a secret, and mappings that would mix the rows of two tables", () => {
    expect(problemsOf({ a: { columns: { id: true, n: { hash: "n" } } } })).contain(
      "targets.t.maskSecret: is needed",
    );
    expect(problemsOf({ a: { to: "x" }, b: { to: "x" } })).contain(
      "targets.t.map: a, b → x: needs a fixed column",
    );
  });

  it("refuses a state database that another target uses, and takes one of its own", () => {
    const hook = { type: "webhook", url: "https://h/hook", secret: "sixteen characters" };
    const parse = (targets: unknown) => parseConfig({ ...base, targets });
    expect(() => parse({ t: { type: "postgres", url }, w: { ...hook, state: `${url}?ssl=1` } })).throw(
      "targets.w.state: must be a database of its own: t uses the same",
    );
    expect(() => parse({ v: { ...hook, state: url }, w: { ...hook, state: url } })).throw("targets.v.state");
    expect(parse({ w: { ...hook, state: url } }).targets["w"]).include({ type: "webhook", state: url });
    for (const part of ["targets.w.url", "targets.w.secret", "targets.w.state"])
      expect(() => parse({ w: { ...hook, secret: "short", url: "ftp://h" } })).throw(part);
    expect(() => parse({ s: { type: "sink", state: url } })).throw("targets.s.open: must be a function");
  });

  it("takes the secret from the environment", async () => {
    const { withEnvironment } = await import("../src/environment.js");
    const file = { ...base, targets: { "my-t": { type: "postgres", url } } };
    const config = withEnvironment(file, { LOCKSTEP_TARGET_MY_T_MASK_SECRET: "from the environment" });
    expect(parseConfig(config).targets["my-t"]?.maskSecret).equal("from the environment");
  });
});
