import { classOf, type Form, formOf, sameForm, type StoredType } from "../digest/form.js";

/**
 * The text that a column which a mapping makes is compared by: what the target prints of it depends on the target's column, not on what it was given.
 * `undefined` when nothing tells whether they are equal. Pure.
 */
export function madeForm(source: StoredType, target: StoredType): Form | undefined {
  const form = formOf(source, target);
  if (form !== "stored") return form;
  const stored = classOf(target);
  return stored === "json" || stored === "other" ? undefined : sameForm(stored);
}
