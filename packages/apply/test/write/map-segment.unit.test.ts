import {
  mappingOf,
  type RowImage,
  type TableSchema,
  type TargetMapping,
  type TargetTable,
} from "@lockstep/core";
import { expect } from "chai";
import { isPartial } from "../../src/batch/merge-images.js";
import type { Part, PlannedWrite, Segment } from "../../src/batch/planned-changes.js";
import { mapSegment, type RoutedSegment } from "../../src/write/map-segment.js";
import { rowIdOf } from "../../src/write/refused.js";
import type { Route } from "../../src/write/routes.js";
import { schemaOf } from "../batch/table-model.js";

const source = schemaOf("people", ["id", "name"]);
const part: Part = { id: "1-9", events: [] };

function tableOf(schema: TableSchema): TargetTable {
  return { schema, name: schema.name, parents: [], selfReferencing: false, hasSecondaryUnique: false };
}

function routesOf(map: TargetMapping): readonly Route[] {
  const mappings = mappingOf(map).routes(source);
  return (
    mappings?.map((mapping) => ({ mapping, table: tableOf(mapping.schema) })) ?? [{ table: tableOf(source) }]
  );
}

function write(image: RowImage, before?: string): PlannedWrite {
  const key = JSON.stringify([image[0]]);
  const event = { ordinal: 1, op: "update" as const, schema: source.fingerprint, key };
  const row = { key, image, schema: source, event, part, partial: isPartial(image) };
  return before === undefined ? row : { ...row, before };
}

function remove(id: string): Segment["tables"][number]["removes"][number] {
  const key = JSON.stringify([id]);
  return { key, schema: source, part, event: { ordinal: 1, op: "delete", schema: source.fingerprint, key } };
}

function mapped(
  map: TargetMapping,
  changes: Partial<Segment["tables"][number]>,
  truncate = false,
): RoutedSegment {
  const routes = routesOf(map);
  const segment: Segment = {
    truncates: truncate ? [source] : [],
    tables: [{ schema: source, writes: [], removes: [], ...changes }],
  };
  return mapSegment(segment, () => routes);
}

const show = (segment: RoutedSegment) =>
  segment.tables.map(({ table, writes, removes }) => [
    table.name,
    writes.map(({ key, before, image }) => [key, before, image.join()]),
    removes.map(({ key }) => key),
  ]);

describe("mapping a segment", () => {
  it("passes tables without a mapping as they are", () => {
    const writes = [write(["1", "a"])];
    const [changes] = mapped({}, { writes }).tables;
    expect(changes!.writes).equal(writes);
  });

  it("writes what stays, removes what leaves, under both keys when it moved", () => {
    const map: TargetMapping = { people: { where: (row) => row["name"] !== "out" } };
    const writes = [
      write(["1", "a"]),
      write(["2", "out"]),
      write(["3", "out"], '["4"]'),
      write(["5", "b"], '["6"]'),
    ];
    expect(show(mapped(map, { writes, removes: [remove("7")] }))).deep.equal([
      [
        "people",
        [
          ['["1"]', undefined, "1,a"],
          ['["5"]', '["6"]', "5,b"],
        ],
        ['["2"]', '["3"]', '["4"]', '["7"]'],
      ],
    ]);
  });

  it("gives each removal of a row that left and moved a change of its own: a letter of one must not remove the other", () => {
    const { removes } = mapped({ people: { where: () => false } }, { writes: [write(["3", "x"], '["4"]')] })
      .tables[0]!;
    expect(removes.map(({ source }) => [source?.kind, source?.row.key])).deep.equal([
      ["write", '["3"]'],
      ["remove", '["4"]'],
    ]);
    expect(removes[0]?.source?.row).not.property("before");
  });

  it("maps into several tables, under each one's key", () => {
    const map: TargetMapping = {
      people: [
        { to: "a", columns: { kind: { fixed: "p" }, id: true }, key: ["kind", "id"] },
        { to: "b", columns: { nr: "id" } },
      ],
    };
    expect(show(mapped(map, { writes: [write(["1", "x"], '["2"]')], removes: [remove("3")] }))).deep.equal([
      ["a", [['["p","1"]', '["p","2"]', "p,1"]], ['["p","3"]']],
      ["b", [['["1"]', '["2"]', "1"]], ['["3"]']],
    ]);
  });

  it("writes nothing of a row when one of its mappings fails, and names the row of the source", () => {
    const fails: TargetMapping = {
      people: [
        { to: "a" },
        {
          to: "b",
          where: (row) => {
            if (row["name"] === "bad") throw new Error("no");
            return true;
          },
        },
      ],
    };
    const { tables, failed } = mapped(fails, { writes: [write(["1", "bad"]), write(["2", "good"])] });
    expect(tables.map(({ writes }) => writes.map(({ key }) => key))).deep.equal([['["2"]'], ['["2"]']]);
    expect(
      failed.map((one) => [rowIdOf(one), one.table.name, one.fault.code, one.fault.rawError]),
    ).deep.equal([['public.people\u0000["1"]', "b", "TRANSFORM_FAILED", "no"]]);
  });

  it("empties only its own share of a table that others share", () => {
    const share = { to: "all", columns: { "*": true, kind: { fixed: "p" } }, key: ["kind", "id"] } as const;
    const other = { ...share, columns: { "*": true, kind: { fixed: "o" } } } as const;
    expect(mapped({ people: share, others: other }, {}, true).truncates.map(({ only }) => only)).deep.equal([
      { kind: "p" },
    ]);
    expect(mapped({ people: share }, {}, true).truncates.map(({ only }) => only)).deep.equal([undefined]);
    expect(mapped({ people: false }, { writes: [write(["1", "x"])] }, true)).deep.equal({
      truncates: [],
      tables: [],
      failed: [],
    });
  });
});
