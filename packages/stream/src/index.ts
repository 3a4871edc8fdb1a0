export { examineRedis } from "./examine-redis.js";
export {
  type DueTimes,
  type JobCalls,
  jobCalls,
  type JobClock,
  type JobClockOptions,
  jobQueue,
  startJobClock,
} from "./jobs/job-clock.js";
export { type JobReport, type JobReports, jobReports } from "./jobs/job-reports.js";
export { keysOf, layoutVersion, type Keys } from "./keys.js";
export { type LaneName } from "./lane-nudges.js";
export { letterQueue } from "./letters/letter-queue.js";
export {
  bullLetterSchedule,
  type ClosableLetterSchedule,
  type LetterScheduleOptions,
} from "./letters/letter-schedule.js";
export { startLetterWorker, type LetterWorker, type LetterWorkerOptions } from "./letters/letter-worker.js";
export {
  bullQueueTarget,
  type ChangeJob,
  type IdentifiedJob,
  type QueueTarget,
  type QueueTargetOptions,
} from "./queue/queue-target.js";
export { redisStreamReader, type StreamReaderOptions } from "./reader.js";
export { readsReports, type ReadsReports } from "./reads-reports.js";
export { newClient, type RedisClusterConnection, type RedisConnection } from "./redis-link.js";
export { redisStatusReader, type StatusReaderOptions, type StreamStatusReader } from "./status-reader.js";
export { redisStreamWriter, type StreamWriterOptions } from "./writer.js";
