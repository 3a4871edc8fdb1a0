import { z } from "zod";

const names = z.array(z.string().min(1)).min(1);
const rows = z.int().min(1).max(1e9);

const everyKind = {
  /** Only these targets of the source; default all. */
  targets: names.exactOptional(),
  /** Only these captured tables, as `name` or `namespace.name`; default all. */
  entities: names.exactOptional(),
  /** At most so many rows a second. Default: as many as the databases take. */
  rate: z.number().positive().max(1e9).exactOptional(),
};

const comparison = {
  ...everyKind,
  /** Rows hashed by one statement. */
  slice: rows.exactOptional(),
  /** So many differing rows of a table are named; all are counted. */
  limit: z.int().min(0).max(100_000).exactOptional(),
  /** How long a lane may take to apply what was committed, seconds. */
  timeout: z.number().positive().max(86_400).exactOptional(),
};

const key = z.array(z.string()).min(1);

const isMasked = z.literal(true).exactOptional();

/** Of a report of verify nothing but the keys is kept. */
const namedRows = z.object({
  table: z.string().min(1),
  to: z.string().min(1).exactOptional(),
  differences: z.array(z.union([z.object({ key, isMasked }), z.object({ targetKey: key, isMasked })])),
});

function countOf(reports: readonly { readonly tables: readonly z.output<typeof namedRows>[] }[]): number {
  return reports
    .flatMap(({ tables }) => tables)
    .reduce((sum, { differences }) => sum + differences.length, 0);
}

/**
 * What may be asked of each kind of job: by a schedule, by a request and, as options of its own, by the command line. A kind that is added here needs an
 * entry in the table of kinds of `@lockstep/jobs`, and nothing else.
 */
export const jobOptions = {
  full: z.strictObject({
    ...everyKind,
    /** Only rows of the one entity that meet this SQL condition; implies `keepExtra`. */
    where: z.string().min(1).exactOptional(),
    /** Rows that the source doesn't have stay in the targets. */
    keepExtra: z.boolean().exactOptional(),
    /** Everything goes through the stream, into empty tables too. */
    throughStream: z.boolean().exactOptional(),
    /** A target's changes wait for at most so many seconds at a time while rows are copied past the stream. Default 300. */
    hold: z.number().min(0.1).max(86_400).exactOptional(),
    /** Targets whose history is gone begin anew. */
    anew: z.boolean().exactOptional(),
  }),
  incremental: z.strictObject({
    ...everyKind,
    /** A pass begins every so many seconds, until the job is cancelled. Default: one pass. */
    every: z.number().positive().max(86_400).exactOptional(),
    /** Keys are compared in the first pass, and rows removed that the source doesn't have. */
    deletes: z.boolean().exactOptional(),
    /** Every row once more, as if no pass had been made: to all targets, or to `targets`. */
    anew: z.boolean().exactOptional(),
  }),
  verify: z.strictObject({
    ...comparison,
    /** Only this share of the rows' slices is compared, percent. */
    sample: z.number().positive().max(100).exactOptional(),
  }),
  repair: z.strictObject({
    ...comparison,
    /** Only says what would be sent. */
    dryRun: z.boolean().exactOptional(),
    /** Only the rows that these reports name are looked at; each is judged anew. At most 10,000 of them. */
    only: z
      .array(z.object({ target: z.string().min(1), tables: z.array(namedRows) }))
      .refine(
        (reports) => countOf(reports) <= 10_000,
        "names more than 10,000 rows: repair finds them by itself",
      )
      .exactOptional(),
  }),
} as const;

/** The kinds of jobs. */
export type JobKindName = keyof typeof jobOptions;

/** What is asked of a job of this kind. */
export type JobOptions<K extends JobKindName = JobKindName> = z.output<(typeof jobOptions)[K]>;

type KindObject<K extends JobKindName, P extends z.ZodRawShape> = z.ZodObject<
  { kind: z.ZodLiteral<K> } & P & (typeof jobOptions)[K]["shape"],
  z.core.$strict
>;

/** A job of any kind with its options, and whatever else belongs to who asks for it. */
export function anyJob<P extends z.ZodRawShape>(
  more: P,
): z.ZodDiscriminatedUnion<[{ [K in JobKindName]: KindObject<K, P> }[JobKindName]], "kind"> {
  const kinds = Object.entries(jobOptions).map(([kind, options]) =>
    z.strictObject({ kind: z.literal(kind), ...more, ...options.shape }),
  );
  return z.discriminatedUnion("kind", kinds as never, {
    error: `must be one of ${Object.keys(jobOptions).join(", ")}`,
  });
}
