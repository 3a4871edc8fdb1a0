/** What an endpoint said to a message. */
export type Answer =
  | { readonly kind: "taken" }
  /** About this message: sending it again changes nothing. */
  | { readonly kind: "refused"; readonly status: number; readonly words: string };

/** Statuses that speak of the message itself. All others, a wrong address or token among them, are about the endpoint. */
const aboutTheMessage = new Set([400, 406, 409, 413, 415, 422]);
const mostWords = 1_000;

/** Thrown for whatever is about the endpoint. */
class EndpointError extends Error {}

/** Posts one message. @throws EndpointError, or what fetch throws: no connection, no answer in time. */
export async function post(
  url: string,
  message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  timeoutMs: number,
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    ...message,
    // A redirect could lead a signed row to somebody else.
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const words = await firstWords(response);
  if (response.ok) return { kind: "taken" };
  if (aboutTheMessage.has(response.status)) return { kind: "refused", status: response.status, words };
  throw new EndpointError(`the endpoint answered ${response.status}`);
}

/** The beginning of the answer; the rest is not read. */
async function firstWords({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  if (reader === undefined) return "";
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value?.subarray(0, mostWords));
}
