import type { LoggedEvent } from "@lockstep/core";
import { expect } from "chai";
import { jobMaker } from "../../../src/relay/queue/job-of.js";
import { queueTargetId } from "../../../src/relay/queue/queue-identity.js";
import { schema } from "../memory-log.js";

const event: LoggedEvent = {
  tick: 3n,
  ordinal: 7,
  op: "update",
  schema: "f1",
  key: '["9007199254740993"]',
  image: '["9007199254740993",null]',
  before: '["1"]',
  table: { namespace: "public", name: "orders" },
  transaction: { id: "1", at: 12 },
  endsTransaction: true,
  endsTick: true,
  total: 9,
};

const jobOf = jobMaker({ source: "shop", incarnation: "i1" });

describe("job of a change", () => {
  it("holds the row by column name, as the database's texts", () => {
    expect(jobOf(event, schema).data).to.deep.equal({
      source: "shop",
      table: "public.orders",
      op: "update",
      key: { id: "9007199254740993" },
      row: { id: "9007199254740993", note: null },
      before: { id: "1" },
      position: "3-7",
      at: 12,
    });
  });

  it("leaves out cells that are not known, and the row of a delete", () => {
    expect(jobOf({ ...event, image: '["5",0]' }, schema).data.row).to.deep.equal({ id: "5" });
    const { image: _, before: __, ...deleted } = event;
    expect(jobOf({ ...deleted, op: "delete" }, schema).data).to.not.have.any.keys("row", "before");
  });

  it("has an id of its own per source, incarnation and position, in a form that BullMQ takes", () => {
    const ids = [
      jobOf(event, schema),
      jobOf({ ...event, ordinal: 8 }, schema),
      jobMaker({ source: "other", incarnation: "i1" })(event, schema),
      jobMaker({ source: "shop", incarnation: "i2" })(event, schema),
      jobMaker({ source: "a:b", incarnation: ":" })(event, schema),
    ].map((job) => job.id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{16}-3-[78]$/);
    expect(jobOf(event, schema).id).to.equal(ids[0]);
  });

  it("has one id per source and queue, in a uuid's form", () => {
    expect(queueTargetId("a", "q")).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(queueTargetId("a", "q")).to.equal(queueTargetId("a", "q"));
    expect(queueTargetId("a", "q")).to.not.equal(queueTargetId("a", "r"));
  });
});
