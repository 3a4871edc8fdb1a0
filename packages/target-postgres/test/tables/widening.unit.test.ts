import { expect } from "chai";
import { widens } from "../../src/tables/widening.js";

describe("widens", () => {
  for (const [from, to] of [
    ["smallint", "integer"],
    ["integer", "bigint"],
    ["real", "double precision"],
    ["integer", "numeric"],
    ["integer", "numeric(12,2)"],
    ["bigint", "numeric(20,0)"],
    ["numeric(10,2)", "numeric(12,2)"],
    ["numeric(10,2)", "numeric(12,4)"],
    ["numeric(10,2)", "numeric"],
    ["character varying(10)", "character varying(40)"],
    ["character varying(10)", "character varying"],
    ["character varying(10)", "text"],
    ["boolean", "text"],
    ["timestamp(3) without time zone", "timestamp without time zone"],
    ["timestamp(3) with time zone", "timestamp(6) with time zone"],
  ] as const) {
    it(`${from} → ${to}`, () => expect(widens(from, to)).equal(true));
  }

  for (const [from, to] of [
    ["integer", "integer"],
    ["bigint", "integer"],
    ["double precision", "real"],
    ["numeric(12,2)", "numeric(10,2)"],
    ["numeric(12,2)", "numeric(12,4)"],
    ["numeric", "numeric(30,2)"],
    ["bigint", "numeric(12,2)"],
    ["character varying", "character varying(40)"],
    ["character varying(40)", "character varying(10)"],
    ["text", "integer"],
    ["integer", "boolean"],
    ["bit(4)", "bit(8)"],
    ["timestamp without time zone", "timestamp with time zone"],
    ["timestamp(6) without time zone", "timestamp(3) without time zone"],
  ] as const) {
    it(`not ${from} → ${to}`, () => expect(widens(from, to)).equal(false));
  }
});
