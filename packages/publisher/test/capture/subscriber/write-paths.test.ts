import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { keyedTables, type Oracle, watchTables } from "../../support/oracle.js";
import { contents, liveRows, replay } from "../../support/replay.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";
import { type WritePath, writePaths } from "../../support/write-paths.js";

for (const version of Object.keys(typeOrmVersions)) {
  for (const type of ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[]) {
    describe(`write paths: typeorm ${version} on ${type}`, () => {
      let source: Source;
      let oracle: Oracle;
      let seen = 0;

      before(async () => {
        source = await openSource(type, { version });
        oracle = await watchTables(source, keyedTables(source));
      });
      after(() => source.close());

      for (const path of writePaths.filter(({ since }) => since === undefined || !version.startsWith("0."))) {
        it(path.name, async () => {
          if (type === "mysql" && path.refusedOnMysql) return refused(path);
          if (type === "mariadb" && path.refusedOnMariaDb) return refused(path);
          await path.run(source, source.dataSource.manager);
          const touched = await oracle.touched();
          const outbox = await source.outbox();
          const noted = replay(outbox.slice(seen));
          seen = outbox.length;
          const expected = [...touched].filter(
            ([id, { existedBefore }]) => existedBefore || noted.get(id) !== undefined,
          );
          expect([...noted.keys()]).to.include.members(expected.map(([id]) => id));
          if (!path.mayNoteMore) expect([...noted.keys()]).to.have.members(expected.map(([id]) => id));
        });
      }

      it("leaves an outbox that replays to what the tables hold", async () => {
        const tables = keyedTables(source);
        expect(liveRows(replay(await source.outbox()))).to.deep.equal(await contents(source, tables));
      });

      it("warned of nothing", () => {
        expect(source.logged).to.deep.equal([]);
      });

      async function refused(path: WritePath): Promise<void> {
        const error = await path.run(source, source.dataSource.manager).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        expect(isLockstepError(error, "CAPTURE_BLIND_WRITE")).to.equal(true, String(error));
        expect((await oracle.touched()).size).to.equal(0);
      }
    });
  }
}
