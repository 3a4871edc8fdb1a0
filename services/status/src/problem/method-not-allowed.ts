import type { FastifyInstance, HTTPMethods } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { httpProblem } from "./http-problems.js";

/** Methods that change nothing. */
export const readingMethods: readonly string[] = ["GET", "HEAD"];

/**
 * Answers 405 with `Allow` (RFC 9110) where an address is known and the method isn't; Fastify itself answers 404. It does so before a body is
 * read. Where `isReadOnly`, only {@link readingMethods} count.
 */
export const methodNotAllowed = fastifyPlugin(
  async (app: FastifyInstance, { isReadOnly }: { isReadOnly: (url: string) => boolean }) => {
    app.addHook("onRequest", async ({ is404, method, url }, reply) => {
      if (!is404) return;
      const allowed = methodsAt(app, url, isReadOnly(url) ? readingMethods : app.supportedMethods);
      if (allowed.length === 0) return;
      void reply.header("allow", allowed.join(", "));
      throw httpProblem("METHOD_NOT_ALLOWED", `${method} isn't allowed here`);
    });
  },
  { name: "lockstep-method-not-allowed" },
);

/** Which of the methods an address has, as the router finds it, in the order of the alphabet. */
export function methodsAt(app: FastifyInstance, url: string, methods: readonly string[]): string[] {
  // Its type leaves out the null.
  const find = (method: string): object | null => app.findRoute({ method: method as HTTPMethods, url });
  return methods.filter((method) => find(method) !== null).toSorted();
}
