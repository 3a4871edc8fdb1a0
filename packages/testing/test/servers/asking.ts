import { Redis } from "ioredis";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { Client } from "pg";

/** Runs one statement in PostgreSQL and returns its rows. */
export async function askPostgres(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Runs one statement in MariaDB and returns its rows. */
export async function askMariaDb(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return rows;
  } finally {
    connection.destroy();
  }
}

/** Does something with a Redis connection. */
export async function askRedis<T>(url: string, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  await redis.connect();
  try {
    return await act(redis);
  } finally {
    redis.disconnect();
  }
}
