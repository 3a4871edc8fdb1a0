export { webhookSink, type WebhookOptions } from "./webhook-sink.js";
