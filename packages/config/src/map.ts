import {
  type ComputedColumn,
  type FixedColumn,
  type HashedColumn,
  mappedTypePattern,
  mappingProblems,
  type TableMapping,
  type TargetMapping,
} from "@lockstep/core";
import { z } from "zod";

const text = z.string().min(1);
const mappedType = z
  .string()
  .regex(
    mappedTypePattern,
    "must be a type such as text, text(40), integer or numeric(12,2) (docs/strategies/mapping.md)",
  );
const code = z.custom(isFunction, "must be a function");

const hashed = z.strictObject({ hash: text });
const fixed = z.strictObject({
  fixed: z.union([z.string(), z.bigint(), z.number(), z.boolean(), z.instanceof(Uint8Array), z.null()], {
    error: "must be a text, number, bigint, boolean, bytes or null",
  }),
  type: mappedType.exactOptional(),
});
const computed = z.strictObject({ type: mappedType, value: code });

const table = z.strictObject({
  to: text.exactOptional(),
  columns: z.record(text, z.unknown()).exactOptional(),
  key: z.array(text).min(1).exactOptional(),
  where: code.exactOptional(),
  softDeleted: text.exactOptional(),
});

/** A target's `map`: checked piece by piece, so that every error names its own place. */
export const mapSchema = z
  .custom<TargetMapping>(isObject, "must be an object of mappings by table")
  .superRefine((map, context) => {
    let sound = true;
    const report = (path: readonly PropertyKey[], issues: readonly z.core.$ZodIssue[]): void => {
      if (issues.length > 0) sound = false;
      for (const { message, path: below } of issues)
        context.addIssue({ code: "custom", path: [...path, ...below], message });
    };
    for (const [name, entry] of Object.entries(map as Readonly<Record<string, unknown>>)) {
      if (entry === false) continue;
      if (name === "*") {
        report([name], [custom("can only be false: tables that aren't named are left out")]);
        continue;
      }
      const list = Array.isArray(entry) ? entry : [entry];
      if (list.length === 0) report([name], [custom("must hold a mapping, or be false")]);
      for (const [i, one] of list.entries()) {
        report(Array.isArray(entry) ? [name, i] : [name], issuesOfTable(one));
      }
    }
    if (sound) for (const message of mappingProblems(map)) context.addIssue({ code: "custom", message });
  });

/** True when a mapping hashes a column: that needs a secret. */
export function hashes(map: TargetMapping): boolean {
  const tables = Object.values(map).flatMap((entry) => (entry === false ? [] : [entry].flat()));
  return tables.some(({ columns = {} }) =>
    Object.values(columns).some((spec) => typeof spec === "object" && "hash" in spec),
  );
}

function issuesOfTable(mapping: unknown): readonly z.core.$ZodIssue[] {
  const parsed = table.safeParse(mapping);
  if (!parsed.success) return parsed.error.issues;
  return Object.entries(parsed.data.columns ?? {}).flatMap(([name, spec]) =>
    issuesOfColumn(name, spec).map((issue) => ({ ...issue, path: ["columns", name, ...issue.path] })),
  );
}

function issuesOfColumn(name: string, spec: unknown): readonly z.core.$ZodIssue[] {
  if (name === "*") return spec === true ? [] : [custom("can only be true")];
  if (typeof spec === "boolean" || (typeof spec === "string" && spec !== "")) return [];
  if (!isObject(spec))
    return [custom("must be true, false, a column's name, { hash }, { fixed } or { type, value }")];
  const shape = "hash" in spec ? hashed : "fixed" in spec ? fixed : computed;
  return shape.safeParse(spec).error?.issues ?? [];
}

function custom(message: string): z.core.$ZodIssue {
  return { code: "custom", path: [], message, input: undefined };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

// What is checked above is what the types in core say.
type Same<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : never) : never;
true satisfies Same<z.input<typeof table>, TableMapping>;
true satisfies Same<z.input<typeof hashed>, HashedColumn>;
true satisfies Same<z.input<typeof fixed>, FixedColumn>;
true satisfies Same<z.input<typeof computed>, ComputedColumn>;
