import { captureKinds, type KeptCapture } from "@lockstep/core";

/** What the state row (`capture`, `from`) says of the source's capture. */
export function keptCapture(row: Readonly<Record<string, unknown>> | undefined): KeptCapture | undefined {
  const kindOf = (value: unknown) => captureKinds.find((kind) => kind === String(value));
  const kind = kindOf(row?.["capture"]);
  const from = kindOf(row?.["from"]);
  return kind && { kind, ...(from && { from }) };
}
