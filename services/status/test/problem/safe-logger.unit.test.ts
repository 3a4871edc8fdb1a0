import { LockstepError, type Logger } from "@lockstep/core";
import { expect } from "chai";
import { safeLogger } from "../../src/problem/safe-logger.js";

function recorder() {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { lines, logger: safeLogger(logger) };
}

describe("the safe logger", () => {
  it("passes fields and message on, with a child's bindings", () => {
    const { lines, logger } = recorder();
    logger.child({ reqId: "7" }).info({ route: "/livez" }, "request answered");
    expect(lines).to.deep.equal([
      { level: "info", fields: { reqId: "7", route: "/livez" }, message: "request answered" },
    ]);
  });

  it("has a place for each of pino's levels", () => {
    const { lines, logger } = recorder();
    logger.trace("a");
    logger.fatal({}, "b");
    logger.silent("c");
    expect(lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ["debug", "a"],
      ["error", "b"],
    ]);
  });

  it("drops what holds values", () => {
    const { lines, logger } = recorder();
    const cause = Object.assign(new Error("Key (email)=(ada@example.com)"), { code: "23505" });
    logger.error({ err: cause, body: "ada@example.com", req: { url: "/?text=ada@example.com" } }, "failed");
    logger.error(cause);
    logger.error({ error: new LockstepError("TARGET_UNIQUE", "refused", { cause }) }, "failed");
    logger.child({ headers: "ada@example.com" }).warn({ image: ["ada@example.com"] }, "failed");
    expect(JSON.stringify(lines)).to.not.include("ada@example.com");
    expect(JSON.stringify(lines)).to.include("23505").and.to.include("TARGET_UNIQUE");
  });
});
