import type { DataSource, QueryRunner } from "typeorm";
import type { Request, Requests } from "./request.js";
import { dialectOf, onlyReads } from "./statement.js";
import type { Watch } from "./watch.js";

interface Sent {
  readonly query: string;
  readonly queryRunner: QueryRunner;
}

/**
 * Notes which request writes. Before the statement and behind it: a read beside it may have taken its mark while it was under way. Behind it the request is the one
 * that was there before: drivers of TypeORM 0.3 call back outside of it.
 */
export function noteWrites({ options }: DataSource, requests: Requests): Watch {
  const dialect = dialectOf(options.type);
  const writing = new WeakMap<QueryRunner, Request>();
  return {
    subscriber: {
      beforeQuery({ query, queryRunner }: Sent) {
        const request = requests.getStore();
        if (onlyReads(query, dialect)) return;
        request?.need();
        if (request === undefined) writing.delete(queryRunner);
        else writing.set(queryRunner, request);
      },
      afterQuery({ query, queryRunner }: Sent) {
        if (!onlyReads(query, dialect)) writing.get(queryRunner)?.need();
      },
    },
  };
}
