import type { Finding } from "@lockstep/core";
import { openLink, type RedisClient, type RedisConnection } from "./redis-link.js";

/** Oldest Redis that has what the stream's scripts use. */
const oldest = 7;

/**
 * Whether this Redis, as it is set up, carries the stream well. Asks INFO alone: CONFIG is closed on many managed servers.
 * @throws LockstepError STREAM_UNAVAILABLE.
 */
export async function examineRedis(redis: RedisConnection): Promise<readonly Finding[]> {
  const link = openLink({ redis });
  try {
    const info = infoOf(String(await link.call((client: RedisClient) => client.call("INFO"))));
    return [versionOf(info), evictionOf(info), persistenceOf(info), roleOf(info)];
  } finally {
    link.close();
  }
}

type Info = ReadonlyMap<string, string>;

function infoOf(text: string): Info {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(":");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

function versionOf(info: Info): Finding {
  const version = info.get("redis_version") ?? "unknown";
  const about = { check: "redis.version", subject: "redis" } as const;
  return Number.parseFloat(version) < oldest
    ? {
        ...about,
        level: "error",
        message: `Redis ${version} is too old`,
        advice: `Use Redis ${oldest}.0 or newer: before that a stream does not say what was deleted from it, and nothing is published.`,
      }
    : { ...about, level: "ok", message: `Redis ${version}` };
}

function evictionOf(info: Info): Finding {
  const policy = info.get("maxmemory_policy") ?? "unknown";
  const about = { check: "redis.eviction", subject: "maxmemory-policy" } as const;
  return policy === "noeviction"
    ? { ...about, level: "ok", message: "is noeviction" }
    : {
        ...about,
        level: "error",
        message: `is ${policy}: Redis may throw streams and queued retries away when its memory is full`,
        advice: "Set maxmemory-policy noeviction.",
      };
}

function persistenceOf(info: Info): Finding {
  const about = { check: "redis.persistence", subject: "redis" } as const;
  return info.get("aof_enabled") === "1"
    ? { ...about, level: "ok", message: "its append-only file is on" }
    : {
        ...about,
        level: "warning",
        message:
          "its append-only file is off: nothing is lost by a restart, but everything is published again",
        advice: "Set appendonly yes.",
      };
}

function roleOf(info: Info): Finding {
  const role = info.get("role") ?? "unknown";
  const about = { check: "redis.role", subject: "redis" } as const;
  return role === "master"
    ? { ...about, level: "ok", message: "is a primary" }
    : {
        ...about,
        level: "error",
        message: `is a ${role}: nothing can be written to it`,
        advice: "Name the primary.",
      };
}
