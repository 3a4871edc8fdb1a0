import { tableId, type CaptureFinding } from "@lockstep/core";
import { quoteName } from "@lockstep/outbox/postgres";
import type { SourceFacts, TableFacts } from "./facts.js";
import type { CaptureNames } from "./names.js";

const oldestVersion = 140_000;

/** What the source lacks for this capture. Pure. */
export function findingsOf(facts: SourceFacts, names: CaptureNames): CaptureFinding[] {
  return [...serverFindings(facts), ...slotFindings(facts, names), ...facts.tables.flatMap(tableFindings)];
}

const refused = (message: string): CaptureFinding => ({ problem: "refused", message });
const missing = (message: string): CaptureFinding => ({ problem: "missing", message });

function serverFindings({
  version,
  walLevel,
  mayReplicate,
  mayCreate,
  role,
  publications,
}: SourceFacts): CaptureFinding[] {
  const findings: CaptureFinding[] = [];
  if (version < oldestVersion)
    findings.push(refused("capture by the write-ahead log needs PostgreSQL 14 or newer"));
  if (walLevel !== "logical") {
    findings.push(refused(`wal_level is ${walLevel}: set wal_level = logical and restart the server`));
  }
  if (!mayReplicate)
    findings.push(refused(`the role may not replicate: alter role ${quoteName(role)} replication`));
  if (!mayCreate && publications.length < 2) {
    findings.push(refused("the role may not make publications: grant create on the database to it"));
  }
  return findings;
}

function slotFindings(
  { isInstalled, slot, publications, narrowed, unpublishedOwn }: SourceFacts,
  names: CaptureNames,
): CaptureFinding[] {
  const gone = "verify the targets, remove the capture, install it anew and seed the targets again";
  const findings: CaptureFinding[] = [];
  if (!isInstalled) findings.push(missing("there is no replication slot yet"));
  else if (slot !== "ours")
    findings.push(refused(`the replication slot ${names.slot} is gone or invalidated: ${gone}`));
  else if (publications.length < 2) findings.push(refused(`a publication of the capture is gone: ${gone}`));
  else if (narrowed.length > 0)
    findings.push(missing(`a publication leaves out kinds of changes: ${narrowed.join(", ")}`));
  else if (unpublishedOwn.length > 0) findings.push(missing(`not published: ${unpublishedOwn.join(", ")}`));
  return findings;
}

function tableFindings(table: TableFacts): CaptureFinding[] {
  const id = tableId(table);
  const about = (problem: CaptureFinding["problem"], message: string): CaptureFinding => ({
    table: id,
    problem,
    message,
  });
  if (!table.exists) return [about("refused", `${id} does not exist`)];
  if (!table.hasKey) {
    return [
      about(
        "refused",
        `${id} has no primary key: give it one, or leave it out (published, the server would refuse to update it)`,
      ),
    ];
  }
  if (table.isUnlogged)
    return [about("refused", `${id} is unlogged: alter table … set logged, or leave it out`)];
  // The log names each row's own table, and to publish this one would publish them all.
  if (table.isInherited) {
    return [
      about(
        "refused",
        `${id}: other tables inherit from it, and its rows and theirs have no common primary key: leave it out`,
      ),
    ];
  }
  const findings: CaptureFinding[] = [];
  if (table.widen.length > 0) {
    const what = table.widen.map((name) => `alter table ${name} replica identity full`).join("; ");
    findings.push(
      table.isOwner
        ? about(
            "missing",
            `${id} doesn't log whole old rows: large values that an update leaves as they are would be unknown`,
          )
        : about("refused", `${id} belongs to another role, which must run: ${what}`),
    );
  }
  if (table.isNarrowed)
    findings.push(about("missing", `${id} is published without some of its columns or rows`));
  if (!table.isPublished) {
    const finding = table.isOwner
      ? about("missing", `${id} is not published`)
      : about("refused", `${id} belongs to another role, which must publish it`);
    findings.push({ ...finding, isBare: true });
  }
  return findings;
}
