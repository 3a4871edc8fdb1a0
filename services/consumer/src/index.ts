export { type ConsumerSettings, startConsumer } from "./start-consumer.js";
