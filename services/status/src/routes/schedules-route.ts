import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { isLockstepError, LockstepError } from "@lockstep/core";
import type { JobDesk } from "@lockstep/jobs";
import { Type } from "typebox";
import { deciderOf } from "../access/decider.js";
import { CalledJob, ScheduleView, UnreachableSource } from "../jobs/job-schema.js";
import { scheduleView } from "../jobs/job-view.js";
import { desksOf, type SourceDesk } from "../jobs/source-desk.js";
import { problemOf } from "../problem/problem.js";
import { calledView } from "./jobs-route.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 63 }) });
const nothing = Type.Optional(Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]));

/** `/schedules`: what is begun by the clock. The configuration says what there is; a person may run it now, or pause it. */
export const schedulesRoute =
  ({ fleet, limits: { decideTimeoutMs } }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const listSchema = {
      summary: "Schedules: when they run next, how the last run ended, what was missed",
      tags: ["schedules"],
      operationId: "listSchedules",
      response: {
        200: Type.Object({
          schedules: Type.Array(ScheduleView),
          unreachable: Type.Array(UnreachableSource),
        }),
        ...problemResponse,
      },
    };
    app.get("/schedules", { schema: listSchema }, async (request) => {
      const desks = desksOf(fleet);
      const answers = await Promise.allSettled(desks.map(({ ask }) => ask((desk) => desk.schedules())));
      const named = answers.map((answer, i) => ({ answer, source: desks[i]!.source.name }));
      return {
        schedules: named.flatMap(({ answer, source }) =>
          answer.status === "fulfilled" ? answer.value.map((one) => scheduleView(source, one)) : [],
        ),
        unreachable: named.flatMap(({ answer, source }) => {
          if (answer.status === "fulfilled") return [];
          const { code, detail, hint } = problemOf(answer.reason, request.id);
          return [{ source, code, detail, hint }];
        }),
      };
    });

    const runSchema = {
      summary: "Run it now, whatever its times and its window say",
      tags: ["schedules"],
      operationId: "runSchedule",
      params,
      body: nothing,
      response: { 202: CalledJob, ...problemResponse },
    };
    app.post("/schedules/:name/run", { schema: runSchema }, async (request, reply) => {
      const { name } = request.params;
      const by = deciderOf(request);
      const job = await atItsDesk(fleet, ({ ask }) => ask((desk) => desk.run(name, by), decideTimeoutMs));
      request.log.info({ schedule: name, job: job.id, by }, "schedule run by a person");
      return reply.code(202).send(calledView(job));
    });

    const decision = (verb: "pause" | "resume", summary: string) => {
      const schema = {
        summary,
        tags: ["schedules"],
        operationId: `${verb}Schedule`,
        params,
        body: nothing,
        response: { 202: ScheduleView, ...problemResponse },
      };
      app.post(`/schedules/:name/${verb}`, { schema }, async (request, reply) => {
        const { name } = request.params;
        const by = deciderOf(request);
        const decide = (desk: JobDesk) => desk.setPaused(name, verb === "pause" ? by : undefined);
        const decided = await atItsDesk(fleet, async ({ ask, source }) =>
          scheduleView(source.name, await ask(decide, decideTimeoutMs)),
        );
        request.log.info({ schedule: name, verb, by }, "schedule decided");
        return reply.code(202).send(decided);
      });
    };
    decision("pause", "Begin no more runs; one that is running goes on");
    decision("resume", "Begin runs again, the next time it is due");
  };

/** A schedule's name is unique, and one desk knows it. @throws LockstepError SCHEDULE_UNKNOWN. */
async function atItsDesk<T>(
  fleet: RouteContext["fleet"],
  work: (desk: SourceDesk) => Promise<T>,
): Promise<T> {
  let unknown: unknown = new LockstepError("SCHEDULE_UNKNOWN", "no schedule is configured");
  for (const desk of desksOf(fleet)) {
    try {
      return await work(desk);
    } catch (error) {
      if (!isLockstepError(error, "SCHEDULE_UNKNOWN")) throw error;
      unknown = error;
    }
  }
  throw unknown as Error;
}
