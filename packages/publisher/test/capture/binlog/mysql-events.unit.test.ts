import { expect } from "chai";
import { eventType } from "../../../src/capture/binlog/event/event-header.js";
import { groupStartOf } from "../../../src/capture/binlog/event/gtid-event.js";
import { rowsOf } from "../../../src/capture/binlog/event/rows-event.js";
import { tableMapHead, tableMapOf } from "../../../src/capture/binlog/event/table-map.js";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");
const text = (value: string): string =>
  Buffer.from([value.length]).toString("hex") + Buffer.from(value).toString("hex");

// By MySQL's documented format: there is no MySQL to ask here.
describe("events as MySQL 8 writes them", () => {
  it("a GTID names server and number, and when it was committed", () => {
    const commit = 1_790_000_000_123_456n;
    const time = Buffer.alloc(8);
    time.writeBigUInt64LE(commit);
    const body = bytes(`01 00112233445566778899aabbccddeeff 0700000000000000 02 ${"00".repeat(16)}`);
    expect(groupStartOf(eventType.gtid, Buffer.concat([body, time.subarray(0, 7)]), 1)).to.deep.equal({
      gtid: "00112233-4455-6677-8899-aabbccddeeff:7",
      isStandalone: false,
      isPrepared: false,
      at: 1_790_000_000_123,
    });
    expect(groupStartOf(eventType.anonymousGtid, body, 1)).to.deep.equal({
      isStandalone: false,
      isPrepared: false,
    });
  });

  it("a YEAR has no sign there, a spatial column no charset", () => {
    const types = "0d 03 ff 0f 08";
    const metas = "04 2800";
    const names = ["y", "u", "g", "v", "b"].map(text).join("");
    const metadata = `01 01 80 03 01 08 04 ${(names.length / 2).toString(16).padStart(2, "0")} ${names} 08 01 04`;
    const body = bytes(
      `2a0000000000 0100 ${text("shop")}00 ${text("item")}00 05 ${types} 03 ${metas} 0f ${metadata}`,
    );
    const head = tableMapHead(body);
    expect([head.id, head.namespace, head.name]).to.deep.equal([42, "shop", "item"]);
    const map = tableMapOf(head, "mysql");
    expect(map.columns.map(({ name, unsigned, collation }) => [name, unsigned, collation])).to.deep.equal([
      ["y", false, 63],
      ["u", true, 63],
      ["g", false, 63],
      ["v", false, 8],
      ["b", false, 63],
    ]);
    expect(map.columns.map(({ nullable }) => nullable)).to.deep.equal([true, true, true, true, false]);
    expect([map.key, map.isFull]).to.deep.equal([[4], true]);
  });

  it("rows have extra data before them, which is passed over", () => {
    const cells = [
      (reader: { u32(): number }) => String(reader.u32()),
      (reader: { u8(): number }) => String(reader.u8()),
    ];
    const body = bytes(
      "2a0000000000 0100 0500 aabbcc 02 ff ff 00 01000000 07 02 01000000 00 02000000 08 00 02000000 09",
    );
    const rows = [...rowsOf(eventType.updateRowsV2, body, cells)];
    expect(rows.map(({ before, after }) => [before, after])).to.deep.equal([
      [
        ["1", "7"],
        ["1", null],
      ],
      [
        ["2", "8"],
        ["2", "9"],
      ],
    ]);
  });
});
