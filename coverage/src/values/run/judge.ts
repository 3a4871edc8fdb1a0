import type { Engine, ErrorCode } from "@lockstep/core";
import type { ColumnType } from "../column-type.js";

/** What became of one value of one type on one way. */
export type Verdict =
  | { readonly is: "exact" | "converted"; readonly how: string }
  | { readonly is: "dead-letter"; readonly code: ErrorCode }
  /** `why` holds no value. */
  | { readonly is: "wrong"; readonly why: string };

/** What was found of one value. */
export interface Finding {
  readonly source: string | null;
  /** `undefined` when the target has no such row. */
  readonly target: string | null | undefined;
  /** Code of the row's live letter. */
  readonly letter: string | undefined;
}

/** The only code that may stand for a value which the target can't hold. */
const clearCode = "TARGET_VALUE" satisfies ErrorCode;

const sameText: Verdict = { is: "exact", how: "the same text" };

/** Judges one value. Pure. */
export function judge(
  type: ColumnType,
  from: Engine,
  to: Engine,
  { source, target, letter }: Finding,
): Verdict {
  if (letter !== undefined) return ofLetter(letter, from === to || source === null);
  if (target === undefined) return wrong("the row is missing and has no letter");
  if (source === null || target === null) {
    return source === target ? sameText : wrong("NULL on one side only");
  }
  if (from === to) return source === target ? sameText : wrong("another text");
  const { across } = type;
  const form = [across, across.otherwise].find((one) => one?.same(source, target));
  return form === undefined ? wrong("another value") : { is: form.grade, how: form.how };
}

function ofLetter(letter: string, mustFit: boolean): Verdict {
  if (letter !== clearCode) return wrong(`a letter with the code ${letter}`);
  return mustFit
    ? wrong("a letter for a value that the target can hold")
    : { is: "dead-letter", code: clearCode };
}

function wrong(why: string): Verdict {
  return { is: "wrong", why };
}
