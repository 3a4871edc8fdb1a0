import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { LockstepError } from "@lockstep/core";
import { Type } from "typebox";
import { deciderOf } from "../access/decider.js";
import { findTarget, nudgeLanes, replayLetters } from "../decisions/decide.js";
import type { FleetTarget } from "../fleet/fleet.js";
import { LetterDetailView } from "../letters/letter-schema.js";
import { letterDetailView } from "../letters/letter-view.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const params = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 300, description: "`<target>~<id>`" }),
});
const Decided = Type.Object({
  id: Type.String(),
  by: Type.String(),
  nudged: Type.Boolean({
    description: "False when the lane couldn't be told: it finds out by itself a little later",
  }),
});
const noBody = Type.Optional(Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]));

/** `GET /dead-letters/:id`, `POST …/replay`, `POST …/discard`. */
export const deadLetterRoute =
  ({ fleet, mask, schemas, limits: { decideTimeoutMs } }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const detailSchema = {
      summary: "One dead letter with its row, error and attempts",
      tags: ["dead letters"],
      operationId: "getDeadLetter",
      params,
      response: { 200: LetterDetailView, ...problemResponse },
    };
    app.get("/dead-letters/:id", { schema: detailSchema }, async (request) => {
      const { target, id } = findTarget(fleet, request.params.id);
      const letter = await getLetter(target, id);
      const schema = await schemas.find(letter.source, letter.schema);
      return letterDetailView(letter, { target: target.name, mask, schema });
    });

    const replaySchema = {
      summary: "Try this letter again now, with fresh attempts",
      tags: ["dead letters"],
      operationId: "replayDeadLetter",
      params,
      body: noBody,
      response: { 202: Decided, ...problemResponse },
    };
    app.post("/dead-letters/:id/replay", { schema: replaySchema }, async (request, reply) => {
      const { target, id } = findTarget(fleet, request.params.id);
      const by = deciderOf(request);
      const letter = await getLetter(target, id);
      const done = await replayLetters(target, { ids: [id] }, by, 1, decideTimeoutMs);
      if (done.length === 0) throw new LockstepError("LETTER_STATE", `the letter is ${letter.state}`);
      request.log.info({ letter: request.params.id, by }, "letter replayed");
      return reply
        .code(202)
        .send({ id: request.params.id, by, nudged: await nudgeLanes(target, [letter], request.log) });
    });

    const discardSchema = {
      summary: "Give this letter up: the row stays as it is in the target",
      tags: ["dead letters"],
      operationId: "discardDeadLetter",
      params,
      body: Type.Object(
        {
          reason: Type.String({
            minLength: 1,
            maxLength: 500,
            pattern: "\\S",
            description: "Kept with the letter",
          }),
        },
        { additionalProperties: false },
      ),
      response: { 200: Decided, ...problemResponse },
    };
    app.post("/dead-letters/:id/discard", { schema: discardSchema }, async (request) => {
      const { target, id } = findTarget(fleet, request.params.id);
      const by = deciderOf(request);
      const letter = await getLetter(target, id);
      await target.door.ask(
        () => target.target.letters.discard(id, by, request.body.reason.trim()),
        decideTimeoutMs,
      );
      request.log.info({ letter: request.params.id, by }, "letter discarded");
      return { id: request.params.id, by, nudged: await nudgeLanes(target, [letter], request.log) };
    });
  };

async function getLetter({ target, door }: FleetTarget, id: string) {
  const letter = await door.ask(() => target.letters.get(id));
  if (letter === undefined)
    throw new LockstepError("LETTER_UNKNOWN", "there is no such dead letter in that target");
  return letter;
}
