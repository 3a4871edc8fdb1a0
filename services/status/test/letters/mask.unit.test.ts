import { expect } from "chai";
import { maskOf } from "@lockstep/core";
import { maskKey } from "../../src/letters/mask.js";
import { schemaOf } from "./schema-of.js";

describe("a mask", () => {
  it("hides a column in every table, in one table, or in one table of one namespace", () => {
    const mask = maskOf(["email", "customers.phone", "audit.users.name"]);
    expect(mask.hides("public.customers", "email")).to.equal(true);
    expect(mask.hides("public.customers", "Phone")).to.equal(true);
    expect(mask.hides("public.orders", "phone")).to.equal(false);
    expect(mask.hides("audit.users", "name")).to.equal(true);
    expect(mask.hides("public.users", "name")).to.equal(false);
  });

  it("doesn't take the end of another table's name for the table", () => {
    expect(maskOf(["customers.phone"]).hides("public.old_customers", "phone")).to.equal(false);
  });

  it("hides the masked part of a key, and all of it while the columns aren't known", () => {
    const mask = maskOf(["public.members.email"]);
    const schema = schemaOf("public.members", ["club", "email"], ["club", "email"]);
    expect(maskKey(mask, "public.members", '["7","a@b"]', schema)).to.equal('["7","***"]');
    expect(maskKey(mask, "public.members", '["7","a@b"]', undefined)).to.equal('["***","***"]');
    expect(maskKey(mask, "public.orders", '["7"]', undefined)).to.equal('["7"]');
  });
});
