import { fingerprintOf, type TableSchema } from "@lockstep/core";
import { expect } from "chai";
import { rowEvent, truncateEvent } from "../src/cloud-event.js";
import { signatureHeaders } from "../src/sign.js";

const schema = {
  engine: "postgres" as const,
  namespace: "public",
  name: "ördërs",
  key: ["id", "at"],
  columns: [
    { name: "id", type: "bigint", kind: "integer" as const, nullable: false },
    { name: "at", type: "timestamp with time zone", kind: "timestamptz" as const, nullable: false },
    { name: "data", type: "bytea", kind: "bytes" as const, nullable: true },
    { name: "note", type: "text", kind: "text" as const, nullable: true },
  ],
};
const table: TableSchema = { ...schema, fingerprint: fingerprintOf(schema) };
const lane = { source: "shop", partition: 0 };
const at = "2026-01-02 03:04:05.6+00";
const change = { key: JSON.stringify(["9007199254740993", at]), position: "7-3" as const, version: "v7" };

describe("a webhook's event", () => {
  it("holds exact texts in canonical form, and what CloudEvents asks for", () => {
    const event = rowEvent(table, { ...change, image: ["9007199254740993", at, "\\x00ff", null] }, lane);
    expect(event).deep.equal({
      specversion: "1.0",
      id: "shop/public.%C3%B6rd%C3%ABrs/7-3/written",
      source: "/lockstep/shop",
      type: "lockstep.row.written",
      subject: "public.%C3%B6rd%C3%ABrs/9007199254740993/2026-01-02%2003%3A04%3A05.6%2B00",
      datacontenttype: "application/json",
      sequence: "v7",
      partitionkey: `public.ördërs/${change.key}`,
      data: {
        table: "public.ördërs",
        key: { id: "9007199254740993", at: "2026-01-02 03:04:05.6" },
        row: { id: "9007199254740993", at: "2026-01-02 03:04:05.6", data: "00ff", note: null },
      },
    });
  });

  it("names what is unchanged, and the key before", () => {
    const before = JSON.stringify(["1", at]);
    const { data } = rowEvent(table, { ...change, before, image: ["2", at, 0, "x"] }, lane);
    expect(data).deep.include({ unchanged: ["data"], previousKey: { id: "1", at: "2026-01-02 03:04:05.6" } });
    expect(data["row"]).not.property("data");
  });

  it("has another id for a row's removal at the same position, and for a truncate", () => {
    const ids = [
      rowEvent(table, change, lane).id,
      rowEvent(table, { ...change, image: ["1", at, null, null] }, lane).id,
      truncateEvent(table, { position: "7-3", version: "v7" }, lane).id,
    ];
    expect(new Set(ids).size).equal(3);
    expect(rowEvent(table, change, lane)).include({ type: "lockstep.row.deleted" });
  });
});

describe("a webhook's signature", () => {
  // The example of https://www.standardwebhooks.com's libraries.
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body: '{"test": 2432232314}' };
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  it("is that of standard webhooks", () => {
    expect(signatureHeaders(message, [secret])).deep.equal({
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is one for each secret", () => {
    const signatures = signatureHeaders(message, [secret, "another secret text"])["webhook-signature"]!.split(
      " ",
    );
    expect(signatures).length(2);
    expect(signatures[0]).equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });
});
