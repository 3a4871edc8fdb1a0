import { LockstepError } from "@lockstep/core";
import { expect } from "chai";
import { classify } from "../src/classify.js";

function serverError(errno: number, sqlMessage: string, sqlState = "HY000"): Error {
  return Object.assign(new Error(sqlMessage), { errno, sqlState, sqlMessage, code: "ER" });
}

describe("classify", () => {
  for (const [errno, message, code, about] of [
    [1048, "Column 'total' cannot be null", "TARGET_NOT_NULL", "total"],
    [1364, "Field 'total' doesn't have a default value", "TARGET_NOT_NULL", "total"],
    [1062, "Duplicate entry 'a@x' for key 'email'", "TARGET_UNIQUE", "email"],
    [1062, "Duplicate entry 'x' for key 'y'' for key 'orders.email'", "TARGET_UNIQUE", "orders.email"],
    [
      1452,
      "Cannot add or update a child row: a foreign key constraint fails (`db`.`t`, CONSTRAINT `fk` FOREIGN KEY (`p`) REFERENCES `q` (`id`))",
      "TARGET_FOREIGN_KEY",
      "fk",
    ],
    [
      1451,
      "Cannot delete or update a parent row: a foreign key constraint fails (`db`.`t`, CONSTRAINT `fk` FOREIGN KEY (`p`) REFERENCES `q` (`id`))",
      "TARGET_FOREIGN_KEY",
      "fk",
    ],
    [3819, "Check constraint 'positive' is violated.", "TARGET_CHECK", "positive"],
    [4025, "CONSTRAINT `positive` failed for `db`.`t`", "TARGET_CHECK", "positive"],
    [1264, "Out of range value for column 'n' at row 3", "TARGET_VALUE", "n"],
    [
      1366,
      "Incorrect integer value: 'for column 'x' at row 1' for column `db`.`t`.`n` at row 1",
      "TARGET_VALUE",
      "n",
    ],
    [1406, "Data too long for column 'n' at row 1", "TARGET_VALUE", "n"],
    [1292, "Truncated incorrect DOUBLE value: 'secret'", "TARGET_VALUE", undefined],
    [1644, "whatever the trigger says", "TARGET_REFUSED", undefined],
  ] as const) {
    it(`${errno} is ${code} of a row, about ${about ?? "nothing"}`, () => {
      const fault = classify(serverError(errno, message));
      expect(fault).deep.equal({ kind: "row", code, ...(about === undefined ? {} : { about }) });
    });
  }

  for (const errno of [
    1205, 1213, 1040, 1290, 1836, 1021, 1114, 1927, 1317, 3024, 1969, 1045, 1142, 1049, 1053, 1020, 99999,
  ]) {
    it(`${errno} is systemic`, () => {
      expect(classify(serverError(errno, "…"))).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    });
  }

  it("names a missing table or column, which are systemic", () => {
    expect(classify(serverError(1146, "Table 'db.orders' doesn't exist", "42S02"))).deep.equal({
      kind: "systemic",
      code: "TARGET_TABLE_MISSING",
      about: "db.orders",
    });
    expect(classify(serverError(1054, "Unknown column 'total' in 'field list'", "42S22"))).deep.equal({
      kind: "systemic",
      code: "TARGET_COLUMN_MISSING",
      about: "total",
    });
  });

  it("takes errors of the network and of the driver as systemic", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED", errno: -111 });
    const lost = Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST", fatal: true });
    for (const error of [
      refused,
      lost,
      new Error("Can't add new command when connection is in closed state"),
      "odd",
    ]) {
      expect(classify(error)).deep.equal({ kind: "systemic", code: "TARGET_UNAVAILABLE" });
    }
  });

  it("takes Lockstep's own errors at their word", () => {
    const value = new LockstepError("TARGET_VALUE", "…", { details: { about: "n" } });
    expect(classify(value)).deep.equal({ kind: "row", code: "TARGET_VALUE", about: "n" });
    expect(classify(new LockstepError("TARGET_FENCED", "…"))).deep.equal({
      kind: "systemic",
      code: "TARGET_FENCED",
    });
  });
});
