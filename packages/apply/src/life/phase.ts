/** Why a lane isn't running: a code and what to do. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}

/**
 * Where a lane is in its life.
 * - `standing-by`: another session owns it; tried about every second
 * - `registering`: owned; waits for the relay to confirm the target
 * - `running`, `catching-up`: applies the main feed, or a feed from the outbox behind a gap
 * - `paused`: by a fault of the target or stream, which is tried again with backoff, or by a person
 * - `halted`: a person has to do something; looked at again now and then
 */
export type Phase =
  | { readonly name: "standing-by" }
  | { readonly name: "registering"; readonly reason?: Reason }
  | { readonly name: "running"; readonly reason?: Reason }
  | { readonly name: "catching-up"; readonly reason?: Reason }
  | { readonly name: "paused"; readonly reason: Reason }
  | { readonly name: "halted"; readonly reason: Reason };

/** The reason of a lane that a person paused. */
export const pausedByPerson: Reason = {
  code: "PAUSED",
  message: "A person paused this lane. Resume it: POST /api/v1/lanes/:id/resume.",
};
