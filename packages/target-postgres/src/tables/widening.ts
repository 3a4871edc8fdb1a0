/**
 * True when a column of type `from` may become `to` without any of its values changing. Narrower and unrelated types say
 * false: the column stays as it is, and a value that it can't hold is refused then.
 */
export function widens(from: string, to: string): boolean {
  if (from === to) return false;
  if (to === "text") return true;
  const old = parseType(from);
  const wanted = parseType(to);
  if (old === undefined || wanted === undefined) return false;
  if (wanted.base === "numeric") return widensToNumeric(old, wanted);
  if (old.base !== wanted.base) return rises(old.base, wanted.base);
  return lengthTypes.has(old.base) && fits(old.size, wanted.size);
}

interface TypeName {
  readonly base: string;
  readonly size: number | undefined;
  readonly scale: number;
}

const form = /^([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?( with(?:out)? time zone)?$/;

function parseType(type: string): TypeName | undefined {
  const match = form.exec(type);
  if (match === null) return undefined;
  const size = match[2] === undefined ? undefined : Number(match[2]);
  return { base: `${match[1]}${match[4] ?? ""}`, size, scale: Number(match[3] ?? 0) };
}

const ladders: readonly (readonly string[])[] = [
  ["smallint", "integer", "bigint"],
  ["real", "double precision"],
];

function rises(from: string, to: string): boolean {
  return ladders.some((ladder) => ladder.includes(from) && ladder.indexOf(to) > ladder.indexOf(from));
}

const lengthTypes = new Set([
  "character varying",
  "bit varying",
  "timestamp without time zone",
  "timestamp with time zone",
  "time without time zone",
  "time with time zone",
]);

// No size means no bound (for times: six digits, the most there are).
function fits(from: number | undefined, to: number | undefined): boolean {
  return to === undefined || (from !== undefined && from <= to);
}

const integerDigits: Readonly<Record<string, number>> = { smallint: 5, integer: 10, bigint: 19 };

function widensToNumeric(from: TypeName, to: TypeName): boolean {
  const digits = from.base === "numeric" ? from.size : integerDigits[from.base];
  if (from.base !== "numeric" && digits === undefined) return false;
  if (to.size === undefined) return true;
  if (digits === undefined) return false;
  const scale = from.base === "numeric" ? from.scale : 0;
  return to.scale >= scale && to.size - to.scale >= digits - scale;
}
