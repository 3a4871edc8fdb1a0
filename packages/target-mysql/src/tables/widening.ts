import { enumMembers } from "./enum-members.js";

interface TypeName {
  readonly base: string;
  readonly size: number | undefined;
  readonly scale: number;
  readonly unsigned: boolean;
}

const form = /^([a-z]+) ?(?:\((\d+)(?: ?, ?(\d+))?\))?( unsigned)?$/;
const aliases: Readonly<Record<string, string>> = { integer: "int", numeric: "decimal" };

const ladders: readonly (readonly string[])[] = [
  ["tinyint", "smallint", "mediumint", "int", "bigint"],
  ["tinytext", "text", "mediumtext", "longtext"],
  ["tinyblob", "blob", "mediumblob", "longblob"],
  ["float", "double"],
  ["char", "varchar", "longtext"],
  ["varbinary", "longblob"],
];
const sized = new Set(["varchar", "varbinary", "datetime", "timestamp", "time"]);

/**
 * True when a managed column of type `from` may become `to` without any of its values changing. Narrower and unrelated types say
 * false: the column stays as it is, and a value that it can't hold is refused then.
 */
export function widens(from: string, to: string): boolean {
  if (/^(enum|set)\(/i.test(from)) return hasMoreMembers(from, to);
  const old = parse(from);
  const wanted = parse(to);
  if (old === undefined || wanted === undefined) return false;
  if (old.base === "decimal" && wanted.base === "decimal") return hasMoreDigits(old, wanted);
  if (old.base === wanted.base) return sized.has(old.base) && size(old) < size(wanted);
  if (!rises(old.base, wanted.base) || (old.unsigned === false && wanted.unsigned)) return false;
  // A longer kind must not be shorter: char(100) to varchar(40).
  return wanted.base !== "varchar" || size(old) <= size(wanted);
}

function parse(type: string): TypeName | undefined {
  const match = form.exec(type.toLowerCase());
  if (match === null) return undefined;
  const base = aliases[match[1]!] ?? match[1]!;
  const length = match[2] === undefined ? undefined : Number(match[2]);
  return { base, size: length, scale: Number(match[3] ?? 0), unsigned: match[4] !== undefined };
}

function rises(from: string, to: string): boolean {
  return ladders.some((ladder) => ladder.includes(from) && ladder.indexOf(to) > ladder.indexOf(from));
}

function size(type: TypeName): number {
  return type.size ?? 0;
}

function hasMoreDigits(from: TypeName, to: TypeName): boolean {
  const [old, wanted] = [from.size ?? 10, to.size ?? 10];
  const keeps = to.scale >= from.scale && wanted - to.scale >= old - from.scale;
  return keeps && (wanted > old || to.scale > from.scale) && from.unsigned === to.unsigned;
}

// Members are stored by their number: new ones may only come behind.
function hasMoreMembers(from: string, to: string): boolean {
  if (from.slice(0, 3).toLowerCase() !== to.slice(0, 3).toLowerCase()) return false;
  const [old, wanted] = [enumMembers(from), enumMembers(to)];
  return wanted.length > old.length && old.every((member, i) => member === wanted[i]);
}
