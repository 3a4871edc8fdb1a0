import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { jobRequestForm, parseJobRequest } from "@lockstep/config";
import type { CalledJob as DeskCalled, JobDesk } from "@lockstep/jobs";
import { Type } from "typebox";
import { deciderOf } from "../access/decider.js";
import { parseJobId } from "../fleet/addresses.js";
import { jobPage } from "../jobs/job-page.js";
import { CalledJob, JobDetail, JobStateSchema, JobView, UnreachableSource } from "../jobs/job-schema.js";
import { jobDetail, jobView } from "../jobs/job-view.js";
import { deskOf, desksOf } from "../jobs/source-desk.js";
import { decodeCursor, encodeCursor } from "../fleet/cursor.js";
import { digestOf, splitStates } from "../letters/letter-query.js";
import { problemOf } from "../problem/problem.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const usualPage = 50;
const name = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));

const JobQuery = Type.Object(
  {
    source: name("Name of a source"),
    kind: name("full, incremental, verify or repair"),
    schedule: name("Name of a schedule: what it began, and what it missed"),
    state: Type.Optional(
      Type.Array(JobStateSchema, {
        minItems: 1,
        maxItems: 6,
        description: "Any of these: separated by commas, or repeated",
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: usualPage })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4000, description: "`next` of the page before" }),
    ),
  },
  { additionalProperties: false },
);

const params = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 300, description: "`<source>~<id>`" }),
});
const nothing = Type.Optional(Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()]));

/** `/jobs`: what ran, what runs, and what is to run. Work is left to the consumers. */
export const jobsRoute =
  ({ fleet, limits: { decideTimeoutMs } }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook("preValidation", async (request) => splitStates(request.query));

    const listSchema = {
      summary: "Jobs, the newest first",
      tags: ["jobs"],
      operationId: "listJobs",
      querystring: JobQuery,
      response: {
        200: Type.Object({
          jobs: Type.Array(JobView),
          next: Type.Union([Type.String(), Type.Null()], {
            description: "Cursor of the next page; null at the end",
          }),
          unreachable: Type.Array(UnreachableSource, {
            description: "Sources whose jobs are missing from this page",
          }),
        }),
        ...problemResponse,
      },
    };
    app.get("/jobs", { schema: listSchema }, async (request) => {
      const { limit = usualPage, cursor, ...query } = request.query;
      const digest = digestOf(query);
      const from = cursor === undefined ? { cursors: {}, done: [] } : decodeCursor(cursor, digest);
      const { kind, schedule, state } = query;
      const filter = {
        ...(kind !== undefined && { kind }),
        ...(schedule !== undefined && { schedule }),
        ...(state !== undefined && { states: state }),
      };
      const page = await jobPage(desksOf(fleet, query.source), filter, limit, from);
      return {
        jobs: page.jobs.map(jobView),
        next: page.next === undefined ? null : encodeCursor(page.next, digest),
        unreachable: page.failures.map(({ source, error }) => {
          const { code, detail, hint } = problemOf(error, request.id);
          return { source, code, detail, hint };
        }),
      };
    });

    const oneSchema = {
      summary: "One job: how far it is, how fast, what was asked for and what it found",
      tags: ["jobs"],
      operationId: "getJob",
      params,
      response: { 200: JobDetail, ...problemResponse },
    };
    app.get("/jobs/:id", { schema: oneSchema }, async (request) => {
      const { source, id } = parseJobId(request.params.id, fleet);
      return jobDetail(await deskOf(fleet, source).ask((desk) => desk.find(id)));
    });

    const startSchema = {
      summary: "Ask for a job; a consumer works on it",
      description: "Everything is checked before it begins. 409 while one of its kind is running or paused.",
      tags: ["jobs"],
      operationId: "startJob",
      body: Type.Unsafe<unknown>(jobRequestForm()),
      response: { 202: CalledJob, ...problemResponse },
    };
    // The configuration's own form says what is wrong, in the same words as for a schedule.
    const validatorCompiler = () => () => true;
    app.post("/jobs", { schema: startSchema, validatorCompiler }, async (request, reply) => {
      const { source, ...wanted } = parseJobRequest(request.body);
      const by = deciderOf(request);
      const job = await deskOf(fleet, source).ask((desk) => desk.start(wanted, by), decideTimeoutMs);
      request.log.info({ job: job.id, kind: job.kind, source: job.source, by }, "job asked for");
      return reply.code(202).send(calledView(job));
    });

    const decision = (
      verb: "pause" | "resume" | "cancel",
      summary: string,
      decide: (desk: JobDesk, id: string) => Promise<DeskCalled>,
    ) => {
      const schema = {
        summary,
        tags: ["jobs"],
        operationId: `${verb}Job`,
        params,
        body: nothing,
        response: { 202: CalledJob, ...problemResponse },
      };
      app.post(`/jobs/:id/${verb}`, { schema }, async (request, reply) => {
        const { source, id } = parseJobId(request.params.id, fleet);
        const job = await deskOf(fleet, source).ask((desk) => decide(desk, id), decideTimeoutMs);
        request.log.info({ job: id, source, verb, by: deciderOf(request) }, "job decided");
        return reply.code(202).send(calledView(job));
      });
    };
    // Whoever works on it looks at its state: nobody has to be told.
    const seen = async (job: ReturnType<JobDesk["pause"]>) => ({ ...(await job), isCalled: true });
    decision("pause", "Stop after what is in hand; it can be resumed", (desk, id) => seen(desk.pause(id)));
    decision("resume", "Let a consumer go on with it", (desk, id) => desk.resume(id));
    decision("cancel", "End it; what it has done stays", (desk, id) => seen(desk.cancel(id)));
  };

/** A job that somebody asked for. Pure. */
export function calledView(job: DeskCalled): ReturnType<typeof jobView> & { called: boolean } {
  return { ...jobView(job), called: job.isCalled };
}
