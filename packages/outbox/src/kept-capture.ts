import { captureKinds, type KeptCapture, parsePosition } from "@lockstep/core";

/** What the state row (`capture`, `from`, `stage`, `end`) says of the source's capture. */
export function keptCapture(row: Readonly<Record<string, unknown>> | undefined): KeptCapture | undefined {
  const kindOf = (value: unknown) => captureKinds.find((kind) => kind === String(value));
  const kind = kindOf(row?.["capture"]);
  const from = kindOf(row?.["from"]);
  const stage = (["beside", "turned"] as const).find((known) => known === row?.["stage"]);
  const end = row?.["end"];
  return (
    kind && {
      kind,
      ...(from && { from }),
      ...(from && stage && { stage }),
      ...(typeof end === "string" && { end: parsePosition(end) }),
    }
  );
}

/** The mark in a log behind which nothing counts: an event that changes nothing, with this for a key. */
export const endKey = '["lockstep: the log ends here"]';

/** The key of an event that changes nothing and says nothing else. */
export const barrierKey = '["lockstep: barrier"]';
