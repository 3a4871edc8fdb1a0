import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { Problem } from "./problem/problem.js";

/** OpenAPI 3.1, made from the routes' own schemas; the page at `/docs`, the document at `/docs/json`. Registered before the routes. */
export const docs = fastifyPlugin(
  async (app: FastifyInstance, { hasToken }: { hasToken: boolean }) => {
    app.addSchema(Problem);
    await app.register(swagger, {
      openapi: {
        openapi: "3.1.0",
        info: {
          title: "Lockstep status",
          description:
            "Lanes, lag, dead letters, jobs, schedules and decisions. Every error is RFC 9457 problem details with a code and a hint; a method that an address doesn't have is 405, with the ones it has in `Allow`.",
          version: "1.0.0",
          license: { name: "MIT", identifier: "MIT" },
        },
        tags: ["status", "dead letters", "lanes", "jobs", "schedules", "metrics", "probes"].map((name) => ({
          name,
        })),
        ...(hasToken
          ? {
              components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
              security: [{ token: [] }],
            }
          : {}),
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, i) => String(json["$id"] ?? `schema${i}`),
      },
    });
    await app.register(swaggerUi, {
      routePrefix: "/docs",
      uiConfig: { persistAuthorization: false },
    });
  },
  { name: "lockstep-docs" },
);
