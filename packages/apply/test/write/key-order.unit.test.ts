import { primaryWins, type TableSchema, twoWayTables } from "@lockstep/core";
import { expect } from "chai";
import { twoWayRules } from "../../src/write/guard/table-rule.js";
import { TableBook } from "../../src/write/table-book.js";
import { schemaOf } from "../batch/table-model.js";

const lines: TableSchema = schemaOf("lines", ["order", "no", "amount"], ["order", "no"]);

function learn(keyOrder: readonly string[], isTwoWay: boolean): Promise<void> {
  const tables = async (schemas: readonly TableSchema[]) =>
    schemas.map((schema) => ({
      schema,
      name: schema.name,
      parents: [],
      selfReferencing: false,
      hasSecondaryUnique: false,
      keyOrder,
    }));
  const lane = { writesTo: "hub", tables: twoWayTables({ lines: primaryWins() }) } as const;
  const rules = isTwoWay ? twoWayRules(lane, "branch", "main") : undefined;
  const book = new TableBook({ schema: async () => lines }, { tables }, 1, undefined, rules);
  return book.learn([lines.fingerprint]);
}

describe("the order of a key's columns", () => {
  it("must be the same on all nodes: versions are found by the key's texts", async () => {
    await learn(["order", "no"], true);
    const refused = await learn(["no", "order"], true).catch((error: unknown) => error);
    expect(refused).to.include({ code: "TARGET_KEY_MISMATCH" });
    expect((refused as Error).message).to.include(
      "(no, order) must have the order that it has at the source",
    );
  });

  it("doesn't matter to a mirror", () => learn(["no", "order"], false));
});
