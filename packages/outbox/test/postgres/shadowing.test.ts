import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { postgresOutboxWriter } from "../../src/index.js";
import { postgres } from "../fixture/postgres.js";

describe("an outbox schema that is named like the application's role", () => {
  it("is refused before it exists: it would come first in the search_path, and hide the application's tables", async () => {
    const db = await postgres.open();
    const app = await db.session();
    const [role] = await app.run("select current_user as name");
    const schema = String(role?.["name"]);
    const writer = postgresOutboxWriter({ schema });
    for (const use of [() => writer.ensure(app.run), () => writer.check(app.run)]) {
      const failure = await use().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(isLockstepError(failure, "CONFIG_INVALID"), String(failure)).to.equal(true);
    }
    const made = await app.run("select 1 from pg_namespace where nspname = current_user");
    expect(made).to.have.length(0);

    await app.run("set search_path = public");
    await writer.ensure(app.run);
    await db.drop();
  });
});
