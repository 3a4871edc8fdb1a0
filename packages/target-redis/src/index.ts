export { redisSink, type RedisSinkOptions } from "./redis-sink.js";
