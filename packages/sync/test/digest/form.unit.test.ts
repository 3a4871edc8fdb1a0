import { expect } from "chai";
import { formOf } from "../../src/digest/form.js";

const postgres = (type: string) => ({ engine: "postgres" as const, type });
const mysql = (type: string) => ({ engine: "mysql" as const, type });

describe("the form in which two columns are compared", () => {
  it("is what is stored, where both are of one type of PostgreSQL", () => {
    expect(formOf(postgres("numeric(12,2)"), postgres("numeric(12,2)"))).to.equal("stored");
    expect(formOf(postgres("numeric(12,2)"), postgres("numeric(14,4)"))).to.equal("number");
    expect(formOf(postgres("mood"), postgres("text"))).to.equal("text");
  });

  it("is a text that both engines print alike", () => {
    expect(formOf(postgres("boolean"), mysql("tinyint(1)"))).to.equal("number");
    expect(formOf(mysql("bigint(20) unsigned"), postgres("numeric(20,0)"))).to.equal("number");
    expect(formOf(postgres("timestamp with time zone"), mysql("datetime(6)"))).to.equal("moment");
    expect(formOf(mysql("time(3)"), postgres("interval"))).to.equal("moment");
    expect(formOf(postgres("uuid"), mysql("char(36)"))).to.equal("uuid");
    expect(formOf(postgres("integer[]"), mysql("longtext"))).to.equal("text");
    expect(formOf(mysql("varchar(20)"), mysql("char(20)"))).to.equal("padded");
  });

  it("is none where one value has several texts", () => {
    expect(formOf(mysql("longtext"), postgres("jsonb"))).to.equal(undefined);
    expect(formOf(postgres("jsonb"), mysql("json"))).to.equal(undefined);
    expect(formOf(postgres("numeric"), mysql("double"))).to.equal(undefined);
    expect(formOf(postgres("geometry"), postgres("geography"))).to.equal(undefined);
  });
});
